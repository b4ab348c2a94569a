"""The verdict: the observed pair of transcripts, compared with the pairs that the model allows. Pure.

`compare` takes the allowed pair that agrees longest, and names the difference that comes first in the order of events,
because the later differences follow from it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice, zip_longest
from typing import NamedTuple

from grpc_interop.core.case import AnyCase, Case, Entry, Status
from grpc_interop.core.model import CANCELLED, DEADLINE_EXCEEDED, ClientView, Expected, ServerView, by_key
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import END, TERMINATED, ClientTranscript, Observation, Observed, ServerTranscript

REMAINING_FACTOR, REMAINING_SLACK_US = 1.01, 2_000
"""How much more than the client's deadline a server may see: C-core rounds `grpc-timeout` up by at most one percent."""

CODES = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"),
    *("INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)
"""The names of gRPC's status codes, by number."""

_GIVEN_UP = (CANCELLED, DEADLINE_EXCEEDED)
"""Statuses with which a client may end a call before the server's handler has begun."""

KNOWN = "known: "
"""The beginning of a known failure's note, which says why it fails and where that is reported."""

CHANGING = re.compile(r"\"[^\"]*\"|\b\d+\b|(?<=metadata )[\w.-]+|(?<=instead of )[A-Z_]+")
"""The parts of a sentence that change from case to case of a cause."""


class Outcome(StrEnum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"  # the harness or a build failed, so that the case could not be judged
    KNOWN_FAILURE = "known_failure"
    UNEXPECTED_PASS = "unexpected_pass"  # a known failure passed
    UNSUPPORTED = "unsupported"  # a driver does not offer a capability that the case needs

    @property
    def is_finding(self) -> bool:
        """Return whether a run with such a case exits with status 1."""
        return self in (Outcome.FAILED, Outcome.ERROR, Outcome.UNEXPECTED_PASS)


@dataclass(frozen=True, slots=True)
class Pair:
    """A client and a server implementation, written `client:server`."""

    client: str
    server: str

    def __str__(self) -> str:
        return f"{self.client}:{self.server}"

    def at(self, side: Side) -> str:
        """Return the implementation at a side."""
        return self.client if side is Side.CLIENT else self.server


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference between an observed pair and an allowed pair."""

    side: Side  # the side that saw it
    what: str  # a sentence
    wanted: str | bytes = ""  # the expected value, like `got` as text or as the bytes of a message
    got: str | bytes = ""
    tags: frozenset[str] = field(default=frozenset(), compare=False)
    """Facts about the message that differs, for known failures to match; empty where the difference is not about a message."""

    @property
    def fingerprint(self) -> str:
        """Return a text that is equal for differences of one cause: the sentence without its numbers, its quoted values, the
        names of metadata keys and the expected status."""
        return f"{self.side}: " + CHANGING.sub("#", self.what)


class Attachment(NamedTuple):
    """Something that helps to explain a verdict: a log, a stack dump, a wire log. Reports list every kind alike."""

    kind: str  # LOG, or any other words that are fit to be printed behind the name: `stack dump`
    name: str  # whose it is: `go server`
    path: str = ""  # the whole file; empty where `text` is everything
    text: str = ""  # the text, or the last lines of the file


LOG = "log"
"""The kind of attachment that holds the output of a process."""


class Verdict(NamedTuple):
    """A case played on a pair."""

    case: AnyCase
    pair: Pair
    outcome: Outcome
    seconds: float = 0.0  # the duration, as the client measured it
    difference: Difference | None = None
    expected: Expected | None = None
    """The allowed pair that is nearest to the transcripts; None where the model was not asked, and for a passed case."""
    client: ClientTranscript | None = None  # None where the side never reported, and for most passed cases
    server: ServerTranscript | None = None  # as `client`; also None where the server is a program, which reports nothing but its answers
    notes: tuple[str, ...] = ()  # sentences about how the case was run: played again alone, a driver restarted
    attachments: tuple[Attachment, ...] = ()
    shrunk: bool = False  # the case is the smallest that fails alike, and not the case that was asked for
    plays: int = 1

    @property
    def id(self) -> str:
        """`calls/greeter.v1.Greeter/AllStream/ping_pong_10[go:py]`."""
        return f"{self.case.id}[{self.pair}]"

    @property
    def rpc_case(self) -> Case:
        """Return the case, which must be an RPC's."""
        rpc = self.case.rpc
        assert rpc is not None
        return rpc


def code_name(code: int) -> str:
    """Return `UNAVAILABLE` for 14."""
    return CODES[code] if 0 <= code < len(CODES) else f"code {code}"


Canonical = Callable[[str, bytes], bytes]
"""From a message type's full name and a message to the form in which equal messages are equal bytes."""


def as_they_are(_type_name: str, message: bytes) -> bytes:
    """Return the message: the Canonical for messages whose bytes can be compared as they are."""
    return message


def compare(
    case: Case,
    allowed: tuple[Expected, ...],
    client: ClientTranscript,
    server: ServerTranscript | None,
    canonical: Canonical = as_they_are,
) -> tuple[Difference | None, Expected]:
    """Return the first difference to the nearest allowed pair, or None; and that pair.

    A receiver writes a message again in its own order of fields: where bytes differ, `canonical` decides. `server` is None
    where the server is a program (Case.player), which reports nothing but its answers; for a driver that is a difference.
    """
    difference, expected = _compare(case, allowed, client, server)
    if difference is None or canonical is as_they_are:
        return difference, expected
    request, response = case.method.request, case.method.response
    client = client._replace(lanes=_in_form(client.lanes, response, canonical))
    server = server and server._replace(lanes=_in_form(server.lanes, request, canonical))
    allowed = tuple(
        expected._replace(
            client=expected.client._replace(lanes=_in_form(expected.client.lanes, response, canonical)),
            server=expected.server._replace(lanes=_in_form(expected.server.lanes, request, canonical)),
        )
        for expected in allowed
    )
    return _compare(case, allowed, client, server)


def _in_form(lanes: tuple[Observed, ...], type_name: str, canonical: Canonical) -> tuple[Observed, ...]:
    return tuple(tuple(canonical(type_name, seen) if isinstance(seen, bytes) else seen for seen in lane) for lane in lanes)


def _compare(
    case: Case, allowed: tuple[Expected, ...], client: ClientTranscript, server: ServerTranscript | None
) -> tuple[Difference | None, Expected]:
    candidates: list[tuple[tuple[float, int], Difference, Expected]] = []
    for expected in allowed:
        if _equal(expected, client, server):
            return None, expected
        differences = list(_differences(case, expected, client, server))
        if not differences:
            return None, expected
        place, first = min(differences, key=lambda placed: placed[0])
        candidates.append(((place, -len(differences)), first, expected))  # agrees longest, then with the fewest differences
    if not candidates:
        raise ValueError(f"{case.id}: the model allows nothing; that cannot be judged")
    _, first, expected = max(candidates, key=lambda candidate: candidate[0])
    return first, expected


def _equal(expected: Expected, client: ClientTranscript, server: ServerTranscript | None) -> bool:
    """Return whether the observed pair equals the allowed pair, as nearly all do. This takes a tenth of the time of a search for
    differences. False decides nothing: bounds and the runtime's own words are left to the search."""
    return (
        server is not None
        and expected.server == (server.arrived, server.lanes, server.request, server.remaining_us)
        and expected.client == (client.lanes, client.initial, client.status, 0, 0)
        and not (client.early or client.aborted or server.aborted)
    )


# The places in the order of events of differences that are not about an observation.
_WHETHER, _START, _END, _AFTER_END = -2.0, -1.0, 1e15, 1e16

Placed = tuple[float, Difference]
"""A difference and its place in the order of events."""


def _differences(case: Case, expected: Expected, client: ClientTranscript, server: ServerTranscript | None) -> Iterator[Placed]:
    """Yield all differences to an allowed pair. Among differences at the same place, the first yielded is the likeliest cause."""
    if client.early:
        # Anything wrong in such an answer follows from that.
        what = "the server answered before the client had half-closed"
        yield _START, Difference(Side.CLIENT, what, "0 early", f"{client.early} early")
    orders = iter(expected.order)
    yield from _lane_differences(Side.CLIENT, expected.client, client, orders)
    if server is not None:
        yield from _server_differences(expected.server, server, client, orders)
    elif case.server_reports:
        yield _WHETHER, Difference(Side.SERVER, "the server reported nothing", "a transcript", "none")
    for at_end in _client_end(case, expected.client, client):
        yield _END, at_end
    for side, got in ((Side.CLIENT, client), (Side.SERVER, server)):
        if got is not None and got.aborted and not (isinstance(got, ServerTranscript) and not got.arrived):
            yield _AFTER_END, Difference(side, f"the {side} did not end its play and was stopped", "ends", "hangs")


def _server_differences(
    wanted: ServerView, got: ServerTranscript, client: ClientTranscript, orders: Iterator[tuple[int, ...]]
) -> Iterator[Placed]:
    if wanted.arrived and not got.arrived:
        ending = f"; the client got {_status(client.status)}" if client.status else ""
        yield _WHETHER, Difference(Side.SERVER, "the call did not reach the server", "arrives", f"never arrives{ending}")
    elif got.arrived and not wanted.arrived:
        yield _WHETHER, Difference(Side.SERVER, "the call reached the server", "never arrives", "arrives")
    elif not got.arrived:
        if any(got.lanes):
            yield _START, Difference(Side.SERVER, "the server reported more of a call that did not reach it", "nothing", repr(got.lanes))
    else:
        yield from ((_START, difference) for difference in _server_start(wanted, got, client))
        yield from _lane_differences(Side.SERVER, wanted, got, orders)


def _server_start(wanted: ServerView, got: ServerTranscript, client: ClientTranscript) -> Iterator[Difference]:
    """Yield differences in the handler's knowledge when it began."""
    if wanted.request != by_key(got.request):
        yield _metadata(Side.SERVER, "request metadata", wanted.request, by_key(got.request))
    if (wanted.deadline_us is None) != (got.remaining_us is None):
        what = "the server saw no deadline" if got.remaining_us is None else "the server saw a deadline that no one set"
        yield Difference(Side.SERVER, what, _time(wanted.deadline_us), _time(got.remaining_us))
    elif wanted.deadline_us is not None and got.remaining_us is not None:
        least, most = 0.0, wanted.deadline_us * REMAINING_FACTOR + REMAINING_SLACK_US
        if client.status is not None and client.status.code not in _GIVEN_UP:
            # The server ended the call, so its handler began before the client's call was over.
            least = max(least, wanted.deadline_us - client.elapsed_us - REMAINING_SLACK_US)
        if not least <= got.remaining_us <= most:
            what = "the server saw another deadline than the client set"
            yield Difference(Side.SERVER, what, f"{_time(int(least))} to {_time(int(most))}", _time(got.remaining_us))


def _lane_differences(
    side: Side, wanted: ClientView | ServerView, got: ClientTranscript | ServerTranscript, orders: Iterator[tuple[int, ...]]
) -> Iterator[Placed]:
    if len(wanted.lanes) != len(got.lanes):
        what = f"the {side} reported another number of lanes than its script has"
        yield _START, Difference(side, what, str(len(wanted.lanes)), str(len(got.lanes)))
    ended = _other_status(wanted, got)
    for lane, lane_got, order in zip_longest(wanted.lanes, got.lanes, islice(orders, len(wanted.lanes)), fillvalue=()):
        if lane != lane_got:
            yield _lane_difference(side, lane, lane_got, order, ended, aborted=got.aborted)


def _other_status(wanted: ClientView | ServerView, got: ClientTranscript | ServerTranscript) -> Status | None:
    """Return the client's status where it is not the expected status: then the status is the cause, and not the messages that
    are missing before it."""
    if isinstance(wanted, ClientView) and isinstance(got, ClientTranscript) and got.status:
        return got.status if next(_status_difference(wanted.status, got.status), None) else None
    return None


def _lane_difference(side: Side, wanted: Observed, got: Observed, order: tuple[int, ...], ended: Status | None, *, aborted: bool) -> Placed:
    index = next(i for i, (a, b) in enumerate(zip_longest(wanted, got)) if a != b)
    first = wanted[index] if index < len(wanted) else None
    seen = got[index] if index < len(got) else None
    if index < len(order):
        place: float = order[index]
    elif first is None and index == len(order) > 0:
        place = order[-1] + 0.5  # more than was expected, right after the last observation that was
    else:
        place = _END
    if ended and seen is END and isinstance(first, bytes):
        what = f"the RPC ended with {code_name(ended.code)} at the client after {index} of {len(_messages(wanted))} messages"
        return place, Difference(side, what, _show(first), _status(ended))
    return place, Difference(side, _sentence(side, wanted, got, index, aborted=aborted), _show(first), _show(seen))


def _sentence(side: Side, wanted: Observed, got: Observed, index: int, *, aborted: bool) -> str:
    """Return the difference at `index` in words."""
    first = wanted[index] if index < len(wanted) else None
    seen = got[index] if index < len(got) else None
    number, total = index + 1, len(_messages(wanted))
    if isinstance(first, bytes) and isinstance(seen, bytes):
        if sorted(_messages(wanted)) == sorted(_messages(got)):
            return f"the {side} received the {side.other}'s messages in another order, from message {number} on"
        if index + 1 < len(wanted) and seen == wanted[index + 1]:
            return f"the {side} did not receive message {number} of {total}"
        return f"the {side} received another message {number} than the {side.other} sent"
    if isinstance(first, bytes):
        if seen is None:
            return f"the {side} did not receive message {number} of {total}" + (" and still waits for it" if aborted else "")
        how = "saw the end" if seen is END else "was terminated"
        return f"the {side} {how} after {index} of {total} messages"
    if isinstance(seen, bytes):
        return f"the {side} received a message that the {side.other} did not send, after {index} messages"
    if first is END:
        if seen is TERMINATED:
            return f"the {side}'s RPC was terminated where the {side.other} half-closed"
        return f"the {side} did not see the end of the {side.other}'s messages" + (" and still waits for it" if aborted else "")
    if first is TERMINATED:
        return f"the {side} did not learn that the RPC was over" + (" and still waits" if aborted else "")
    return f"the {side} saw {'the end' if seen is END else 'a termination'} where nothing was to come"


def _client_end(case: Case, wanted: ClientView, got: ClientTranscript) -> Iterator[Difference]:
    if got.status is None:
        yield Difference(Side.CLIENT, "the RPC did not end at the client", _status(wanted.status), "no status")
        return
    yield from _status_difference(wanted.status, got.status)
    for what, entries, entries_got in (
        ("initial metadata", wanted.initial, by_key(got.initial)),
        ("trailing metadata", wanted.status.trailers, by_key(got.status.trailers)),
    ):
        if entries != entries_got:
            difference = _metadata(Side.CLIENT, what, entries, entries_got)
            alone = what == "initial metadata" and not any(map(_messages, wanted.lanes))
            yield replace(difference, what=f"{difference.what}, which no message follows") if alone else difference
    if got.spread_us < wanted.least_spread_us:
        what = "the server's messages came all at once instead of one by one"
        yield Difference(Side.CLIENT, what, f"at least {_time(wanted.least_spread_us)}", _time(got.spread_us))
    if got.elapsed_us < wanted.least_elapsed_us:
        what = "the RPC ended at the client before its deadline"
        yield Difference(Side.CLIENT, what, _time(case.timeout_us), _time(got.elapsed_us))


def _status_difference(wanted: Status, got: Status) -> Iterator[Difference]:
    if wanted.code != got.code:
        what = f"the client's status is {code_name(got.code)} instead of {code_name(wanted.code)}"
        yield Difference(Side.CLIENT, what, _status(wanted), _status(got))
    elif wanted.code != 0 and wanted.message is not None and wanted.message != got.message:
        yield Difference(Side.CLIENT, "the client got another status message", repr(wanted.message), repr(got.message))
    elif wanted.message is not None and wanted.details != got.details:
        yield Difference(Side.CLIENT, "the client got other status details", wanted.details.hex(), got.details.hex())


def _metadata(side: Side, what: str, wanted: tuple[Entry, ...], got: tuple[Entry, ...]) -> Difference:
    """Return the difference in the first key that differs; at least one key does."""

    def values(entries: tuple[Entry, ...], key: str) -> list[bytes]:
        return [entry.value for entry in entries if entry.key == key]

    key = next(key for key in sorted({entry.key for entry in (*wanted, *got)}) if values(wanted, key) != values(got, key))
    expected, observed = values(wanted, key), values(got, key)
    how = "did not get the" if not observed else "got unexpected" if not expected else "got another value of the"
    return Difference(side, f"the {side} {how} {what} {key}", f"{key}: {expected}", f"{key}: {observed}")


def _messages(observed: Observed) -> list[bytes]:
    return [seen for seen in observed if isinstance(seen, bytes)]


def _show(seen: Observation | None) -> str | bytes:
    return seen if isinstance(seen, bytes) else seen.value if seen else "nothing"


def _time(microseconds: int | None) -> str:
    return "no deadline" if microseconds is None else f"{microseconds / 1e6:.3f} s"


def _status(status: Status) -> str:
    words = f" {status.message!r}" if status.code and status.message is not None else ""
    return f"{code_name(status.code)}{words}"
