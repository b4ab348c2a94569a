"""Tell a finished folder from a folder that a full disk, a crash or a kill has cut short."""

import json
from collections.abc import Iterator
from pathlib import Path

MARK = "whole.json"
"""The file that is written last: it records the size of each file in the folder."""


def finish(folder: Path) -> None:
    """Mark the folder as finished."""
    (folder / MARK).write_text(json.dumps(dict(_sizes(folder))))


def is_whole(folder: Path) -> bool:
    """Return whether the folder is finished, and no file in it is missing or shorter than recorded."""
    try:
        wanted = dict(json.loads((folder / MARK).read_text()))
    except (OSError, ValueError, TypeError):
        return False
    there = dict(_sizes(folder))
    return all(there.get(path, -1) >= size for path, size in wanted.items())


def _sizes(folder: Path) -> Iterator[tuple[str, int]]:
    for path in folder.rglob("*"):
        if path.is_file() and path.name != MARK:
            yield str(path.relative_to(folder)), path.stat().st_size
