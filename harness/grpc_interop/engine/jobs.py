"""A case made ready to be played: judged by the model once and written as commands once, for all its pairs."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from grpc_interop.core.case import AnyCase, Case, Script, Send, steps
from grpc_interop.core.model import Expected, model
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Pair, Verdict
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.driver import Driver
from grpc_interop.drivers.translate import Payloads, Transcripts, messages_sent, play_message

MOST_PAYLOADS, MOST_PAYLOAD_BYTES = 20_000, 64 * 1024 * 1024
"""Limits of a generation of payloads. Drivers keep two generations: that of new plays, and the one before, as long as a play
under way uses it. So their memory is bounded in a run of any length."""

MESSAGES_OF_ONE, BYTES_OF_ONE = 50, 1024 * 1024
"""Messages and bytes that weigh 1. A case with less work weighs 1 as well, so suites with a few dozen messages a case keep the
whole window. With calls of 2,000 messages, 3 are then in flight, which keeps a driver busy; with 48 such calls a driver in Python
finished none of them within 10 s."""

TIMES = "times"
"""The capability to report when steps were done: asked for where it is offered, and needed by no case."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A case made ready to be played."""

    case: AnyCase
    allowed: tuple[Expected, ...]
    client_needs: frozenset[str]
    server_needs: frozenset[str]
    call: bytes = b""  # the client's Command, serialised, without id and resource
    expect: bytes = b""  # the server's Command; empty where the server does not have the method
    timed_call: bytes = b""  # the same with a request for times; empty where nothing depends on them
    timed_expect: bytes = b""
    client_payloads: tuple[tuple[int, str, bytes], ...] = ()  # id, type and bytes of each message in `call`
    server_payloads: tuple[tuple[int, str, bytes], ...] = ()
    generation: int = 0  # of the payloads; 0 where the case has none
    weight: int = 1
    may_not_arrive: bool = False  # the call need not reach the server
    observed: bool = False  # every outcome is allowed: only the transcripts and their views are wanted, for compat
    served: Case | None = None  # the server's case, where its protos are another version than the client's
    transcripts: Transcripts = field(default_factory=Transcripts, compare=False)
    batch: object = field(default_factory=object, compare=False)
    """Identifies this preparation, within which drivers' answers about messages are reused for the next pair."""

    @property
    def rpc_case(self) -> Case:
        """The case, which must be about an RPC."""
        rpc = self.case.rpc
        assert rpc is not None
        return rpc


class Purpose:
    """Why a job is played, which decides about its verdict. The base class serves jobs that are part of the run's plan."""

    at_once: ClassVar[bool] = False  # a failure counts as it is: it is not deferred, and a missed deadline is not played again
    most_seconds: ClassVar[float] = math.inf  # that the case may take, whatever its weight

    def finished(self, verdict: Verdict) -> Sequence[Verdict]:
        """Take the job's verdict; return the verdicts that are final now."""
        return (verdict,)

    def killed(self, verdict: Verdict) -> Sequence[Verdict]:
        """Take the verdict of an isolated job that ended its driver; return the verdicts that are final now."""
        return self.finished(verdict)

    def dropped(self, job: "Job", why: str) -> Sequence[Verdict] | None:
        """Return the verdicts that are final since the job will never be played; None where no verdict waits for it."""
        return None


PLANNED = Purpose()


@dataclass(slots=True)
class Job:
    """A case to be played on a pair."""

    prepared: Prepared
    pair: Pair
    isolated: bool = False  # nothing else may be in flight
    repeat: int = 0  # calls in the bare loop of the bench, inside the drivers; 0 for an ordinary play
    concurrency: int = 0
    timed: bool = False  # the client reports when it did its steps, if it can
    purpose: Purpose = PLANNED
    stretched: int = 0  # how often the deadline was made longer
    notes: list[str] = field(default_factory=list)


