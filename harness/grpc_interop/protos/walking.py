"""Every .proto file below folders, also behind links, and each under one name only: two would define everything twice."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from grpc_interop.protos.root import Folder, Root, rooted


class Found(NamedTuple):
    """A file: the root that was walked, the file's name as imports spell it, and the file itself."""

    root: Root
    name: str
    path: Path


def proto_files(roots: Sequence[Folder], wanted: Callable[[str], bool] = lambda _: True) -> Iterator[Found]:
    """Yield the .proto files below the roots whose names are wanted. A file that lies there itself is not found again
    behind a link, wanted or not; of several links to one file the first counts. A link to nothing is found as well.

    Hidden folders are left out: .git, .venv and our own .interop hold protos that no one means.
    """
    links: deque[Found] = deque()
    seen: set[str] = set()
    for root in map(rooted, roots):
        for found in _below(Found(root, root.prefix, root.folder), links):
            seen.add(os.path.realpath(found.path))
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
    for folder, subfolders, names in os.walk(top.path):
        within = Path(top.name, Path(folder).relative_to(top.path))
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in (*subfolders, *sorted(name for name in names if name.endswith(".proto"))):
            found = Found(top.root, (within / name).as_posix(), Path(folder, name))
            if found.path.is_symlink():
                links.append(found)
            elif name not in subfolders:
                yield found


def _leads_up(link: Path, target: Path) -> bool:
    """Return whether a link leads to a folder that it lies in: what is there has shorter names already."""
    return link.is_relative_to(target)
