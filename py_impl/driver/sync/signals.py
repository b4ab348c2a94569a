"""Signals, waited for by threads."""

import threading
from collections.abc import Callable


class Signals:
    """The signals that a play has received and not yet taken."""

    def __init__(self, wanted: bool) -> None:
        """Begin without signals. `wanted` says whether any will be taken. Few plays do, and a condition variable is expensive."""
        self._changed = threading.Condition() if wanted else None
        self._waiting: dict[str, int] = {}

    def deliver(self, name: str) -> None:
        """Add a signal that arrived."""
        if self._changed is not None:
            with self._changed:
                self._waiting[name] = self._waiting.get(name, 0) + 1
                self._changed.notify_all()

    def wake(self) -> None:
        """Make the waiting threads ask `given_up` again."""
        if self._changed is not None:
            with self._changed:
                self._changed.notify_all()

    def take(self, name: str, given_up: Callable[[], bool]) -> None:
        """Wait for a signal and take it. Return without a signal when `given_up` says that none can come."""
        assert self._changed is not None
        with self._changed:
            self._changed.wait_for(lambda: self._waiting.get(name, 0) > 0 or given_up())
            if self._waiting.get(name, 0) > 0:
                self._waiting[name] -= 1
