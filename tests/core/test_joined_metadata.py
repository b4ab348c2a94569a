"""Joined metadata is put back as it was sent, and nothing else is."""

import pytest

from grpc_interop.core.case import Case, Entry, Finish, Kind, Method, Receive, ReceiveToEnd, Send, SendHeaders, Status
from grpc_interop.core.joined_metadata import split_joined
from grpc_interop.core.model import model
from grpc_interop.core.transcript import END, ClientTranscript, ServerTranscript
from grpc_interop.core.verdict import compare

KEY = "x-interop-a"


def entries(*values: bytes, key: str = KEY) -> tuple[Entry, ...]:
    return tuple(Entry(key, value) for value in values)


def same(sent: tuple[Entry, ...], seen: tuple[Entry, ...]) -> bool:
    """Whether it passes in each of the three places."""
    method = Method("p.S", "Get", Kind.SERVER_STREAMING, "p.A", "p.B")
    server = (Receive(), SendHeaders(sent), Send(b"b"), Finish(Status(9, "no", trailers=sent)))
    case = Case("calls", "metadata", method, ((Send(b"a"), ReceiveToEnd()),), (server,), sent)
    right = ClientTranscript(((b"b", END),), sent, Status(9, "no", trailers=sent)), ServerTranscript(True, ((b"a",),), sent)
    assert right[0].status is not None
    wrong = [
        (right[0], right[1]._replace(request=seen)),
        (right[0]._replace(initial=seen), right[1]),
        (right[0]._replace(status=right[0].status._replace(trailers=seen)), right[1]),
    ]
    passes = {compare(case, model(case), *split_joined(case, *one))[0] is None for one in wrong}
    assert len(passes) == 1, "every place is judged alike"
    return passes.pop()


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (entries(b"1", b"2", b"3"), entries(b"1,2,3")),
        (entries(b"1", b"2", b"3"), entries(b"1, 2, 3")),
        (entries(b"1", b"2", b"3"), entries(b"1", b"2", b"3")),
        (entries(b"a, b", b"c"), entries(b"a, b,c")),
        (entries(b"a,b", b"c"), entries(b"a,b,c")),
        (entries(b"", b""), entries(b",")),
        (entries(b"1", b"2") + entries(b"3", key="x-interop-b"), entries(b"3", key="x-interop-b") + entries(b"1,2")),
    ],
)
def test_values_may_be_joined(sent: tuple[Entry, ...], seen: tuple[Entry, ...]) -> None:
    assert same(sent, seen)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (entries(b"1", b"2", b"3"), entries(b"1,3")),
        (entries(b"1", b"2", b"3"), entries(b"3,2,1")),
        (entries(b"1", b"2", b"3"), entries(b"1,2,3,4")),
        (entries(b"1", b"2", b"3"), entries(b"1,2, 3")),
        (entries(b"1", b"2", b"3"), entries(b"1;2;3")),
        (entries(b"1", b"2", b"3"), entries(b"1,2", b"3")),
        (entries(b"a, b", b"c"), entries(b"a,b,c")),
        (entries(b"a,b", b"c"), entries(b"a", b"b,c")),
        (entries(b"a,b"), entries(b"a", b"b")),
        (entries(b"1"), entries(b"1,1")),
        ((), entries(b"")),
        (entries(b"1", b"2", key="x-interop-a-bin"), entries(b"1,2", key="x-interop-a-bin")),
    ],
    ids=[
        "lost",
        "another order",
        "one more",
        "two separators",
        "no comma",
        "some",
        "a space lost",
        "apart",
        "split",
        "twice",
        "unsent",
        "binary",
    ],
)
def test_anything_else_differs(sent: tuple[Entry, ...], seen: tuple[Entry, ...]) -> None:
    assert not same(sent, seen)
