"""Client streaming: many requests, one response."""

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
    lanes,
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


def _headers_first(draw: Draw) -> Scripts:
    first, second = draw.requests(2)
    server = (Receive(), SEND_HEADERS, TO_END, *draw.responses(1), OK_END)
    return Scripts(((first, RECEIVE_HEADERS, second, HALF_CLOSE, TO_END),), (server,))


def _ending_with(draw: Draw, status: Status) -> Scripts:
    return Scripts(((*draw.requests(1), HALF_CLOSE, TO_END),), ((TO_END, Finish(status)),))


SHAPES = (
    *map(_count, (0, 1, 2, 10, 1000)),
    CallShape(
        "one_at_a_time_10",
        "Each request arrives before the next is sent: nobody buffers.",
        lambda draw: lanes(
            (*alternate(draw.requests(10), (WaitFor("got"),) * 10), HALF_CLOSE, TO_END),
            (*(Receive(), Signal("got")) * 10, TO_END, *draw.responses(1), OK_END),
        ),
    ),
    CallShape(
        "empty_message",
        "Messages of zero bytes are messages, and are counted.",
        lambda draw: lanes((*(draw.empty_request(),) * 3, HALF_CLOSE, TO_END), (TO_END, draw.empty_response(), OK_END)),
    ),
    CallShape(
        "large_message",
        "1 MiB passes both ways, and the next message after it.",
        lambda draw: lanes((draw.large_request(), *draw.requests(1), HALF_CLOSE, TO_END), (TO_END, draw.large_response(), OK_END)),
    ),
    CallShape(
        "metadata",
        "Custom metadata travels in the request, before the response and after it.",
        lambda draw: lanes((*draw.requests(2), HALF_CLOSE, TO_END), (SEND_HEADERS, TO_END, *draw.responses(1), OK_WITH_TRAILERS), REQUEST),
    ),
    CallShape(
        "metadata_on_error",
        "Custom metadata arrives also when there is no response.",
        lambda draw: lanes((*draw.requests(2), HALF_CLOSE, TO_END), (TO_END, SEND_HEADERS, ERROR_WITH_TRAILERS), REQUEST),
    ),
    CallShape("headers_first", "The initial metadata arrives while the client still sends.", _headers_first),
    CallShape(
        "early_ok",
        "A response that waits for no request.",
        lambda draw: lanes((*draw.requests(3), HALF_CLOSE, TO_END), (*draw.responses(1), OK_END)),
    ),
    CallShape(
        "early_reply",
        "A response after three of ten requests ends the RPC.",
        lambda draw: lanes((*draw.requests(10), HALF_CLOSE, TO_END), (*receive(3), *draw.responses(1), OK_END)),
    ),
    CallShape(
        "early_error", "An error that waits for no request.", lambda draw: lanes((*draw.requests(3), HALF_CLOSE, TO_END), (SOME_ERROR,))
    ),
    CallShape(
        "error_after_3",
        "An error in place of reading the end.",
        lambda draw: lanes((*draw.requests(3), HALF_CLOSE, TO_END), (*receive(3), SOME_ERROR)),
    ),
    CallShape(
        "error_after_3_of_10",
        "An error while requests are still on their way.",
        lambda draw: lanes((*draw.requests(10), HALF_CLOSE, TO_END), (*receive(3), SOME_ERROR)),
    ),
    *status_shapes(_ending_with),
    CallShape(
        "deadline",
        "The deadline ends the RPC on both sides.",
        lambda draw: lanes(
            (*draw.requests(1), WaitFor("got"), HALF_CLOSE, TO_END), (Receive(), Signal("got"), *ENDED), timeout_us=DEADLINE_US
        ),
    ),
    CallShape(
        "deadline_in_time",
        "The server knows the deadline; one that is kept does nothing.",
        lambda draw: lanes((*draw.requests(10), HALF_CLOSE, TO_END), (TO_END, *draw.responses(1), OK_END), timeout_us=AMPLE_US),
    ),
    CallShape("cancel_before", "A cancel before any message.", lambda _: lanes((CANCEL,), (TO_END, *ENDED))),
    CallShape(
        "cancel_between",
        "A cancel in the middle of the requests reaches the server.",
        lambda draw: lanes((*draw.requests(3), WaitFor("got"), CANCEL), (*receive(3), Signal("got"), TO_END, *ENDED)),
    ),
    CallShape(
        "cancel_after",
        "A cancel after the half-close reaches the server while it works.",
        lambda draw: lanes((*draw.requests(10), HALF_CLOSE, WaitFor("got"), CANCEL), (TO_END, Signal("got"), *ENDED)),
    ),
)
