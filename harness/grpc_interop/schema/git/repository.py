"""Git repositories and their refs. No work tree, index or branch is touched."""

import os
import re
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from grpc_interop.errors import UsageError

_OF_ONE_REPOSITORY = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_OBJECT_DIRECTORY GIT_DIR GIT_WORK_TREE"
    " GIT_IMPLICIT_WORK_TREE GIT_GRAFT_FILE GIT_INDEX_FILE GIT_NO_REPLACE_OBJECTS GIT_REPLACE_REF_BASE GIT_PREFIX"
    " GIT_SHALLOW_FILE GIT_COMMON_DIR GIT_NAMESPACE"
).split()
"""Variables that git sets for a hook: they name its repository in every folder (git rev-parse --local-env-vars)."""

_NOT_FETCHABLE = re.compile(r":|@\{|^[0-9a-f]{7,64}(?:[~^]|$)|^HEAD(?:[~^]|$)")
"""Refs that no remote knows by name: paths from the commit that is checked out, and the digits of a commit."""

_RELEASE = re.compile(r"v?\d+(\.\d+)*")
"""The usual names of tags."""


class NoGitError(UsageError):
    """Git is not installed."""


class UnknownRefError(UsageError):
    """The repository has no such ref."""


class Repository(NamedTuple):
    top: Path  # the work tree, which need not exist
    git_dir: Path  # the folder with the objects

    def git(self, *words: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run a command that reads objects, refs or the index."""
        # The git directory stands in for the work tree: a submodule may have none any more.
        return _git("-C", str(self.git_dir), "--git-dir", ".", "--work-tree", ".", *words, given=given)

    def has(self, commit: str) -> bool:
        """Return whether a commit is here, or can be fetched on demand (partial clone)."""
        return self.git("cat-file", "-e", f"{commit}^{{commit}}").returncode == 0

    def ignored(self, paths: Iterable[Path]) -> set[Path]:
        """Return the paths below the top that git ignores and does not track. They need not exist."""
        given = b"".join(os.fsencode(path) + b"\0" for path in paths)
        done = _git("-C", str(self.top), "check-ignore", "-z", "--stdin", given=given)
        return {Path(os.fsdecode(name)) for name in done.stdout.split(b"\0") if name}


def around(folder: Path) -> Repository | None:
    """Return the repository around a folder, which need not exist; None without a repository or git."""
    try:
        done = _discovered(folder)
    except NoGitError:
        return None
    if done.returncode:
        return None
    top, git_dir = (Path(os.fsdecode(line)) for line in done.stdout.split(b"\n")[:2])
    return Repository(top.resolve(), git_dir)


def repository_around(folder: Path) -> Repository:
    """Return the repository around a folder. Raise UsageError without a repository."""
    repository = around(folder)
    if repository is None:
        raise UsageError(
            f"{folder} has no history: {words_of(_discovered(folder))}",
            "a ref needs protos in a git repository; `interop compat` also takes folders and images",
        )
    return repository


def _discovered(folder: Path) -> subprocess.CompletedProcess[bytes]:
    existing = next(place for place in (folder, *folder.resolve().parents) if place.is_dir())
    return _git("-C", str(existing), "rev-parse", "--show-toplevel", "--absolute-git-dir")


def ignored_below(folder: Path) -> frozenset[str] | None:
    """Return the files and folders that git leaves out, by their paths from the folder. A folder stands for all below it.

    Return None without git or a repository, and for a folder that is itself left out: whoever names it means its files.
    """
    with suppress(NoGitError):
        if _git("-C", str(folder), "check-ignore", "--quiet", ".").returncode == 1:
            done = _git("-C", str(folder), "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
            if not done.returncode:
                return frozenset(os.fsdecode(name).rstrip("/") for name in done.stdout.split(b"\0") if name)
    return None


def is_submodule(folder: Path) -> bool:
    """Return whether the repository at a folder is a submodule of the outer repository, and not a clone that just lies there."""
    return bool(_superproject(folder))


def _superproject(folder: Path) -> bytes:
    return _git("-C", str(folder), "rev-parse", "--show-superproject-working-tree").stdout.rstrip(b"\n")


def holders(repository: Repository) -> list[Repository]:
    """Return the repository, and the repositories around it that have it as a submodule, from the inside outwards."""
    every = [repository]
    while True:
        top = _superproject(every[-1].top)
        outer = around(Path(os.fsdecode(top))) if top else None
        if outer is None:
            return every
        every.append(outer)


# -- refs --------------------------------------------------------------------------------------------------------------


def commit_of(repository: Repository, ref: str, option: str) -> str:
    """Return the commit that a ref names. `option` is the command's option, for the remedy. Raise UnknownRefError."""
    commit = _commit(repository, ref)
    if commit is None:
        raise UnknownRefError(f"{ref} is not a commit that {repository.top} has", _how_to_get(repository, ref, option))
    return commit


def is_branch(repository: Repository, ref: str) -> bool:
    """Return whether a ref names a branch, local or remote, as opposed to a tag or a commit."""
    done = repository.git("rev-parse", "--symbolic-full-name", "--end-of-options", ref)
    return any(line.startswith((b"refs/heads/", b"refs/remotes/")) for line in done.stdout.splitlines())


def merge_base(repository: Repository, ref: str, other: str, option: str) -> str:
    """Return the merge base of two refs. Raise UsageError where the repository knows of none."""
    commit, other_commit = commit_of(repository, ref, option), commit_of(repository, other, option)
    done = repository.git("merge-base", commit, other_commit)
    if done.returncode:
        shallow = repository.git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
        raise UsageError(
            f"{repository.top} knows of no commit that {ref} and {other} have in common",
            "it is a shallow clone: `git fetch --unshallow` gets the rest (in CI: fetch-depth: 0)"
            if shallow
            else f"their histories are unrelated; compare with the commit itself: {option} {commit}",
        )
    return done.stdout.decode().strip()


def _commit(repository: Repository, ref: str) -> str | None:
    done = repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return None if done.returncode else done.stdout.decode().strip()


def _how_to_get(repository: Repository, ref: str, option: str) -> str:
    if _NOT_FETCHABLE.search(ref):
        return "a shallow clone lacks older commits: `git fetch --unshallow` gets them (in CI: fetch-depth: 0)"
    name, way = re.fullmatch(r"(?:refs/)?(?:heads/)?([^~^]*)(.*)", ref, re.DOTALL).groups()  # type: ignore[union-attr]
    remotes = repository.git("remote").stdout.decode(errors="replace").split() or ["origin"]
    remotes.sort(key=lambda remote: remote != "origin")
    for remote in remotes:
        if _commit(repository, f"refs/remotes/{remote}/{name}{way}"):
            return f"no local branch has that name, but a branch of the remote has: {option} {remote}/{name}{way}"
    more = "a CI checkout of one commit (fetch-depth: 1) also needs `git fetch --unshallow`"
    if _RELEASE.fullmatch(name):
        return f"get it with `git fetch {remotes[0]} tag {name}`; {more}"
    remote, _, branch = name.partition("/")
    if not branch or remote not in remotes:
        remote, branch = remotes[0], name
    fetch = f"git fetch {remote} {branch}:refs/remotes/{remote}/{branch}"
    return f"get it with `{fetch}`, then give {option} {remote}/{branch}{way}; {more}"


def _git(*words: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in _OF_ONE_REPOSITORY}
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        return subprocess.run(["git", *words], input=given, capture_output=True, check=False, env=environment)
    except FileNotFoundError:
        raise NoGitError(
            "git is not installed, and a ref needs it", "install git; `interop compat` also takes folders and images"
        ) from None


def words_of(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return git's error message."""
    return done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
