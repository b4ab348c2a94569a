"""Every field that an RPC's messages can reach, in both directions, in as few calls as their oneofs allow."""

from collections.abc import Iterator
from itertools import zip_longest

from grpc_interop.core.case import Kind, Lane, Method, Receive, Send
from grpc_interop.suites.calls.draw import Draw
from grpc_interop.suites.calls.shape import HALF_CLOSE, OK_END, TO_END, CallShape, Scripts
from grpc_interop.values.samples import Values

NAME = "every_field"


def every_field_shapes(method: Method, values: Values) -> Iterator[CallShape]:
    """Yield the calls, numbered from the second on. A stream carries all messages in one call; where a side may send only one
    message, there are as many calls as it has messages."""
    requests, responses = (tuple(map(Send, values.every_field(name))) for name in (method.request, method.response))
    calls = zip_longest(
        [requests] if method.kind.client_streams else [(send,) for send in requests],
        [responses] if method.kind.server_streams else [(send,) for send in responses],
    )
    for number, (sent, answered) in enumerate(calls, 1):
        # A side that has sent everything repeats its first message, where it must send something.
        name = NAME if number == 1 else f"{NAME}_{number}"
        yield _shape(name, method.kind, requests[:1] if sent is None else sent, responses[:1] if answered is None else answered)


def _shape(name: str, kind: Kind, requests: Lane, responses: Lane) -> CallShape:
    """Return a shape in which each side reads while the other writes, so that messages may be of any size and number."""
    client: Lane = (*requests, HALF_CLOSE, TO_END) if kind.client_streams else (*requests, TO_END)
    server: Lane = (TO_END if kind.client_streams else Receive(), *responses, OK_END)

    def scripts(_draw: Draw) -> Scripts:
        return Scripts((client,), (server,))

    return CallShape(name, "Every field that the messages can reach arrives with a value of its own.", scripts)
