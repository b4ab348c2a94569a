"""The report folder: made before anything is played, and owned by one run."""

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
    """Make the folder. Raise ReportError where nothing can be written into it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise ReportError(f"--report {directory}: nothing can be written there: {error.strerror}", "give another folder") from None


@contextmanager
def claim(directory: Path) -> Iterator[None]:
    """Make the folder, and remove the logs and replay texts of an earlier run, which no report names any more.

    The caller owns the folder as long as the context lasts. If another run owns it already, nothing is removed: both write
    into it, and the report of the run that ends last stays. Raise ReportError.
    """
    make_folder(directory)
    with ExitStack() as until_the_end:
        if _is_free(directory, until_the_end):
            _clear(directory)
        yield


def _is_free(directory: Path, until_the_end: ExitStack) -> bool:
    """Return whether no other run owns the folder, which is then locked. The folder itself is locked: a lock file would be
    part of the report."""
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
