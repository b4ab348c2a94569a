"""Jobs that wait to be started."""

from collections import deque
from collections.abc import Callable, Iterator

from grpc_interop.core.endpoint import Endpoint
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Pair
from grpc_interop.engine.jobs import Job

MOST_HELD = 256
"""Jobs that are held until their drivers are ready and have room, so that the jobs behind them can be played."""

_Key = tuple[Pair, Endpoint, Endpoint]


class Queue:
    """Jobs that are taken singly as there is room, and started in their order on each pair and its endpoints."""

    def __init__(self, jobs: Iterator[Job]) -> None:
        self._jobs: Iterator[Job] | None = jobs
        self._held: dict[_Key, deque[Job]] = {}

    def __bool__(self) -> bool:
        return self._jobs is not None or bool(self._held)

    def start(self, start: Callable[[Job], bool], may_go_on: Callable[[], bool]) -> None:
        """Start jobs. Where `start` returns False, hold the job and the later jobs with its pair and endpoints; others go on."""
        for key, held in list(self._held.items()):
            while held and may_go_on() and start(held[0]):
                held.popleft()
            if not held:
                del self._held[key]
        while self._jobs is not None and may_go_on() and sum(map(len, self._held.values())) < MOST_HELD:
            job = next(self._jobs, None)
            if job is None:
                self._jobs = None
                return
            key = _key(job)
            if key in self._held or not start(job):
                self._held.setdefault(key, deque()).append(job)


def _key(job: Job) -> _Key:
    case = job.prepared.case
    return job.pair, case.endpoint(Side.CLIENT), case.endpoint(Side.SERVER)
