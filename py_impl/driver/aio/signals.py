"""Signals, waited for by coroutines."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable


class Signals:
    """The signals that a play has got and nobody has taken yet. Used in the loop's thread alone."""

    def __init__(self) -> None:
        self._untaken: Counter[str] = Counter()
        self._waiting: list[asyncio.Future[None]] = []

    def deliver(self, name: str) -> None:
        """A signal arrived."""
        self._untaken[name] += 1
        self.wake()

    def wake(self) -> None:
        """Makes those who wait ask `given_up` again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def take(self, name: str, given_up: Callable[[], bool]) -> None:
        """Waits for a signal and takes it; returns without one when the waiting has lost its sense."""
        while not self._untaken[name] and not given_up():
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        if self._untaken[name]:
            self._untaken[name] -= 1
