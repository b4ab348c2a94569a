"""Server streaming: one request, many responses."""

from grpc_interop.core.case import Finish, Receive, Signal, Status, WaitFor
from grpc_interop.suites.calls.draw import Draw
from grpc_interop.suites.calls.shape import (
    AMPLE_US,
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
    alternate,
    lanes,
    receive,
    status_shapes,
)


def _count(count: int) -> CallShape:
    words = {0: "none", 1: "one", 2: "two", 10: "ten", 1000: "thousand"}
    return CallShape(
        words[count],
        f"{count} responses: none lost, none added, in order, then the end.",
        lambda draw: Scripts(((*draw.requests(1), TO_END),), ((Receive(), *draw.responses(count), OK_END),)),
    )


def _ending_with(draw: Draw, status: Status) -> Scripts:
    return Scripts(((*draw.requests(1), TO_END),), ((Receive(), *draw.responses(1), Finish(status)),))


SHAPES = (
    *map(_count, (0, 1, 2, 10, 1000)),
    CallShape(
        "one_at_a_time_10",
        "Each response arrives before the next is sent: nobody buffers.",
        lambda draw: lanes(
            (*draw.requests(1), *(Receive(), Signal("got")) * 10, TO_END),
            (Receive(), *alternate(draw.responses(10), (WaitFor("got"),) * 10), OK_END),
        ),
    ),
    CallShape(
        "empty_message",
        "Messages of zero bytes are messages, and are counted.",
        lambda draw: lanes((draw.empty_request(), TO_END), (Receive(), *(draw.empty_response(),) * 3, OK_END)),
    ),
    CallShape(
        "large_message",
        "1 MiB passes both ways, and the next message after it.",
        lambda draw: lanes((draw.large_request(), TO_END), (Receive(), draw.large_response(), *draw.responses(1), OK_END)),
    ),
    CallShape(
        "metadata",
        "Custom metadata travels in the request, before the responses and after them.",
        lambda draw: lanes((*draw.requests(1), TO_END), (Receive(), SEND_HEADERS, *draw.responses(2), OK_WITH_TRAILERS), REQUEST),
    ),
    CallShape(
        "metadata_on_error",
        "Custom metadata arrives also when the RPC fails.",
        lambda draw: lanes((*draw.requests(1), TO_END), (Receive(), SEND_HEADERS, *draw.responses(1), ERROR_WITH_TRAILERS), REQUEST),
    ),
    CallShape(
        "headers_first",
        "The client can have the initial metadata before it takes a response.",
        lambda draw: lanes((*draw.requests(1), RECEIVE_HEADERS, TO_END), (Receive(), SEND_HEADERS, *draw.responses(2), OK_END)),
    ),
    CallShape(
        "early_error", "An error that does not wait for the request.", lambda draw: lanes((*draw.requests(1), TO_END), (SOME_ERROR,))
    ),
    CallShape(
        "error_after_3",
        "What was sent before an error arrives, then the error.",
        lambda draw: lanes((*draw.requests(1), TO_END), (Receive(), *draw.responses(3), SOME_ERROR)),
    ),
    *status_shapes(_ending_with),
    CallShape(
        "deadline",
        "The deadline ends the RPC on both sides, after the response that came.",
        lambda draw: lanes((*draw.requests(1), Receive(), TO_END), (Receive(), *draw.responses(1), *ENDED), timeout_us=DEADLINE_US),
    ),
    CallShape(
        "deadline_in_time",
        "The server knows the deadline; one that is kept does nothing.",
        lambda draw: lanes((*draw.requests(1), TO_END), (Receive(), *draw.responses(10), OK_END), timeout_us=AMPLE_US),
    ),
    CallShape(
        "cancel_before", "A cancel that may overtake the request.", lambda draw: lanes((*draw.requests(1), CANCEL), (Receive(), *ENDED))
    ),
    CallShape(
        "cancel_between",
        "A cancel after three of ten responses reaches the server.",
        lambda draw: lanes((*draw.requests(1), *receive(3), CANCEL), (Receive(), *draw.responses(10), *ENDED)),
    ),
    CallShape(
        "cancel_after",
        "A cancel after all responses, while the server does not end, reaches it.",
        lambda draw: lanes((*draw.requests(1), *receive(10), CANCEL), (Receive(), *draw.responses(10), *ENDED)),
    ),
)
