"""A case's conversation in three columns: the client's steps and observations, the server's, and, where they differ from
it, the model.

A sent message and its reception share a row. The rows are in one possible order of events (Expected.order); gRPC orders
nothing across lanes, so other orders would be as true.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from grpc_interop.core.case import (
    Cancel,
    Case,
    HalfClose,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Script,
    Send,
    SendHeaders,
    Signal,
    Status,
    Step,
    WaitFor,
    WaitForTermination,
    finishes,
)
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import END, TERMINATED, Observation, Observed
from grpc_interop.core.verdict import Verdict, code_name
from grpc_interop.output.plain_text import Describe, message_text, printable

NOTHING = "—"
"""Stands for a side that saw nothing where the model has something."""

BEFORE, AFTER = 3, 5
"""How many rows before and after the first difference are shown; the first two and the last always are."""


class Row(NamedTuple):
    """A row as text."""

    client: str
    arrow: str  # from the sender to the receiver: `->`, `<-` or empty
    server: str
    model: str = ""  # empty where both sides agree with the model
    at_ms: str = ""  # when the client had done the row's step; empty where it did not say so


def conversation(verdict: Verdict, describe: Describe) -> tuple[Row, ...]:
    """Return the rows around the first difference; none where neither side reported or the model was not asked."""
    if verdict.expected is None or (verdict.client is None and verdict.server is None):
        return ()
    drawing = _Drawing(verdict, verdict.rpc_case)
    drawing.draw()
    return tuple(_text(row, describe) for row in _excerpt(drawing.rows))


class _Message(NamedTuple):
    """A cell that holds a message, which is described only if its row is shown."""

    verb: str
    type_name: str
    message: bytes


_RowText = str | _Message


class _RawRow(NamedTuple):
    """A row before its messages are described."""

    client: _RowText
    arrow: str
    server: _RowText
    model: _RowText = ""
    at_us: int | None = None


class _Event(NamedTuple):
    """An observation, as the model has it and as the side reported it; None where it has none."""

    place: int  # in the order of events
    side: Side
    lane: int
    number: int  # from 0, in its lane
    wanted: Observation | None
    got: Observation | None


_BEHIND_ALL = 1 << 40
"""The place of observations that the model did not foresee."""


class _Drawing:
    """Walks through the observations in the order of events, and through both scripts beside them."""

    def __init__(self, verdict: Verdict, case: Case) -> None:
        assert verdict.expected is not None
        self.verdict = verdict
        self.case = case
        self.expected = verdict.expected
        self.scripts = {Side.CLIENT: case.client, Side.SERVER: case.server}
        self.receives = {side: case.type_seen_by(side) for side in Side}
        self.wanted = {Side.CLIENT: self.expected.client.lanes, Side.SERVER: self.expected.server.lanes}
        transcripts = {Side.CLIENT: verdict.client, Side.SERVER: verdict.server}
        self.got = {side: seen.lanes for side, seen in transcripts.items() if seen}
        self.sends = {side: _places(script, Send) for side, script in self.scripts.items()}
        self.done_us = verdict.client.done_us if verdict.client else ()
        self.shown: set[tuple[Side, int, int]] = set()
        self.rows: list[_RawRow] = []

    def draw(self) -> None:
        self._call()
        for event in sorted(self._events(), key=lambda event: event[:4]):
            self._observation(event)
        for side in Side:
            for lane, steps in enumerate(self.scripts[side]):
                self._catch_up(side, lane, len(steps))
        self._status()
        self._remark()

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _call(self) -> None:
        case, server = self.case, self.verdict.server
        arrives = self.expected.server.arrived
        strays = server is not None and server.arrived != arrives
        if case.timeout_us is None and not strays:
            return
        deadline = "" if case.timeout_us is None else f", deadline {case.timeout_us / 1e6:g} s"
        seen = "(no report)" if server is None else "arrives" if server.arrived else "never arrives"
        self.rows.append(_RawRow(f"call{deadline}", "->", seen, ("arrives" if arrives else "never arrives") if strays else ""))

    def _events(self) -> Iterator[_Event]:
        orders = iter(self.expected.order)
        for side in Side:
            for lane in range(len(self.scripts[side])):
                order = next(orders, ())
                observations = zip_longest(_lane(self.wanted[side], lane), _lane(self.got.get(side, ()), lane))
                for number, (wanted, got) in enumerate(observations):
                    yield _Event(order[number] if number < len(order) else _BEHIND_ALL, side, lane, number, wanted, got)

    def _observation(self, event: _Event) -> None:
        wanted, got = event.wanted, event.got
        if event.side is Side.CLIENT and wanted is END and got is END:
            return  # the row with the status says so
        step = self._observing_step(event)
        self._catch_up(event.side, event.lane, step)
        sent, place = self._sent(event.side, got if wanted is None else wanted)
        type_name = self.receives[event.side]
        seen = _seen(got, type_name) if event.side in self.got else "(no report)"
        model = _seen(wanted, type_name) if event.side in self.got and wanted != got else ""
        self._add(event.side, seen, sent, model, self._at(event, step) if event.side is Side.CLIENT else self._done(place))

    def _add(self, receiver: Side, seen: _RowText, sent: _RowText, model: _RowText, at_us: int | None = None) -> None:
        if receiver is Side.CLIENT:
            self.rows.append(_RawRow(seen, "<-" if sent else "", sent, model, at_us))
        else:
            self.rows.append(_RawRow(sent, "->" if sent else "", seen, model, at_us))

    def _at(self, event: _Event, step: int) -> int | None:
        """Return when the client made an observation. In a ReceiveToEnd only the end has a time, the time of the step."""
        steps = self.scripts[Side.CLIENT][event.lane]
        has_time = event.got is not None and step < len(steps) and (event.got is END or not isinstance(steps[step], ReceiveToEnd))
        return self._done((event.lane, step)) if has_time else None

    def _done(self, place: tuple[int, int] | None) -> int | None:
        """Return when the client had done the step at that place, in microseconds, if it said so."""
        lane, step = place or (len(self.done_us), 0)
        return self.done_us[lane][step] if lane < len(self.done_us) and step < len(self.done_us[lane]) else None

    def _status(self) -> None:
        client, wanted = self.verdict.client, self.expected.client.status
        got = client.status if client else None
        seen = "(no report)" if client is None else "no status" if got is None else _status(got)
        ended = any(TERMINATED in lane for lane in self.wanted[Side.SERVER]) or not self.expected.server.arrived
        server = self.verdict.server
        if server is not None and server.aborted:
            finish = "still busy"
        else:
            finish = "" if ended else f"finish {_status(finishes(self.scripts[Side.SERVER])[0])}"
        differs = client is not None and (got is None or _other_status(wanted, got))
        at_us = client.elapsed_us if client and self.done_us else None
        self.rows.append(_RawRow(seen, "<-" if finish.startswith("finish") else "", finish, _status(wanted) if differs else "", at_us))

    def _remark(self) -> None:
        """Add a row for a difference that no row shows so far: in metadata, deadlines or times."""
        difference = self.verdict.difference
        if difference is None or any(row.model for row in self.rows):
            return

        def cell(value: str | bytes) -> _RowText:
            return value if isinstance(value, str) else _Message("", self.receives[difference.side], value)

        self._add(difference.side, cell(difference.got), "", cell(difference.wanted))

    # -- scripts -------------------------------------------------------------------------------------------------------

    def _observing_step(self, event: _Event) -> int:
        """Return which step of its lane made an observation."""
        left = event.number
        steps = self.scripts[event.side][event.lane]
        for at, step in enumerate(steps):
            if isinstance(step, ReceiveToEnd):
                return at
            if isinstance(step, Receive | WaitForTermination):
                if left == 0:
                    return at
                left -= 1
        return len(steps)

    def _sent(self, receiver: Side, observation: Observation | None) -> tuple[_RowText, tuple[int, int] | None]:
        """Return the other side's step that an observation comes from, if no row has shown it yet, and its place."""
        sender = receiver.other
        if isinstance(observation, bytes):
            place = next(self.sends[sender], None)
        else:
            place = next(_places(self.scripts[sender], HalfClose if observation is END else Cancel), None)
        return self._take(sender, place) if place else ("", None)

    def _take(self, side: Side, place: tuple[int, int]) -> tuple[_RowText, tuple[int, int] | None]:
        lane, at = place
        self._catch_up(side, lane, at)
        if (side, lane, at) in self.shown:
            return "", None
        self.shown.add((side, lane, at))
        return self._cell(side, lane, at), place

    def _catch_up(self, side: Side, lane: int, end: int) -> None:
        """Add rows for the steps of a lane before `end` that have none yet."""
        for at in range(end):
            if (side, lane, at) not in self.shown:
                self.shown.add((side, lane, at))
                cell = self._cell(side, lane, at)
                if cell:
                    self.rows.append(_RawRow(cell, "", "", "", self._done((lane, at))) if side is Side.CLIENT else _RawRow("", "", cell))

    def _cell(self, side: Side, lane: int, at: int) -> _RowText:
        step = self.scripts[side][lane][at]
        return _Message("send ", self.receives[side.other], step.message) if isinstance(step, Send) else _words(step)


