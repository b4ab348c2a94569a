"""Where the objects of a submodule lie: beside its files, or within the repository that holds it.

A submodule that was moved, or that is not checked out here, still has its objects in .git/modules, under the name that
.gitmodules gave it; the one of a linked work tree in .git/worktrees/NAME/modules.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from grpc_interop.schema.git.repository import Repository, around


def submodule_with(outer: Repository, path: str, commit: str) -> Repository | None:
    """Return the repository of the submodule at a path (from the outer one's top) that has a commit, or None where no
    repository here has it."""
    seen: set[Path] = set()
    for git_dir in _git_dirs(outer, path):
        if git_dir not in seen:
            seen.add(git_dir)
            found = Repository(outer.top / path, git_dir)
            if found.has(commit):
                return found
    return None


def _git_dirs(outer: Repository, path: str) -> Iterator[Path]:
    """Yield the likely ones first."""
    place = outer.top / path
    checked_out = around(place) if place.is_dir() else None
    if checked_out is not None and checked_out.top == place.resolve():
        yield checked_out.git_dir
    common = Path(os.path.realpath(outer.git_dir / os.fsdecode(outer.git("rev-parse", "--git-common-dir").stdout.rstrip(b"\n"))))
    for holder in (outer.git_dir, common, *sorted(common.glob("worktrees/*"))):
        every = list(_below(holder / "modules"))
        yield from sorted(every, key=lambda git_dir: git_dir.relative_to(holder / "modules").as_posix() != path)


def _below(modules: Path) -> Iterator[Path]:
    """Yield the git directories below a folder. Their names may have slashes; those of nested submodules lie within."""
    for folder, subfolders, names in os.walk(modules):
        subfolders.sort()
        if "HEAD" in names and "objects" in subfolders:
            yield Path(folder)
            subfolders[:] = []  # what is nested in it is a matter of its own submodules


def submodules_not_checked_out(repository: Repository) -> dict[Path, str]:
    """Return the submodules, and those within them, whose folders are empty now, with the commits that they should be at."""
    found: dict[Path, str] = {}
    for line in repository.git("ls-files", "--stage", "-z").stdout.split(b"\0"):
        head, _, name = line.partition(b"\t")
        if head.startswith(b"160000 "):
            path = repository.top / os.fsdecode(name)
            inner = around(path) if (path / ".git").exists() else None
            if inner is None or inner.top != path.resolve():
                found[path] = head.split()[1].decode()
            else:
                found |= submodules_not_checked_out(inner)
    return found


def how_to_check_out(folder: Path) -> str:
    """Return what to do where a folder is empty because it lies in a submodule, or nothing."""
    repository, place = around(folder), folder.resolve()
    missing = submodules_not_checked_out(repository) if repository is not None else {}
    for path in missing:
        if place.is_relative_to(path) or path.is_relative_to(place):
            return f"the git submodule {path} is not checked out: `git submodule update --init {os.path.relpath(path)}`"
    return ""
