"""Tell finished folders of the cache from folders that a full disk, a crash or a kill has cut short, and make these anew."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARK = "whole.json"
"""The file that is written last: it records the size of each file in the folder."""


@contextmanager
def made_once(folder: Path) -> Iterator[Path | None]:
    """Yield the folder, empty, for the caller to fill; None if it was filled before. Only one process at a time does it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_whole(folder):
            yield None
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder
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
