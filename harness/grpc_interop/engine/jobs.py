"""A case made ready to be played: judged by the model once and written as commands once, for all its pairs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from grpc_interop.core.case import AnyCase, Case, Script
from grpc_interop.core.model import Expected, model
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Pair
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.translate import Payloads, Transcripts, messages_sent, play_message
from grpc_interop.engine.admission import weight

if TYPE_CHECKING:
    from grpc_interop.core.verdict import Verdict
    from grpc_interop.engine.shrink.shrinker import Shrinker
    from grpc_interop.engine.triage.crash import CrashTriage

MOST_PAYLOADS, MOST_PAYLOAD_BYTES = 20_000, 64 * 1024 * 1024
"""How much a generation of payloads has at most. Drivers keep two: that which new plays use, and the one before for as long
as a play is under way that uses it. So their memory is bounded in a run of any length."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """`call` and `expect` are serialised Commands without id and resource; `expect` is empty where the server does not
    have the method. `timed_call` and `timed_expect` ask for times as well; they are empty where nothing depends on those.
    `generation` names the payload ids that they refer to. `observed`: what the sides see, views and
    all, is what is asked for; nothing is allowed or forbidden. `served` is what the server plays where its protos are
    another version than the client's. `weight` is how much room it takes on a driver (room.py). `batch` tells this time
    of preparing from every other: what drivers answered about messages is reused within it, for the next pair."""

    case: AnyCase
    allowed: tuple[Expected, ...]
    client_needs: frozenset[str]
    server_needs: frozenset[str]
    call: bytes = b""
    expect: bytes = b""
    timed_call: bytes = b""
    timed_expect: bytes = b""
    client_payloads: tuple[tuple[int, str, bytes], ...] = ()
    server_payloads: tuple[tuple[int, str, bytes], ...] = ()
    generation: int = 0
    weight: int = 1
    may_not_arrive: bool = False
    observed: bool = False
    served: Case | None = None
    transcripts: Transcripts = field(default_factory=Transcripts, compare=False)
    batch: object = field(default_factory=object, compare=False)

    @property
    def rpc_case(self) -> Case:
        """The case, of an RPC."""
        rpc = self.case.rpc
        assert rpc is not None
        return rpc


@dataclass(slots=True)
class Job:
    """A case to be played on a pair. `isolated`: with nothing else in flight. `repeat` and `concurrency`: the bare loop of the
    bench, inside the drivers. `timed`: the client tells when it did what, if it can. `incident`: the death of a driver that
    the job was in flight with; `suspect`: the verdict in company that playing it alone is to explain; `shrinking`: the
    search for a smaller case that it is part of; `stretched` how often its deadline was made longer."""

    prepared: Prepared
    pair: Pair
    isolated: bool = False
    repeat: int = 0
    concurrency: int = 0
    timed: bool = False
    incident: CrashTriage | None = None
    suspect: Verdict | None = None
    shrinking: Shrinker | None = None
    stretched: int = 0
    notes: list[str] = field(default_factory=list)


TIMES = "times"
"""The capability to tell when steps were done: asked for where it is offered, and needed by no case."""


class Preparer:
    """Prepares cases, and counts the payloads that their commands refer to."""

    def __init__(self) -> None:
        self.payloads = Payloads()
        self.generation = 1

    def prepare(self, case: Case) -> Prepared:
        """Raises NotACase where the model promises nothing."""
        return self._write(Prepared(case, model(case), case.needs(Side.CLIENT), case.needs(Side.SERVER)))

    def prepare_observed(self, client: Case, server: Case | None) -> Prepared:
        """One call between two versions of the protos, each side with its own: the client's script of the one case, and
        the server's of the other (None: its version lacks the method)."""
        client_needs = client.needs(Side.CLIENT) | {"view"}
        server_needs = server.needs(Side.SERVER) | {"view"} if server is not None else frozenset[str]()
        return self._write(Prepared(client, (), client_needs, server_needs, observed=True, served=server))

    def refresh(self, prepared: Prepared) -> Prepared:
        """The same with payload ids that are still valid."""
        return prepared if prepared.generation == self.generation else self._write(prepared)

    @property
    def full(self) -> bool:
        """Whether a new generation of payloads is due."""
        return len(self.payloads) > MOST_PAYLOADS or self.payloads.bytes > MOST_PAYLOAD_BYTES

    def begin_generation(self) -> int:
        """From now on all plays are written with new payloads; gives the first id that they have."""
        self.generation += 1
        return self.payloads.forget_all()

    def loop(self, prepared: Prepared, repeat: int, concurrency: int) -> Prepared:
        """The same case as a loop inside the drivers, for the bench."""
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
        """The same case with a client that tells when its steps were done."""
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
