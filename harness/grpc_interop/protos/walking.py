"""Every .proto file below folders, also behind links, and each under one name only: two would define everything twice."""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from grpc_interop.protos.ignoring import ignored_below, is_submodule
from grpc_interop.protos.root import Folder, Root, rooted

_REPOSITORY = ".git"
"""What lies at the top of a repository: a folder, or a file in a submodule and in a linked work tree."""


class Found(NamedTuple):
    """A file: the root that was walked, the file's name as imports spell it, and the file itself."""

    root: Root
    name: str
    path: Path


def proto_files(roots: Sequence[Folder], wanted: Callable[[str], bool] = lambda _: True) -> Iterator[Found]:
    """Yield the .proto files below the roots whose names are wanted. A file that lies there itself is not found again
    behind a link, wanted or not; of several links to one file the first counts. A link to nothing is found as well.

    Left out is what git leaves out of a repository: what it ignores and does not track, and clones that are no submodules.
    So are hidden folders (.git, .venv and our own .interop), and packages that npm and pip have installed. A root is meant,
    whatever it is.
    """
    links: deque[Found] = deque()
    seen: set[str] = set()
    real_folder = functools.cache(os.path.realpath)  # slow, and a folder's files are many
    for root in map(rooted, roots):
        for found in _below(Found(root, root.prefix, root.folder), links):
            seen.add(f"{real_folder(found.path.parent)}/{found.path.name}")
            if wanted(found.name):
                yield found
    followed: set[Path] = set()
    while links:
        link = links.popleft()
        place = Path(os.path.realpath(link.path.parent), link.path.name)
        # Not Path.resolve: that raises for a link to itself.
        target = Path(os.path.realpath(link.path))
        if target.is_dir():
            if place in followed or _leads_up(place, target):
                continue
            followed.add(place)
            found_there = _below(link, links)
        else:
            found_there = iter([link] if link.name.endswith(".proto") else [])
        for found in found_there:
            if wanted(found.name) and (real := os.path.realpath(found.path)) not in seen:
                seen.add(real)
                yield found


def _below(top: Found, links: deque[Found]) -> Iterator[Found]:
    """Yield the files of a folder that are no links. Links are put aside."""
    ignored = ignored_below(top.path)
    for folder, subfolders, names in os.walk(top.path):
        within = f"{folder[len(str(top.path)) :].strip(os.sep)}/".lstrip("/")
        if within and (_REPOSITORY in subfolders or _REPOSITORY in names):
            if ignored is None or is_submodule(Path(folder)):
                yield from _below(Found(top.root, _joined(top.name, within), Path(folder)), links)
            subfolders[:] = []
            continue
        kept = sorted(name for name in subfolders if not name.startswith(".") and f"{within}{name}" not in (ignored or ()))
        subfolders[:] = [name for name in kept if not _holds_packages(Path(folder, name))]
        protos = sorted(name for name in names if name.endswith(".proto") and f"{within}{name}" not in (ignored or ()))
        for name in (*subfolders, *protos):
            found = Found(top.root, _joined(top.name, within + name), Path(folder, name))
            if found.path.is_symlink():
                links.append(found)
            elif name not in subfolders:
                yield found


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}/{name}".strip("/")


def _holds_packages(folder: Path) -> bool:
    """Return whether a folder was filled by npm or pip, whose packages bring protos along that no one means."""
    return folder.name == "node_modules" or (folder / "pyvenv.cfg").is_file()


def _leads_up(link: Path, target: Path) -> bool:
    """Return whether a link leads to a folder that it lies in: what is there has shorter names already."""
    return link.is_relative_to(target)
