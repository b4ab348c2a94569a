"""One case under way between two drivers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from grpc_interop.core.side import Side
from grpc_interop.core.verdict import LOG, Attachment, Difference, Outcome, Verdict
from grpc_interop.drivers.driver import Driver
from grpc_interop.engine.jobs import Job, Prepared

LOG_LINES = 12
"""Lines of each driver's log that go with a failure: as much as a person reads."""


@dataclass(slots=True, eq=False)
class Execution(ABC):
    """The state of a case that two drivers play. Each kind of case has its own subclass."""

    id: int
    job: Job
    prepared: Prepared
    client: Driver
    server: Driver
    seconds: float  # that the case may take beyond its own deadline
    due: float  # when the case is late, by the watchdog's clock
    frozen: bool = field(default=False, init=False)  # Abort was sent because the case was late

    reruns: ClassVar[bool] = False  # other cases may cause a failure: so it is deferred, and may be played again in isolation

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether all answers are there."""

    @abstractmethod
    def unreported(self) -> list[Driver]:
        """Return the drivers that owe an answer."""

    @abstractmethod
    def release(self, driver: Driver) -> None:
        """Note that the driver owes nothing any more, or will never answer."""

    @abstractmethod
    def judge(self) -> Verdict:
        """Return the verdict of an execution that is complete."""

    @abstractmethod
    def broken(self, driver: Driver | None, what: str) -> Verdict:
        """Return the verdict of a case that a driver will never answer; the sentence `what` says why."""

    def other(self, driver: Driver) -> Driver:
        return self.server if driver is self.client else self.client

    def uses(self, driver: Driver, payload: int) -> bool:
        """Return whether the driver plays its side with that payload."""
        payloads = self.prepared.client_payloads if driver is self.client else self.prepared.server_payloads
        return driver in (self.client, self.server) and any(entry[0] == payload for entry in payloads)

    def logs(self) -> tuple[Attachment, ...]:
        return tuple(map(_log, (self.client, self.server)))


def _log(driver: Driver) -> Attachment:
    return Attachment(LOG, driver.who, str(driver.log), driver.tail(LOG_LINES))


def unsupported(job: Job, side: Side, missing: frozenset[str]) -> Verdict:
    """Return the verdict of a case that needs capabilities which a driver does not offer."""
    what = f"the {job.pair.at(side)} {side} does not offer {', '.join(sorted(missing))}"
    return Verdict(job.prepared.case, job.pair, Outcome.UNSUPPORTED, difference=Difference(side, what))


def refused(job: Job, driver: Driver, why: str) -> Verdict:
    """Return the verdict of a case that needs a server or a channel which a driver refused; `why` says so."""
    what = Difference(driver.side, f"the {driver.who} {why}")
    return Verdict(job.prepared.case, job.pair, Outcome.FAILED, difference=what, notes=tuple(job.notes), attachments=(_log(driver),))