def weight(client: Script, server: Script) -> int:
    """Return the weight of a call with these scripts."""
    sent = [step.message for script in (client, server) for step in steps(script) if isinstance(step, Send)]
    return max(1, len(sent) // MESSAGES_OF_ONE + sum(map(len, sent)) // BYTES_OF_ONE)


class Preparer:
    """Prepares RPCs, and counts the payloads that their commands refer to. At most two generations of payloads exist: the next
    begins while plays that use the last are still under way, so that no play waits for the slowest of them."""

    def __init__(self) -> None:
        self.payloads = Payloads()
        self.generation = 1
        self._first = 0  # payloads with smaller ids are of the generation before; 0 if no such generation is left

    def prepare(self, case: Case) -> Prepared:
        """Return a case with its allowed outcomes and commands. Raises NotACase where the model promises nothing."""
        return self._write(Prepared(case, model(case), case.needs(Side.CLIENT), case.needs(Side.SERVER)))

    def prepare_observed(self, client: Case, server: Case | None) -> Prepared:
        """Return a call between two versions of the protos: the client's script in `client`, and the server's in `server`, or
        None where its version lacks the method."""
        client_needs = client.needs(Side.CLIENT) | {"view"}
        server_needs = server.needs(Side.SERVER) | {"view"} if server is not None else frozenset[str]()
        return self._write(Prepared(client, (), client_needs, server_needs, observed=True, served=server))

    def refresh(self, prepared: Prepared) -> Prepared:
        """Return the same with payload ids that are still valid."""
        return prepared if prepared.generation == self.generation else self._write(prepared)

    @property
    def full(self) -> bool:
        """Whether a new generation of payloads must begin."""
        return len(self.payloads) > MOST_PAYLOADS or self.payloads.bytes > MOST_PAYLOAD_BYTES

    def has_room(self, drivers: Iterable[Driver], in_flight: Iterable[Prepared]) -> bool:
        """Return whether plays may be written: not while a third generation would begin. Close payloads that no play uses."""
        if self._first and not any(0 < prepared.generation < self.generation for prepared in in_flight):
            for driver in drivers:
                driver.resources.forget_payloads(self._first)
            self._first = 0
        if self.full and not self._first:
            self.generation += 1
            self._first = self.payloads.forget_all()
        return not self.full

    def loop(self, prepared: Prepared, repeat: int, concurrency: int) -> Prepared:
        """Return the same case as a loop inside the drivers, for the bench."""
        case = prepared.rpc_case
        call = play_message(case, case.client, self.payloads, client=True)
        call.repeat, call.concurrency = repeat, concurrency
        expect = play_message(case, case.server, self.payloads, client=False)
        expect.repeat = repeat
        return replace(
            prepared,
            call=_command(prepared.client_needs | {"repeat"}, call=call),
            expect=_command(prepared.server_needs | {"repeat"}, expect=expect),
        )

    def timed(self, prepared: Prepared) -> Prepared:
        """Return the same case with a client that reports when its steps were done."""
        case = prepared.rpc_case
        call = play_message(case, case.client, self.payloads, client=True)
        call.report_times = True
        return replace(prepared, call=_command(prepared.client_needs | {TIMES}, call=call))

    def _write(self, prepared: Prepared) -> Prepared:
        case, view = prepared.rpc_case, prepared.observed
        served = prepared.served if prepared.observed else case
        call = play_message(case, case.client, self.payloads, client=True, view=view)
        written = replace(
            prepared,
            call=_command(prepared.client_needs, call=call),
            client_payloads=self._payloads(case, case.client, client=True),
            generation=self.generation,
            weight=weight(case.client, (served or case).server),
            may_not_arrive=prepared.observed or any(not expected.server.arrived for expected in prepared.allowed),
        )
        if served is None:
            return written
        expect = play_message(served, served.server, self.payloads, client=False, view=view)
        written = replace(
            written,
            expect=_command(prepared.server_needs, expect=expect),
            server_payloads=self._payloads(served, served.server, client=False),
        )
        if case.timeout_us is None or view:
            return written
        call.report_times = expect.report_times = True
        return replace(
            written,
            timed_call=_command(prepared.client_needs | {TIMES}, call=call),
            timed_expect=_command(prepared.server_needs | {TIMES}, expect=expect),
        )

    def _payloads(self, case: Case, script: Script, *, client: bool) -> tuple[tuple[int, str, bytes], ...]:
        distinct = dict.fromkeys(messages_sent(case, script, client=client))
        return tuple((self.payloads.id(type_name, message), type_name, message) for type_name, message in distinct)


def _command(needs: frozenset[str], *, call: pb.Play | None = None, expect: pb.Play | None = None) -> bytes:
    return pb.Command(requires=sorted(needs), call=call, expect=expect).SerializeToString()
