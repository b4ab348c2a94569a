"""Signals, waited for by threads."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Signals:
    """The signals that a play has got and nobody has taken yet."""

    def __init__(self, wanted: bool) -> None:
        """`wanted`: whether anybody will take one. Few plays do, and a condition is dear for those that do not."""
        self._changed = threading.Condition() if wanted else None
        self._waiting: dict[str, int] = {}

    def deliver(self, name: str) -> None:
        """A signal arrived."""
        if self._changed is not None:
            with self._changed:
                self._waiting[name] = self._waiting.get(name, 0) + 1
                self._changed.notify_all()

    def wake(self) -> None:
        """Makes those who wait ask `given_up` again."""
        if self._changed is not None:
            with self._changed:
                self._changed.notify_all()

    def take(self, name: str, given_up: Callable[[], bool]) -> None:
        """Waits for a signal and takes it; returns without one when the waiting has lost its sense."""
        assert self._changed is not None
        with self._changed:
            self._changed.wait_for(lambda: self._waiting.get(name, 0) > 0 or given_up())
            if self._waiting.get(name, 0) > 0:
                self._waiting[name] -= 1
