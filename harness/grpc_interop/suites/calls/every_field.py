"""Every field that an RPC's messages can reach, in both directions, in as few calls as their oneofs allow."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from grpc_interop.core.case import Kind, Lane, Method, Receive, Send
from grpc_interop.suites.calls.draw import Draw
from grpc_interop.suites.calls.shape import HALF_CLOSE, OK_END, TO_END, CallShape, Scripts
from grpc_interop.values.samples import Values

NAME = "every_field"


def every_field_shapes(method: Method, values: Values) -> Iterator[CallShape]:
    """The calls, numbered from the second on. Streams carry all messages in one; where a side may send only one, there
    are as many calls as it has messages."""
    requests, responses = (tuple(map(Send, values.every_field(name))) for name in (method.request, method.response))
    calls = zip_longest(
        [requests] if method.kind.client_streams else [(send,) for send in requests],
        [responses] if method.kind.server_streams else [(send,) for send in responses],
    )
    for number, (ours, theirs) in enumerate(calls, 1):
        # Whichever side has said everything repeats its first message, where it must say something.
        sent = ours if ours is not None else requests[:1]
        answered = theirs if theirs is not None else responses[:1]
        yield _shape(NAME if number == 1 else f"{NAME}_{number}", method.kind, sent, answered)


def _shape(name: str, kind: Kind, requests: Lane, responses: Lane) -> CallShape:
    """The other side is reading whenever one writes, so that the messages may be of any size and number."""
    client: Lane = (*requests, HALF_CLOSE, TO_END) if kind.client_streams else (*requests, TO_END)
    server: Lane = (TO_END if kind.client_streams else Receive(), *responses, OK_END)

    def scripts(_draw: Draw) -> Scripts:
        return Scripts((client,), (server,))

    return CallShape(name, "Every field that the messages can reach arrives with a value of its own.", scripts)
