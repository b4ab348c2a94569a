"""The model: from a case to the finite set of observation pairs that gRPC promises. Pure, and the heart of every verdict.

How it works. Both scripts are played on two ordered, bounded channels. Every step blocks until it is done, so without
a termination from outside (the client's cancel, a deadline) the outcome is the same under every schedule, and one run
gives it. With a termination, that run is played on until nothing moves any more: what is then observed is the most
that can happen before the termination takes effect. The least is what must have happened first: each lane carries a
vector clock, and the clock of the step that terminates says which events of the other lanes precede it. The outcomes
between the two are prefixes, and there are finitely many.

The rules, with their measurements, are in docs/model.md.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from typing import NamedTuple

from grpc_interop.case import (
    RECEIVING,
    Cancel,
    Case,
    Entry,
    Finish,
    HalfClose,
    Kind,
    Lane,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Send,
    SendHeaders,
    Signal,
    Status,
    WaitFor,
    WaitForTermination,
)
from grpc_interop.grammar import NotACase, check_grammar
from grpc_interop.transcript import END, TERMINATED, Observation, Observed

CAPACITY = 32 * 1024
"""Bytes that may lie unread in one direction: half of HTTP/2's first window (65,535), which every runtime grants. With
more, whether a send returns depends on the runtime: grpc-go to grpc-go hangs from 128 KiB on."""

PREFIX = 5
"""Bytes that gRPC puts before each message (compressed flag and length)."""

LEAST_DEADLINE_US = 1_000_000
"""A deadline that must leave time for what is ordered before it: 1 s was never missed in 18,000 loaded calls, and
shorter ones were."""

EARLY_US = 5_000
"""How much before its deadline a client may report DEADLINE_EXCEEDED: timers are rounded."""

CANCELLED, DEADLINE_EXCEEDED = 1, 4


class ClientView(NamedTuple):
    """What the client must have seen. `least_elapsed_us`: it cannot have ended earlier; `least_spread_us`: nor can its
    messages have come closer together, first to last."""

    lanes: tuple[Observed, ...]
    initial: tuple[Entry, ...]
    status: Status
    least_elapsed_us: int = 0
    least_spread_us: int = 0


class ServerView(NamedTuple):
    """What the server must have seen. `deadline_us`: the deadline it must know of, or None."""

    arrived: bool
    lanes: tuple[Observed, ...]
    request: tuple[Entry, ...]
    deadline_us: int | None = None


class Expected(NamedTuple):
    """One allowed pair. `order` gives, for each observation of the client's lanes and then of the server's, its place
    in one possible order of events: of several differences the first in that order is the cause."""

    client: ClientView
    server: ServerView
    order: tuple[tuple[int, ...], ...]


def model(case: Case) -> tuple[Expected, ...]:
    """All allowed pairs, the likeliest first.

    Raises NotACase where gRPC promises nothing: scripts that break the grammar, that deadlock, or whose outcome would
    depend on the runtime.
    """
    check_grammar(case)
    run = _Run(case)
    run.play()
    if run.cancelled is not None and not run.finish_precedes(run.cancelled):
        return tuple(_cancelled(run, run.cancelled))
    if run.complete():
        return (_undisturbed(run),)
    if case.timeout_us is None:
        raise NotACase(f"{case.id}: the scripts wait for each other: {run.stuck()}")
    return tuple(_deadline(run, case.timeout_us))


# ----------------------------------------------------------------------------------------------------------------------
# Outcomes
# ----------------------------------------------------------------------------------------------------------------------


def _undisturbed(run: _Run) -> Expected:
    assert run.finished is not None  # noqa: S101  complete() implies it
    return Expected(
        ClientView(
            tuple(lane.observations() for lane in run.client),
            run.initial(),
            run.finished.status,
            least_spread_us=run.case.spread_us,
        ),
        _server_view(run, tuple(lane.observations() for lane in run.server)),
        run.order(),
    )


def _cancelled(run: _Run, clock: _Clock) -> Iterator[Expected]:
    """The client cancelled after the events in `clock`."""
    status = Status(CANCELLED, None)
    yield from _pairs(run, clock, [ClientView(lanes, initial, status) for lanes, initial in _client_ends(run, clock)])
    if run.finished is not None:
        # The server's end may have reached the client before the cancel did anything.
        client = ClientView(tuple(lane.observations() for lane in run.client), run.initial(), run.finished.status)
        yield Expected(client, _server_view(run, tuple(lane.observations() for lane in run.server)), run.order())


def _deadline(run: _Run, timeout_us: int) -> Iterator[Expected]:
    """The deadline passed when nothing moved any more."""
    if run.case.method.kind.client_streams:
        for lane in run.server:
            if not lane.done() and not any(isinstance(step, WaitForTermination) for step in lane.rest()):
                raise NotACase(f"{run.case.id}: the server may take its deadline for a half-close; wait_for_termination")
    known = _merge([lane.clock for lane in run.client])
    if any(known[lane.index] for lane in run.server) and timeout_us < LEAST_DEADLINE_US:
        raise NotACase(f"{run.case.id}: a deadline of {timeout_us} us is too short for what comes before it")
    clients = []
    # CANCELLED where the server's runtime reset the stream first: grpc/grpc#2685, grpc/grpc-go#2886.
    for code in (DEADLINE_EXCEEDED, CANCELLED):
        lanes = tuple(_with_end(lane, len(lane.seen)) for lane in run.client)
        for initial in _initials(run, known):
            clients.append(ClientView(lanes, initial, Status(code, None), timeout_us - EARLY_US))
    yield from _pairs(run, known, clients)


def _pairs(run: _Run, clock: _Clock, clients: list[ClientView]) -> Iterator[Expected]:
    """Each client's view with each of the server's that can go with it."""
    arrived = any(clock[lane.index] for lane in run.server)
    servers = [_server_view(run, lanes) for lanes in _server_ends(run, clock)]
    order = run.order()
    for client in clients:
        for server in servers:
            yield Expected(client, server, order)
    if not arrived:
        never = ServerView(False, tuple(() for _ in run.server), (), None)
        for client in clients:
            if not client.initial and not any(isinstance(seen, bytes) for lane in client.lanes for seen in lane):
                yield Expected(client, never, order)


def _client_ends(run: _Run, clock: _Clock) -> Iterator[tuple[tuple[Observed, ...], tuple[Entry, ...]]]:
    """What the client's lanes may have seen when its own cancel, at `clock`, ended the RPC."""
    choices: list[list[Observed]] = []
    for lane in run.client:
        if lane.cancels:
            choices.append([lane.observations()])
        else:
            least = lane.seen_by(clock[lane.index])
            choices.append(_unique([_with_end(lane, count) for count in range(len(lane.seen), least - 1, -1)]))
    for lanes in _product(choices):
        for initial in _initials(run, clock):
            yield lanes, initial


