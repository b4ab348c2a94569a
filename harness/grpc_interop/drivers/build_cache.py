"""The cache of builds: a process makes a build alone, others find it by its key, and unused builds are removed.

A build is a folder `<implementation>-<key>` with a lock file of the same name beside it. Its file `done.json` is written
last. It holds the build's answer and the size of each file, so that a build which a full disk or a crash has cut short
does not count as complete. The time of that file is the time of the build's last use.
"""

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
"""Builds of each implementation that stay, however old: enough for the branches or versions between which people switch."""

UNUSED_SECONDS = 24 * 3600
"""How long any further build must be unused before it is removed. A run of some hours, or a greeter server that was started
from the build, may need its files at any time; neither is left running for a day."""

KEY = r"-[0-9a-f]{20}"


@contextmanager
def locked(build: Path) -> Iterator[None]:
    """Hold the build for this process alone: other processes that want to make or remove it wait."""
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
    """Mark the build as done, with its answer."""
    sizes = dict(_sizes(build))
    write_whole(build / DONE, json.dumps({"answer": answer, "sizes": sizes}))


def find(build: Path) -> dict[str, Any] | None:
    """Return the answer of a build that is complete: no file is missing, or shorter than it was."""
    try:
        done = json.loads((build / DONE).read_bytes())
        answer, wanted = dict(done["answer"]), dict(done["sizes"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    sizes = dict(_sizes(build))
    return answer if all(sizes.get(path, -1) >= size for path, size in wanted.items()) else None


def _sizes(build: Path, within: str = "") -> Iterator[tuple[str, int]]:
    """Yield the files of a build with their sizes. A link has the size of its target, since readers follow it."""
    for entry in os.scandir(build / within):
        path = f"{within}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _sizes(build, f"{path}/")
        elif entry.is_file() and path != DONE:
            yield path, entry.stat().st_size


def mark_used(build: Path) -> None:
    """Note that the build was used now, which keeps it from being removed for a while."""
    with suppress(PermissionError):  # another user's, who alone can remove it
        os.utime(build / DONE)


def clear(builds_folder: Path, implementation: str) -> None:
    """Remove the builds that the implementation has not needed for long, except builds that another process holds."""
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
        # Checked under the lock: before that, another process could have begun to use the build.
        if time.time() - _last_use(build) > UNUSED_SECONDS:
            shutil.rmtree(build)
            lock.unlink()


def _last_use(build: Path) -> float:
    """Return the time of the last use, in seconds since the epoch. For a build that was never finished, it is the start."""
    for path in (build / DONE, build):
        with suppress(FileNotFoundError):
            return path.stat().st_mtime
    return 0.0


def _is(path: Path, descriptor: int) -> bool:
    """Return whether the path still names the open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
