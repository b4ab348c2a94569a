"""Carries out the harness' commands, with grpcio's synchronous API."""

from __future__ import annotations

import platform
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import google.protobuf
import grpc

from driver.application import application
from driver.contract import CONTRACT_VERSION, pb
from driver.messages import UnreadableError, parsed, transcoded
from driver.options import COMPRESSIONS, channel_arguments, channel_credentials
from driver.play_client import ClientPlay
from driver.play_server import ServerPlay
from driver.script import Script, script_of
from driver.served import RefusedError, Server
from driver.stubs import Method, Service
from driver.transcript import Play
from driver.workers import Workers

CAPABILITIES = (
    "metadata",
    "trailers_on_ok",
    "details",
    "deadline",
    "cancel",
    "lanes",
    "signals",
    "wait_for_termination",
    "any_caller",
    "repeat",
    "application",
    "unknown_fields",
    "transcode",
    "json",
    "view",
    "max_receive_bytes",
    "compression:gzip",
    "compression:deflate",
    "tls",
    "keepalive",
    "service_config",
)

# Each play in flight may hold two threads here. More of them do not make one interpreter faster, only its lock busier.
MAX_PLAYS = 128

# A call that finds no free handler would not arrive, so there must be one for every call that can be open at once: those
# of MAX_PLAYS plays, repeated concurrently, frozen ones, and callers from outside. Threads are made only when needed.
HANDLERS = 1024


class UnknownReferenceError(Exception):
    """A command names something that does not exist; the text says what, for people."""


def hello(token: str) -> pb.Event:
    """The first event."""
    return pb.Event(
        hello=pb.Hello(
            contract=CONTRACT_VERSION,
            versions={
                "language": f"python {platform.python_version()}",
                "grpc": grpc.__version__,
                "protobuf": google.protobuf.__version__,
            },
            capabilities=CAPABILITIES,
            max_plays=MAX_PLAYS,
            token=token,
        )
    )


class Channel:
    """A grpcio channel with the generated stubs on it."""

    def __init__(self, order: pb.Dial) -> None:
        credentials = channel_credentials(order.options)
        options = channel_arguments(order.options)
        compression = COMPRESSIONS[order.options.compression]
        if credentials is None:
            self._grpc = grpc.insecure_channel(order.target, options, compression)
        else:
            self._grpc = grpc.secure_channel(order.target, credentials, options, compression)
        self._stubs: dict[str, Any] = {}
        self._plays = 0
        self._changed = threading.Condition()

    def multicallable(self, service: Service, method: Method) -> Any:
        """The generated stub's attribute for a method."""
        stub = self._stubs.get(service.full_name)
        if stub is None:
            stub = self._stubs[service.full_name] = service.stub(self._grpc)
        return getattr(stub, method.name)

    def began(self) -> None:
        """A play uses the channel."""
        with self._changed:
            self._plays += 1

    def ended(self) -> None:
        """A play uses the channel no more."""
        with self._changed:
            self._plays -= 1
            self._changed.notify_all()

    def close(self, graceful: bool) -> None:
        """Closes the channel; calls in flight are cancelled unless they may finish."""
        if graceful:
            with self._changed:
                self._changed.wait_for(lambda: not self._plays)
        self._grpc.close()


