"""The interface between the engine and the executor of a kind of case.

A new kind of case is a subclass of AnyCase (core/case.py) and an executor, which session/session.py passes to the engine.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, Protocol

from grpc_interop.core.case import AnyCase
from grpc_interop.core.verdict import Verdict
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.driver import Driver
from grpc_interop.drivers.resources import Resource
from grpc_interop.engine.executors.execution import Execution, refused, unsupported
from grpc_interop.engine.jobs import Job, Prepared
from grpc_interop.engine.pool import DriverPool
from grpc_interop.engine.watchdog import WatchdogClock


class Host(Protocol):
    """The engine, as executors see it."""

    pool: DriverPool
    clock: WatchdogClock
    ids: Iterator[int]  # of commands and executions
    in_flight: dict[int, Execution]  # by id
    window: int  # most weight of the cases in flight on a driver
    case_seconds: float  # that an ordinary case may take beyond its own deadline

    def finish(self, job: Job, verdict: Verdict) -> None:
        """Take the verdict of a job that is not in flight."""

    def land(self, execution: Execution) -> None:
        """Judge an execution that is complete."""

    def fail(self, execution: Execution, driver: Driver, what: str) -> None:
        """Give up an execution since a driver did something that it must not; the sentence `what` says so."""

    def drop(self, job: Job) -> None:
        """Note that the job will never be played, since a driver does not start."""

    def report_stray(self, driver: Driver, play: int) -> None:
        """Note that a driver reported a play that is not under way."""


class Executor(ABC):
    """Plays the cases of a kind."""

    name: ClassVar[str]  # the name by which cases ask for it (AnyCase.executor)
    events: ClassVar[tuple[str, ...]] = ()  # the kinds of event that only this executor understands

    @abstractmethod
    def prepare(self, case: AnyCase) -> Prepared:
        """Return the case, ready to be played on any pair. Raises NotACase where the model promises nothing."""

    @abstractmethod
    def start(self, job: Job, host: Host) -> bool:
        """Start a job. Return False if its drivers are not ready, or have no room: the engine tries again later."""

    def awaits(self, command: int) -> bool:
        """Return whether the answer to that command is for this executor."""
        return False

    def hear(self, driver: Driver, kind: str, event: pb.Event, host: Host) -> None:  # noqa: B027  nothing to do for most
        """Take an event of `events`, or an answer that this executor awaits. Raises ContractBroken."""

    def forget(self, driver: Driver) -> None:  # noqa: B027  nothing to do for most
        """Note that a driver has ended."""

    def collect(self) -> Sequence[tuple[Job, Verdict]]:
        """Return the verdicts that were reached elsewhere since the last call."""
        return ()

    @property
    def busy(self) -> bool:
        """Whether cases are played elsewhere."""
        return False

    def close(self) -> None:  # noqa: B027  nothing to do for most
        """Stop all processes of its own."""


class DriverExecutor(Executor):
    """Plays cases with the two drivers of a pair."""

    @abstractmethod
    def can_start(self, driver: Driver, prepared: Prepared, window: int) -> bool:
        """Return whether a driver has room for the case now."""

    def resources(self, job: Job, client: Driver, server: Driver) -> Iterator[tuple[Driver, Resource]]:
        """Yield the servers and channels that the case needs, each with its driver. The next is asked for when the last is ready."""
        return iter(())

    @abstractmethod
    def begin(self, job: Job, client: Driver, server: Driver, ready: Sequence[Resource], host: Host) -> None:
        """Start the job with these drivers, which have room, and with all that `resources` yields."""

    def start(self, job: Job, host: Host) -> bool:
        prepared = job.prepared
        client, server = host.pool.pair(job.pair)
        if client is None or server is None:
            host.drop(job)
            return True
        if not (client.ready and server.ready):
            return False
        if not (self.can_start(client, prepared, host.window) and self.can_start(server, prepared, host.window)):
            return False
        for driver, needs in ((client, prepared.client_needs), (server, prepared.server_needs)):
            if not needs <= driver.capabilities:
                host.finish(job, unsupported(job, driver.side, needs - driver.capabilities))
                return True
        ready = []
        for driver, resource in self.resources(job, client, server):
            if resource.refusal:
                host.finish(job, refused(job, driver, resource.refusal))
                return True
            if not resource.ready:
                return False
            ready.append(resource)
        self.begin(job, client, server, ready, host)
        return True
