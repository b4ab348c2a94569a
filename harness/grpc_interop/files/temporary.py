"""Temporary files of this process, in a folder of its own below `.interop/tmp` that it removes at its end.

A killed process leaves its folder, and the next process that begins removes it. Each owner holds a lock on the file beside
its folder, which the system releases however the owner ends. The folder of a live owner is never touched.
"""

import atexit
import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # pragma: no cover - without file locks no owner is known to be alive: the system's folder is used
    fcntl = None  # type: ignore[assignment]

ELSEWHERE = "elsewhere"
"""A file in the folder with the paths of folders that its owner has made outside of it, a line each."""

SHORT_PREFIX = "interop-"
"""The beginning of the names of folders outside."""

MOST_OF_A_SOCKET = 100
"""Bytes of the longest path for a Unix socket, rounded down: Linux takes 107, macOS 103."""


class _Own:
    """This process' folder below `tmp`. The lock's file stays open while the process lives."""

    def __init__(self, tmp: Path) -> None:
        """Make the folder. Raise OSError."""
        tmp.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(tmp)
        self.tmp = tmp
        self._owner = os.getpid()
        self._lock: IO[bytes] | None = None
        while self._lock is None:
            # Another process may remove the file as abandoned before it is locked: then a new file is made.
            self.folder = tmp / f"{self._owner}-{secrets.token_hex(3)}"
            self._path = self.folder.with_suffix(".lock")
            self._lock = _taken(self._path)
        self.folder.mkdir()
        atexit.register(self.remove)

    def remove(self) -> None:
        """Remove the folder; not in a child that inherited it."""
        if os.getpid() == self._owner and self._lock is not None:
            _remove(self.folder)
            self._path.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None


_owns: list[_Own] = []
"""The folders of this process, a folder for each `.interop`; the last is in use."""


def begin(state: Path) -> None:
    """Put temporary files below this `.interop` from now on, and remove the folders of killed processes there. Without
    permission to write there, the system's folder is used."""
    tmp = state / "tmp"
    if fcntl is None or (_owns and _owns[-1].tmp == tmp and _owns[-1].folder.is_dir()):
        return
    with suppress(OSError):
        _owns.append(_Own(tmp))


def place() -> str | None:
    """Return the folder for temporary files, for `tempfile`: None is the system's."""
    return str(_owns[-1].folder) if _owns and _owns[-1].folder.is_dir() else None


def socket_folder() -> Path:
    """Make a folder whose path is short enough for a Unix socket in it."""
    here = place()
    if here and len(os.fsencode(f"{here}/s12345678/socket")) <= MOST_OF_A_SOCKET:
        return Path(tempfile.mkdtemp(prefix="s", dir=here))
    short = Path(tempfile.mkdtemp(prefix=SHORT_PREFIX))
    if here:
        with Path(here, ELSEWHERE).open("a", encoding="utf-8") as noted:
            noted.write(f"{short}\n")
    return short


def _remove_abandoned(tmp: Path) -> None:
    """Remove the folders whose owners are gone."""
    for path in tmp.glob("*.lock"):
        with suppress(OSError):  # another process may remove the same folder
            lock = _taken(path)
            if lock is not None:
                with lock:
                    _remove(path.with_suffix(""))
                    path.unlink(missing_ok=True)


def _taken(path: Path) -> IO[bytes] | None:
    """Open and lock a file. Return None where another process has locked it, or has just removed it."""
    lock = path.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    if path.exists() and os.path.samestat(path.stat(), os.fstat(lock.fileno())):
        return lock
    lock.close()
    return None


def _remove(folder: Path) -> None:
    """Remove a folder, and the outside folders that its owner noted."""
    with suppress(OSError, UnicodeDecodeError):
        for line in (folder / ELSEWHERE).read_text(encoding="utf-8").splitlines():
            if Path(line).name.startswith(SHORT_PREFIX) and not Path(line).is_symlink():
                shutil.rmtree(line, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
