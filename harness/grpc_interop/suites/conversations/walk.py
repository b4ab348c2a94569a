"""A conversation made up step by step, as a random walk: at each moment a side does something that it can do then.

The walk keeps the messages that a side has sent and the other has not yet read. A step is written down when its side could do
it without waiting, so that both scripts, played at any speed, come to their ends: a side only waits for steps that the other
surely does. The model still has to accept the cases that the walk leaves open, such as a large message to a side that may not
be receiving yet.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from functools import partial

from grpc_interop.core.case import (
    Finish,
    HalfClose,
    Kind,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Script,
    Send,
    SendHeaders,
    Signal,
    Step,
    WaitFor,
)
from grpc_interop.core.causality import CAPACITY, PREFIX
from grpc_interop.core.side import Side
from grpc_interop.suites.conversations.dice import Dice
from grpc_interop.suites.conversations.words import LARGEST, Words

LENGTHS = (2, 5, 10, 15, 40)
"""Steps after which a conversation comes to its end."""

WEIGHTS = (0.1, 1.0, 1.0, 5.0)
"""Weights of an action, from which each conversation picks. With the same mix of steps everywhere, all conversations would be
alike: this is swarm testing (Groce et al. 2012), where each test leaves out or favours some features."""

EARLY = 0.05
"""Factor of actions that bring the conversation towards its end while it is young."""

LARGE = 0.05
"""Factor of a large message beside a small message: it takes as long as dozens of small messages."""

SENDING = 3.0
"""Factor of sending beside any other action: an RPC is there for its messages."""

SIGNALS = 0.15
"""Factor of signals beside any other action: most conversations need no signals."""

ACTIONS = (
    "client sends",
    "client half-closes",
    "client stops sending",
    "client receives",
    "client awaits headers",
    "client drains",
    "server sends",
    "server sends headers",
    "server receives",
    "server drains",
    "server finishes",
    "server stops",
    "signal",
    "wait",
)
"""The actions, each with a weight of its own in a conversation."""

Action = tuple[float, Callable[[], None]]
"""An action that is possible now, and its weight."""


class _Backlog:
    """The sizes of the messages that a side has sent and the other has not taken."""

    def __init__(self) -> None:
        self.sizes: deque[int] = deque()
        self.unread = 0
        self.closed = False
        self.drained = False  # the reader takes all that is still to come

    def put(self, step: Send) -> None:
        if self.drained:
            return
        self.sizes.append(len(step.message) + PREFIX)
        self.unread += self.sizes[-1]

    def take(self) -> None:
        self.unread -= self.sizes.popleft()

    def drain(self) -> None:
        self.clear()
        self.drained = True

    def clear(self) -> None:
        self.sizes.clear()
        self.unread = 0


class _LaneDraft:
    """A lane that is being written."""

    def __init__(self, name: str, side: Side, inbox: _Backlog) -> None:
        self.name = name
        self.side = side
        self.inbox = inbox
        self.steps: list[Step] = []
        self.ended = False  # no more steps
        self.heard = False  # it has received, so that it may signal

    @property
    def idle(self) -> bool:
        """Return whether the lane can do another step now."""
        waits = bool(self.steps) and isinstance(self.steps[-1], ReceiveToEnd) and not self.inbox.closed
        return not (self.ended or waits)


class _Party:
    """A side's lanes: the sending and the receiving lane, which may be the same."""

    def __init__(self, side: Side, inbox: _Backlog, *, two: bool) -> None:
        self.sender = _LaneDraft(side.value, side, inbox)
        self.receiver = _LaneDraft(f"{side}s_ear", side, inbox) if two else self.sender
        self.lanes = (self.sender, self.receiver) if two else (self.sender,)


