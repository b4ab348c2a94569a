"""The model: from a case to the finite set of observation pairs that gRPC allows. Pure, and the heart of every verdict.

Where nothing terminates the RPC from outside, a single run of both scripts gives the only outcome (causality.py). Where the
client's cancel, its deadline or a limit does, that run is the most that can be seen. The least is everything that must have
happened before: the vector clock of the cancel, or of everything that the client does before it waits for its deadline.

The allowed outcomes are the consistent cuts between the two (Friedemann Mattern, "Virtual Time and Global States of
Distributed Systems", 1989). A cut says how many observations each lane has made. It is consistent if it contains the causes
of everything in it. Each consistent cut gives a pair for every form in which a runtime may show the termination.

The rules, with their measurements, are in docs/model.md.
"""

from bisect import bisect_right
from collections.abc import Iterator
from functools import reduce
from itertools import product
from math import prod
from typing import NamedTuple

from grpc_interop.core.case import Cancel, Case, Entry, Receive, ReceiveToEnd, Send, SendHeaders, Status, WaitFor, WaitForTermination
from grpc_interop.core.causality import NO_EVENT, LaneRun, Simulation, VectorClock, join
from grpc_interop.core.script import NotACase, check_grammar
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import END, TERMINATED, Observed

LEAST_DEADLINE_US = 1_000_000
"""The shortest deadline that leaves time for the steps before it: 1 s was never missed in 18,000 calls under load, and
shorter deadlines were."""

EARLY_US = 5_000
"""How long before its deadline a client may report DEADLINE_EXCEEDED: timers are rounded."""

MOST_CUTS = 10_000
"""More allowed outcomes than this say little, and take long to list."""

CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED = 1, 4, 8

# CANCELLED where the server's runtime reset the stream first: grpc/grpc#2685, grpc/grpc-go#2886.
_DEADLINE_STATUSES = [Status(DEADLINE_EXCEEDED, None), Status(CANCELLED, None)]


class ClientView(NamedTuple):
    """Everything that the client must have seen."""

    lanes: tuple[Observed, ...]
    initial: tuple[Entry, ...]
    status: Status
    least_elapsed_us: int = 0  # the RPC cannot have ended earlier
    least_spread_us: int = 0  # the last message cannot have come sooner after the first


class ServerView(NamedTuple):
    """Everything that the server must have seen."""

    arrived: bool
    lanes: tuple[Observed, ...]
    request: tuple[Entry, ...]
    deadline_us: int | None = None  # the deadline that it must know; None: it must see none


class Expected(NamedTuple):
    """An allowed pair."""

    client: ClientView
    server: ServerView
    order: tuple[tuple[int, ...], ...]
    """The place of each observation in one possible order of events, per lane, the client's lanes first. The first difference
    in that order is the cause of the others."""


def model(case: Case) -> tuple[Expected, ...]:
    """Return all allowed pairs, the likeliest first.

    Raise NotACase where gRPC promises nothing: for scripts that break the grammar, that deadlock, or whose outcome would
    depend on the runtime.
    """
    check_grammar(case)
    run = Simulation(case)
    if any(channel.refuses(message) for channel in run.channels for message, _ in channel.messages):
        return tuple(_over_limit(run))
    if not run.complete and (run.finished is not None or (run.cancelled is None and case.timeout_us is None)):
        raise NotACase(f"{case.id}: the scripts wait for what never comes: {run.stuck()}")
    if run.cancelled is not None and not any(END in lane.seen for lane in _cancelling(run)):
        return tuple(_cancelled(run, run.cancelled))
    if run.complete:
        return (_undisturbed(run),)
    assert case.timeout_us is not None
    return tuple(_deadline(run, case.timeout_us))


def hurried(case: Case) -> tuple[Expected, ...]:
    """Return all pairs that are allowed if the deadline may come before anything else: a busy machine misses a deadline like
    this. Empty for a case without a deadline, and for too many outcomes to be meaningful."""
    if case.timeout_us is None:
        return ()
    run = Simulation(case)
    nothing = (NO_EVENT,) * len(run.lanes)
    try:
        return tuple(_terminated(run, run.clocks(), nothing, [], _DEADLINE_STATUSES, case.timeout_us - EARLY_US))
    except NotACase:
        return ()


