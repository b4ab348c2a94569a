"""The grammar of scripts: which of them are cases, for each kind of method, as the driver contract states it (message Step)."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from urllib.parse import quote

from grpc_interop.core.case import (
    CASE_KEY,
    Cancel,
    Case,
    Entry,
    Finish,
    HalfClose,
    Lane,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Script,
    Send,
    SendHeaders,
    Signal,
    WaitFor,
    WaitForTermination,
    finishes,
    steps,
)
from grpc_interop.core.side import Side

CLIENT_STEPS = frozenset({Send, Receive, ReceiveToEnd, HalfClose, Cancel, ReceiveHeaders, Signal, WaitFor})
SERVER_STEPS = frozenset({Send, Receive, ReceiveToEnd, SendHeaders, Finish, Signal, WaitFor, WaitForTermination})

STATUS_CODES = range(17)
"""gRPC's status codes. Each runtime shows other codes to the application as something else, in its own way."""

SHORTEST_TIMEOUT_US = 1_000
"""A deadline of 0 makes grpc-go not call at all, while C-core may still answer OK; C-core counts in milliseconds, so
that a fraction of a millisecond is rounded to 1 or to 0."""

LONGEST_TIMEOUT_US = 97_000_000 * 1_000_000
"""C-core sends every longer deadline as 27,000 hours, which are 97,200,000 s, though `grpc-timeout` could hold more
(https://github.com/grpc/grpc/issues/19383); and it rounds up by as much as a percent."""

RECEIVE_LIMITS = range(1 << 31)
"""Limits of a message's size that every runtime can hold: C-core counts with 31 bits, and a sign for no limit at all."""

_KEY = re.compile(r"[0-9A-Za-z_.-]+")
"""The key of a metadata entry (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md, Header-Name)."""

_OWNERS = {
    "HTTP/2 has no use for it (RFC 9113, 8.2.2), and Go's server resets the stream": (
        *("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"),
    ),
    "HTTP or gRPC itself sets it": ("content-length", "content-type", "host", "te", "user-agent"),
    "grpcio keeps it to itself": (*("endpoint-load-metrics-bin", "lb-cost-bin", "lb-token", "x-envoy-peer-metadata"),),
    "it is only the ending that marks bytes": ("-bin",),
}
RESERVED = {key: why for why, keys in _OWNERS.items() for key in keys}
"""Keys that never reach the other side's application as they were sent, with the reason. All keys that begin with `grpc-`
belong to gRPC (PROTOCOL-HTTP2.md, Custom-Metadata)."""


class NotACase(ValueError):
    """The scripts break the grammar, or gRPC promises no outcome for them."""


def check_grammar(case: Case) -> None:
    """Raise NotACase with the rule that is broken."""
    for problem in _problems(case):
        raise NotACase(f"{_printable(case.id)}: {problem}")


def _problems(case: Case) -> Iterator[str]:
    """Yield each rule that is broken, as a sentence. A rule may rely on the rules before it."""
    yield from _texts(case)
    for side, script, allowed in ((Side.CLIENT, case.client, CLIENT_STEPS), (Side.SERVER, case.server, SERVER_STEPS)):
        yield from _lanes(side, script, allowed)
        yield from _signals(side, script)
    yield from _client(case)
    if case.method.kind.client_streams:
        yield from _many_requests(case)
    else:
        yield from _single_request(case)
    yield from _server(case)
    if not case.method.kind.server_streams:
        yield from _single_response(case)
    yield from _metadata(case)
    yield from _sizes(case)
    for side in Side:
        limit = case.endpoint(side).max_receive_bytes
        if limit is not None and limit not in RECEIVE_LIMITS:
            yield f"the {side} accepts messages of {limit:,} bytes: the limit is 0 to {RECEIVE_LIMITS[-1]:,}"


def _texts(value: object) -> Iterator[str]:
    """Yield a problem for each text that cannot be sent, wherever in the case it is."""
    if isinstance(value, str):
        if not value.isascii() and value != _printable(value):
            # A lone surrogate, which no encoding of Unicode has: neither gRPC nor protobuf could carry it.
            yield f"the text '{_printable(value)}' holds half a character (a lone surrogate), which cannot be written as UTF-8"
    elif isinstance(value, (tuple, frozenset)):
        for element in value:
            if type(element) is not Send:  # the bulk of a script, which holds bytes
                yield from _texts(element)
    elif is_dataclass(value) and not isinstance(value, type):
        for name in _fields_of(type(value)):
            yield from _texts(getattr(value, name))


