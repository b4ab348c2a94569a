"""The service that every checked driver is built with (proto/greeter/v1/greeter.proto), and cases for it. Each of
its messages holds a text, so their bytes can be written by hand."""

from typing import Any

from grpc_interop.core.case import OK, Case, Finish, HalfClose, Kind, Lane, Method, Receive, ReceiveToEnd, Script, Send, Status
from grpc_interop.drivers.connection import varint

_SERVICE = "greeter.v1.Greeter"
_ITEM, _ANSWER = "greeter.v1.StreamReqData", "greeter.v1.StreamResData"

SAY_HELLO = Method(_SERVICE, "SayHello", Kind.UNARY, "greeter.v1.HelloRequest", "greeter.v1.HelloReply")
GET_STREAM = Method(_SERVICE, "GetStream", Kind.SERVER_STREAMING, _ITEM, _ANSWER)
PUT_STREAM = Method(_SERVICE, "PutStream", Kind.CLIENT_STREAMING, _ITEM, _ANSWER)
ALL_STREAM = Method(_SERVICE, "AllStream", Kind.BIDI_STREAMING, _ITEM, _ANSWER)

METHODS = (SAY_HELLO, GET_STREAM, PUT_STREAM, ALL_STREAM)


def text(words: str | bytes) -> bytes:
    """Return a message of any of the service's types: field 1 holds the text. An empty text is an empty message."""
    content = words.encode() if isinstance(words, str) else words
    return b"\x0a" + varint(len(content)) + content if content else b""


def case(name: str, method: Method, client: Lane | Script, server: Lane | Script, **options: Any) -> Case:
    """Return a case of these scripts. A script of a single lane may be given as that lane."""
    return Case("check-driver", name, method, _script(client), _script(server), **options)


def _script(lanes: Lane | Script) -> Script:
    return lanes if lanes and isinstance(lanes[0], tuple) else (lanes,)  # type: ignore[return-value]


def exchange(name: str, method: Method, requests: int = 1, answers: int = 1, status: Status = OK, **options: Any) -> Case:
    """Return a case in which the client sends all its messages, then the server, which ends with the status. A method without
    a stream has a single message in that direction, or none where the server ends with an error."""
    streams, answered = method.kind.client_streams, method.kind.server_streams
    sends = tuple(Send(text(f"request {number}")) for number in range(requests if streams else 1))
    client: Lane = (*sends, HalfClose(), ReceiveToEnd()) if streams else (*sends, ReceiveToEnd())
    wanted = answers if answered else int(status.code == 0)
    replies = tuple(Send(text(f"answer {number}")) for number in range(wanted))
    server: Lane = (ReceiveToEnd() if streams else Receive(), *replies, Finish(status))
    return case(name, method, client, server, **options)
