"""Frames and parts over a socket, and what is said of bytes that are none."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.connection import MAX_FRAME, PART, Connection, ContractBroken, frame, varint


@pytest.fixture
def pair():
    """A connection and the driver's end of it."""
    ours, theirs = socket.socketpair()
    connection = Connection(ours)
    theirs.settimeout(5)
    yield connection, theirs
    connection.close()
    theirs.close()


def hear(connection: Connection, count: int) -> list[pb.Event]:
    events: list[pb.Event] = []
    for _ in range(10_000):
        if len(events) >= count:
            break
        events += connection.readable()
    return events


def events(*ids: int) -> list[pb.Event]:
    return [pb.Event(id=one, done=pb.Done()) for one in ids]


def test_frames_are_heard_in_order(pair):
    connection, theirs = pair
    theirs.sendall(b"".join(frame(event.SerializeToString()) for event in events(1, 2, 300)))
    assert hear(connection, 3) == events(1, 2, 300)


def test_frames_are_heard_byte_by_byte(pair):
    connection, theirs = pair
    heard = []
    for byte in frame(pb.Event(id=1, error=pb.Error(text="x" * 300)).SerializeToString()):
        assert heard == []
        theirs.sendall(bytes([byte]))
        heard = connection.readable()
    assert [event.error.text for event in heard] == ["x" * 300]


@given(cuts=st.lists(st.integers(1, 400), max_size=20), sizes=st.lists(st.integers(0, 300), min_size=1, max_size=6))
def test_frames_are_heard_however_they_are_cut(cuts, sizes):
    sent = [pb.Event(id=number, error=pb.Error(text="x" * size)) for number, size in enumerate(sizes, 1)]
    data = b"".join(frame(event.SerializeToString()) for event in sent)
    ours, theirs = socket.socketpair()
    connection = Connection(ours)
    heard: list[pb.Event] = []
    with theirs:
        for cut in [*cuts, len(data)]:
            theirs.sendall(data[:cut])
            data = data[cut:]
            heard += connection.readable()
    connection.close()
    assert heard == sent


def test_parts_of_several_events_are_put_together(pair):
    connection, theirs = pair
    whole = {one: pb.Event(id=one, error=pb.Error(text=str(one) * 50)).SerializeToString() for one in (1, 2)}
    for start in range(0, 60, 20):
        for one, data in whole.items():
            part = pb.Event(id=one, part=data[start : start + 20] if start < 40 else data[start:], more=start < 40)
            theirs.sendall(frame(part.SerializeToString()))
    assert [event.error.text for event in hear(connection, 2)] == ["1" * 50, "2" * 50]


@pytest.mark.parametrize("size", [0, 1, MAX_FRAME - 40, MAX_FRAME, PART * 3, PART * 3 + 1])
def test_commands_of_any_size_arrive(pair, size):
    connection, theirs = pair
    command = pb.Command(id=7, payload=pb.Payload(type="a.B", binary=b"x" * size))
    connection.send(command.SerializeToString(), 7)
    got, whole, at = bytearray(), bytearray(), 0
    while connection.wants_to_write:
        connection.writable()
        while len(got) < 1 << 26:
            try:
                theirs.setblocking(False)
                got += theirs.recv(1 << 20)
            except BlockingIOError:
                break
    while at < len(got):
        length = shift = 0
        while True:
            byte = got[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        assert length <= MAX_FRAME
        piece = pb.Command.FromString(bytes(got[at : at + length]))
        at += length
        whole += piece.part
        if not piece.part:
            assert piece == command
            return
        assert (piece.id, piece.WhichOneof("op"), piece.more) == (7, None, at < len(got))
    assert pb.Command.FromString(bytes(whole)) == command


def test_writing_never_waits_for_reading(pair):
    """A driver that stops reading fills the socket; the connection keeps what is left, and still hears."""
    connection, theirs = pair
    connection.send(b"x" * MAX_FRAME, 1)
    for _ in range(20):
        connection.writable()
    assert connection.wants_to_write
    theirs.sendall(frame(events(1)[0].SerializeToString()))
    assert hear(connection, 1) == events(1)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (varint(MAX_FRAME + 1), "sent a frame of 1,048,577 bytes; the most is 1,048,576"),
        (b"\xff" * 8, "sent something that is not the length of a frame"),
        (b"\x05hello", "sent 5 bytes that are not an Event: b'hello'"),
    ],
    ids=["too large", "no length", "no event"],
)
def test_garbage_is_told(pair, data, words):
    connection, theirs = pair
    theirs.sendall(data)
    with pytest.raises(ContractBroken, match=words.replace("(", r"\(")):
        connection.readable()


def test_an_event_without_end_does_not_eat_all_memory(pair, monkeypatch):
    monkeypatch.setattr("grpc_interop.drivers.connection.MAX_EVENT", 1000)
    connection, theirs = pair
    for _ in range(3):
        theirs.sendall(frame(pb.Event(id=1, part=b"x" * 500, more=True).SerializeToString()))
    with pytest.raises(ContractBroken, match="an event of more than 1,000 bytes"):
        hear(connection, 1)


def test_end_is_noticed_after_what_was_said(pair):
    connection, theirs = pair
    theirs.sendall(frame(events(1)[0].SerializeToString()))
    theirs.close()
    assert hear(connection, 1) == events(1)
    assert not connection.closed
    assert connection.readable() == []
    assert connection.closed


@given(st.lists(st.binary(max_size=300), max_size=20), st.lists(st.integers(1, 50), min_size=1))
def test_however_frames_are_cut_the_same_is_heard(texts, cuts):
    ours, theirs = socket.socketpair()
    connection = Connection(ours)
    said = [pb.Event(id=number, transcoded=pb.Message(binary=data)) for number, data in enumerate(texts, 1)]
    data = b"".join(frame(event.SerializeToString()) for event in said)
    heard, at, turn = [], 0, 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        theirs.sendall(data[at : at + size])
        heard += connection.readable()
        at, turn = at + size, turn + 1
    connection.close()
    theirs.close()
    assert heard == said