def by_key(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Return the entries sorted by key, the order within a key kept: gRPC promises no other order of metadata."""
    return tuple(sorted(entries, key=lambda entry: entry.key))


# ----------------------------------------------------------------------------------------------------------------------
# The four ways in which an RPC can end
# ----------------------------------------------------------------------------------------------------------------------


def _undisturbed(run: Simulation) -> Expected:
    """Return the only outcome where the server finished and the client saw it."""
    case = run.case
    if case.timeout_us is not None and case.timeout_us < LEAST_DEADLINE_US:
        raise NotACase(f"{case.id}: a deadline of {case.timeout_us} us is too short to be sure that it is kept")
    return Expected(_full_client_view(run), _server_view(run, _seen(run.server)), _order(run))


def _cancelled(run: Simulation, cancel: int) -> Iterator[Expected]:
    """Yield the outcomes where the client cancelled in the event `cancel`."""
    clocks = run.clocks()
    _refuse_late_reading(run, _cancelling(run))
    yield from _terminated(run, clocks, clocks[cancel], _cancelling(run), [Status(CANCELLED, None)])
    if run.finished is not None:
        # The server's end may have reached the client before the cancel did anything.
        yield Expected(_full_client_view(run), _server_view(run, _seen(run.server)), _order(run))


def _deadline(run: Simulation, timeout_us: int) -> Iterator[Expected]:
    """Yield the outcomes where the deadline passed when the client had done all that it could; only the server may lag behind."""
    case = run.case
    if not any(all(TERMINATED in ending for ending in _server_endings(run, lane, len(lane.seen))) for lane in run.server):
        raise NotACase(f"{case.id}: nothing keeps the server from finishing when it sees the deadline; wait_for_termination")
    if case.method.kind.server_streams and any(
        isinstance(step, Send | SendHeaders) for lane in run.server for step in lane.steps[lane.at + 1 :]
    ):
        raise NotACase(f"{case.id}: the server may notice the deadline before the client does, and still send")
    clocks = run.clocks()
    least = reduce(join, (clocks[lane.last] for lane in run.client))
    if _reached_server(run, least) and timeout_us < LEAST_DEADLINE_US:
        raise NotACase(f"{case.id}: a deadline of {timeout_us} us is too short for what comes before it")
    _refuse_late_reading(run, run.client)
    yield from _terminated(run, clocks, least, run.client, _DEADLINE_STATUSES, timeout_us - EARLY_US)


def _over_limit(run: Simulation) -> Iterator[Expected]:
    """Yield the outcomes where a side took a message larger than its limit, which ends the RPC there."""
    case = run.case
    if len(run.refused) != 1:
        how = "both sides refuse a message" if run.refused else "nobody takes a message that is over its reader's limit"
        raise NotACase(f"{case.id}: {how}: how the RPC ends is open")
    if _cancelling(run) or (case.timeout_us is not None and case.timeout_us < LEAST_DEADLINE_US):
        raise NotACase(f"{case.id}: a message over the limit races the cancel or the deadline")
    ((lane, event),) = run.refused.items()
    status = Status(RESOURCE_EXHAUSTED, None)
    if lane.side is Side.SERVER and not case.method.kind.client_streams:
        # The runtime takes the one request before it calls the handler.
        client = ClientView(tuple(_client_ending(lane, 0) for lane in run.client), (), status)
        yield Expected(client, ServerView(False, ((),) * len(run.server), ()), _order(run))
        return
    clocks = run.clocks()
    _refuse_late_reading(run, [lane])
    yield from _terminated(run, clocks, clocks[event], [lane], [status])


# ----------------------------------------------------------------------------------------------------------------------
# A termination: all consistent cuts between the least and the most
# ----------------------------------------------------------------------------------------------------------------------


def _terminated(
    run: Simulation, clocks: list[VectorClock], least: VectorClock, fixed: list[LaneRun], statuses: list[Status], least_elapsed_us: int = 0
) -> Iterator[Expected]:
    """Yield the pairs when the RPC was ended from outside after `least`; the lanes in `fixed` came as far as in the run."""
    order = _order(run)
    pairs: dict[tuple[ClientView, ServerView], None] = {}
    for counts in _cuts(run, least, fixed):
        clock = reduce(join, (clocks[lane.events[count - 1]] for lane, count in zip(run.lanes, counts, strict=True) if count), least)
        if not _is_consistent(run, counts, clock):
            continue
        split = len(run.client)
        client_lanes = tuple(_client_ending(lane, count) for lane, count in zip(run.client, counts[:split], strict=True))
        endings = [_server_endings(run, lane, count) for lane, count in zip(run.server, counts[split:], strict=True)]
        servers = [_server_view(run, lanes) for lanes in product(*endings)]
        for status, initial in product(statuses, _initials(run, clocks, counts, clock)):
            client = ClientView(client_lanes, initial, status, least_elapsed_us)
            pairs |= dict.fromkeys((client, server) for server in servers)
            if not initial and not _reached_server(run, clock):
                pairs[client, ServerView(False, ((),) * len(run.server), ())] = None
    yield from (Expected(client, server, order) for client, server in pairs)


def _cuts(run: Simulation, least: VectorClock, fixed: list[LaneRun]) -> Iterator[tuple[int, ...]]:
    """Yield cuts, the fullest first: how many observations each lane may have made."""
    ranges = [range(len(lane.seen), (len(lane.seen) if lane in fixed else _count_at(lane, least)) - 1, -1) for lane in run.lanes]
    if prod(map(len, ranges)) > MOST_CUTS:
        raise NotACase(f"{run.case.id}: too little comes before the termination: more than {MOST_CUTS} outcomes are possible")
    yield from product(*ranges)


def _is_consistent(run: Simulation, counts: tuple[int, ...], clock: VectorClock) -> bool:
    """Return whether the cut contains the causes of everything in it, which `clock` tells."""
    return all(_count_at(lane, clock) <= count for lane, count in zip(run.lanes, counts, strict=True))


def _count_at(lane: LaneRun, clock: VectorClock) -> int:
    """Return how many observations the lane has made at that clock."""
    return bisect_right(lane.events, clock[lane.index])


def _reached_server(run: Simulation, clock: VectorClock) -> bool:
    return any(clock[lane.index] != NO_EVENT for lane in run.server)


def _cancelling(run: Simulation) -> list[LaneRun]:
    return [lane for lane in run.client if lane.steps and isinstance(lane.steps[-1], Cancel)]


def _client_ending(lane: LaneRun, count: int) -> Observed:
    """Return everything that the client's lane has seen when the RPC ended after `count` observations."""
    seen = tuple(lane.seen[:count])
    ends = END not in seen and any(isinstance(step, Receive | ReceiveToEnd) for step in lane.rest(count))
    return (*seen, END) if ends else seen


def _server_endings(run: Simulation, lane: LaneRun, count: int) -> list[Observed]:
    """Return everything that the server's lane may have seen when the RPC was ended from outside after `count` observations.

    A runtime may show a cancel or deadline as a clean end of the client's messages (grpc/grpc#33038, and others by
    design); the script then goes on until something else tells.
    """
    endings: list[Observed] = []
    seen = tuple(lane.seen[:count])
    for step in lane.rest(count):
        receives = isinstance(step, Receive | ReceiveToEnd) and END not in seen
        if receives or isinstance(step, WaitForTermination):
            endings.append((*seen, TERMINATED))
            if not (receives and run.case.method.kind.client_streams):
                return endings
            seen = (*seen, END)
    return [*endings, seen]


def _initials(run: Simulation, clocks: list[VectorClock], counts: tuple[int, ...], clock: VectorClock) -> list[tuple[Entry, ...]]:
    """Return the initial metadata that the client may have seen. Only the RPC itself brings it for certain: a signal may
    overtake it."""
    if run.headers is None or not run.headers.entries:
        return [()]
    entries = _headers(run)
    # A server may notice the deadline first, skip the step that waits, and still send its initial metadata.
    possible = run.cancelled is None or _is_consistent(run, counts, clocks[run.headers.event])
    message = any(isinstance(seen, bytes) for lane, count in zip(run.client, counts, strict=False) for seen in lane.seen[:count])
    awaited = any(event <= clock[lane] for lane, event in run.headers_received)
    if message or awaited:
        return [entries]
    return [entries, ()] if possible else [()]


def _refuse_late_reading(run: Simulation, fixed: list[LaneRun]) -> None:
    """Raise NotACase if a step that the termination itself ends is followed by a step that could still find a message:
    whether it does depends on the runtime (grpc-go hands out buffered messages, C-core drops them)."""
    for lane in run.lanes:
        reads = [at for at, step in enumerate(lane.steps) if isinstance(step, Receive | ReceiveToEnd)]
        waits = [at for at, step in enumerate(lane.steps) if isinstance(step, WaitFor)]
        late = lane not in fixed and reads and waits and waits[0] < reads[-1]
        stuck = not lane.done and isinstance(lane.steps[lane.at], Send | WaitFor) and lane.inbox.messages and reads and lane.at < reads[-1]
        if late or stuck:
            step = type(lane.steps[waits[0] if late else lane.at]).__name__
            raise NotACase(f"{run.case.id}: a lane may read after the RPC was terminated, when that ends its {step}")


# ----------------------------------------------------------------------------------------------------------------------
# Views
# ----------------------------------------------------------------------------------------------------------------------


def _full_client_view(run: Simulation) -> ClientView:
    assert run.finished is not None
    status = run.finished.status
    seen = status._replace(message=status.message if status.code else "", trailers=by_key(status.trailers))
    return ClientView(_seen(run.client), _headers(run), seen, least_spread_us=run.case.spread_us)


def _server_view(run: Simulation, lanes: tuple[Observed, ...]) -> ServerView:
    return ServerView(True, lanes, by_key(run.case.metadata), run.case.timeout_us)


def _headers(run: Simulation) -> tuple[Entry, ...]:
    return by_key(run.headers.entries) if run.headers else ()


def _seen(lanes: list[LaneRun]) -> tuple[Observed, ...]:
    return tuple(tuple(lane.seen) for lane in lanes)


def _order(run: Simulation) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(lane.events) for lane in run.lanes)
