"""The verdict: what was observed, compared with what the model allows. Pure.

`compare` names the first difference in words. With several allowed pairs, the one that agrees longest is taken; within
it, the difference that comes first in the order of events, because the later ones follow from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import NamedTuple

from grpc_interop.case import Case, Entry, Status
from grpc_interop.model import ClientView, Expected, ServerView
from grpc_interop.transcript import END, TERMINATED, ClientTranscript, Observation, Observed, ServerTranscript

REMAINING_FACTOR, REMAINING_SLACK_US = 1.01, 2_000
"""How much more than the client's deadline a server may see: C-core rounds `grpc-timeout` up by at most one percent."""

CODES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
    "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS "
    "UNAUTHENTICATED"
).split()
"""gRPC's status codes by number."""


class Outcome(StrEnum):
    """How a case ended. `error`: the harness or a build failed. `unsupported`: a driver said that it cannot do it."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    KNOWN_FAILURE = "known_failure"
    UNEXPECTED_PASS = "unexpected_pass"
    UNSUPPORTED = "unsupported"

    @property
    def is_finding(self) -> bool:
        """Whether a run with such a case exits with status 1."""
        return self in (Outcome.FAILED, Outcome.ERROR, Outcome.UNEXPECTED_PASS)


@dataclass(frozen=True, slots=True)
class Pair:
    """A client and a server implementation, written `client:server`."""

    client: str
    server: str

    def __str__(self) -> str:
        return f"{self.client}:{self.server}"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference. `side` is who saw it (`client`, `server`); `what` a sentence; `wanted` and `got` say it in
    values, as text or as message bytes."""

    side: str
    what: str
    wanted: str | bytes = ""
    got: str | bytes = ""

    @property
    def fingerprint(self) -> str:
        """Equal for differences of one cause: the sentence without its numbers and quoted values."""
        return f"{self.side}: " + re.sub(r"\"[^\"]*\"|\b\d+\b", "#", self.what)


class Log(NamedTuple):
    """The end of a process' output: `who` ("go server"), the whole file's path, its last lines."""

    who: str
    path: str
    tail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A case played on a pair. The transcripts are None where a side never reported (or, of the server, where it is a
    program that only its answers speak for); `notes` are sentences about how the case was run (replayed alone, driver
    restarted...); `seconds` is the client's own measurement."""

    case: Case
    pair: Pair
    outcome: Outcome
    seconds: float = 0.0
    difference: Difference | None = None
    expected: Expected | None = None
    client: ClientTranscript | None = None
    server: ServerTranscript | None = None
    notes: tuple[str, ...] = ()
    logs: tuple[Log, ...] = ()

    @property
    def id(self) -> str:
        """`calls/greeter.v1.Greeter/AllStream/ping_pong_10[go:py]`."""
        return f"{self.case.id}[{self.pair}]"


def code_name(code: int) -> str:
    """`UNAVAILABLE` of 14."""
    return CODES[code] if 0 <= code < len(CODES) else f"code {code}"


def compare(
    case: Case, allowed: tuple[Expected, ...], client: ClientTranscript, server: ServerTranscript | None
) -> tuple[Difference | None, Expected]:
    """The first difference to the nearest allowed pair, or None; and that pair.

    `server` is None only where the server is a program (Case.player) for which nothing but its answers can speak.
    """
    best: tuple[int, Difference, Expected] | None = None
    for expected in allowed:
        found = list(_differences(case, expected, client, server))
        if not found:
            return None, expected
        first = min(found, key=lambda entry: entry[0])
        if best is None or first[0] > best[0]:
            best = (*first, expected)
    if best is None:
        raise ValueError(f"{case.id}: the model allows nothing; that cannot be judged")
    return best[1], best[2]


# What a difference's place in the order of events is where it is not an observation's own.
_BEFORE_ALL, _AFTER_ALL = 0, 1 << 40


def _differences(
    case: Case, expected: Expected, client: ClientTranscript, server: ServerTranscript | None
) -> Iterator[tuple[int, Difference]]:
    """All differences to one allowed pair, each with its place in the order of events."""
    orders = iter(expected.order)
    if client.early:
        # What such an answer says wrongly follows from that.
        what = "the server answered before the client had half-closed"
        yield _BEFORE_ALL, Difference("client", what, "0 early", f"{client.early} early")
    yield from _lane_differences("client", expected.client, client, orders)
    if server is not None:
        yield from _server_start(expected.server, server)
        yield from _lane_differences("server", expected.server, server, orders)
    for difference_at_end in _client_end(case, expected.client, client):
        yield _AFTER_ALL, difference_at_end


def _server_start(wanted: ServerView, got: ServerTranscript) -> Iterator[tuple[int, Difference]]:
    if wanted.arrived != got.arrived:
        what = "the call did not reach the server" if wanted.arrived else "the call reached the server"
        yield _BEFORE_ALL, Difference("server", what, _arrived(wanted.arrived), _arrived(got.arrived))
        return
    if not wanted.arrived:
        return
    if wanted.request != got.request:
        yield _BEFORE_ALL, _metadata("server", "request metadata", wanted.request, got.request)
    if (wanted.deadline_us is None) != (got.remaining_us is None):
        what = "the server saw no deadline" if got.remaining_us is None else "the server saw a deadline that no one set"
        yield _BEFORE_ALL, Difference("server", what, _time(wanted.deadline_us), _time(got.remaining_us))
    elif wanted.deadline_us is not None and got.remaining_us is not None:
        most = wanted.deadline_us * REMAINING_FACTOR + REMAINING_SLACK_US
        if not 0 <= got.remaining_us <= most:
            what = "the server saw another deadline than the client set"
            yield _BEFORE_ALL, Difference("server", what, f"at most {_time(wanted.deadline_us)}", _time(got.remaining_us))


