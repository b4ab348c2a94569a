"""The relay between a client program and its server: passes everything on, and knows what the client has sent."""

import socket
import threading
from contextlib import suppress

import pytest

from grpc_interop.net.relay import Relay


@pytest.fixture
def echo():
    """A server that answers what it has read to the end, in capitals; its target."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):  # nobody connected, or the client is gone
                sock, _ = listener.accept()
                with sock:
                    read = b"".join(iter(lambda: sock.recv(1024), b""))
                    sock.sendall(read.upper())

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        # A thread that still waits for a connection ends here, and not on another socket with the same number.
        listener.shutdown(socket.SHUT_RDWR)


def connect(target: str) -> socket.socket:
    host, _, port = target.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def test_bytes_and_ends_go_both_ways(echo: str) -> None:
    relay = Relay(echo)
    with connect(relay.target) as client:
        client.sendall(b"hello, ")
        client.sendall(b"world")
        client.shutdown(socket.SHUT_WR)
        assert b"".join(iter(lambda: client.recv(1024), b"")) == b"HELLO, WORLD"
    relay.close()


def test_what_the_client_sends_is_waited_for(echo: str) -> None:
    relay = Relay(echo)
    with connect(relay.target) as client:
        asked = threading.Event()

        def send_the_rest() -> None:
            asked.set()
            client.sendall(b"lo, world")

        client.sendall(b"hel")
        relay.await_sent(b"hel", 30)
        later = threading.Timer(0.3, send_the_rest)
        later.start()
        relay.await_sent(b"hello", 30)
        assert asked.is_set()
        later.join()
    relay.close()


def test_what_never_comes_is_not_waited_for_for_ever(echo: str) -> None:
    relay = Relay(echo)
    relay.await_sent(b"", 0.1)
    relay.close()


def test_a_server_that_is_gone_is_gone_for_the_client(echo: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"127.0.0.1:{listener.getsockname()[1]}"
    relay = Relay(nobody)
    with connect(relay.target) as client:
        assert client.recv(1) == b""
    relay.close()


def test_a_silent_relay_takes_everything_and_passes_nothing_on(echo: str) -> None:
    with Relay(echo) as relay, connect(relay.target) as client:
        client.sendall(b"hello")
        relay.await_sent(b"hello", 30)
        relay.fall_silent()
        client.sendall(b" world")
        relay.await_sent(b"world", 30)
        assert relay.up == len(b"hello world")
        client.shutdown(socket.SHUT_WR)
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_bytes_are_counted_in_each_direction(echo: str) -> None:
    with Relay(echo) as relay, connect(relay.target) as client:
        client.sendall(b"hello")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(10) == b"HELLO"
        assert (relay.up, relay.down) == (5, 5)


def test_bytes_count_as_sent_when_the_server_has_them(echo: str) -> None:
    """
    From then on a server may answer too early: a program waits a little for that.
    """

    passed_on: list[tuple[bytes, bytes]] = []

    class Server:
        def sendall(self, data: bytes) -> None:
            passed_on.append((data, relay._sent))

        def shutdown(self, how: int) -> None:
            pass

    relay = Relay(echo)
    client, source = socket.socketpair()
    with client, source:
        client.sendall(b"hello")
        client.shutdown(socket.SHUT_WR)
        relay._pass_on(source, Server(), True)  # type: ignore[arg-type]
    assert passed_on == [(b"hello", b"")]
    relay.await_sent(b"hello", 0)
    assert (relay._sent, relay.up) == (b"hello", 5)
    relay.close()
