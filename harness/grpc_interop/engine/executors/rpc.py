"""One play that is under way: its two sides, what they have reported, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from grpc_interop.core.joined_metadata import JOINS, taken_apart
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import ClientTranscript, ServerTranscript
from grpc_interop.core.verdict import LOG, Attachment, Canonical, Difference, Outcome, Verdict, compare
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.driver import Driver
from grpc_interop.drivers.translate import client_transcript, server_transcript, step_times, views
from grpc_interop.engine.jobs import Job, Prepared

LOG_LINES = 12
"""Lines of each driver's log that go with a failure: as much as a person reads."""


@dataclass(slots=True)
class RpcExecution:
    """`limit`: the seconds that it may take beyond its own deadline. `due`: when the watchdog looks at it again (patience.py).
    `frozen`: Abort was sent because it was late. `own_channel`: the channel made for this case alone, or 0. `completed`: of
    a repeated play, how many calls went as the first, by each side's own count."""

    id: int
    job: Job
    prepared: Prepared
    client: Driver
    server: Driver
    limit: float
    due: float
    own_channel: int = 0
    frozen: bool = False
    client_seen: ClientTranscript | None = None
    server_seen: ServerTranscript | None = None
    completed: dict[Side, int] = field(default_factory=dict)

    def other(self, driver: Driver) -> Driver:
        return self.server if driver is self.client else self.client

    def take(self, driver: Driver, seen: pb.Transcript) -> None:
        """Keeps a side's transcript. Raises ContractBroken when it is none."""
        if self.job.repeat:
            self.completed[driver.side] = seen.completed
        if self.prepared.observed:
            self._take_with_views(driver, seen)
            return
        # Read first: what is looked up is the same at each time.
        done_us, began_us, elapsed_us = step_times(seen), seen.began_us, seen.elapsed_ns // 1000
        if driver is self.client:
            self.client_seen = self.prepared.transcripts.client(seen)
            if began_us or self.job.timed:
                self.client_seen = self.client_seen._replace(done_us=done_us, began_us=began_us)
        else:
            self.server_seen = self.prepared.transcripts.server(seen)
            if began_us:
                self.server_seen = self.server_seen._replace(done_us=done_us, began_us=began_us, elapsed_us=elapsed_us)

    def _take_with_views(self, driver: Driver, seen: pb.Transcript) -> None:
        if driver is self.client:
            self.client_seen = client_transcript(seen)._replace(views=views(seen))
        else:
            self.server_seen = server_transcript(seen)._replace(views=views(seen))

    @property
    def complete(self) -> bool:
        return self.client_seen is not None and self.server_seen is not None

    def owes(self, driver: Driver) -> bool:
        """Whether the driver plays a side that has not reported yet."""
        return (driver is self.client and self.client_seen is None) or (driver is self.server and self.server_seen is None)

    def unreported(self) -> list[Driver]:
        """The sides that have not reported yet."""
        sides = ((self.client, self.client_seen), (self.server, self.server_seen))
        return [driver for driver, seen in sides if seen is None]

    def release(self, driver: Driver) -> None:
        """The driver has reported, or never will."""
        driver.take_off(self.prepared.weight)

    def uses(self, driver: Driver, payload: int) -> bool:
        """Whether the driver plays its side with that payload."""
        payloads = self.prepared.client_payloads if driver is self.client else self.prepared.server_payloads
        return driver in (self.client, self.server) and any(entry[0] == payload for entry in payloads)

    def judge(self, canonical: Canonical) -> Verdict:
        """The verdict once both sides have reported. A play that was frozen fails, whatever it had seen."""
        assert self.client_seen is not None and self.server_seen is not None
        case, observed = self.prepared.play, self.prepared.observed
        if observed:
            difference, expected = None, None
        else:
            if JOINS in self.client.capabilities | self.server.capabilities:
                self.client_seen, self.server_seen = taken_apart(case, self.client_seen, self.server_seen)
            difference, expected = compare(case, self.prepared.allowed, self.client_seen, self.server_seen, canonical)
        if difference is None and (self.frozen or self.client_seen.aborted or self.server_seen.aborted):
            late = Side.CLIENT if self.client_seen.aborted else Side.SERVER
            difference = Difference(late, f"the {late} did not end the play within {self.limit:g} s")
        if difference is None and self.job.repeat:
            difference = self._miscounted()
        outcome = Outcome.FAILED if difference else Outcome.PASSED
        return Verdict(
            case,
            self.job.pair,
            outcome,
            self.client_seen.elapsed_us / 1e6,
            difference,
            expected if difference else None,
            self.client_seen if difference or self.job.repeat or observed else None,
            self.server_seen if difference or observed else None,
            tuple(self.job.notes),
            self.logs() if difference else (),
        )

    def _miscounted(self) -> Difference | None:
        """What is wrong when a side did not count as many calls as were to be repeated."""
        for side, completed in self.completed.items():
            if completed != self.job.repeat:
                only = "only " if completed < self.job.repeat else ""
                return Difference(side, f"at the {side} {only}{completed} of {self.job.repeat} calls went as the first")
        return None

    def broken(self, driver: Driver | None, what: str, outcome: Outcome = Outcome.FAILED) -> Verdict:
        """The verdict when a side will never report: `what` says why, as a sentence."""
        side = driver.side if driver else Side.CLIENT
        return Verdict(
            self.prepared.play,
            self.job.pair,
            outcome,
            difference=Difference(side, what),
            expected=None if self.prepared.observed else self.prepared.allowed[0],
            client=self.client_seen,
            server=self.server_seen,
            notes=tuple(self.job.notes),
            attachments=self.logs(),
        )

    def logs(self) -> tuple[Attachment, ...]:
        return tuple(Attachment(LOG, driver.who, str(driver.log), driver.tail(LOG_LINES)) for driver in (self.client, self.server))


def unsupported(job: Job, side: Side, missing: frozenset[str]) -> Verdict:
    """The verdict of a case that a driver cannot play, by its own word."""
    what = f"the {job.pair.at(side)} {side} does not offer {', '.join(sorted(missing))}"
    return Verdict(job.prepared.case, job.pair, Outcome.UNSUPPORTED, difference=Difference(side, what))
