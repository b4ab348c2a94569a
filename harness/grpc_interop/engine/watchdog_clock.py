"""The watchdog's clock: it goes on as long as the harness waits for the drivers, and hardly while they wait for it.

A case with many signals needs the harness at each of them. On a machine that is too busy the harness may take a second
for one turn of its loop; a case that is late for that reason hangs no more than the harness does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MOST_OF_A_TURN = 0.05
"""Seconds that count of the harness' own work in one turn of the loop, whatever it took: not nothing, so that a driver
that keeps the harness busy cannot hold up the clock for ever."""


class WatchdogClock:
    """`now` in seconds, of a clock of its own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = 0.0
        self._clock = clock
        self._since = clock()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the one place in which the harness waits for the drivers."""
        began = self._clock()
        self.now += min(began - self._since, MOST_OF_A_TURN)
        try:
            yield
        finally:
            self._since = self._clock()
            self.now += self._since - began