class Walk:
    """A conversation: `client` and `server` are its scripts."""

    def __init__(self, dice: Dice, kind: Kind, words: Words) -> None:
        self._dice = dice
        self._kind = kind
        self._words = words
        self._up, self._down = _Backlog(), _Backlog()
        self._weights = {name: dice.pick(WEIGHTS) for name in ACTIONS}
        self._left = dice.pick(LENGTHS)
        self._headers = False  # the initial metadata is on its way
        self._response: Send | None = None  # what leaves together with the status
        self._finishing = False  # a lane of the server has finished
        self._over = False  # all of the server's lanes have ended
        self._signals: Counter[tuple[_LaneDraft, _LaneDraft]] = Counter()
        self._client = _Party(Side.CLIENT, self._down, two=kind is Kind.BIDI_STREAMING and dice.chance(0.4))
        self._server = _Party(Side.SERVER, self._up, two=dice.chance(0.3))
        self._walk()
        self.client = self._script(self._client)
        self.server = self._script(self._server)

    def _script(self, party: _Party) -> Script:
        """Return the side's lanes, without empty lanes, in either order."""
        script = tuple(tuple(lane.steps) for lane in party.lanes if lane.steps)
        return script[::-1] if self._dice.chance(0.5) else script

    # -- the walk ------------------------------------------------------------------------------------------------------

    def _walk(self) -> None:
        if not self._kind.client_streams:
            self._send(self._client.sender)
        while actions := list(self._possible()):
            self._left -= 1
            self._dice.weighted(actions)()

    def _possible(self) -> Iterator[Action]:
        yield from self._client_sends()
        yield from self._client_receives()
        yield from self._server_sends()
        yield from self._server_receives()
        yield from self._server_ends()
        for lane in (*self._client.lanes, *self._server.lanes):
            if lane.idle:
                yield from self._signals_of(lane)

    def _more(self, name: str) -> float:
        """Return the weight of an action that keeps the conversation going."""
        return self._weights[name] if self._left > 0 else 0.0

    def _last(self, name: str) -> float:
        """Return the weight of an action that brings the conversation towards its end."""
        return self._weights[name] * (EARLY if self._left > 0 else 1.0)

    # -- the client ----------------------------------------------------------------------------------------------------

    def _client_sends(self) -> Iterator[Action]:
        lane = self._client.sender
        if not (self._kind.client_streams and lane.idle):
            return
        if not self._up.closed:
            yield from self._sending(lane, "client sends")
            yield self._last("client half-closes"), partial(self._half_close, lane)
        if lane is not self._client.receiver and (self._up.closed or not self._up.drained):
            yield self._last("client stops sending"), partial(self._end, lane)

    def _client_receives(self) -> Iterator[Action]:
        lane = self._client.receiver
        if not lane.idle:
            return
        if self._headers and not any(isinstance(step, ReceiveHeaders) for step in lane.steps):
            yield self._more("client awaits headers"), partial(lane.steps.append, ReceiveHeaders())
        if self._kind is Kind.CLIENT_STREAMING and not self._up.closed:
            return
        if self._down.sizes or self._down.closed:
            yield self._more("client receives"), partial(self._receive, lane)
        # Once it waits for the end, a single lane cannot half-close any more, for which the server may be waiting.
        if lane is not self._client.sender or self._up.closed or not self._up.drained:
            yield self._last("client drains"), partial(self._drain, lane)

    def _half_close(self, lane: _LaneDraft) -> None:
        lane.steps.append(HalfClose())
        self._up.closed = True

    # -- the server ----------------------------------------------------------------------------------------------------

    def _server_sends(self) -> Iterator[Action]:
        lane = self._server.sender
        if not lane.idle:
            return
        if not self._headers:
            yield self._more("server sends headers"), partial(self._send_headers, lane)
        if self._kind.server_streams:
            yield from self._sending(lane, "server sends")

    def _server_receives(self) -> Iterator[Action]:
        lane = self._server.receiver
        if not lane.idle:
            return
        if self._up.sizes or (self._up.closed and self._kind.client_streams):
            yield self._more("server receives"), partial(self._receive, lane)
        if self._kind.client_streams and not self._up.drained and (self._up.closed or self._client.sender.idle):
            yield self._last("server drains"), partial(self._drain, lane)

    def _server_ends(self) -> Iterator[Action]:
        """Yield how a lane can finish, at a time of its own; the other lane may go on for a while."""
        for lane in self._server.lanes:
            if lane.idle and self._finishing:
                yield self._last("server stops"), partial(self._end, lane)
            elif lane.idle and (lane is self._server.sender or self._kind.server_streams):
                yield self._last("server finishes"), partial(self._finish, lane)

    def _send_headers(self, lane: _LaneDraft) -> None:
        lane.steps.append(SendHeaders(self._words.metadata()))
        self._headers = True

    def _finish(self, lane: _LaneDraft) -> None:
        status = self._words.status()
        if not self._kind.server_streams and status.code == 0:
            self._response = self._words.message(Side.SERVER)
            lane.steps.append(self._response)
        lane.steps.append(Finish(status))
        self._finishing = True
        self._end(lane)

    # -- both sides ----------------------------------------------------------------------------------------------------

    def _sending(self, lane: _LaneDraft, name: str) -> Iterator[Action]:
        outbox = self._up if lane.side is Side.CLIENT else self._down
        if outbox.unread + LARGEST + PREFIX <= CAPACITY:
            yield self._more(name) * SENDING, partial(self._send, lane)
        if outbox.drained and not self._over:
            yield self._more(name) * LARGE, partial(self._send, lane, large=True)

    def _send(self, lane: _LaneDraft, *, large: bool = False) -> None:
        say = self._words.large if large else self._words.message
        step = say(lane.side)
        lane.steps.append(step)
        if lane.side is Side.SERVER:
            self._down.put(step)
            self._headers = True
        elif not self._over:
            self._up.put(step)

    def _receive(self, lane: _LaneDraft) -> None:
        lane.steps.append(Receive())
        lane.heard = True
        if lane.inbox.sizes:
            lane.inbox.take()

    def _drain(self, lane: _LaneDraft) -> None:
        lane.steps.append(ReceiveToEnd())
        lane.heard = True
        lane.inbox.drain()
        if lane.side is Side.CLIENT:
            self._end(lane)  # a client's script ends with what tells it the status

    def _end(self, lane: _LaneDraft) -> None:
        lane.ended = True
        if not self._over and all(other.ended for other in self._server.lanes):
            self._over = self._headers = self._down.closed = True
            self._up.clear()
            if self._response is not None:
                self._down.put(self._response)

    def _signals_of(self, lane: _LaneDraft) -> Iterator[Action]:
        """Yield signals and waits. Each signal has a single sending and a single waiting lane, so that no lane takes another's."""
        for other in (self._server if lane.side is Side.CLIENT else self._client).lanes:
            if lane.heard and not other.ended:
                yield self._more("signal") * SIGNALS, partial(self._signal, lane, other)
            if self._signals[other, lane]:
                yield self._more("wait"), partial(self._wait_for, lane, other)

    def _signal(self, lane: _LaneDraft, other: _LaneDraft) -> None:
        lane.steps.append(Signal(_signal_name(lane, other)))
        self._signals[lane, other] += 1

    def _wait_for(self, lane: _LaneDraft, other: _LaneDraft) -> None:
        lane.steps.append(WaitFor(_signal_name(other, lane)))
        self._signals[other, lane] -= 1


def _signal_name(sender: _LaneDraft, waiter: _LaneDraft) -> str:
    return f"from_{sender.name}_to_{waiter.name}"
