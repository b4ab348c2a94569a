"""Signals, waited for by coroutines."""

import asyncio
from collections import Counter
from collections.abc import Callable


class Signals:
    """The signals that a play has received and not yet taken. Used only in the loop's thread."""

    def __init__(self) -> None:
        self._untaken: Counter[str] = Counter()
        self._waiting: list[asyncio.Future[None]] = []

    def deliver(self, name: str) -> None:
        """Add a signal that arrived."""
        self._untaken[name] += 1
        self.wake()

    def wake(self) -> None:
        """Make the waiting coroutines ask `given_up` again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def take(self, name: str, given_up: Callable[[], bool]) -> None:
        """Wait for a signal and take it. Return without a signal when `given_up` says that none can come."""
        while not self._untaken[name] and not given_up():
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        if self._untaken[name]:
            self._untaken[name] -= 1
