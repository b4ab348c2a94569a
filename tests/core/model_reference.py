"""A second model, written from the rules alone and as plainly as possible: it tries every interleaving.

It shares nothing with `grpc_interop.core.model` but the data types. A state is what everybody knows at one moment; `_moves`
yields every state that may come next; `outcomes` walks them all. It knows no clocks, cuts or prefixes: whatever is
possible comes out by itself. It is far too slow for anything but small scripts.

The rules are those of docs/model.md and of message Step in the driver contract.
"""

from collections.abc import Iterator
from typing import NamedTuple

from grpc_interop.core.case import (
    Cancel,
    Case,
    Entry,
    Finish,
    HalfClose,
    Kind,
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
from grpc_interop.core.transcript import END, TERMINATED, Observation, Observed

WINDOW = 32 * 1024
"""Bytes that may lie unread in one direction, five more for each message than its own."""

CANCELLED, DEADLINE_EXCEEDED = 1, 4

REFUSED = Status(8, None)
"""The client's status when a side has taken a message that is larger than its limit."""


class Deadlock(Exception):
    """Some schedule leads to where nothing can move, though nothing ended the RPC."""


class Client(NamedTuple):
    """What a client saw: its lanes, the initial metadata, the status."""

    lanes: tuple[Observed, ...]
    initial: tuple[Entry, ...]
    status: Status


class Server(NamedTuple):
    """What a server saw."""

    arrived: bool
    lanes: tuple[Observed, ...]


class State(NamedTuple):
    """One moment. Lanes are numbered through, the client's first."""

    at: tuple[int, ...]
    seen: tuple[tuple[Observation, ...], ...]
    up: tuple[bytes, ...] = ()
    down: tuple[bytes, ...] = ()
    half_closed: bool = False
    response: bytes | None = None
    headers_sent: tuple[Entry, ...] | None = None
    headers_known: tuple[Entry, ...] | None = None
    finished: Status | None = None
    signals: tuple[tuple[bool, str], ...] = ()
    # The client gave the RPC up (its cancel, its deadline): the status that it reports.
    given_up: Status | None = None
    # The server's runtime knows that it did.
    told: bool = False
    # The server's handler will never run.
    lost: bool = False


def outcomes(case: Case) -> set[tuple[Client, Server]]:
    """Every pair of views that some schedule leads to. Raises Deadlock."""
    return _Explorer(case).outcomes()


class _Explorer:
    def __init__(self, case: Case) -> None:
        self.case = case
        self.split = len(case.client)
        self.scripts = case.client + case.server
        self.streams_up = case.method.kind.client_streams
        self.streams_down = case.method.kind.server_streams
        self.limits = (case.client_endpoint.max_receive_bytes, case.server_endpoint.max_receive_bytes)

    def outcomes(self) -> set[tuple[Client, Server]]:
        start = State(tuple(0 for _ in self.scripts), tuple(() for _ in self.scripts))
        if not self.streams_up and any(isinstance(step, Send) and self._refuses(step.message, 1) for step in self.case.client[0]):
            # The runtime takes the request before it calls the handler.
            start = start._replace(lost=True)
        last = [state for state in self._reachable(start, None) if not any(True for _ in self._moves(state))]
        if all(self._over(state) for state in last):
            return {pair for state in last for pair in self._views(state)}
        if self.case.timeout_us is None or any(state.finished for state in last):
            raise Deadlock
        # The deadline is long: by then the client has done whatever it can, while the server may lag behind.
        (furthest,) = {self._clients_part(state) for state in last}
        return {
            pair
            for state in self._reachable(start, furthest)
            if not any(True for _ in self._moves(state, furthest)) and self._over(state)
            for pair in self._views(state)
        }

    def _reachable(self, start: State, deadline: object) -> set[State]:
        found, todo = {start}, [start]
        while todo:
            for state in self._moves(todo.pop(), deadline):
                if state not in found:
                    found.add(state)
                    todo.append(state)
        return found

    def _clients_part(self, state: State) -> object:
        return state.at[: self.split], state.seen[: self.split]

    def _over(self, state: State) -> bool:
        """Both sides have nothing left to do, and the client has a status."""
        done = all((state.lost and lane >= self.split) or at == len(self.scripts[lane]) for lane, at in enumerate(state.at))
        return done and (state.finished is not None or state.given_up is not None)

    def _views(self, state: State) -> Iterator[tuple[Client, Server]]:
        status = state.given_up or state.finished
        assert status is not None
        initial = state.headers_known if state.given_up else state.headers_sent
        client = Client(state.seen[: self.split], initial or (), status)
        server = Server(False, ((),) * len(self.case.server)) if state.lost else Server(True, state.seen[self.split :])
        yield client, server

    # -- what may happen next ------------------------------------------------------------------------------------------

    def _moves(self, state: State, deadline: object = None) -> Iterator[State]:
        if state.headers_sent and state.headers_known is None and not state.given_up:
            yield state._replace(headers_known=state.headers_sent)
        if state.given_up and not state.told and not state.lost:
            yield state._replace(told=True)
            if not any(state.at[self.split :]) and not any(state.seen[self.split :]):
                yield state._replace(lost=True)
        if deadline is not None and not state.given_up and (state.told or self._clients_part(state) == deadline):
            # Either side may notice the deadline first.
            for code in (DEADLINE_EXCEEDED, CANCELLED):
                yield state._replace(given_up=Status(code, None))
            if not state.told:
                yield state._replace(told=True)
        for lane in range(len(self.scripts)):
            if state.at[lane] == len(self.scripts[lane]) or (state.lost and lane >= self.split):
                continue
            step = self.scripts[lane][state.at[lane]]
            if lane < self.split:
                yield from self._client(state, lane, step)
            else:
                yield from self._server(state, lane, step)

    def _client(self, state: State, lane: int, step: Step) -> Iterator[State]:
        on = _step_on(state, lane)
        over = state.finished is not None or state.given_up is not None
        if isinstance(step, Receive | ReceiveToEnd):
            yield from self._client_receives(state, lane, isinstance(step, ReceiveToEnd))
        elif isinstance(step, Send):
            if over or state.lost:
                yield on if over else on._replace(given_up=REFUSED)
            elif self._fits(state.up, step.message, state, range(self.split, len(self.scripts))):
                yield on._replace(up=(*state.up, step.message))
        elif isinstance(step, HalfClose):
            yield on if state.given_up else on._replace(half_closed=True)
        elif isinstance(step, Cancel):
            # It may come too late to change anything.
            if state.finished is not None:
                yield on
            if not any(END in seen for seen in state.seen[: self.split]):
                yield on._replace(given_up=Status(CANCELLED, None))
        elif isinstance(step, ReceiveHeaders):
            there = state.headers_sent is not None and (self.case.method.kind is not Kind.UNARY or state.finished is not None)
            if there and not state.given_up:
                yield on._replace(headers_known=state.headers_sent)
            if state.given_up or (state.finished is not None and state.headers_sent is None):
                yield on
        else:
            yield from self._signalling(state, lane, step, freed=state.given_up is not None)

    def _client_receives(self, state: State, lane: int, to_end: bool) -> Iterator[State]:
        if END in state.seen[lane]:
            yield _step_on(state, lane)
            return
        if state.down and self._refuses(state.down[0], 0):
            yield state._replace(down=(), given_up=REFUSED)
        elif state.down:
            # The initial metadata precedes every message.
            yield _see(state, lane, state.down[0], stay=to_end)._replace(down=state.down[1:], headers_known=state.headers_sent)
        if state.given_up or (state.finished is not None and not state.down):
            yield _see(state, lane, END)

    def _server(self, state: State, lane: int, step: Step) -> Iterator[State]:
        on = _step_on(state, lane)
        if isinstance(step, Receive | ReceiveToEnd):
            yield from self._server_receives(state, lane, isinstance(step, ReceiveToEnd))
        elif isinstance(step, WaitForTermination):
            if state.told:
                yield on if TERMINATED in state.seen[lane] else _see(state, lane, TERMINATED)
        elif isinstance(step, SendHeaders):
            yield on if state.given_up else on._replace(headers_sent=step.entries)
        elif isinstance(step, Send):
            yield from self._server_sends(state, lane, step)
        elif isinstance(step, Finish):
            if all(state.at[other] == len(self.scripts[other]) for other in range(self.split, len(self.scripts)) if other != lane):
                yield on if state.told else self._finish(on, step.status)
        else:
            yield from self._signalling(state, lane, step, freed=state.told)

    def _server_sends(self, state: State, lane: int, step: Send) -> Iterator[State]:
        on = _step_on(state, lane)
        if state.given_up:
            yield on
        elif not self.streams_down:
            # The headers leave now or with the status.
            yield on._replace(response=step.message)
            yield on._replace(response=step.message, headers_sent=state.headers_sent or ())
        elif self._fits(state.down, step.message, state, range(self.split)):
            sent = state.headers_sent if state.headers_sent is not None else ()
            yield on._replace(down=(*state.down, step.message), headers_sent=sent)

    def _finish(self, state: State, status: Status) -> State:
        down = state.down if state.response is None else (*state.down, state.response)
        shown = status._replace(message=status.message if status.code else "")
        return state._replace(down=down, finished=shown, headers_sent=state.headers_sent or ())

    def _server_receives(self, state: State, lane: int, to_end: bool) -> Iterator[State]:
        if END in state.seen[lane] or TERMINATED in state.seen[lane]:
            yield _step_on(state, lane)
            return
        if state.up and self._refuses(state.up[0], 1):
            yield state._replace(up=(), given_up=REFUSED, told=True)
        elif state.up:
            yield _see(state, lane, state.up[0], stay=to_end)._replace(up=state.up[1:])
        elif state.half_closed:
            yield _see(state, lane, END)
        if state.told:
            yield _see(state, lane, TERMINATED)
            if self.streams_up:
                yield _see(state, lane, END)

    def _signalling(self, state: State, lane: int, step: Step, *, freed: bool) -> Iterator[State]:
        client = lane < self.split
        on = _step_on(state, lane)
        if isinstance(step, Signal):
            yield on._replace(signals=tuple(sorted((*state.signals, (not client, step.name)))))
        elif isinstance(step, WaitFor):
            mine = (client, step.name)
            if mine in state.signals:
                left = list(state.signals)
                left.remove(mine)
                yield on._replace(signals=tuple(left))
            if freed:
                yield on

    def _refuses(self, message: bytes, side: int) -> bool:
        limit = self.limits[side]
        return limit is not None and len(message) > limit

    def _fits(self, channel: tuple[bytes, ...], message: bytes, state: State, readers: range) -> bool:
        if sum(len(waiting) + 5 for waiting in channel) + len(message) + 5 <= WINDOW:
            return True
        return not channel and any(
            state.at[lane] < len(self.scripts[lane]) and isinstance(self.scripts[lane][state.at[lane]], Receive | ReceiveToEnd)
            for lane in readers
        )


def _step_on(state: State, lane: int) -> State:
    return state._replace(at=(*state.at[:lane], state.at[lane] + 1, *state.at[lane + 1 :]))


def _see(state: State, lane: int, what: Observation, *, stay: bool = False) -> State:
    seen = (*state.seen[:lane], (*state.seen[lane], what), *state.seen[lane + 1 :])
    return (state if stay else _step_on(state, lane))._replace(seen=seen)
