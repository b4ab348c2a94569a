"""Shapes of calls, and the words in which they are written."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from grpc_interop.core.case import (
    OK,
    Cancel,
    Entry,
    Finish,
    HalfClose,
    Lane,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Script,
    SendHeaders,
    Status,
    WaitForTermination,
)
from grpc_interop.core.model import CANCELLED, LEAST_DEADLINE_US
from grpc_interop.suites.calls.draw import Draw
from grpc_interop.wire import wire_format

TO_END = ReceiveToEnd()
HALF_CLOSE = HalfClose()
CANCEL = Cancel()
OK_END = Finish(OK)
SOME_ERROR = Finish(Status(9, "this far and no further"))

ENDED = (WaitForTermination(), Finish(Status(CANCELLED, "ended from outside")))
"""How a server's script ends when the client, or its deadline, ends the RPC."""

DEADLINE_US = 2 * LEAST_DEADLINE_US
"""Twice the least that is possible: the round trip before it shares a connection with a hundred other calls, and a deadline of
one second was once missed on a machine with nine times the work that it could do."""

AMPLE_US = 60_000_000
"""A deadline that never expires: longer than the harness lets any case take."""


class Scripts(NamedTuple):
    """The scripts and options of a case."""

    client: Script
    server: Script
    metadata: tuple[Entry, ...] = ()
    timeout_us: int | None = None
    own_connection: bool = False


def lanes(client: Lane, server: Lane, metadata: tuple[Entry, ...] = (), timeout_us: int | None = None) -> Scripts:
    """Return scripts in which each side has a single lane."""
    return Scripts((client,), (server,), metadata, timeout_us)


class CallShape(NamedTuple):
    """A named course that an RPC can take."""

    name: str
    why: str  # the claim that it proves, for the reader of a report
    scripts: Callable[[Draw], Scripts]


def receive(count: int) -> Lane:
    return (Receive(),) * count


def alternate(first: Lane, second: Lane) -> Lane:
    """Return the steps of two lanes in turn."""
    return tuple(step for both in zip(first, second, strict=True) for step in both)


# ----------------------------------------------------------------------------------------------------------------------
# Metadata
# ----------------------------------------------------------------------------------------------------------------------


def entries(part: str) -> tuple[Entry, ...]:
    """Return metadata with all special forms: keys that come twice and in a mixed order, values of any bytes, and empty values."""
    return (
        Entry("x-interop-from", part.encode()),
        Entry("x-interop-twice", b"first, with a comma"),
        Entry("x-interop-twice", b"second"),
        Entry("x-interop-any-bin", bytes(range(256))),
        Entry("x-interop-twice-bin", b"\xff\x00\xff"),
        Entry("x-interop-twice-bin", b"not base64, but text"),
        Entry("x-interop-empty", b""),
        Entry("x-interop-empty-bin", b""),
    )


REQUEST, INITIAL, TRAILERS = entries("request"), entries("initial"), entries("trailers")
SEND_HEADERS = SendHeaders(INITIAL)
RECEIVE_HEADERS = ReceiveHeaders()
OK_WITH_TRAILERS = Finish(Status(0, trailers=TRAILERS))
ERROR_WITH_TRAILERS = Finish(Status(9, "with trailers", trailers=TRAILERS))


BELOW_LIMIT, ABOVE_LIMIT = 7_000, 20_000
"""Bytes of a metadata entry. gRPC suggests that implementations take 8 KiB of metadata in all, of which a runtime's own
headers and 32 bytes for each entry are a part (PROTOCOL-HTTP2.md). Between 8 and 16 KiB, C-core refuses metadata by chance,
the more the larger it is, so there is no case for it; above 16 KiB it always refuses (https://github.com/grpc/grpc/issues/37852)."""


def sized(size: int, part: str) -> tuple[Entry, ...]:
    """Return metadata of so many bytes."""
    return (Entry(f"x-interop-{part}", (part.encode() * size)[:size]),)


# ----------------------------------------------------------------------------------------------------------------------
# Statuses
# ----------------------------------------------------------------------------------------------------------------------


def status_details(code: int, message: str) -> bytes:
    """Return a google.rpc.Status with the code and message of the RPC, as its definition demands, and with a
    google.protobuf.StringValue. It is written as every runtime would write it, without an empty field: grpc-go parses it and
    writes it again."""
    url = b"type.googleapis.com/google.protobuf.StringValue"
    packed = _text(1, url) + _text(2, _text(1, "détails".encode()))
    return (
        wire_format.tag(1, wire_format.VARINT)
        + wire_format.varint(code)
        + (_text(2, message.encode()) if message else b"")
        + _text(3, packed)
    )


def _text(number: int, content: bytes) -> bytes:
    return wire_format.tag(number, wire_format.LENGTH) + wire_format.delimited(content)


STATUSES = {
    "plain": Status(5, "no such thing"),
    "without_message": Status(10, ""),
    "non_ascii": Status(3, "ungültig: 値が違う 🚫 e\u0301"),
    "percent": Status(9, "100% of %41, %zz and %"),
    "newline": Status(15, "first\nsecond\r\n\tthird"),
    "long": Status(11, "too long " * 200),
    "details": Status(7, "with details", status_details(7, "with details")),
    "details_and_trailers": Status(8, "with all", status_details(8, "with all"), TRAILERS),
}
"""Statuses, with everything in their messages that percent-encoding makes special."""


def status_shapes(scripts: Callable[[Draw, Status], Scripts]) -> Iterator[CallShape]:
    """Yield a shape for each of STATUSES, and for a large status; `scripts` makes an RPC that ends with a status."""
    # Not among STATUSES, from which conversations draw: with other metadata it would be over the limit.
    large = Status(11, "x" * BELOW_LIMIT)
    for name, status in {**STATUSES, "large": large}.items():
        yield CallShape(f"status_{name}", "The server's status reaches the client whole.", _ending(scripts, status))


def _ending(scripts: Callable[[Draw, Status], Scripts], status: Status) -> Callable[[Draw], Scripts]:
    return lambda draw: scripts(draw, status)
