"""Threads that are kept for the next piece of work."""

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

_Work = tuple[Callable[..., None], tuple[Any, ...]]


class Workers:
    """As many threads as there are pieces of work at once. A new thread is started when none is free, so work never
    waits.

    It is not a ThreadPoolExecutor because plays wait for one another, and a full pool would deadlock them.
    """

    def __init__(self) -> None:
        # The thread that became free last is used first: it is still warm.
        self._free: deque[SimpleQueue[_Work]] = deque()

    def run(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call the function in another thread."""
        try:
            inbox = self._free.pop()
        except IndexError:
            inbox = SimpleQueue()
            threading.Thread(target=self._work, args=(inbox,), name="interop-worker", daemon=True).start()
        inbox.put((function, arguments))

    def _work(self, inbox: SimpleQueue[_Work]) -> None:
        while True:
            function, arguments = inbox.get()
            function(*arguments)
            del function, arguments  # an RPC lives as long as something refers to it
            self._free.append(inbox)