def _places(script: Script, kind: type) -> Iterator[tuple[int, int]]:
    yield from ((number, at) for number, lane in enumerate(script) for at, step in enumerate(lane) if isinstance(step, kind))


def _lane(lanes: tuple[Observed, ...], index: int) -> Observed:
    return lanes[index] if index < len(lanes) else ()


def _seen(observation: Observation | None, type_name: str) -> _RowText:
    if isinstance(observation, bytes):
        return _Message("received ", type_name, observation)
    return NOTHING if observation is None else observation.value


_WORDS = {
    HalfClose: "half-close",
    Cancel: "cancel",
    SendHeaders: "send headers",
    ReceiveHeaders: "receive headers",
    Signal: "signal",
    WaitFor: "wait for",
}
"""The words for steps without a message. Other steps show as observations, and the finish in the last row."""


def _words(step: Step) -> str:
    words = _WORDS.get(type(step), "")
    return f'{words} "{step.name}"' if isinstance(step, Signal | WaitFor) else words


def _status(status: Status) -> str:
    return code_name(status.code) + (f' "{status.message}"' if status.code and status.message else "")


def _other_status(wanted: Status, got: Status) -> bool:
    return wanted.code != got.code or (wanted.code != 0 and wanted.message is not None and wanted.message != got.message)


