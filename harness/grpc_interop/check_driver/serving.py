"""Servers, channels and payloads: making and closing them."""

import socket
import time

from grpc_interop.check_driver.bench import Bench
from grpc_interop.check_driver.greeter import SAY_HELLO, text
from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.check_driver.promises import Chapter
from grpc_interop.check_driver.talk import ANSWER_SECONDS, Talk
from grpc_interop.drivers import driver_pb2 as pb

resources = Chapter("3. Servers, channels and payloads")


@resources.check("serves", vital=True)
def serves(bench: Bench) -> None:
    """`serve` with port 0 is answered with Ready and an address on 127.0.0.1 at which the server already listens."""
    talk = bench.talk
    port = _serve(talk)
    if not _listens(port):
        raise NotKept(f"nothing listens on port {port} though Ready was said; say it once the port is bound")


@resources.check("serves on the port it is told")
def serves_on_port(bench: Bench) -> None:
    """`serve` takes the port it is told, and answers with KIND_REFUSED when the system refuses it."""
    talk = bench.talk
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        talk.refusal(talk.order(pb.Command(serve=pb.Serve(port=port))), pb.Error.KIND_REFUSED)
    if (served := _serve(talk, port)) != port:
        raise NotKept(f"it serves on port {served} and not on {port} as it was told")


@resources.check("dials", vital=True)
def dials(bench: Bench) -> None:
    """`dial` is answered with Ready, whether or not anybody listens at the target yet."""
    talk = bench.talk
    talk.ask(pb.Command(dial=pb.Dial(target=f"127.0.0.1:{_serve(talk)}")), "ready")
    talk.ask(pb.Command(dial=pb.Dial(target=f"127.0.0.1:{_free_port()}")), "ready")


@resources.check("keeps payloads", vital=True)
def keeps_payloads(bench: Bench) -> None:
    """A payload is not answered when it can be read; otherwise with KIND_UNREADABLE_PAYLOAD: its bytes are not a message
    of the type, or the type is not known."""
    talk = bench.talk
    good = talk.order(pb.Command(payload=pb.Payload(type=SAY_HELLO.request, binary=text("World"))))
    talk.stays_quiet(good, "a payload that can be read")
    for type_name, data in ((SAY_HELLO.request, b"\x0a\x05Wor"), ("greeter.v1.NoSuchMessage", b"")):
        bad = talk.order(pb.Command(payload=pb.Payload(type=type_name, binary=data)))
        talk.refusal(bad, pb.Error.KIND_UNREADABLE_PAYLOAD)


@resources.check("refuses scripts that refer to nothing")
def refuses_dangling_scripts(bench: Bench) -> None:
    """A play of a method that does not exist, or that sends a payload which does not exist, is answered with
    KIND_UNKNOWN_REFERENCE, and not with a transcript."""
    duo = bench.duo
    sends_nothing = pb.Play(method=SAY_HELLO.path, lanes=[pb.Lane(steps=[pb.Step(send=duo.new_play())])])
    for play in (pb.Play(method="/greeter.v1.Greeter/NoSuchMethod", lanes=[pb.Lane()]), sends_nothing):
        expect = duo.server.order(pb.Command(resource=duo.serving, expect=play))
        duo.server.refusal(expect, pb.Error.KIND_UNKNOWN_REFERENCE)
        call = duo.client.order(pb.Command(resource=duo.channel, call=play))
        duo.client.refusal(call, pb.Error.KIND_UNKNOWN_REFERENCE)


@resources.check("closes")
def closes(bench: Bench) -> None:
    """`close` of a server, a channel or a payload is answered with Done; the resource is then unknown, and nobody listens
    at the server's port any more."""
    talk = bench.talk
    server = talk.order(pb.Command(serve=pb.Serve()))
    port = _port(talk.answer(server, "ready"))
    channel = talk.order(pb.Command(dial=pb.Dial(target=f"127.0.0.1:{port}")))
    talk.answer(channel, "ready")
    payload = talk.order(pb.Command(payload=pb.Payload(type=SAY_HELLO.request, binary=text("World"))))
    for resource in (payload, channel, server):
        talk.ask(pb.Command(close=pb.Close(resource=resource)), "done")
        again = talk.order(pb.Command(close=pb.Close(resource=resource)))
        talk.refusal(again, pb.Error.KIND_UNKNOWN_REFERENCE)
    _wait_until_silent(port)


def _serve(talk: Talk, port: int = 0) -> int:
    return _port(talk.ask(pb.Command(serve=pb.Serve(port=port)), "ready"))


def _port(event: pb.Event) -> int:
    host, _, port = event.ready.address.rpartition(":")
    if host != "127.0.0.1" or not port.isdigit() or int(port) == 0:
        raise NotKept(f"Ready has the address {event.ready.address!r}; expected 127.0.0.1:port")
    return int(port)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_silent(port: int) -> None:
    limit = time.monotonic() + ANSWER_SECONDS
    while _listens(port):
        if time.monotonic() > limit:
            raise NotKept(f"port {port} is still open {ANSWER_SECONDS:g} s after its server was closed")
        time.sleep(0.02)
