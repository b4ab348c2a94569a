"""Bidirectional streaming: anything, in any order that both sides agree on."""

from __future__ import annotations

from grpc_interop.core.case import Finish, Receive, Status
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


def _none(draw: Draw) -> Scripts:  # noqa: ARG001  no message is sent
    return Scripts(((HALF_CLOSE, TO_END),), ((TO_END, OK_END),))


def _ping_pong(count: int, name: str) -> CallShape:
    def scripts(draw: Draw) -> Scripts:
        client = (*alternate(draw.requests(count), receive(count)), HALF_CLOSE, TO_END)
        server = (*alternate(receive(count), draw.responses(count)), TO_END, OK_END)
        return Scripts((client,), (server,))

    return CallShape(name, f"{count} times a question and its answer: nobody buffers.", scripts)


def _all_in_then_all_out(count: int) -> CallShape:
    return CallShape(
        f"all_in_then_all_out_{count}",
        f"{count} messages in, the end of them, {count} messages out.",
        lambda draw: Scripts(((*draw.requests(count), HALF_CLOSE, TO_END),), ((TO_END, *draw.responses(count), OK_END),)),
    )


def _both_lanes(count: int) -> CallShape:
    return CallShape(
        f"both_lanes_{count}",
        f"Both sides send {count} messages while they receive as many.",
        lambda draw: Scripts(((*draw.requests(count), HALF_CLOSE), (TO_END,)), ((TO_END,), (*draw.responses(count), OK_END))),
    )


def _server_first(draw: Draw) -> Scripts:
    client = (*receive(3), *draw.requests(3), HALF_CLOSE, TO_END)
    return Scripts((client,), ((*draw.responses(3), TO_END, OK_END),))


def _half_close_at_once(draw: Draw) -> Scripts:
    return Scripts(((HALF_CLOSE, TO_END),), ((TO_END, *draw.responses(1), OK_END),))


def _ten_after_half_close(draw: Draw) -> Scripts:
    client = (*draw.requests(1), HALF_CLOSE, TO_END)
    return Scripts((client,), ((TO_END, *draw.responses(10), OK_END),))


def _no_half_close(draw: Draw) -> Scripts:
    client = (*alternate(draw.requests(3), receive(3)), TO_END)
    return Scripts((client,), ((*alternate(receive(3), draw.responses(3)), OK_END),))


def _empty_message(draw: Draw) -> Scripts:
    client = (*(draw.empty_request(),) * 3, HALF_CLOSE, TO_END)
    return Scripts((client,), ((TO_END, *(draw.empty_response(),) * 3, OK_END),))


def _large_message(draw: Draw) -> Scripts:
    client = (draw.large_request(), Receive(), *draw.requests(1), HALF_CLOSE, TO_END)
    server = (Receive(), draw.large_response(), TO_END, *draw.responses(1), OK_END)
    return Scripts((client,), (server,))


def _metadata(draw: Draw) -> Scripts:
    client = (*alternate(draw.requests(2), receive(2)), HALF_CLOSE, TO_END)
    server = (SEND_HEADERS, *alternate(receive(2), draw.responses(2)), TO_END, OK_WITH_TRAILERS)
    return Scripts((client,), (server,), REQUEST)


def _metadata_on_error(draw: Draw) -> Scripts:
    server = (Receive(), SEND_HEADERS, *draw.responses(1), ERROR_WITH_TRAILERS)
    return Scripts(((*draw.requests(1), TO_END),), (server,), REQUEST)


def _headers_first(draw: Draw) -> Scripts:
    first, second = draw.requests(2)
    server = (Receive(), SEND_HEADERS, TO_END, *draw.responses(2), OK_END)
    return Scripts(((first, RECEIVE_HEADERS, second, HALF_CLOSE, TO_END),), (server,))


def _early_ok(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(3), HALF_CLOSE, TO_END),), ((*draw.responses(1), OK_END),))


def _early_reply(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(10), HALF_CLOSE, TO_END),), ((*receive(3), *draw.responses(3), OK_END),))