class Session:
    """What one connection has made, and what is playing."""

    def __init__(self, services: list[Service], send: Callable[[pb.Event], None]) -> None:
        self._services = services
        self._methods = {method.path: (service, method) for service in services for method in service.methods}
        self._application = application({service.full_name for service in services})
        self._send = send
        self._workers = Workers()
        self._handlers = ThreadPoolExecutor(HANDLERS, thread_name_prefix="interop-handler")
        self._resources: dict[int, Server | Channel] = {}
        self._payloads: dict[int, Any] = {}
        self._plays: dict[int, ClientPlay | ServerPlay] = {}
        self._homes: dict[int, Server | Channel] = {}
        self._carry_out: dict[str | None, Callable[[pb.Command], None]] = {
            "payload": self._payload,
            "serve": self._serve,
            "dial": self._dial,
            "close": self._close,
            "expect": self._expect,
            "call": self._call,
            "abort": self._abort,
            "signal": self._signal,
            "transcode": self._transcode,
        }

    def handle(self, command: pb.Command) -> None:
        """Carries out a command, or begins to; what it cannot do it answers with an Error."""
        lacking = [name for name in command.requires if name not in CAPABILITIES]
        if lacking:
            return self._error(command, pb.Error.KIND_UNSUPPORTED, f"this driver lacks: {', '.join(lacking)}")
        carry_out = self._carry_out.get(command.WhichOneof("op"))
        if carry_out is None:
            return self._error(command, pb.Error.KIND_UNKNOWN_COMMAND, "this driver does not know the command's op")
        try:
            carry_out(command)
        except UnreadableError as error:
            self._error(command, pb.Error.KIND_UNREADABLE_PAYLOAD, str(error))
        except UnknownReferenceError as error:
            self._error(command, pb.Error.KIND_UNKNOWN_REFERENCE, str(error))
        except RefusedError as error:
            self._error(command, pb.Error.KIND_REFUSED, str(error))
        except Exception as error:  # noqa: BLE001 - one command that fails must not take the others with it
            traceback.print_exc()
            self._error(command, pb.Error.KIND_INTERNAL, f"{type(error).__name__}: {error}")

    def _error(self, command: pb.Command, kind: int, text: str) -> None:
        self._send(pb.Event(id=command.id, error=pb.Error(kind=kind, text=text)))

    def _payload(self, command: pb.Command) -> None:
        self._payloads[command.id] = parsed(command.payload.type, command.payload.binary)

    def _serve(self, command: pb.Command) -> None:
        by_hand = self._application if command.serve.application else {}
        server = Server(command.serve, self._services, by_hand, self._handlers)
        self._resources[command.id] = server
        self._send(pb.Event(id=command.id, ready=pb.Ready(address=server.address)))

    def _dial(self, command: pb.Command) -> None:
        self._resources[command.id] = Channel(command.dial)
        self._send(pb.Event(id=command.id, ready=pb.Ready()))

    def _close(self, command: pb.Command) -> None:
        closed = command.close.resource
        if self._payloads.pop(closed, None) is not None:
            self._send(pb.Event(id=command.id, done=pb.Done()))
            return
        resource = self._resource(closed)
        del self._resources[closed]
        self._workers.run(self._close_resource, command.id, resource, command.close.graceful)

    def _close_resource(self, answer: int, resource: Server | Channel, graceful: bool) -> None:
        resource.close(graceful)
        self._send(pb.Event(id=answer, done=pb.Done()))

    def _expect(self, command: pb.Command) -> None:
        script, _, method, messages = self._ready(command.expect)
        server = self._resource(command.resource)
        if not isinstance(server, Server):
            raise UnknownReferenceError(f"resource {command.resource} is no server")
        play = ServerPlay(
            command.id,
            script,
            self._reported,
            method=method,
            messages=messages,
            workers=self._workers,
            signal=self._relay,
        )
        self._plays[play.id] = play
        self._homes[play.id] = server
        server.expect(play)

    def _call(self, command: pb.Command) -> None:
        script, service, method, messages = self._ready(command.call)
        channel = self._resource(command.resource)
        if not isinstance(channel, Channel):
            raise UnknownReferenceError(f"resource {command.resource} is no channel")
        play = ClientPlay(
            command.id,
            script,
            self._reported,
            method=method,
            multicallable=channel.multicallable(service, method),
            messages=messages,
            workers=self._workers,
            signal=self._relay,
        )
        self._plays[play.id] = play
        self._homes[play.id] = channel
        channel.began()
        play.start()

    def _ready(self, order: pb.Play) -> tuple[Script, Service, Method, dict[int, Any]]:
        script = script_of(order)
        if script.method not in self._methods:
            raise UnknownReferenceError(f"no method {script.method} in the protos that this driver was built with")
        messages = {payload: self._payloads.get(payload) for payload in script.payloads}
        missing = [payload for payload, message in messages.items() if message is None]
        if missing:
            raise UnknownReferenceError(f"no payload {missing[0]}")
        return script, *self._methods[script.method], messages

    def _resource(self, resource: int) -> Server | Channel:
        if resource not in self._resources:
            raise UnknownReferenceError(f"no server or channel {resource}")
        return self._resources[resource]

    def _reported(self, play: Play, event: pb.Event) -> None:
        """A play has said all that it will say; a frozen one stays known, for its RPC is open."""
        if not event.transcript.aborted:
            self._leave(play.id)
        self._send(event)

    def _leave(self, play_id: int) -> None:
        self._plays.pop(play_id, None)
        home = self._homes.pop(play_id, None)
        if isinstance(home, Channel):
            home.ended()

    def _relay(self, play_id: int, name: str) -> None:
        self._send(pb.Event(id=play_id, signal=pb.Signal(play=play_id, name=name)))

    def _abort(self, command: pb.Command) -> None:
        play, home = self._plays.get(command.abort.play), self._homes.get(command.abort.play)
        if play is None:
            return
        if command.abort.if_not_arrived:
            if isinstance(home, Server) and isinstance(play, ServerPlay) and home.forget_if_not_arrived(play):
                play.withdraw()
        elif not play.frozen:
            play.freeze()
        else:
            if isinstance(home, Server) and isinstance(play, ServerPlay):
                home.forget(play)
            play.end()
            self._leave(play.id)

    def _signal(self, command: pb.Command) -> None:
        play = self._plays.get(command.signal.play)
        if play is not None:
            play.signals.deliver(command.signal.name)

    def _transcode(self, command: pb.Command) -> None:
        self._send(pb.Event(id=command.id, transcoded=transcoded(command.transcode)))