@cache
def _fields_of(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _printable(text: str) -> str:
    """Return the text with escapes in place of lone surrogates, which cannot be printed."""
    return text.encode(errors="backslashreplace").decode()


def _lanes(side: Side, script: Script, allowed: frozenset[type]) -> Iterator[str]:
    if not 1 <= len(script) <= 2:
        yield f"the {side} has {len(script)} lanes; one or two are possible"
    for wrong in sorted({type(step).__name__ for step in steps(script) if type(step) not in allowed}):
        yield f"{wrong} is not a step of a {side}: leave it out"
    for kinds in ((Send, HalfClose, SendHeaders), (Receive, ReceiveToEnd)):
        if sum(_has(lane, *kinds) for lane in script) > 1:
            names = " or ".join(kind.__name__ for kind in kinds if kind in allowed)
            yield f"both lanes of the {side} have {names}: keep them in one"


def _signals(side: Side, script: Script) -> Iterator[str]:
    for lane in script:
        if _has(lane, Signal):
            first = min(_places(lane, Signal))
            if not _has(lane[:first], Receive, ReceiveToEnd):
                # A signal says that the lane has received something; before a receive it would be a guess.
                yield f"the {side}'s lane signals before it has received anything: put a Receive before Signal"
    for step in (step for lane in script for step in lane if isinstance(step, Signal | WaitFor)):
        if not step.name.isprintable():
            yield f"the {side}'s signal {step.name!r} is not printable, and names travel on lines"
    for kind in (Signal, WaitFor):
        names = [{step.name for step in lane if isinstance(step, kind)} for lane in script]
        if len(names) == 2 and names[0] & names[1]:
            yield f"both lanes of the {side} have {kind.__name__} {min(names[0] & names[1])!r}: which comes first is open"


def _client(case: Case) -> Iterator[str]:
    cancels = sum(len(_places(lane, Cancel)) for lane in case.client)
    if not cancels and not any(lane and isinstance(lane[-1], ReceiveToEnd) for lane in case.client):
        yield "the client neither receives to the end nor cancels, so it sees no status: end a lane with ReceiveToEnd"
    if cancels > 1:
        yield "the client cancels twice: leave one Cancel out"
    if any(_has(lane[:-1], Cancel) for lane in case.client):
        yield "a cancel ends its lane: what is read after one's own cancel is not promised; leave out what follows Cancel"
    if case.timeout_us is not None:
        if cancels:
            yield "a cancel and a deadline race each other: leave one of them out"
        if case.timeout_us < SHORTEST_TIMEOUT_US:
            yield f"a deadline of {case.timeout_us} us is shorter than every runtime can count"
        if case.timeout_us > LONGEST_TIMEOUT_US:
            yield f"a deadline of {case.timeout_us:,} us is longer than every runtime can send: {LONGEST_TIMEOUT_US:,} us is the most"


def _single_request(case: Case) -> Iterator[str]:
    kind = case.method.kind
    if len(case.client) != 1 or len(_places(case.client[0], Send)) != 1:
        yield f"a {kind} client sends exactly one message, in one lane"
    elif not isinstance(case.client[0][0], Send):
        yield f"a {kind} call begins with its request: put Send first"
    if any(_has(lane, HalfClose) for lane in case.client):
        yield f"a {kind} call has no half-close of its own: leave HalfClose out"
    if any(_has(lane, ReceiveToEnd) for lane in case.server):
        yield f"the server of a {kind} call sees no half-close: put Receive in the place of ReceiveToEnd"


def _many_requests(case: Case) -> Iterator[str]:
    for lane in case.client:
        closes = _places(lane, HalfClose)
        if closes and _has(lane[closes[0] + 1 :], Send, HalfClose):
            yield "the client sends after its half-close: put HalfClose behind the last Send"
        if not case.method.kind.server_streams and _has(lane[: closes[0]] if closes else lane, Receive, ReceiveToEnd):
            # grpc-go's CloseAndRecv and grpcio's blocking call half-close when they ask for the response.
            yield "a client_streaming client receives only after its half-close, in the same lane"


def _server(case: Case) -> Iterator[str]:
    ends = finishes(case.server)
    if len(ends) != 1 or not any(lane and isinstance(lane[-1], Finish) for lane in case.server):
        yield "a server finishes once, as the last step of a lane: end one lane with Finish"
        return
    if ends[0].code not in STATUS_CODES:
        yield f"{ends[0].code} is not a gRPC status code: the codes are 0 to 16"
    for lane in case.server:
        headers = _places(lane, SendHeaders)
        if len(headers) > 1 or (headers and _has(lane[: headers[0]], Send)):
            yield "initial metadata goes out once, before any message: put SendHeaders before the first Send"
        waits = _places(lane, WaitForTermination)
        if waits and set(map(type, lane[waits[0] + 1 :])) - {Finish, Signal}:
            # Everything read or sent there depends on how far each runtime has closed the call by then.
            yield "after wait_for_termination a lane only signals or finishes: leave out what else follows WaitForTermination"


def _single_response(case: Case) -> Iterator[str]:
    (end,) = finishes(case.server)
    kind, wanted = case.method.kind, 1 if end.code == 0 else 0
    sends = sum(len(_places(lane, Send)) for lane in case.server)
    if sends != wanted:
        yield f"a {kind} server sends {wanted} messages with status {end.code}, not {sends}"
    elif wanted and not any(len(lane) > 1 and isinstance(lane[-2], Send) and isinstance(lane[-1], Finish) for lane in case.server):
        yield f"the response of a {kind} call leaves with its status: the server sends it right before it finishes"


UNSURE_BYTES = range(7_693, 16_385)
"""Sizes of metadata, as HTTP/2 counts it (RFC 9113, 6.5.2), that C-core refuses by chance, the more often the larger, from 8
to 16 KiB; its own headers take up to 500 bytes of that (https://github.com/grpc/grpc/issues/37852)."""

_PLAIN = "".join(chr(byte) for byte in range(0x20, 0x7F) if chr(byte) != "%")
"""The characters of a status message that travel as they are; the rest is percent-encoded."""


def _sizes(case: Case) -> Iterator[str]:
    headers = [step.entries for step in steps(case.server) if isinstance(step, SendHeaders)]
    places = [("request metadata", case.metadata), *(("initial metadata", entries) for entries in headers)]
    for status in finishes(case.server):
        ending = (
            Entry("grpc-message", quote(status.message or "", safe=_PLAIN).encode()),
            Entry("grpc-status-details-bin", status.details),
        )
        places.append(("trailing metadata with the status", (*status.trailers, *ending)))
    for what, entries in places:
        size = sum(len(key) + 32 + (len(value) * 4 // 3 if key.endswith("-bin") else len(value)) for key, value in entries)
        if size in UNSURE_BYTES:
            yield f"{size:,} bytes of {what}: what is between 8 and 16 KiB passes or not, by chance; send less, or more"


def _metadata(case: Case) -> Iterator[str]:
    headers = [step.entries for step in steps(case.server) if isinstance(step, SendHeaders)]
    for entries in (case.metadata, *headers, *(status.trailers for status in finishes(case.server))):
        for entry in entries:
            yield from _entry(entry)


def _entry(entry: Entry) -> Iterator[str]:
    key, value = entry
    if not _KEY.fullmatch(key):
        yield f"metadata key {key!r} has other characters than gRPC allows: letters, digits, and _-."
        return
    if key != key.lower():
        yield f"metadata key {key!r} is not in lower case, as it travels: write {key.lower()!r}"
    if key == CASE_KEY:
        yield f"metadata key {key!r} is the harness' own: it names the case; choose another key"
    if key.startswith("grpc-"):
        yield f"metadata key {key!r} cannot be an application's: all keys that begin with grpc- are gRPC's; choose another key"
    if key in RESERVED:
        yield f"metadata key {key!r} cannot be an application's: {RESERVED[key]}; choose another key"
    if not key.endswith("-bin") and not (all(0x20 <= byte <= 0x7E for byte in value) and value == value.strip()):
        yield f"metadata {key}: {value!r} is not printable ASCII without spaces around it; other bytes need a key in -bin"


def _has(lane: Lane, *kinds: type) -> bool:
    return not set(kinds).isdisjoint(map(type, lane))


def _places(lane: Lane, kind: type) -> list[int]:
    return [at for at, step in enumerate(lane) if type(step) is kind] if _has(lane, kind) else []
