"""The report folder: made before anything is played, and of one run alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from grpc_interop.report.data import ReportError
from grpc_interop.report.record import REPLAYS

try:
    import fcntl
except ImportError:  # pragma: no cover - no file locks there: a second run into the same folder removes the first one's logs
    fcntl = None  # type: ignore[assignment]

LOGS = "logs"


def make_folder(directory: Path) -> None:
    """Makes the folder. Raises ReportError where nothing can be written into it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise ReportError(f"--report {directory}: nothing can be written there: {error.strerror}", "give another folder") from None


@contextmanager
def claim(directory: Path) -> Iterator[None]:
    """Makes the folder, and removes what an earlier run left there: logs and replay texts that nothing tells of any more.

    The folder is the caller's as long as the context lasts. If it is another run's already, nothing is removed: both
    write into it, and the report of the one that ends last stays. Raises ReportError.
    """
    make_folder(directory)
    with ExitStack() as until_the_end:
        if _is_free(directory, until_the_end):
            _clear(directory)
        yield


def _is_free(directory: Path, until_the_end: ExitStack) -> bool:
    """Whether no other run has the folder; it is then locked. The folder itself: a lock file would be one more file in a
    report."""
    if fcntl is not None:
        lock = os.open(directory, os.O_RDONLY)
        until_the_end.callback(os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _clear(directory: Path) -> None:
    for path in (*(directory / LOGS).glob("*.log"), *(directory / REPLAYS).glob("*.ic1")):
        path.unlink(missing_ok=True)
