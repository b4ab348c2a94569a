"""Jobs that wait to be started."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from grpc_interop.core.verdict import Pair
from grpc_interop.engine.jobs import Job

MOST_HELD = 256
"""Jobs taken that wait for a driver which starts or is full, so that those behind them can be played."""


class Queue:
    """Jobs of one kind, taken one at a time as there is room, and started in their order on each pair."""

    def __init__(self, jobs: Iterator[Job]) -> None:
        self._jobs: Iterator[Job] | None = jobs
        self._held: dict[Pair, deque[Job]] = {}

    def __bool__(self) -> bool:
        return self._jobs is not None or bool(self._held)

    def start(self, start: Callable[[Job], bool], may_go_on: Callable[[], bool]) -> None:
        """Starts what it can. `start` gives False for a job whose drivers are not ready: it is held, and with it those of
        its pair, which does not keep the other pairs."""
        for pair, held in list(self._held.items()):
            while held and may_go_on() and start(held[0]):
                held.popleft()
            if not held:
                del self._held[pair]
        while self._jobs is not None and may_go_on() and sum(map(len, self._held.values())) < MOST_HELD:
            job = next(self._jobs, None)
            if job is None:
                self._jobs = None
            elif job.pair in self._held or not start(job):
                self._held.setdefault(job.pair, deque()).append(job)
