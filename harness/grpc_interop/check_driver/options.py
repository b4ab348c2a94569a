"""What servers and channels can be made with. What travels is measured by a relay between the two."""

from __future__ import annotations

import functools
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from grpc_interop.check_driver.bench import NOTHING, Bench, Duo
from grpc_interop.check_driver.certificate import Certificate, make_certificate
from grpc_interop.check_driver.greeter import ALL_STREAM, SAY_HELLO, text
from grpc_interop.check_driver.promises import Chapter, NotKept
from grpc_interop.drivers import driver_pb2 as pb

options = Chapter("10.6 Options of servers and channels")

LIMIT = 4096
"""Bytes that a side accepts, far below every runtime's default of 4 MiB."""

RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, UNAVAILABLE = 8, 4, 14

COMPRESSIBLE = "compress me " * 10_000
"""120 KB that any compression makes a hundredth of."""


@options.check("keeps its limit for messages", needs="max_receive_bytes")
def keeps_its_limit(bench: Bench) -> None:
    """`max_receive_bytes` at either side makes a larger message end the call with RESOURCE_EXHAUSTED at the client."""
    limited = pb.Options(max_receive_bytes=LIMIT)
    for name, server, client in (("server", limited, None), ("client", None, limited)):
        duo = bench.duo
        duo.serve(server, ["max_receive_bytes"])
        duo.dial(client, ["max_receive_bytes"])
        within = _exchange(duo, "x" * (LIMIT // 2))
        if within.code != 0:
            raise NotKept(f"with a limit of {LIMIT} at the {name} a message of half the size ended with status {within.code}")
        beyond = _exchange(duo, "x" * (2 * LIMIT))
        if beyond.code != RESOURCE_EXHAUSTED:
            raise NotKept(f"with a limit of {LIMIT} at the {name} one of twice the size ended with status {beyond.code}, not 8")
    bench.clear_away()


def _compresses(bench: Bench, name: str) -> None:
    """Channel, server and single call compress what they send, and all messages arrive as they were."""
    need = f"compression:{name}"
    compressed = pb.Options(compression=name)
    duo = bench.duo
    duo.serve(compressed, [need])
    with _relay(duo.address) as relay:
        duo.dial(compressed, [need], relay.address)
        _small(duo, relay.counts, "channel and server", upwards=True, downwards=True)
        duo.dial(None, (), relay.address)
        _small(duo, relay.counts, "call", upwards=True, downwards=True, requires=[need], compression=name)
    bench.clear_away()


@options.check("compresses with gzip", needs="compression:gzip")
def compresses_with_gzip(bench: Bench) -> None:
    """Channel, server and single call send compressed with gzip, and the messages arrive as they were."""
    _compresses(bench, "gzip")


@options.check("compresses with deflate", needs="compression:deflate")
def compresses_with_deflate(bench: Bench) -> None:
    """Channel, server and single call send compressed with deflate, and the messages arrive as they were."""
    _compresses(bench, "deflate")


@options.check("takes keepalive", needs="keepalive")
def takes_keepalive(bench: Bench) -> None:
    """Servers and channels can be made with keepalive, and work as before."""
    pings = pb.Options(keepalive=pb.Keepalive(time_ms=10_000, timeout_ms=5_000))
    duo = bench.duo
    duo.serve(pings, ["keepalive"])
    duo.dial(pings, ["keepalive"])
    status = _exchange(duo, "World")
    if status.code != 0:
        raise NotKept(f"a unary call ended with status {status.code} ({status.message})")
    bench.clear_away()


@options.check("obeys a service config", needs="service_config")
def obeys_service_config(bench: Bench) -> None:
    """A channel with a service config obeys it: its timeout ends a call that does not end."""
    duo = bench.duo
    config = '{"methodConfig": [{"name": [{"service": "greeter.v1.Greeter"}], "timeout": "0.5s"}]}'
    duo.dial(pb.Options(service_config=config), ["service_config"])
    play = duo.new_play()
    duo.expect(play, ALL_STREAM, pb.Step(receive_to_end=NOTHING), pb.Step(finish=pb.Status(code=5)))
    duo.call(play, ALL_STREAM, pb.Step(receive_to_end=NOTHING))
    code = duo.client.answer(play, "transcript").transcript.status.code
    if code != DEADLINE_EXCEEDED:
        raise NotKept(f"with a timeout of 0.5 s in its service config the call ended with status {code}; 4 was due")
    bench.clear_away()


@options.check("speaks TLS", needs="tls")
def speaks_tls(bench: Bench) -> None:
    """A channel with the server's roots reaches it; one with others, or without TLS, ends in UNAVAILABLE."""
    mine, another = _certificates()
    duo = bench.duo
    duo.serve(pb.Options(tls=pb.Tls(chain=mine.chain, key=mine.key)), ["tls"])
    for who, roots, code in (
        ("the server's roots", mine.chain, 0),
        ("other roots", another.chain, UNAVAILABLE),
        ("no TLS", b"", UNAVAILABLE),
    ):
        duo.dial(pb.Options(tls=pb.Tls(roots=roots)) if roots else None, ["tls"] if roots else [])
        _ends_with(duo, f"a channel with {who}", code)
    bench.clear_away()


@options.check("asks for a client certificate", needs="tls")
def asks_for_certificate(bench: Bench) -> None:
    """A server with roots takes only clients with a certificate of these (mutual TLS)."""
    server, client = _certificates()
    duo = bench.duo
    duo.serve(pb.Options(tls=pb.Tls(roots=client.chain, chain=server.chain, key=server.key)), ["tls"])
    duo.dial(pb.Options(tls=pb.Tls(roots=server.chain, chain=client.chain, key=client.key)), ["tls"])
    _ends_with(duo, "a client with its certificate", 0)
    duo.dial(pb.Options(tls=pb.Tls(roots=server.chain)), ["tls"])
    _ends_with(duo, "a client without certificate", UNAVAILABLE)
    bench.clear_away()


@functools.cache
def _certificates() -> tuple[Certificate, Certificate]:
    return make_certificate(), make_certificate()


def _ends_with(duo: Duo, who: str, code: int) -> None:
    status = _exchange(duo, "World")
    if status.code != code:
        raise NotKept(f"the call of {who} ended with status {status.code} ({status.message}); {code} was due")


def _exchange(duo: Duo, words: str, requires: tuple[str, ...] | list[str] = (), **call_options: object) -> pb.Status:
    """The status at the client of a unary call whose request and answer hold the words."""
    play = duo.new_play()
    request = duo.payload(duo.client, SAY_HELLO.request, text(words))
    answer = duo.payload(duo.server, SAY_HELLO.response, text(words))
    duo.expect(play, SAY_HELLO, pb.Step(receive=NOTHING), pb.Step(send=answer), pb.Step(finish=pb.Status()))
    calling = (pb.Step(send=request), pb.Step(receive_to_end=NOTHING))
    duo.call(play, SAY_HELLO, *calling, requires=requires, **call_options)
    seen = duo.client.answer(play, "transcript").transcript
    # Where the limit is the server's, its handler never got the call.
    duo.server.order(pb.Command(abort=pb.Abort(play=play, if_not_arrived=True)))
    duo.server.answer(play, "transcript")
    for one in (one for lane in seen.lanes for one in lane.observed):
        if one.HasField("message") and one.message.binary != text(words):
            raise NotKept(f"a message of {len(words)} bytes arrived altered, as {len(one.message.binary)} bytes")
    return seen.status


class _Counts:
    up = 0
    down = 0


def _small(duo, counts, who, *, upwards, downwards, **how) -> None:  # type: ignore[no-untyped-def]
    counts.up = counts.down = 0
    status = _exchange(duo, COMPRESSIBLE, **how)
    if status.code != 0:
        raise NotKept(f"with compression of the {who} a call ended with status {status.code} ({status.message})")
    for direction, asked, sent in (("request", upwards, counts.up), ("answer", downwards, counts.down)):
        if asked and sent > len(COMPRESSIBLE) // 4:
            raise NotKept(f"with compression of the {who} a {direction} of {len(COMPRESSIBLE)} bytes took {sent} bytes")


class _Relay:
    """Passes bytes on between one client and one server, and counts them."""

    def __init__(self, target: str) -> None:
        self.counts = _Counts()
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended, self._end = socket.socketpair()
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, name="relay")
        self._thread.start()

    def close(self) -> None:
        self._end.close()
        self._thread.join()
        self._listener.close()
        self._ended.close()

    def _run(self) -> None:
        links: dict[socket.socket, tuple[socket.socket, bool]] = {}
        try:
            while True:
                ready = select.select([self._ended, self._listener, *links], [], [])[0]
                if self._ended in ready:
                    return
                for sock in ready:
                    if sock is self._listener:
                        client, server = sock.accept()[0], socket.create_connection(self._target)
                        links |= {client: (server, True), server: (client, False)}
                    elif sock in links:
                        self._pass_on(links, sock)
        finally:
            for sock in links:
                sock.close()

    def _pass_on(self, links: dict[socket.socket, tuple[socket.socket, bool]], sock: socket.socket) -> None:
        other, up = links[sock]
        try:
            data = sock.recv(1 << 16)
            other.sendall(data)
        except OSError:
            data = b""
        if up:
            self.counts.up += len(data)
        else:
            self.counts.down += len(data)
        if not data:
            for one in (sock, other):
                links.pop(one, None)
                one.close()


@contextmanager
def _relay(target: str) -> Iterator[_Relay]:
    relay = _Relay(target)
    try:
        yield relay
    finally:
        relay.close()