def _excerpt(rows: list[_RawRow]) -> list[_RawRow]:
    """Return the rows around the first difference, with rows that count the rows left out between them."""
    first = next((index for index, row in enumerate(rows) if row.model), len(rows) - 1)
    kept = [i for i in range(len(rows)) if i < 2 or first - BEFORE <= i <= first + AFTER or i == len(rows) - 1]
    excerpt: list[_RawRow] = []
    previous = -1
    for index in kept:
        if index > previous + 1:
            left_out = index - previous - 1
            excerpt.append(_RawRow(f"… {left_out:,} more", "", f"… {left_out:,} more"))
        excerpt.append(rows[index])
        previous = index
    return excerpt


def _text(row: _RawRow, describe: Describe) -> Row:
    def text(cell: _RowText) -> str:
        if isinstance(cell, str):
            return printable(cell)
        return cell.verb + message_text(describe, cell.type_name, cell.message)

    return Row(text(row.client), row.arrow, text(row.server), text(row.model), _milliseconds(row.at_us))


def _milliseconds(at_us: int | None) -> str:
    """Return `0.2`, `4.1`, `5000`: with no more digits than mean something in a conversation."""
    if at_us is None:
        return ""
    return f"{at_us / 1000:.1f}" if at_us < 1_000_000 else f"{at_us / 1000:.0f}"
