"""Bidirectional streaming: anything, in any order that both sides agree on."""

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
    lanes,
    receive,
    status_shapes,
)


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


def _headers_first(draw: Draw) -> Scripts:
    first, second = draw.requests(2)
    server = (Receive(), SEND_HEADERS, TO_END, *draw.responses(2), OK_END)
    return Scripts(((first, RECEIVE_HEADERS, second, HALF_CLOSE, TO_END),), (server,))


def _ending_with(draw: Draw, status: Status) -> Scripts:
    client = (*draw.requests(1), HALF_CLOSE, TO_END)
    return Scripts((client,), ((TO_END, *draw.responses(1), Finish(status)),))


SHAPES = (
    CallShape("none", "No message at all: the end, and the status.", lambda _: lanes((HALF_CLOSE, TO_END), (TO_END, OK_END))),
    _ping_pong(1, "one"),
    _ping_pong(2, "two"),
    _ping_pong(10, "ping_pong_10"),
    *map(_all_in_then_all_out, (10, 1000)),
    *map(_both_lanes, (10, 1000)),
    CallShape(
        "server_first",
        "The server speaks before it has heard anything.",
        lambda draw: lanes((*receive(3), *draw.requests(3), HALF_CLOSE, TO_END), (*draw.responses(3), TO_END, OK_END)),
    ),
    CallShape(
        "half_close_at_once",
        "A client with nothing to say still gets its answer.",
        lambda draw: lanes((HALF_CLOSE, TO_END), (TO_END, *draw.responses(1), OK_END)),
    ),
    CallShape(
        "ten_after_half_close",
        "The half-close ends one direction only.",
        lambda draw: lanes((*draw.requests(1), HALF_CLOSE, TO_END), (TO_END, *draw.responses(10), OK_END)),
    ),
    CallShape(
        "no_half_close",
        "The server may end an RPC whose client has not half-closed.",
        lambda draw: lanes((*alternate(draw.requests(3), receive(3)), TO_END), (*alternate(receive(3), draw.responses(3)), OK_END)),
    ),
    CallShape(
        "empty_message",
        "Messages of zero bytes are messages, and are counted.",
        lambda draw: lanes((*(draw.empty_request(),) * 3, HALF_CLOSE, TO_END), (TO_END, *(draw.empty_response(),) * 3, OK_END)),
    ),
    CallShape(
        "large_message",
        "1 MiB passes both ways, and the next message after it.",
        lambda draw: lanes(
            (draw.large_request(), Receive(), *draw.requests(1), HALF_CLOSE, TO_END),
            (Receive(), draw.large_response(), TO_END, *draw.responses(1), OK_END),
        ),
    ),
    CallShape(
        "metadata",
        "Custom metadata travels in the request, before the responses and after them.",
        lambda draw: lanes(
            (*alternate(draw.requests(2), receive(2)), HALF_CLOSE, TO_END),
            (SEND_HEADERS, *alternate(receive(2), draw.responses(2)), TO_END, OK_WITH_TRAILERS),
            REQUEST,
        ),
    ),
    CallShape(
        "metadata_on_error",
        "Custom metadata arrives also when the RPC fails.",
        lambda draw: lanes((*draw.requests(1), TO_END), (Receive(), SEND_HEADERS, *draw.responses(1), ERROR_WITH_TRAILERS), REQUEST),
    ),
    CallShape("headers_first", "The initial metadata arrives before any response.", _headers_first),
    CallShape(
        "early_ok",
        "The server ends well without having read anything.",
        lambda draw: lanes((*draw.requests(3), HALF_CLOSE, TO_END), (*draw.responses(1), OK_END)),
    ),
    CallShape(
        "early_reply",
        "The server ends well after three of ten messages.",
        lambda draw: lanes((*draw.requests(10), HALF_CLOSE, TO_END), (*receive(3), *draw.responses(3), OK_END)),
    ),
    CallShape(
        "early_error", "An error that waits for no message.", lambda draw: lanes((*draw.requests(3), HALF_CLOSE, TO_END), (SOME_ERROR,))
    ),
    CallShape(
        "error_after_3",
        "What was answered before an error arrives, then the error.",
        lambda draw: lanes((*alternate(draw.requests(3), receive(3)), TO_END), (*alternate(receive(3), draw.responses(3)), SOME_ERROR)),
    ),
    CallShape(
        "error_after_3_of_10",
        "The same while messages of the client are still on their way.",
        lambda draw: lanes((*draw.requests(10), HALF_CLOSE, TO_END), (*alternate(receive(3), draw.responses(3)), SOME_ERROR)),
    ),
    *status_shapes(_ending_with),
    CallShape(
        "deadline",
        "The deadline ends the RPC on both sides, after a round trip.",
        lambda draw: lanes((*draw.requests(1), Receive(), TO_END), (Receive(), *draw.responses(1), *ENDED), timeout_us=DEADLINE_US),
    ),
    CallShape(
        "deadline_in_time",
        "The server knows the deadline; one that is kept does nothing.",
        lambda draw: lanes((*draw.requests(3), HALF_CLOSE, TO_END), (TO_END, *draw.responses(3), OK_END), timeout_us=AMPLE_US),
    ),
    CallShape("cancel_before", "A cancel before any message.", lambda _: lanes((CANCEL,), (TO_END, *ENDED))),
    CallShape(
        "cancel_between",
        "A cancel between messages reaches the server.",
        lambda draw: lanes((*alternate(draw.requests(3), receive(3)), CANCEL), (*alternate(receive(3), draw.responses(3)), TO_END, *ENDED)),
    ),
    CallShape(
        "cancel_after",
        "A cancel after the last message, while the server does not end, reaches it.",
        lambda draw: lanes((*draw.requests(10), HALF_CLOSE, *receive(10), CANCEL), (TO_END, *draw.responses(10), *ENDED)),
    ),
)
