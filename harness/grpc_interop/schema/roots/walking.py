"""Finds the .proto files below folders, also behind links, each under one name: two names would define everything twice."""

import functools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from grpc_interop.schema.git.repository import ignored_below, is_submodule
from grpc_interop.schema.roots.root import Folder, Root, rooted
from grpc_interop.schema.roots.statements import read_statements

_REPOSITORY = ".git"
"""At the top of a repository: a folder, or a file in a submodule and in a linked work tree."""


class FoundFile(NamedTuple):
    root: Root
    name: str  # the name in imports
    path: Path


def proto_files(roots: Sequence[Folder], wanted: Callable[[str], bool] = lambda _: True) -> Iterator[FoundFile]:
    """Yield the .proto files below the roots whose names are wanted. A file below a root has its own name, and is left out
    if that is not wanted, whatever the names of links to it. Another file has the name of the first link. But a name that
    other files import goes before a name that none imports. A link to nothing is yielded as well.

    Left out are files that git ignores and does not track, clones that are not submodules, hidden folders (.git, .venv and
    our own .interop), and packages that npm and pip have installed; but not a root itself.
    """
    links: deque[FoundFile] = deque()
    real_folder = functools.cache(os.path.realpath)  # slow, and a folder's files are many
    own: dict[str, list[FoundFile]] = {}
    for root in map(rooted, roots):
        for file in _below(FoundFile(root, root.prefix, root.folder), links):
            own.setdefault(f"{real_folder(file.path.parent)}/{file.path.name}", []).append(file)
    names = {real: [file for file in files if wanted(file.name)] for real, files in own.items()}
    others: dict[str, list[FoundFile]] = {}
    for file in _linked(links):
        if wanted(file.name) and names.get(real := os.path.realpath(file.path), True):
            others.setdefault(real, []).append(file)
    imported = functools.cache(lambda: _imported([*names, *others]))
    for real in dict.fromkeys([*names, *others]):
        candidates = [*names.get(real, []), *others.get(real, [])]
        first = names.get(real) or candidates[:1]
        if len(candidates) > len(first) and not any(file.name in imported() for file in first):
            first = next(([file] for file in candidates if file.name in imported()), first)
        yield from first


def _linked(links: deque[FoundFile]) -> Iterator[FoundFile]:
    """Yield the files behind links, and behind links that are met there."""
    followed: set[Path] = set()
    while links:
        link = links.popleft()
        place = Path(os.path.realpath(link.path.parent), link.path.name)
        # Not Path.resolve: that raises for a link to itself.
        target = Path(os.path.realpath(link.path))
        if not target.is_dir():
            yield from [link] if link.name.endswith(".proto") else []
        elif place not in followed and not _leads_up(place, target):
            followed.add(place)
            yield from _below(link, links)


def _imported(files: Iterable[str]) -> set[str]:
    """Return the names that any of the files imports."""
    return {name for file in files if Path(file).is_file() for name in read_statements(Path(file)).imports}


def _below(top: FoundFile, links: deque[FoundFile]) -> Iterator[FoundFile]:
    """Yield the files below a folder that are not links. Links are put aside."""
    ignored = ignored_below(top.path)
    for folder, subfolders, names in os.walk(top.path):
        within = f"{folder[len(str(top.path)) :].strip(os.sep)}/".lstrip("/")
        if within and (_REPOSITORY in subfolders or _REPOSITORY in names):
            if ignored is None or is_submodule(Path(folder)):
                yield from _below(FoundFile(top.root, _joined(top.name, within), Path(folder)), links)
            subfolders[:] = []
            continue
        kept = sorted(name for name in subfolders if not name.startswith(".") and f"{within}{name}" not in (ignored or ()))
        subfolders[:] = [name for name in kept if not _holds_packages(Path(folder, name))]
        protos = sorted(name for name in names if name.endswith(".proto") and f"{within}{name}" not in (ignored or ()))
        for name in (*subfolders, *protos):
            file = FoundFile(top.root, _joined(top.name, within + name), Path(folder, name))
            if file.path.is_symlink():
                links.append(file)
            elif name not in subfolders:
                yield file


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}/{name}".strip("/")


def _holds_packages(folder: Path) -> bool:
    """Return whether npm or pip filled a folder: protos in their packages are not meant."""
    return folder.name == "node_modules" or (folder / "pyvenv.cfg").is_file()


def _leads_up(link: Path, target: Path) -> bool:
    """Return whether a link leads to a folder around it: the files there have shorter names already."""
    return link.is_relative_to(target)