def _with_end(lane: _Lane, count: int) -> Observed:
    """The client's lane when the RPC ended after `count` observations."""
    seen = lane.observations()[:count]
    if END in seen or (count == len(lane.seen) and not any(isinstance(step, RECEIVING) for step in lane.rest())):
        return seen
    return (*seen, END)


def _server_ends(run: _Run, clock: _Clock) -> Iterator[tuple[Observed, ...]]:
    """What the server's lanes may have seen when the RPC was ended from outside, with the events in `clock` before."""
    choices: list[list[Observed]] = []
    for lane in run.server:
        least = lane.seen_by(clock[lane.index])
        options: list[Observed] = []
        for count in range(len(lane.seen), least - 1, -1):
            options.extend(_terminated(lane, count, run.case.method.kind))
        choices.append(_unique(options))
    yield from _product(choices)


def _terminated(lane: _Lane, count: int, kind: Kind) -> Iterator[Observed]:
    """The server's lane when the RPC was ended after `count` observations.

    A runtime may show the termination as a clean end of the client's messages (grpc/grpc#33038, and others by design):
    until something else tells, that is the same observation.
    """
    seen = lane.observations()[:count]
    rest = lane.rest() if count == len(lane.seen) else lane.rest_after(count)
    waits = any(isinstance(step, WaitForTermination) for step in rest)
    receives = any(isinstance(step, Receive | ReceiveToEnd) for step in rest) and END not in seen
    if not waits and not receives:
        yield seen
        return
    yield (*seen, TERMINATED)
    if receives and kind.client_streams:
        yield (*seen, END, TERMINATED) if waits else (*seen, END)


def _server_view(run: _Run, lanes: tuple[Observed, ...]) -> ServerView:
    return ServerView(True, lanes, by_key(run.case.metadata), run.case.timeout_us)


def _initials(run: _Run, clock: _Clock) -> list[tuple[Entry, ...]]:
    """The initial metadata that a client may have seen whose knowledge is `clock`."""
    if run.headers is None:
        return [()]
    entries, at = run.headers
    known = any(at[lane.index] <= clock[lane.index] and at[lane.index] for lane in run.server)
    return [by_key(entries)] if known or not entries else [by_key(entries), ()]


