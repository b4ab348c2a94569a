"""Client streaming: many requests, one response."""

from __future__ import annotations

from grpc_interop.core.case import Finish, Receive, Signal, Status, WaitFor
from grpc_interop.suites.calls.draw import Draw
from grpc_interop.suites.calls.shape import (
    AMPLE_US,
    CANCEL,
    DEADLINE_US,
    ENDED,
    ERROR_WITH_TRAILERS,
    HALF_CLOSE,
    OK_END,
    OK_WITH_TRAILERS,
    RECEIVE_HEADERS,
    REQUEST,
    SEND_HEADERS,
    SOME_ERROR,
    TO_END,
    CallShape,
    Scripts,
    alternate,
    receive,
    status_shapes,
)


def _count(count: int) -> CallShape:
    words = {0: "none", 1: "one", 2: "two", 10: "ten", 1000: "thousand"}
    return CallShape(
        words[count],
        f"{count} requests: none lost, none added, in order, then the end and the response.",
        lambda draw: Scripts(((*draw.requests(count), HALF_CLOSE, TO_END),), ((TO_END, *draw.responses(1), OK_END),)),
    )


def _one_at_a_time(draw: Draw) -> Scripts:
    client = (*alternate(draw.requests(10), (WaitFor("got"),) * 10), HALF_CLOSE, TO_END)
    server = (*(Receive(), Signal("got")) * 10, TO_END, *draw.responses(1), OK_END)
    return Scripts((client,), (server,))


def _empty_message(draw: Draw) -> Scripts:
    client = (*(draw.empty_request(),) * 3, HALF_CLOSE, TO_END)
    return Scripts((client,), ((TO_END, draw.empty_response(), OK_END),))


def _large_message(draw: Draw) -> Scripts:
    client = (draw.large_request(), *draw.requests(1), HALF_CLOSE, TO_END)
    return Scripts((client,), ((TO_END, draw.large_response(), OK_END),))


def _metadata(draw: Draw) -> Scripts:
    server = (SEND_HEADERS, TO_END, *draw.responses(1), OK_WITH_TRAILERS)
    return Scripts(((*draw.requests(2), HALF_CLOSE, TO_END),), (server,), REQUEST)


def _metadata_on_error(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(2), HALF_CLOSE, TO_END),), ((TO_END, SEND_HEADERS, ERROR_WITH_TRAILERS),), REQUEST)


def _headers_first(draw: Draw) -> Scripts:
    first, second = draw.requests(2)
    server = (Receive(), SEND_HEADERS, TO_END, *draw.responses(1), OK_END)
    return Scripts(((first, RECEIVE_HEADERS, second, HALF_CLOSE, TO_END),), (server,))


def _early_ok(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(3), HALF_CLOSE, TO_END),), ((*draw.responses(1), OK_END),))


def _early_reply(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(10), HALF_CLOSE, TO_END),), ((*receive(3), *draw.responses(1), OK_END),))


def _early_error(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(3), HALF_CLOSE, TO_END),), ((SOME_ERROR,),))


def _error_after_3(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(3), HALF_CLOSE, TO_END),), ((*receive(3), SOME_ERROR),))


def _error_after_3_of_10(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(10), HALF_CLOSE, TO_END),), ((*receive(3), SOME_ERROR),))


def _ending_with(draw: Draw, status: Status) -> Scripts:
    return Scripts(((*draw.requests(1), HALF_CLOSE, TO_END),), ((TO_END, Finish(status)),))


def _deadline(draw: Draw) -> Scripts:
    client = (*draw.requests(1), WaitFor("got"), HALF_CLOSE, TO_END)
    return Scripts((client,), ((Receive(), Signal("got"), *ENDED),), timeout_us=DEADLINE_US)


def _deadline_in_time(draw: Draw) -> Scripts:
    client, server = (*draw.requests(10), HALF_CLOSE, TO_END), (TO_END, *draw.responses(1), OK_END)
    return Scripts((client,), (server,), timeout_us=AMPLE_US)


def _cancel_before(draw: Draw) -> Scripts:  # noqa: ARG001  no message is sent
    return Scripts(((CANCEL,),), ((TO_END, *ENDED),))


def _cancel_between(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(3), WaitFor("got"), CANCEL),), ((*receive(3), Signal("got"), TO_END, *ENDED),))


def _cancel_after(draw: Draw) -> Scripts:
    client = (*draw.requests(10), HALF_CLOSE, WaitFor("got"), CANCEL)
    return Scripts((client,), ((TO_END, Signal("got"), *ENDED),))


SHAPES = (
    *map(_count, (0, 1, 2, 10, 1000)),
    CallShape("one_at_a_time_10", "Each request arrives before the next is sent: nobody buffers.", _one_at_a_time),
    CallShape("empty_message", "Messages of zero bytes are messages, and are counted.", _empty_message),
    CallShape("large_message", "1 MiB passes both ways, and the next message after it.", _large_message),
    CallShape("metadata", "Custom metadata travels in the request, before the response and after it.", _metadata),
    CallShape("metadata_on_error", "Custom metadata arrives also when there is no response.", _metadata_on_error),
    CallShape("headers_first", "The initial metadata arrives while the client still sends.", _headers_first),
    CallShape("early_ok", "A response that waits for no request.", _early_ok),
    CallShape("early_reply", "A response after three of ten requests ends the RPC.", _early_reply),
    CallShape("early_error", "An error that waits for no request.", _early_error),
    CallShape("error_after_3", "An error in place of reading the end.", _error_after_3),
    CallShape("error_after_3_of_10", "An error while requests are still on their way.", _error_after_3_of_10),
    *status_shapes(_ending_with),
    CallShape("deadline", "The deadline ends the RPC on both sides.", _deadline),
    CallShape("deadline_in_time", "The server knows the deadline; one that is kept does nothing.", _deadline_in_time),
    CallShape("cancel_before", "A cancel before any message.", _cancel_before),
    CallShape("cancel_between", "A cancel in the middle of the requests reaches the server.", _cancel_between),
    CallShape("cancel_after", "A cancel after the half-close reaches the server while it works.", _cancel_after),
)
