"""Options of servers and channels. A relay between the two measures the bytes that travel."""

import functools
from collections.abc import Sequence
from typing import Any

from grpc_interop.check_driver.bench import FINISH, NOTHING, RECEIVE, TO_END, Bench, Duo
from grpc_interop.check_driver.certificate import Certificate, make_certificate
from grpc_interop.check_driver.greeter import ALL_STREAM, SAY_HELLO, text
from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.check_driver.promises import Chapter
from grpc_interop.core.model import EARLY_US
from grpc_interop.core.side import Side
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.net.relay import Relay

options = Chapter("10.6 Options of servers and channels")

LIMIT = 4096
"""Bytes that a side accepts, far below every runtime's default of 4 MiB."""

CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE = 1, 4, 8, 14

SERVER_PING_MS, CLIENT_PING_MS = 1_000, 10_000
"""The silence after which a ping is sent: the least that grpc-go accepts at a server and at a client."""

PING_TIMEOUT_MS = 1_000

NOTICED_SECONDS = 25.0
"""The time in which each side must notice: twice the client's ping and its timeout, for a loaded machine. grpcio, which
ignores the timeout, needs 60 s and more (https://github.com/grpc/grpc/issues/39239)."""

CONFIGURED_S = 2
"""A timeout by which grpcio ends a call up to 1.9 s too early (https://github.com/grpc/grpc/issues/40633)."""

COMPRESSIBLE = "compress me " * 10_000
"""120 KB, which any compression reduces to a hundredth."""


