"""Ctrl-C and SIGTERM: both raise KeyboardInterrupt, once, and never within an indivisible block.

The files of a report would disagree about a case that is counted and not written. A stopped run still reports its results,
however many signals follow: CI systems send several.
"""

import signal
from types import TracebackType


class _Interruption:
    def __init__(self) -> None:
        self._depth = 0
        self._pending = False
        self._over = False

    def arrived(self, *_: object) -> None:
        """Handle a signal."""
        if self._over:
            return
        if self._depth:
            self._pending = True
            return
        self._over = True
        raise KeyboardInterrupt

    def no_more(self) -> None:
        """Ignore all later signals: the process is about to end."""
        self._over = True

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._depth -= 1
        if self._pending and not self._depth:
            self._pending = False
            self.arrived()


undivided = _Interruption()
"""`with undivided:` delays a signal until the end of the block. Signals belong to the process, and so does this object."""


def interruptible() -> None:
    """Handle both signals. SIGINT stays ignored where a shell ignores it: for background processes."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, undivided.arrived)
    signal.signal(signal.SIGTERM, undivided.arrived)
