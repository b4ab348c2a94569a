"""Files that are complete or absent: written under another name, synced to the disk, and then renamed."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that replaces the path when the block ends, unless the block fails. Every OSError names the path."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        _remove_abandoned(path)
        try:
            with beside.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())  # otherwise the new name may survive a crash of the machine, and the content may not
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        error.filename = str(path)
        raise


def write_whole(path: Path, content: bytes | str, mode: int | None = None) -> None:
    """Write a file atomically, a text as UTF-8. Make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.write(content.encode() if isinstance(content, str) else content)


def _remove_abandoned(path: Path) -> None:
    """Remove the unfinished files of processes that were killed while they wrote the path."""
    name = re.compile(rf"\.{re.escape(path.name)}\.(\d+)\.new")
    for entry in path.parent.iterdir():
        if (match := name.fullmatch(entry.name)) and not _is_alive(int(match[1])):
            entry.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    with suppress(PermissionError):  # another user's
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True
