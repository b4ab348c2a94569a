"""RPCs: each side's driver plays its script, and their transcripts are compared with the model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from grpc_interop.core.case import AnyCase
from grpc_interop.core.joined_metadata import JOINS, split_joined
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import ClientTranscript, ServerTranscript
from grpc_interop.core.verdict import Canonical, Difference, Outcome, Verdict, as_they_are, compare
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.driver import Driver
from grpc_interop.drivers.resources import Resource
from grpc_interop.drivers.translate import client_transcript, server_transcript, step_times, views
from grpc_interop.engine.admission import full, limit
from grpc_interop.engine.executors.execution import Execution
from grpc_interop.engine.executors.executor import DriverExecutor, Host
from grpc_interop.engine.jobs import TIMES, Job, Prepared, Preparer


@dataclass(slots=True, eq=False)
class RpcExecution(Execution):
    """One play: its two sides, the transcripts that they have reported, and the verdict that follows."""

    canonical: Canonical = as_they_are
    own_channel: int = 0  # the channel made for this case alone, or 0
    client_seen: ClientTranscript | None = None
    server_seen: ServerTranscript | None = None
    completed: dict[Side, int] = field(default_factory=dict)  # calls of a repeated play that went as the first, by each side's own count

    reruns: ClassVar[bool] = True

    def take(self, driver: Driver, seen: pb.Transcript) -> None:
        """Keep a side's transcript. Raises ContractBroken when it is not valid."""
        if self.job.repeat:
            self.completed[driver.side] = seen.completed
        if self.prepared.observed:
            self._take_with_views(driver, seen)
            return
        # Read first: the lookup clears the times, so that equal transcripts are parsed once.
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
        """Return whether the driver plays a side that has not reported yet."""
        return (driver is self.client and self.client_seen is None) or (driver is self.server and self.server_seen is None)

    def unreported(self) -> list[Driver]:
        sides = ((self.client, self.client_seen), (self.server, self.server_seen))
        return [driver for driver, seen in sides if seen is None]

    def release(self, driver: Driver) -> None:
        driver.take_off(self.prepared.weight)

    def judge(self) -> Verdict:
        """Compare both transcripts with the model. A play that was frozen fails, whatever it had seen."""
        assert self.client_seen is not None and self.server_seen is not None
        case, observed = self.prepared.rpc_case, self.prepared.observed
        if observed:
            difference, expected = None, None
        else:
            if JOINS in self.client.capabilities | self.server.capabilities:
                self.client_seen, self.server_seen = split_joined(case, self.client_seen, self.server_seen)
            difference, expected = compare(case, self.prepared.allowed, self.client_seen, self.server_seen, self.canonical)
        if difference is None and (self.frozen or self.client_seen.aborted or self.server_seen.aborted):
            late = Side.CLIENT if self.client_seen.aborted else Side.SERVER
            difference = Difference(late, f"the {late} did not end the play within {self.seconds:g} s")
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
        """Return the difference of a side that counted more or fewer calls than were to be repeated."""
        for side, completed in self.completed.items():
            if completed != self.job.repeat:
                only = "only " if completed < self.job.repeat else ""
                return Difference(side, f"at the {side} {only}{completed} of {self.job.repeat} calls went as the first")
        return None

    def broken(self, driver: Driver | None, what: str) -> Verdict:
        side = driver.side if driver else Side.CLIENT
        return Verdict(
            self.prepared.rpc_case,
            self.job.pair,
            Outcome.FAILED,
            difference=Difference(side, what),
            expected=None if self.prepared.observed else self.prepared.allowed[0],
            client=self.client_seen,
            server=self.server_seen,
            notes=tuple(self.job.notes),
            attachments=self.logs(),
        )


class RpcExecutor(DriverExecutor):
    """Sends each side's script to its driver, and relays signals."""

    name = "rpc"
    events = ("transcript", "signal")

    def __init__(self, preparer: Preparer, canonical: Canonical) -> None:
        self._preparer = preparer
        self._canonical = canonical

    def prepare(self, case: AnyCase) -> Prepared:
        assert case.rpc is not None
        return self._preparer.prepare(case.rpc)

    def can_start(self, driver: Driver, prepared: Prepared, window: int) -> bool:
        return not full(driver, prepared.weight, window)

    def resources(self, job: Job, client: Driver, server: Driver) -> Iterator[tuple[Driver, Resource]]:
        case = job.prepared.rpc_case
        serving = server.resources.server(case.server_endpoint)
        yield server, serving
        if not case.own_connection:
            yield client, client.resources.channel(serving.address, case.client_endpoint)

    def begin(self, job: Job, client: Driver, server: Driver, ready: Sequence[Resource], host: Host) -> None:
        prepared = job.prepared = self._preparer.refresh(job.prepared)
        if job.repeat:
            prepared = self._preparer.loop(prepared, job.repeat, job.concurrency)
        elif prepared.timed_expect and TIMES in client.capabilities & server.capabilities:
            prepared = replace(prepared, call=prepared.timed_call, expect=prepared.timed_expect)
        elif job.timed and TIMES in client.capabilities:
            prepared = self._preparer.timed(prepared)
        play, case = next(host.ids), prepared.rpc_case
        if case.own_connection:
            [serving], own_channel = ready, client.resources.channel(ready[0].address, case.client_endpoint, own=True).id
        else:
            [serving, shared], own_channel = ready, 0
        client.resources.provide(prepared.client_payloads)
        seconds = limit(job, client, server, host.case_seconds)
        due = host.clock.now + seconds * (1 + job.repeat / 100) + (case.timeout_us or 0) / 1e6
        execution = RpcExecution(play, job, prepared, client, server, seconds, due, self._canonical, own_channel)
        if prepared.expect:
            server.resources.provide(prepared.server_payloads)
            server.send(prepared.expect, play, serving.id)
            server.take_on(prepared.weight)
        else:
            execution.server_seen = ServerTranscript(arrived=False, lanes=(), request=())
        client.send(prepared.call, play, own_channel or shared.id)
        client.take_on(prepared.weight)
        host.in_flight[play] = execution

    def hear(self, driver: Driver, kind: str, event: pb.Event, host: Host) -> None:
        if kind == "transcript":
            self._take(driver, event, host)
        elif (execution := host.in_flight.get(event.signal.play)) is not None:
            execution.other(driver).send(pb.Command(signal=event.signal).SerializeToString(), next(host.ids))

    def _take(self, driver: Driver, event: pb.Event, host: Host) -> None:
        execution = host.in_flight.get(event.id)
        if not isinstance(execution, RpcExecution):
            host.report_stray(driver, event.id)
            return
        if not execution.owes(driver):
            host.fail(execution, driver, f"the {driver.who} reported the play twice")
            return
        execution.take(driver, event.transcript)
        execution.release(driver)
        driver.has_reported |= not event.transcript.aborted
        if execution.complete:
            if execution.frozen:
                execution.client.abort(execution.id)
                execution.server.abort(execution.id)
            if execution.own_channel:
                execution.client.resources.close(execution.own_channel)
            host.land(execution)
        elif driver is execution.client and execution.prepared.may_not_arrive:
            execution.server.abort(execution.id, if_not_arrived=True)
