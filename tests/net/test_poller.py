"""The poller: callbacks of readable sockets, and writing as far as the sockets take it."""

import socket
from collections.abc import Iterator

import pytest

from grpc_interop.net.poller import Poller


@pytest.fixture
def poller() -> Iterator[Poller]:
    poller = Poller()
    yield poller
    poller.close()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ends = socket.socketpair()
    with ends[0], ends[1]:
        yield ends


def test_only_the_callbacks_of_readable_sockets_are_due(poller: Poller, ends: tuple[socket.socket, socket.socket]) -> None:
    ours, other = ends
    poller.register(ours, lambda: None)
    assert poller.wait(0) == []
    other.sendall(b"x")
    assert len(poller.wait(5)) == 1


def test_a_callback_is_not_called_by_the_poller_itself(poller: Poller, ends: tuple[socket.socket, socket.socket]) -> None:
    ours, other = ends
    heard: list[bytes] = []
    poller.register(ours, lambda: heard.append(ours.recv(10)))
    other.sendall(b"x")
    (callback,) = poller.wait(5)
    assert heard == []
    callback()
    assert heard == [b"x"]


def test_a_socket_that_is_full_is_written_to_when_it_has_room(poller: Poller, ends: tuple[socket.socket, socket.socket]) -> None:
    ours, other = ends
    ours.setblocking(False)
    left = bytearray(4_000_000)

    def write() -> bool:
        try:
            del left[: ours.send(left)]
        except BlockingIOError:
            pass
        return bool(left)

    poller.register(ours, lambda: None, write)
    poller.flush()
    assert left
    read = 0
    while read < 4_000_000:
        read += len(other.recv(1 << 20))
        assert poller.wait(0) == []
    assert not left


def test_a_socket_that_is_not_watched_may_be_unregistered(poller: Poller, ends: tuple[socket.socket, socket.socket]) -> None:
    ours, other = ends
    poller.unregister(ours)
    poller.register(ours, lambda: None)
    poller.unregister(ours)
    other.sendall(b"x")
    assert poller.wait(0) == []
    ours.close()
    poller.unregister(ours)
