"""Unary: one request, one response."""

from __future__ import annotations

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
    sized,
    status_shapes,
)


def _one(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(1), TO_END),), ((Receive(), *draw.responses(1), OK_END),))


def _empty_message(draw: Draw) -> Scripts:
    return Scripts(((draw.empty_request(), TO_END),), ((Receive(), draw.empty_response(), OK_END),))


def _large_message(draw: Draw) -> Scripts:
    return Scripts(((draw.large_request(), TO_END),), ((Receive(), draw.large_response(), OK_END),))


def _metadata(draw: Draw) -> Scripts:
    server = (Receive(), SEND_HEADERS, *draw.responses(1), OK_WITH_TRAILERS)
    return Scripts(((*draw.requests(1), TO_END),), (server,), REQUEST)


def _metadata_on_error(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(1), TO_END),), ((Receive(), SEND_HEADERS, ERROR_WITH_TRAILERS),), REQUEST)


def _metadata_large(draw: Draw) -> Scripts:
    end = Finish(Status(0, trailers=sized(BELOW_LIMIT, "trailers")))
    server = (Receive(), SendHeaders(sized(BELOW_LIMIT, "initial")), *draw.responses(1), end)
    return Scripts(((*draw.requests(1), TO_END),), (server,), sized(BELOW_LIMIT, "request"))


def _headers_first(draw: Draw) -> Scripts:
    server = (Receive(), SEND_HEADERS, *draw.responses(1), OK_END)
    return Scripts(((*draw.requests(1), RECEIVE_HEADERS, TO_END),), (server,))


def _early_error(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(1), TO_END),), ((SOME_ERROR,),))


def _ending_with(draw: Draw, status: Status) -> Scripts:
    return Scripts(((*draw.requests(1), TO_END),), ((Receive(), Finish(status)),))


def _deadline(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(1), TO_END),), ((Receive(), *ENDED),), timeout_us=DEADLINE_US)


def _deadline_in_time(draw: Draw) -> Scripts:
    return _one(draw)._replace(timeout_us=AMPLE_US)


def _cancel_before(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(1), CANCEL),), ((Receive(), *ENDED),))


def _cancel_after(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(1), WaitFor("got"), CANCEL),), ((Receive(), Signal("got"), *ENDED),))


def _with_code(code: int, name: str) -> CallShape:
    why = f"The code {name} is the same number in both languages."
    return CallShape(f"code_{name.lower()}", why, lambda draw: _ending_with(draw, Status(code, f"{name} on purpose")))


SHAPES = (
    CallShape("one", "One request, one response.", _one),
    CallShape("empty_message", "A message of zero bytes is a message.", _empty_message),
    CallShape("large_message", "1 MiB passes both ways, whatever the windows.", _large_message),
    CallShape("metadata", "Custom metadata travels in the request, before the response and after it.", _metadata),
    CallShape("metadata_on_error", "Custom metadata arrives also when there is no response.", _metadata_on_error),
    CallShape("metadata_large", "7,000 bytes of metadata at a time are below every limit.", _metadata_large),
    CallShape("headers_first", "The client can have the initial metadata before the response.", _headers_first),
    CallShape("early_error", "An error that does not wait for the request.", _early_error),
    *status_shapes(_ending_with),
    *(_with_code(code, name) for code, name in enumerate(CODES) if code),
    CallShape("deadline", "The deadline ends the RPC on both sides.", _deadline),
    CallShape("deadline_in_time", "The server knows the deadline; one that is kept does nothing.", _deadline_in_time),
    CallShape("cancel_before", "A cancel that may overtake the request.", _cancel_before),
    CallShape("cancel_after", "A cancel reaches the server while it works on the request.", _cancel_after),
)
