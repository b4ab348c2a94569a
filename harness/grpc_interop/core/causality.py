"""A case's two scripts played on two ordered, bounded channels until nothing moves, with the causes of each event.

A step blocks until it is done. Each channel has one writer and one reader, each signal one sender and one receiver. So while
nothing terminates the RPC from outside, every schedule leads to the same end, and a single run finds it.

Each event names its cause: the latest event of another lane that it depends on. From the causes follow the vector clocks
of all events (Friedemann Mattern, "Virtual Time and Global States of Distributed Systems", 1989).
"""

from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any, NamedTuple

from grpc_interop.core.case import (
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
    Step,
    WaitFor,
    WaitForTermination,
)
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import END, Observation

CAPACITY = 32 * 1024
"""Bytes that may lie unread in one direction: half of HTTP/2's first window (65,535), which every runtime grants. With
more, whether a send returns depends on the runtime: grpc-go to grpc-go hangs from 128 KiB on."""

PREFIX = 5
"""Bytes that gRPC puts before each message (compressed flag and length)."""

NO_EVENT = -1
"""In a vector clock: no event of that lane has happened. As a cause: none."""

VectorClock = tuple[int, ...]
"""Per lane, by index: its latest event that has happened for certain, or NO_EVENT."""


class Channel:
    """Messages on their way to one side."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit  # bytes of the largest message that the reader accepts; None for any size
        self.messages: deque[tuple[bytes, int]] = deque()  # each with its cause
        self.unread = 0  # bytes
        self.closed: int | None = None  # the event in which the writer closed it
        self.discards = False  # the reader has gone

    def has_room(self, size: int) -> bool:
        return self.unread + size <= CAPACITY

    def refuses(self, message: bytes) -> bool:
        """Return whether the message is larger than its reader accepts."""
        return self._limit is not None and len(message) > self._limit

    def put(self, message: bytes, cause: int) -> None:
        self.messages.append((message, cause))
        self.unread += len(message) + PREFIX

    def take(self) -> tuple[bytes, int]:
        entry = self.messages.popleft()
        self.unread -= len(entry[0]) + PREFIX
        return entry


class LaneRun:
    """A lane, and how far it has come. The step `steps[places[i]]` observed `seen[i]` in event `events[i]`."""

    def __init__(self, steps: Lane, index: int, *, side: Side, inbox: Channel, outbox: Channel) -> None:
        self.steps = steps
        self.index = index
        self.side = side
        self.inbox = inbox
        self.outbox = outbox
        self.at = 0
        self.last = index  # the event in which the lane began
        self.seen: list[Observation] = []
        self.events: list[int] = []
        self.places: list[int] = []

    @property
    def done(self) -> bool:
        return self.at == len(self.steps)

    def rest(self, count: int) -> Lane:
        """Return the steps from the next step that observes something, after `count` observations."""
        return self.steps[self.at if count == len(self.seen) else self.places[count] :]

    def waits_for_message(self) -> bool:
        return not self.done and isinstance(self.steps[self.at], Receive | ReceiveToEnd) and not self.inbox.messages


class Headers(NamedTuple):
    """The initial metadata, and the event after which the server sent it."""

    entries: tuple[Entry, ...]
    event: int


class End(NamedTuple):
    """The status with which the server finished, and the event in which it did."""

    status: Status
    event: int


class Simulation:
    """A case played until nothing moves. The run does not act on a cancel: it goes on as if the cancel took for ever."""

    def __init__(self, case: Case) -> None:
        self.case = case
        up, down = Channel(case.server_endpoint.max_receive_bytes), Channel(case.client_endpoint.max_receive_bytes)
        self.channels = (up, down)
        self.client = [LaneRun(steps, index, side=Side.CLIENT, inbox=down, outbox=up) for index, steps in enumerate(case.client)]
        self.server = [
            LaneRun(steps, index, side=Side.SERVER, inbox=up, outbox=down) for index, steps in enumerate(case.server, len(self.client))
        ]
        self.lanes = self.client + self.server
        # Per event: the event before it in its lane, its cause, its lane. The first events are the lanes' beginnings.
        self._events = [(NO_EVENT, NO_EVENT, lane.index) for lane in self.lanes]
        self._signals: dict[tuple[Side, str], deque[int]] = defaultdict(deque)
        self._response: tuple[bytes, int] | None = None
        self.headers: Headers | None = None
        self.headers_received: list[tuple[int, int]] = []  # lane index and event of each ReceiveHeaders
        self.finished: End | None = None
        self.cancelled: int | None = None  # the event of the client's cancel
        self.refused: dict[LaneRun, int] = {}  # lanes that met a message over the limit and stay there, with the event
        self._plays: dict[type, Callable[[LaneRun, Any], bool]] = {
            Send: self._send if case.method.kind.server_streams else self._send_single,
            Receive: self._receive,
            ReceiveToEnd: self._receive_to_end,
            HalfClose: self._half_close,
            Cancel: self._cancel,
            SendHeaders: self._send_headers,
            ReceiveHeaders: self._receive_headers,
            Finish: self._finish,
            Signal: self._signal,
            WaitFor: self._wait_for,
            WaitForTermination: self._wait_for_termination,
        }
        self._play()

    @property
    def complete(self) -> bool:
        return self.finished is not None and all(lane.done for lane in self.lanes)

    def stuck(self) -> str:
        """Return who waits, in words."""
        waiting = []
        for side, lanes in ((Side.CLIENT, self.client), (Side.SERVER, self.server)):
            for number, lane in enumerate(lanes, 1):
                if not lane.done:
                    waiting.append(f"the {side}'s lane {number} at step {lane.at + 1} ({type(lane.steps[lane.at]).__name__})")
        return ", ".join(waiting)

    def clocks(self) -> list[VectorClock]:
        """Return the vector clock of each event, which includes the event itself."""
        nothing = (NO_EVENT,) * len(self.lanes)
        clocks: list[VectorClock] = []
        for number, (before, cause, lane) in enumerate(self._events):
            clock = list(join(clocks[before] if before >= 0 else nothing, clocks[cause] if cause >= 0 else nothing))
            clock[lane] = number
            clocks.append(tuple(clock))
        return clocks

    # -- events --------------------------------------------------------------------------------------------------------

    def _play(self) -> None:
        moved = True
        while moved:
            moved = False
            for lane in self.lanes:
                at, events = lane.at, len(self._events)
                self._advance(lane)
                moved |= lane.at != at or len(self._events) != events

    def _advance(self, lane: LaneRun) -> None:
        steps, plays = lane.steps, self._plays
        while lane.at < len(steps):
            step = steps[lane.at]
            if not plays[type(step)](lane, step):
                return
            lane.at += 1

    def _event(self, lane: LaneRun, cause: int = NO_EVENT) -> int:
        number = len(self._events)
        self._events.append((lane.last, cause, lane.index))
        lane.last = number
        return number

    def _observe(self, lane: LaneRun, observation: Observation, cause: int) -> None:
        lane.seen.append(observation)
        lane.events.append(self._event(lane, cause))
        lane.places.append(lane.at)

    # -- steps: each returns whether it is done -------------------------------------------------------------------------

    def _send(self, lane: LaneRun, step: Send) -> bool:
        outbox = lane.outbox
        if outbox.discards:
            return True
        if not outbox.has_room(len(step.message) + PREFIX) and not self._awaited(lane):
            return False
        outbox.put(step.message, lane.last)
        if self.headers is None and lane.side is Side.SERVER:
            self.headers = Headers((), lane.last)
        return True

    def _awaited(self, lane: LaneRun) -> bool:
        return any(reader.waits_for_message() for reader in (self.server if lane.side is Side.CLIENT else self.client))

    def _send_single(self, lane: LaneRun, step: Send) -> bool:
        if lane.side is Side.CLIENT:
            return self._send(lane, step)
        self._response = (step.message, lane.last)
        return True

    def _receive(self, lane: LaneRun, _step: Step) -> bool:
        inbox = lane.inbox
        if inbox.messages:
            message, cause = inbox.messages[0]
            if inbox.refuses(message):
                if lane not in self.refused:
                    self.refused[lane] = self._event(lane, cause)
                return False
            self._observe(lane, *inbox.take())
        elif inbox.closed is None:
            return False
        elif not lane.seen or lane.seen[-1] is not END:
            self._observe(lane, END, inbox.closed)
        return True

    def _receive_to_end(self, lane: LaneRun, step: Step) -> bool:
        while lane.inbox.messages:
            if not self._receive(lane, step):
                return False
        return self._receive(lane, step)

    def _half_close(self, lane: LaneRun, _step: Step) -> bool:
        lane.outbox.closed = lane.last
        return True

    def _cancel(self, lane: LaneRun, _step: Step) -> bool:
        self.cancelled = self._event(lane)
        return True

    def _send_headers(self, lane: LaneRun, step: SendHeaders) -> bool:
        self.headers = Headers(step.entries, lane.last)
        return True

    def _receive_headers(self, lane: LaneRun, _step: Step) -> bool:
        # grpc-go and grpcio hand out the initial metadata of a unary call only together with its end.
        sent = self.finished if self.case.method.kind is Kind.UNARY else self.headers
        if sent is None:
            return False
        self.headers_received.append((lane.index, self._event(lane, sent.event)))
        return True

    def _finish(self, lane: LaneRun, step: Finish) -> bool:
        others = [other for other in self.server if other is not lane]
        if not all(other.done for other in others):
            return False
        event = self._event(lane, others[0].last if others else NO_EVENT)
        headed = event
        if self._response is not None:
            # The response leaves together with the status, but grpc-go's SendAndClose sends the headers before that.
            message, headed = self._response
            lane.outbox.put(message, event)
        lane.outbox.closed = event
        lane.inbox.discards = True
        self.finished = End(step.status, event)
        self.headers = self.headers or Headers((), headed)
        return True

    def _signal(self, lane: LaneRun, step: Signal) -> bool:
        self._signals[lane.side.other, step.name].append(lane.last)
        return True

    def _wait_for(self, lane: LaneRun, step: WaitFor) -> bool:
        waiting = self._signals[lane.side, step.name]
        if not waiting:
            return False
        self._event(lane, waiting.popleft())
        return True

    def _wait_for_termination(self, _lane: LaneRun, _step: Step) -> bool:
        return False


def join(first: VectorClock, second: VectorClock) -> VectorClock:
    """Return the clock of a moment at which both have happened: the maximum of each component."""
    return tuple(map(max, first, second))