def by_key(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Sorted by key, the order within a key kept: that is all gRPC promises of metadata's order."""
    return tuple(sorted(entries, key=lambda entry: entry.key))


# ----------------------------------------------------------------------------------------------------------------------
# One run of both scripts
# ----------------------------------------------------------------------------------------------------------------------

_Clock = list[int]
"""How many events of each lane are known to have happened, by lane index."""


class _End(NamedTuple):
    status: Status
    clock: _Clock


class _Channel:
    """Messages on their way in one direction."""

    def __init__(self) -> None:
        self.messages: deque[tuple[bytes, _Clock]] = deque()
        self.unread = 0
        self.closed: _Clock | None = None
        self.discards = False

    def put(self, message: bytes, clock: _Clock, reader_waits: bool) -> bool:
        if self.discards:
            return True
        size = len(message) + PREFIX
        if self.unread + size > CAPACITY and not (reader_waits and not self.messages):
            return False
        self.messages.append((message, clock))
        self.unread += size
        return True

    def take(self) -> tuple[bytes, _Clock]:
        message, clock = self.messages.popleft()
        self.unread -= len(message) + PREFIX
        return message, clock


class _Lane:
    """One lane, and how far it has come."""

    def __init__(self, steps: Lane, index: int, lanes: int) -> None:
        self.steps = steps
        self.index = index
        self.at = 0
        self.clock: _Clock = [0] * lanes
        self.seen: list[tuple[Observation, int, int, int]] = []  # what, own event, order, step
        self.cancels = any(isinstance(step, Cancel) for step in steps)

    def done(self) -> bool:
        return self.at == len(self.steps)

    def rest(self) -> Lane:
        return self.steps[self.at :]

    def rest_after(self, count: int) -> Lane:
        """The steps that could still observe something once `count` observations were made."""
        return self.steps[self.seen[count][3] :]

    def observations(self) -> Observed:
        return tuple(entry[0] for entry in self.seen)

    def seen_by(self, event: int) -> int:
        """How many observations were made by this lane's event number `event`."""
        return sum(1 for entry in self.seen if entry[1] <= event)

    def waits_to_receive(self) -> bool:
        return not self.done() and isinstance(self.steps[self.at], Receive | ReceiveToEnd)


class _Run:
    """Plays a case until nothing moves."""

    def __init__(self, case: Case) -> None:
        self.case = case
        count = len(case.client) + len(case.server)
        lanes = [_Lane(steps, index, count) for index, steps in enumerate(case.client + case.server)]
        self.client = lanes[: len(case.client)]
        self.server = lanes[len(case.client) :]
        self.up, self.down = _Channel(), _Channel()
        self.headers: tuple[tuple[Entry, ...], _Clock] | None = None
        self.finished: _End | None = None
        self.ended_at: _Clock | None = None
        self.cancelled: _Clock | None = None
        self.signals: dict[tuple[bool, str], deque[_Clock]] = defaultdict(deque)
        self.response: tuple[bytes, _Clock] | None = None
        self.events = 0
        if not case.method.kind.client_streams:
            self.up.closed = None

    def play(self) -> None:
        moved = True
        while moved:
            moved = False
            for lane in self.client:
                while self._step(lane, from_client=True):
                    moved = True
            for lane in self.server:
                while self._step(lane, from_client=False):
                    moved = True

    def complete(self) -> bool:
        return self.finished is not None and all(lane.done() or lane.cancels for lane in self.client + self.server)

    def finish_precedes(self, clock: _Clock) -> bool:
        return self.finished is not None and all(mine <= known for mine, known in zip(self.finished.clock, clock, strict=True))

    def initial(self) -> tuple[Entry, ...]:
        return by_key(self.headers[0]) if self.headers else ()

    def order(self) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(entry[2] for entry in lane.seen) for lane in self.client + self.server)

    def stuck(self) -> str:
        waiting = []
        for side, lanes in (("client", self.client), ("server", self.server)):
            for number, lane in enumerate(lanes, 1):
                if not lane.done():
                    waiting.append(f"the {side}'s lane {number} at step {lane.at + 1} ({type(lane.steps[lane.at]).__name__})")
        return ", ".join(waiting) or "nobody finishes"

    # -- one step ------------------------------------------------------------------------------------------------------

    def _step(self, lane: _Lane, *, from_client: bool) -> bool:
        """Plays one event of the lane; False when it is done or must wait."""
        if lane.done():
            return False
        step = lane.steps[lane.at]
        if isinstance(step, Receive | ReceiveToEnd):
            return self._receive(lane, from_client, to_end=isinstance(step, ReceiveToEnd))
        if isinstance(step, Send):
            moved = self._send(lane, step.message, from_client)
        elif isinstance(step, Signal):
            self.signals[not from_client, step.name].append(self._tick(lane))
            moved = True
        elif isinstance(step, WaitFor):
            moved = self._wait_for(lane, step.name, from_client)
        elif from_client:
            moved = self._client_step(lane, step)
        else:
            moved = self._server_step(lane, step)
        if moved:
            lane.at += 1
        return moved

    def _client_step(self, lane: _Lane, step: object) -> bool:
        if isinstance(step, HalfClose):
            self.up.closed = self._tick(lane)
            return True
        if isinstance(step, ReceiveHeaders):
            if self.headers is None and self.finished is None:
                return False
            self._learn(lane, self.headers[1] if self.headers else self.finished.clock)  # type: ignore[union-attr]
            return True
        if isinstance(step, Cancel):
            self.cancelled = list(lane.clock)
            return False
        raise AssertionError(step)

    def _server_step(self, lane: _Lane, step: object) -> bool:
        if isinstance(step, SendHeaders):
            self.headers = (step.entries, self._tick(lane))
            return True
        if isinstance(step, Finish):
            others = [other for other in self.server if other is not lane]
            if not all(other.done() for other in others):
                return False
            for other in others:
                self._learn(lane, other.clock)
            self._finish(step.status, self._tick(lane))
            return True
        if isinstance(step, WaitForTermination):
            return False
        raise AssertionError(step)

    def _finish(self, status: Status, clock: _Clock) -> None:
        if self.response is not None and status.code == 0:
            self.down.messages.append((self.response[0], clock))
        self.finished = _End(status._replace(message=status.message if status.code else "", trailers=by_key(status.trailers)), clock)
        self.headers = self.headers or ((), clock)
        self.up.discards = True

    def _send(self, lane: _Lane, message: bytes, from_client: bool) -> bool:
        if from_client:
            readers = self.server
        elif self.case.method.kind.server_streams:
            readers = self.client
        else:
            # A single response leaves together with the status.
            self.response = (message, self._tick(lane))
            return True
        channel = self.up if from_client else self.down
        moved = channel.put(message, clock := self._next(lane), any(reader.waits_to_receive() for reader in readers))
        if moved:
            lane.clock = clock
            if not from_client and self.headers is None:
                self.headers = ((), clock)
        return moved

    def _receive(self, lane: _Lane, from_client: bool, *, to_end: bool) -> bool:
        channel = self.down if from_client else self.up
        if any(entry[0] is END for entry in lane.seen):
            lane.at += 1
            return True
        if channel.messages:
            message, clock = channel.take()
            self._observe(lane, message, clock)
            lane.at += not to_end
            return True
        closed = (self.finished.clock if self.finished else None) if from_client else channel.closed
        if closed is None:
            return False
        self._observe(lane, END, closed)
        lane.at += 1
        return True

    def _wait_for(self, lane: _Lane, name: str, from_client: bool) -> bool:
        waiting = self.signals[from_client, name]
        if waiting:
            self._learn(lane, waiting.popleft())
        elif not (from_client and self.finished):
            return False
        self._tick(lane)
        return True

    # -- events and clocks ---------------------------------------------------------------------------------------------

    def _next(self, lane: _Lane) -> _Clock:
        clock = list(lane.clock)
        clock[lane.index] += 1
        return clock

    def _tick(self, lane: _Lane) -> _Clock:
        lane.clock = self._next(lane)
        return lane.clock

    def _learn(self, lane: _Lane, clock: _Clock) -> None:
        lane.clock = _merge([lane.clock, clock])

    def _observe(self, lane: _Lane, what: Observation, clock: _Clock) -> None:
        self._learn(lane, clock)
        self._tick(lane)
        self.events += 1
        lane.seen.append((what, lane.clock[lane.index], self.events, lane.at))


def _merge(clocks: list[_Clock]) -> _Clock:
    return [max(values) for values in zip(*clocks, strict=True)]


def _unique(options: list[Observed]) -> list[Observed]:
    return list(dict.fromkeys(options))


def _product(choices: list[list[Observed]]) -> Iterator[tuple[Observed, ...]]:
    if not choices:
        yield ()
        return
    for first in choices[0]:
        for others in _product(choices[1:]):
            yield (first, *others)