def _lane_differences(
    side: str, wanted: ClientView | ServerView, got: ClientTranscript | ServerTranscript, orders: Iterator[tuple[int, ...]]
) -> Iterator[tuple[int, Difference]]:
    for lane, lane_got in zip_longest(wanted.lanes, got.lanes, fillvalue=()):
        difference = _lane_difference(side, lane, lane_got, next(orders, ()), aborted=got.aborted)
        if difference:
            yield difference


def _lane_difference(
    side: str, wanted: Observed, got: Observed, order: tuple[int, ...], *, aborted: bool
) -> tuple[int, Difference] | None:
    if wanted == got:
        return None
    index = next(i for i, (a, b) in enumerate(zip_longest(wanted, got)) if a != b)
    place = order[index] if index < len(order) else _AFTER_ALL - 1
    first = wanted[index] if index < len(wanted) else None
    seen = got[index] if index < len(got) else None
    what = _sentence(side, wanted, got, index, aborted=aborted)
    return place, Difference(side, what, _show(first), _show(seen))


def _sentence(side: str, wanted: Observed, got: Observed, index: int, *, aborted: bool) -> str:
    """The difference at `index` in words."""
    other = "server" if side == "client" else "client"
    first = wanted[index] if index < len(wanted) else None
    seen = got[index] if index < len(got) else None
    number, total = index + 1, sum(isinstance(entry, bytes) for entry in wanted)
    if isinstance(first, bytes) and isinstance(seen, bytes):
        if sorted(_messages(wanted)) == sorted(_messages(got)):
            return f"the {side} received the {other}'s messages in another order, from message {number} on"
        if index + 1 < len(wanted) and seen == wanted[index + 1]:
            return f"the {side} did not receive message {number} of {total}"
        return f"the {side} received another message {number} than the {other} sent"
    if isinstance(first, bytes):
        if seen is None:
            return f"the {side} did not receive message {number} of {total}" + (" and still waits for it" if aborted else "")
        how = "saw the end" if seen is END else "was terminated"
        return f"the {side} {how} after {index} of {total} messages"
    if isinstance(seen, bytes):
        return f"the {side} received a message that the {other} did not send, after {index} messages"
    if first is END:
        if seen is TERMINATED:
            return f"the {side}'s RPC was terminated where the {other} half-closed"
        return f"the {side} did not see the end of the {other}'s messages" + (" and still waits for it" if aborted else "")
    if first is TERMINATED:
        return f"the {side} did not learn that the RPC was over" + (" and still waits" if aborted else "")
    return f"the {side} saw {'the end' if seen is END else 'a termination'} where nothing was to come"


def _client_end(case: Case, wanted: ClientView, got: ClientTranscript) -> Iterator[Difference]:
    if got.status is None:
        yield Difference("client", "the RPC did not end at the client", _status(wanted.status), "no status")
        return
    yield from _status_difference(wanted.status, got.status)
    if wanted.initial != got.initial:
        yield _metadata("client", "initial metadata", wanted.initial, got.initial)
    if wanted.status.trailers != got.status.trailers:
        yield _metadata("client", "trailing metadata", wanted.status.trailers, got.status.trailers)
    if got.spread_us < wanted.least_spread_us:
        what = "the server's messages came all at once instead of one by one"
        yield Difference("client", what, f"at least {_time(wanted.least_spread_us)}", _time(got.spread_us))
    if got.elapsed_us < wanted.least_elapsed_us:
        what = "the RPC ended at the client before its deadline"
        yield Difference("client", what, _time(case.timeout_us), _time(got.elapsed_us))


def _status_difference(wanted: Status, got: Status) -> Iterator[Difference]:
    if wanted.code != got.code:
        what = f"the client's status is {code_name(got.code)} instead of {code_name(wanted.code)}"
        yield Difference("client", what, _status(wanted), _status(got))
    elif wanted.code != 0 and wanted.message is not None and wanted.message != got.message:
        yield Difference("client", "the client got another status message", repr(wanted.message), repr(got.message))
    elif wanted.message is not None and wanted.details != got.details:
        yield Difference("client", "the client got other status details", wanted.details.hex(), got.details.hex())


def _metadata(side: str, what: str, wanted: tuple[Entry, ...], got: tuple[Entry, ...]) -> Difference:
    keys = sorted({entry.key for entry in (*wanted, *got)})
    for key in keys:
        mine = [entry.value for entry in wanted if entry.key == key]
        theirs = [entry.value for entry in got if entry.key == key]
        if mine != theirs:
            how = "did not get" if not theirs else "got unexpected" if not mine else "got another value of"
            return Difference(side, f"the {side} {how} the {what} {key}", f"{key}: {mine}", f"{key}: {theirs}")
    return Difference(side, f"the {side} got its {what} in another form", repr(wanted), repr(got))


def _messages(observed: Observed) -> list[bytes]:
    return [entry for entry in observed if isinstance(entry, bytes)]


def _show(seen: Observation | None) -> str | bytes:
    return seen if isinstance(seen, bytes) else seen.value if seen else "nothing"


def _arrived(arrived: bool) -> str:
    return "arrives" if arrived else "never arrives"


def _time(microseconds: int | None) -> str:
    return "no deadline" if microseconds is None else f"{microseconds / 1e6:.3f} s"


def _status(status: Status) -> str:
    words = f" {status.message!r}" if status.code and status.message is not None else ""
    return f"{code_name(status.code)}{words}"