@options.check("keeps its limit for messages", needs="max_receive_bytes")
def keeps_its_limit(bench: Bench) -> None:
    """`max_receive_bytes` at either side makes a larger message end the call with RESOURCE_EXHAUSTED at the client."""
    limited = pb.Options(max_receive_bytes=LIMIT)
    for name, server, client in ((Side.SERVER, limited, None), (Side.CLIENT, None, limited)):
        duo = bench.duo
        duo.serve(server, ["max_receive_bytes"])
        duo.dial(client, ["max_receive_bytes"])
        within = _exchange(duo, "x" * (LIMIT // 2))
        if within.code != 0:
            raise NotKept(f"with a limit of {LIMIT} at the {name} a message of half the size ended with status {within.code}")
        beyond = _exchange(duo, "x" * (2 * LIMIT))
        if beyond.code != RESOURCE_EXHAUSTED:
            raise NotKept(f"with a limit of {LIMIT} at the {name} a message of twice the size ended with status {beyond.code}; expected 8")
    bench.clear_away()


def _compresses(bench: Bench, name: str) -> None:
    """Channel, server and single call compress what they send, and all messages arrive as they were."""
    need = f"compression:{name}"
    compressed = pb.Options(compression=name)
    duo = bench.duo
    duo.serve(compressed, [need])
    with Relay(duo.address) as relay:
        duo.dial(compressed, [need], relay.target)
        _travels_small(duo, relay, "channel and server")
        duo.dial(None, (), relay.target)
        _travels_small(duo, relay, "call", requires=[need], compression=name)
    bench.clear_away()


@options.check("compresses with gzip", needs="compression:gzip")
def compresses_with_gzip(bench: Bench) -> None:
    """Channel, server and single call send compressed with gzip, and the messages arrive as they were."""
    _compresses(bench, "gzip")


@options.check("compresses with deflate", needs="compression:deflate")
def compresses_with_deflate(bench: Bench) -> None:
    """Channel, server and single call send compressed with deflate, and the messages arrive as they were."""
    _compresses(bench, "deflate")


@options.check("notices a silent peer", needs="keepalive signals wait_for_termination")
def notices_a_silent_peer(bench: Bench) -> None:
    """With keepalive each side notices that the other side answers no more: the server's handler sees the call end, and the
    client's call ends with UNAVAILABLE."""
    duo = bench.duo
    duo.serve(_keepalive(SERVER_PING_MS), ["keepalive"])
    with Relay(duo.address) as relay:
        duo.dial(_keepalive(CLIENT_PING_MS), ["keepalive"], relay.target)
        play = duo.new_play()
        serving = (duo.answer(ALL_STREAM, "first"), pb.Step(wait_for_termination=NOTHING), pb.Step(finish=pb.Status(code=CANCELLED)))
        calling = (RECEIVE, pb.Step(signal="heard"), TO_END)
        duo.expect(play, ALL_STREAM, *serving, requires=["wait_for_termination"])
        duo.call(play, ALL_STREAM, *calling, requires=["signals"])
        duo.client.answer(play, "signal")
        relay.fall_silent()
        if not duo.server.await_event(play, NOTICED_SECONDS):
            raise NotKept(f"the server did not notice within {NOTICED_SECONDS:g} s that its client had fallen silent")
        ended = duo.client.await_event(play, NOTICED_SECONDS)
        if not ended:
            raise NotKept(f"the client did not notice within {NOTICED_SECONDS:g} s that its server had fallen silent")
        code = ended.transcript.status.code
        if code != UNAVAILABLE:
            raise NotKept(f"the call to a server that had fallen silent ended with status {code}; expected 14")
    bench.clear_away()


def _keepalive(time_ms: int) -> pb.Options:
    return pb.Options(keepalive=pb.Keepalive(time_ms=time_ms, timeout_ms=PING_TIMEOUT_MS))


@options.check("obeys a service config", needs="service_config")
def obeys_service_config(bench: Bench) -> None:
    """A channel with a service config obeys it: its timeout does not affect a quick call, and ends a call that does not end by
    itself, no earlier than configured."""
    duo = bench.duo
    config = f'{{"methodConfig": [{{"name": [{{"service": "greeter.v1.Greeter"}}], "timeout": "{CONFIGURED_S}s"}}]}}'
    duo.dial(pb.Options(service_config=config), ["service_config"])
    quick = _exchange(duo, "World").code
    if quick != 0:
        raise NotKept(f"with a timeout of {CONFIGURED_S} s in its service config a call that is answered at once ended with status {quick}")
    play = duo.new_play()
    duo.expect(play, ALL_STREAM, TO_END, pb.Step(finish=pb.Status(code=5)))
    duo.call(play, ALL_STREAM, TO_END)
    seen = duo.client.transcript(play)
    if seen.status.code != DEADLINE_EXCEEDED:
        raise NotKept(f"with a timeout of {CONFIGURED_S} s in its service config the call ended with status {seen.status.code}; expected 4")
    if seen.elapsed_ns < (CONFIGURED_S * 1_000_000 - EARLY_US) * 1_000:
        after = seen.elapsed_ns / 1e9
        raise NotKept(f"with a timeout of {CONFIGURED_S} s in its service config the call ended after {after:.3f} s")
    bench.clear_away()


@options.check("speaks TLS", needs="tls")
def speaks_tls(bench: Bench) -> None:
    """A channel with the server's roots reaches it. With other roots, or without TLS, a call ends in UNAVAILABLE."""
    own, other = _certificates()
    duo = bench.duo
    duo.serve(pb.Options(tls=pb.Tls(chain=own.chain, key=own.key)), ["tls"])
    for who, roots, code in (("the server's roots", own.chain, 0), ("other roots", other.chain, UNAVAILABLE), ("no TLS", b"", UNAVAILABLE)):
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
        raise NotKept(f"the call of {who} ended with status {status.code} ({status.message}); expected {code}")


def _exchange(duo: Duo, words: str, requires: Sequence[str] = (), **call_options: Any) -> pb.Status:
    """Play a unary call whose request and answer hold the words, and return its status at the client."""
    play = duo.new_play()
    duo.expect(play, SAY_HELLO, RECEIVE, duo.answer(SAY_HELLO, words), FINISH)
    duo.call(play, SAY_HELLO, duo.request(SAY_HELLO, words), TO_END, requires=requires, **call_options)
    seen = duo.client.transcript(play)
    # Where the server has the limit, its handler never got the call.
    duo.server.order(pb.Command(abort=pb.Abort(play=play, if_not_arrived=True)))
    duo.server.transcript(play)
    for observed in (observed for lane in seen.lanes for observed in lane.observed):
        if observed.HasField("message") and observed.message.binary != text(words):
            raise NotKept(f"a message of {len(words)} bytes arrived altered, as {len(observed.message.binary)} bytes")
    return seen.status


def _travels_small(duo: Duo, relay: Relay, who: str, **call_options: Any) -> None:
    relay.up = relay.down = 0
    status = _exchange(duo, COMPRESSIBLE, **call_options)
    if status.code != 0:
        raise NotKept(f"with compression of the {who} a call ended with status {status.code} ({status.message})")
    for direction, sent in (("request", relay.up), ("answer", relay.down)):
        if sent > len(COMPRESSIBLE) // 4:
            raise NotKept(f"with compression of the {who} a {direction} of {len(COMPRESSIBLE)} bytes took {sent} bytes")
