"""Finds the objects of a submodule: beside its files, or within the outer repository.

A submodule that was moved, or that is not checked out, still has its objects in .git/modules, under its name in
.gitmodules; the submodule of a linked work tree in .git/worktrees/NAME/modules.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from grpc_interop.schema.git.repository import Repository, around


def submodule_with(outer: Repository, path: str, commit: str) -> Repository | None:
    """Return the repository of the submodule at a path below the outer top that has a commit, or None where none has it."""
    seen: set[Path] = set()
    for git_dir in _git_dirs(outer, path):
        if git_dir not in seen:
            seen.add(git_dir)
            submodule = Repository(outer.top / path, git_dir)
            if submodule.has(commit):
                return submodule
    return None


def _git_dirs(outer: Repository, path: str) -> Iterator[Path]:
    """Yield the candidates, the likely first."""
    place = outer.top / path
    checked_out = around(place) if place.is_dir() else None
    if checked_out is not None and checked_out.top == place.resolve():
        yield checked_out.git_dir
    common = Path(os.path.realpath(outer.git_dir / os.fsdecode(outer.git("rev-parse", "--git-common-dir").stdout.rstrip(b"\n"))))
    for holder in (outer.git_dir, common, *sorted(common.glob("worktrees/*"))):
        every = list(_below(holder / "modules"))
        yield from sorted(every, key=lambda git_dir: git_dir.relative_to(holder / "modules").as_posix() != path)


def _below(modules: Path) -> Iterator[Path]:
    """Yield the git directories below a folder. Their names may have slashes."""
    for folder, subfolders, names in os.walk(modules):
        subfolders.sort()
        if "HEAD" in names and "objects" in subfolders:
            yield Path(folder)
            subfolders[:] = []  # nested submodules are found through their own outer repository


def submodules_not_checked_out(repository: Repository) -> dict[Path, str]:
    """Return the submodules, also nested, that are not checked out, with the commits that they should be at."""
    missing: dict[Path, str] = {}
    for line in repository.git("ls-files", "--stage", "-z").stdout.split(b"\0"):
        head, _, name = line.partition(b"\t")
        if head.startswith(b"160000 "):
            path = repository.top / os.fsdecode(name)
            inner = around(path) if (path / ".git").exists() else None
            if inner is None or inner.top != path.resolve():
                missing[path] = head.split()[1].decode()
            else:
                missing |= submodules_not_checked_out(inner)
    return missing


def how_to_check_out(folder: Path) -> str:
    """Return a remedy for a folder that is empty because of a submodule; empty for other folders."""
    repository, place = around(folder), folder.resolve()
    missing = submodules_not_checked_out(repository) if repository is not None else {}
    for path in missing:
        if place.is_relative_to(path) or path.is_relative_to(place):
            return f"the git submodule {path} is not checked out: `git submodule update --init {os.path.relpath(path)}`"
    return ""
