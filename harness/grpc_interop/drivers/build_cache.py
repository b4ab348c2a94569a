"""Where builds are kept: each made by one process at a time, found again by its key, and removed when it has served.

A build is a folder `<implementation>-<key>` with a lock file of the same name beside it. Its file `done.json` is written
last: it holds the build's answer and how large each file is, so that what a full disk or a crash has cut short is not
taken for whole. When the build was used last is the time of that file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from grpc_interop.files.atomic import write_whole

try:
    import fcntl
except ImportError:  # pragma: no cover - no file locks there: two runs at once would build twice
    fcntl = None  # type: ignore[assignment]

DONE = "done.json"

KEPT = 5
"""Builds that stay of each implementation, however old: as many branches or versions as one goes back and forth between."""

UNUSED_SECONDS = 24 * 3600
"""How long a build beyond those must not have been used. A run that uses one for hours, or a greeter server that was
started from it, may need its files at any time; neither is left running for a day."""

KEY = r"-[0-9a-f]{20}"


@contextmanager
def taken(build: Path) -> Iterator[None]:
    """The build is this process' alone: others that want to make or to remove it wait."""
    lock = build.with_suffix(".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with lock.open("w") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            if not _is(lock, file.fileno()):
                # It was removed with its build while this process waited.
                continue
            yield
            return


def finish(build: Path, answer: Mapping[str, Any]) -> None:
    """Marks the build as done, with the answer that it gave."""
    sizes = dict(_sizes(build))
    write_whole(build / DONE, json.dumps({"answer": answer, "sizes": sizes}))


def found(build: Path) -> dict[str, Any] | None:
    """The answer of a build that is done and whole: no file of it is gone, or shorter than it was."""
    try:
        done = json.loads((build / DONE).read_bytes())
        answer, wanted = dict(done["answer"]), dict(done["sizes"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    there = dict(_sizes(build))
    return answer if all(there.get(path, -1) >= size for path, size in wanted.items()) else None


def _sizes(build: Path, within: str = "") -> Iterator[tuple[str, int]]:
    """The files of a build, and their sizes. Links count by what they lead to: that is what is read."""
    for entry in os.scandir(build / within):
        path = f"{within}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _sizes(build, f"{path}/")
        elif entry.is_file() and path != DONE:
            yield path, entry.stat().st_size


def used(build: Path) -> None:
    """Keeps the build from being removed for a while."""
    with suppress(PermissionError):  # another user's, who alone can remove it
        os.utime(build / DONE)


def clear(builds_folder: Path, implementation: str) -> None:
    """Removes what the implementation has not needed for long; what another process is using or making stays."""
    name = re.compile(re.escape(implementation) + KEY)
    builds = [path for path in builds_folder.iterdir() if name.fullmatch(path.name) and path.is_dir()]
    for build in sorted(builds, key=_last_use, reverse=True)[KEPT:]:
        _remove(build)


def _remove(build: Path) -> None:
    lock = build.with_suffix(".lock")
    with lock.open("w") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
        # Only now: until it was locked, another process could have begun to use it.
        if time.time() - _last_use(build) > UNUSED_SECONDS:
            shutil.rmtree(build)
            lock.unlink()


def _last_use(build: Path) -> float:
    """Seconds since the epoch; of one that was never finished, when it was begun."""
    for path in (build / DONE, build):
        with suppress(FileNotFoundError):
            return path.stat().st_mtime
    return 0.0


def _is(path: Path, descriptor: int) -> bool:
    """Whether the path still names the open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
