"""Ctrl-C and SIGTERM: both raise KeyboardInterrupt, once, and never in the middle of what must be done whole.

A case that is counted and not written down would make the files of one report disagree. Once a run has been stopped, what
was done is reported however often it is told to stop: CI systems send one signal after the other.
"""

from __future__ import annotations

import signal
from types import TracebackType


class _Interruption:
    def __init__(self) -> None:
        self._depth = 0
        self._pending = False
        self._over = False

    def arrived(self, *_: object) -> None:
        """A signal's handler."""
        if self._over:
            return
        if self._depth:
            self._pending = True
            return
        self._over = True
        raise KeyboardInterrupt

    def no_more(self) -> None:
        """From now on the end is near anyhow, and nothing is interrupted."""
        self._over = True

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._depth -= 1
        if self._pending and not self._depth:
            self._pending = False
            self.arrived()


undivided = _Interruption()
"""`with undivided:` lets a signal wait until the block is done. It is the process': so are signals."""


def interruptible() -> None:
    """Takes both signals. SIGINT stays ignored where it was, as a shell has it for what runs in the background."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, undivided.arrived)
    signal.signal(signal.SIGTERM, undivided.arrived)
