"""Tells a folder that was finished from one that a full disk, a crash or a kill has cut short."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

MARK = "whole.json"
"""Written last: how large each file of the folder is."""


def finish(folder: Path) -> None:
    """Marks the folder as done."""
    (folder / MARK).write_text(json.dumps(dict(_sizes(folder))))


def is_whole(folder: Path) -> bool:
    """Whether the folder is done, and no file of it is gone or shorter than it was."""
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