def _early_error(draw: Draw) -> Scripts:
    return Scripts(((*draw.requests(3), HALF_CLOSE, TO_END),), ((SOME_ERROR,),))


def _error_after_3(draw: Draw) -> Scripts:
    client = (*alternate(draw.requests(3), receive(3)), TO_END)
    return Scripts((client,), ((*alternate(receive(3), draw.responses(3)), SOME_ERROR),))


def _error_after_3_of_10(draw: Draw) -> Scripts:
    client = (*draw.requests(10), HALF_CLOSE, TO_END)
    return Scripts((client,), ((*alternate(receive(3), draw.responses(3)), SOME_ERROR),))


def _ending_with(draw: Draw, status: Status) -> Scripts:
    client = (*draw.requests(1), HALF_CLOSE, TO_END)
    return Scripts((client,), ((TO_END, *draw.responses(1), Finish(status)),))


def _deadline(draw: Draw) -> Scripts:
    client = (*draw.requests(1), Receive(), TO_END)
    return Scripts((client,), ((Receive(), *draw.responses(1), *ENDED),), timeout_us=DEADLINE_US)


def _deadline_in_time(draw: Draw) -> Scripts:
    client, server = (*draw.requests(3), HALF_CLOSE, TO_END), (TO_END, *draw.responses(3), OK_END)
    return Scripts((client,), (server,), timeout_us=AMPLE_US)


def _cancel_before(draw: Draw) -> Scripts:  # noqa: ARG001  no message is sent
    return Scripts(((CANCEL,),), ((TO_END, *ENDED),))


def _cancel_between(draw: Draw) -> Scripts:
    client = (*alternate(draw.requests(3), receive(3)), CANCEL)
    return Scripts((client,), ((*alternate(receive(3), draw.responses(3)), TO_END, *ENDED),))


def _cancel_after(draw: Draw) -> Scripts:
    client = (*draw.requests(10), HALF_CLOSE, *receive(10), CANCEL)
    return Scripts((client,), ((TO_END, *draw.responses(10), *ENDED),))


SHAPES = (
    CallShape("none", "No message at all: the end, and the status.", _none),
    _ping_pong(1, "one"),
    _ping_pong(2, "two"),
    _ping_pong(10, "ping_pong_10"),
    *map(_all_in_then_all_out, (10, 1000)),
    *map(_both_lanes, (10, 1000)),
    CallShape("server_first", "The server speaks before it has heard anything.", _server_first),
    CallShape("half_close_at_once", "A client with nothing to say still gets its answer.", _half_close_at_once),
    CallShape("ten_after_half_close", "The half-close ends one direction only.", _ten_after_half_close),
    CallShape("no_half_close", "The server may end an RPC whose client has not half-closed.", _no_half_close),
    CallShape("empty_message", "Messages of zero bytes are messages, and are counted.", _empty_message),
    CallShape("large_message", "1 MiB passes both ways, and the next message after it.", _large_message),
    CallShape("metadata", "Custom metadata travels in the request, before the responses and after them.", _metadata),
    CallShape("metadata_on_error", "Custom metadata arrives also when the RPC fails.", _metadata_on_error),
    CallShape("headers_first", "The initial metadata arrives before any response.", _headers_first),
    CallShape("early_ok", "The server ends well without having read anything.", _early_ok),
    CallShape("early_reply", "The server ends well after three of ten messages.", _early_reply),
    CallShape("early_error", "An error that waits for no message.", _early_error),
    CallShape("error_after_3", "What was answered before an error arrives, then the error.", _error_after_3),
    CallShape("error_after_3_of_10", "The same while messages of the client are still on their way.", _error_after_3_of_10),
    *status_shapes(_ending_with),
    CallShape("deadline", "The deadline ends the RPC on both sides, after a round trip.", _deadline),
    CallShape("deadline_in_time", "The server knows the deadline; one that is kept does nothing.", _deadline_in_time),
    CallShape("cancel_before", "A cancel before any message.", _cancel_before),
    CallShape("cancel_between", "A cancel between messages reaches the server.", _cancel_between),
    CallShape("cancel_after", "A cancel after the last message, while the server does not end, reaches it.", _cancel_after),
)
