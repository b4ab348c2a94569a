"""Folders of protos as they were at a git ref, beside the work tree: neither it nor the index nor a branch is touched."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from grpc_interop.errors import UsageError

_SYMLINK, _FILES = "120000", ("100644", "100755")
"""File modes of git's trees. What else there is, submodules, has no content here."""

_NO_NAME = re.compile(r"[~^:]|@\{|^[0-9a-f]{7,64}$")
"""What no remote can be asked for by name: a way from another commit, and the digits of one."""


class UnknownRefError(UsageError):
    """A name that is no ref of the repository."""


@contextmanager
def folders_at(ref: str, folders: Sequence[Path]) -> Iterator[dict[Path, Path]]:
    """Each of the folders as it was at the ref, .proto files only, somewhere temporary; a folder that was not there then
    is empty. Raises UsageError for a ref that is none, and for a folder outside any repository."""
    with tempfile.TemporaryDirectory(prefix="interop-history-") as place:
        then: dict[Path, Path] = {}
        for folder in folders:
            repository = _repository(folder)
            within = folder.resolve().relative_to(repository)
            target = Path(place, str(len(then)))
            target.mkdir()
            _extract(repository, _commit(repository, ref), within, target)
            then[folder] = target
        yield then


def commit_of(ref: str, folder: Path) -> str:
    """The commit that a ref names in the repository around a folder. Raises UsageError."""
    return _commit(_repository(folder), ref)


def is_branch(ref: str, folder: Path) -> bool:
    """Whether a ref names a branch, here or of a remote, as opposed to a tag or a commit."""
    done = _git(folder, "rev-parse", "--symbolic-full-name", "--end-of-options", ref)
    return any(line.startswith((b"refs/heads/", b"refs/remotes/")) for line in done.stdout.splitlines())


def merge_base(ref: str, other: str, folder: Path) -> str:
    """The commit from which two refs went apart. Raises UsageError where the repository knows of none."""
    repository = _repository(folder)
    ours, theirs = _commit(repository, ref), _commit(repository, other)
    done = _git(repository, "merge-base", ours, theirs)
    if done.returncode:
        shallow = _git(repository, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
        raise UsageError(
            f"{repository} knows of no commit that {ref} and {other} have in common",
            "it is a shallow clone: `git fetch --unshallow` gets the rest (in CI: fetch-depth: 0)"
            if shallow
            else f"their histories are unrelated; compare with the commit itself: {ours}",
        )
    return done.stdout.decode().strip()


def file_at(commit: str, path: Path) -> bytes | None:
    """What a file of the repository around its folder held at a commit; None where it was not there."""
    repository = _repository(path.parent)
    done = _git(repository, "cat-file", "blob", f"{commit}:{path.resolve().relative_to(repository).as_posix()}")
    return None if done.returncode else done.stdout


def protos_at(commit: str, folder: Path) -> list[Path]:
    """Where .proto files lay at a commit, anywhere in the repository around a folder."""
    repository = _repository(folder)
    done = _git(repository, "ls-tree", "-r", "-z", "--full-tree", "--name-only", commit)
    names = (os.fsdecode(name) for name in done.stdout.split(b"\0"))
    return [repository / name for name in names if name.endswith(".proto")]


def in_repository(folder: Path, other: Path) -> bool:
    """Whether a folder lies in the same repository as another. Raises UsageError when that one lies in none."""
    return folder.resolve().is_relative_to(_repository(other))


def _repository(folder: Path) -> Path:
    """The repository around a folder, which may be one that is no longer there."""
    there = next(place for place in (folder, *folder.resolve().parents) if place.is_dir())
    done = _git(there, "rev-parse", "--show-toplevel")
    if done.returncode:
        raise UsageError(
            f"{folder} has no history: {_words(done)}",
            "a ref needs protos in a git repository; `interop compat` also takes folders and images",
        )
    return Path(os.fsdecode(done.stdout.rstrip(b"\n"))).resolve()


def _commit(repository: Path, ref: str) -> str:
    done = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if done.returncode == 0:
        return done.stdout.decode().strip()
    raise UnknownRefError(f"{ref} is no commit that {repository} has", _how_to_get(ref))


def _how_to_get(ref: str) -> str:
    if _NO_NAME.search(ref):
        return "a shallow clone lacks older commits: `git fetch --unshallow` gets them (in CI: fetch-depth: 0)"
    remote, slash, branch = ref.partition("/")
    fetch = f"git fetch {remote} {branch}" if slash else f"git fetch origin {ref}:refs/remotes/origin/{ref}"
    return f"get it with `{fetch}`; a CI checkout of one commit (fetch-depth: 1) also needs `git fetch --unshallow`"


def _extract(repository: Path, commit: str, within: Path, target: Path) -> None:
    """Writes what the folder held; not by `git archive`, which leaves out what .gitattributes says (export-ignore)."""
    prefix = within.as_posix() + "/" if within.parts else ""
    done = _git(repository, "ls-tree", "-r", "-z", "--full-tree", commit, *([prefix] if prefix else []))
    if done.returncode:
        raise UsageError(f"git cannot list {prefix or repository} at {commit}: {_words(done)}")
    wanted = []
    for entry in filter(None, done.stdout.split(b"\0")):
        head, _, name = entry.partition(b"\t")
        mode, _, blob = head.decode().split()
        path = os.fsdecode(name).removeprefix(prefix)
        if mode == _SYMLINK or (mode in _FILES and path.endswith(".proto")):
            wanted.append((mode, blob, target / path))
    for (mode, _, file), content in zip(wanted, _blobs(repository, [blob for _, blob, _ in wanted]), strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        if mode == _SYMLINK:
            file.symlink_to(os.fsdecode(content))
        else:
            file.write_bytes(content)


def _blobs(repository: Path, names: Sequence[str]) -> Iterator[bytes]:
    """The contents, in order, from one process."""
    if not names:
        return
    done = _git(repository, "cat-file", "--batch", given="\n".join(names).encode() + b"\n")
    if done.returncode:
        raise UsageError(f"git cannot read files of {repository}: {_words(done)}")
    at = 0
    for name in names:
        end = done.stdout.index(b"\n", at)
        header = done.stdout[at:end].split()
        if header[-1:] == [b"missing"]:
            raise UsageError(f"{repository} lacks the object {name}", "a partial clone has to fetch it: `git fetch --refetch`")
        size = int(header[2])
        yield done.stdout[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def _git(folder: Path, *words: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Within a git hook, GIT_DIR and its like would name that repository, whatever the folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        return subprocess.run(["git", "-C", str(folder), *words], input=given, capture_output=True, check=False, env=environment)
    except FileNotFoundError:
        raise UsageError(
            "git is not installed, and only it knows what a ref is", "install git; `interop compat` also takes folders and images"
        ) from None


def _words(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
