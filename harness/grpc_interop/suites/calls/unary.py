"""Unary: one request, one response."""

from grpc_interop.core.case import Finish, Receive, SendHeaders, Signal, Status, WaitFor
from grpc_interop.core.verdict import CODES
from grpc_interop.suites.calls.draw import Draw
from grpc_interop.suites.calls.shape import (
    AMPLE_US,
    BELOW_LIMIT,
    CANCEL,
    DEADLINE_US,
    ENDED,
    ERROR_WITH_TRAILERS,
    OK_END,
    OK_WITH_TRAILERS,
    RECEIVE_HEADERS,
    REQUEST,
    SEND_HEADERS,
    SOME_ERROR,
    TO_END,
    CallShape,
    Scripts,
    lanes,
    sized,
    status_shapes,
)


def _one(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(1), TO_END),), ((Receive(), *draw.responses(1), OK_END),))


def _ending_with(draw: Draw, status: Status) -> Scripts:
    return Scripts(((*draw.requests(1), TO_END),), ((Receive(), Finish(status)),))


def _with_code(code: int, name: str) -> CallShape:
    why = f"The code {name} is the same number in both languages."
    return CallShape(f"code_{name.lower()}", why, lambda draw: _ending_with(draw, Status(code, f"{name} on purpose")))


SHAPES = (
    CallShape("one", "One request, one response.", _one),
    CallShape(
        "empty_message",
        "A message of zero bytes is a message.",
        lambda draw: lanes((draw.empty_request(), TO_END), (Receive(), draw.empty_response(), OK_END)),
    ),
    CallShape(
        "large_message",
        "1 MiB passes both ways, whatever the windows.",
        lambda draw: lanes((draw.large_request(), TO_END), (Receive(), draw.large_response(), OK_END)),
    ),
    CallShape(
        "metadata",
        "Custom metadata travels in the request, before the response and after it.",
        lambda draw: lanes((*draw.requests(1), TO_END), (Receive(), SEND_HEADERS, *draw.responses(1), OK_WITH_TRAILERS), REQUEST),
    ),
    CallShape(
        "metadata_on_error",
        "Custom metadata arrives also when there is no response.",
        lambda draw: lanes((*draw.requests(1), TO_END), (Receive(), SEND_HEADERS, ERROR_WITH_TRAILERS), REQUEST),
    ),
    CallShape(
        "metadata_large",
        "7,000 bytes of metadata at a time are below every limit.",
        lambda draw: lanes(
            (*draw.requests(1), TO_END),
            (
                Receive(),
                SendHeaders(sized(BELOW_LIMIT, "initial")),
                *draw.responses(1),
                Finish(Status(0, trailers=sized(BELOW_LIMIT, "trailers"))),
            ),
            sized(BELOW_LIMIT, "request"),
        ),
    ),
    CallShape(
        "headers_first",
        "The client can have the initial metadata before the response.",
        lambda draw: lanes((*draw.requests(1), RECEIVE_HEADERS, TO_END), (Receive(), SEND_HEADERS, *draw.responses(1), OK_END)),
    ),
    CallShape(
        "early_error", "An error that does not wait for the request.", lambda draw: lanes((*draw.requests(1), TO_END), (SOME_ERROR,))
    ),
    *status_shapes(_ending_with),
    *(_with_code(code, name) for code, name in enumerate(CODES) if code),
    CallShape(
        "deadline",
        "The deadline ends the RPC on both sides.",
        lambda draw: lanes((*draw.requests(1), TO_END), (Receive(), *ENDED), timeout_us=DEADLINE_US),
    ),
    CallShape(
        "deadline_in_time",
        "The server knows the deadline; one that is kept does nothing.",
        lambda draw: _one(draw)._replace(timeout_us=AMPLE_US),
    ),
    CallShape(
        "cancel_before", "A cancel that may overtake the request.", lambda draw: lanes((*draw.requests(1), CANCEL), (Receive(), *ENDED))
    ),
    CallShape(
        "cancel_after",
        "A cancel reaches the server while it works on the request.",
        lambda draw: lanes((*draw.requests(1), WaitFor("got"), CANCEL), (Receive(), Signal("got"), *ENDED)),
    ),
)
