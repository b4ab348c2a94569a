"""Carry out the harness' commands, with either of grpcio's APIs."""

import os
import platform
import traceback
from collections.abc import Callable
from typing import Any

import google.protobuf
import grpc

from driver.api import Api, RefusedError, Server
from driver.application import application
from driver.channel import Channel
from driver.contract import CONTRACT_VERSION, pb
from driver.messages import UnreadableError, parsed, transcoded
from driver.plays import Order, OrderedPlay, ServerPlay
from driver.script import script_of
from driver.stubs import Service
from driver.transcript import Play

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
    "times",
    "report_metadata",
)

# Eight plays at once keep one interpreter busy; the others are there for plays that wait for a deadline. With 128 in
# flight on a loaded machine, a play could wait for its turn for so long that the harness took it for a hang.
MAX_PLAYS = 48


class UnknownReferenceError(Exception):
    """A command names something that does not exist; the text says what, for people."""


def hello(token: str) -> pb.Event:
    """Return the first event."""
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


class Session:
    """The resources of one connection, and the plays that are running."""

    def __init__(self, api: Api, services: list[Service], send: Callable[[pb.Event], None]) -> None:
        self._api = api
        self._services = services
        self._methods = {method.path: (service, method) for service in services for method in service.methods}
        self._application = application({service.full_name for service in services}, api.greeter)
        self._send = send
        self._resources: dict[int, Server | Channel] = {}
        self._payloads: dict[int, Any] = {}
        self._plays: dict[int, OrderedPlay] = {}
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

    def greet(self) -> None:
        """Send the first event."""
        self._send(hello(os.environ.get("INTEROP_DRIVER_TOKEN", "")))

    def handle(self, command: pb.Command) -> None:
        """Carry out a command, or begin to. Answer with an Error where that is not possible."""
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
        except Exception as error:  # noqa: BLE001 - a command that fails must not end the others
            traceback.print_exc()
            self._error(command, pb.Error.KIND_INTERNAL, f"{type(error).__name__}: {error}")

    def _error(self, command: pb.Command, kind: int, text: str) -> None:
        self._send(pb.Event(id=command.id, error=pb.Error(kind=kind, text=text)))

    def _payload(self, command: pb.Command) -> None:
        self._payloads[command.id] = parsed(command.payload.type, command.payload.binary)

    def _serve(self, command: pb.Command) -> None:
        by_hand = self._application if command.serve.application else {}
        self._resources[command.id] = self._api.serve(
            command.serve,
            self._services,
            by_hand,
            lambda address: self._send(pb.Event(id=command.id, ready=pb.Ready(address=address))),
        )

    def _dial(self, command: pb.Command) -> None:
        self._resources[command.id] = self._api.dial(command.dial)
        self._send(pb.Event(id=command.id, ready=pb.Ready()))

    def _close(self, command: pb.Command) -> None:
        def done() -> None:
            self._send(pb.Event(id=command.id, done=pb.Done()))

        closed = command.close.resource
        if self._payloads.pop(closed, None) is not None:
            done()
            return
        resource = self._resource(closed)
        del self._resources[closed]
        resource.close(command.close.graceful, done)

    def _expect(self, command: pb.Command) -> None:
        order = self._ordered(command.id, command.expect)
        server = self._resource(command.resource)
        if isinstance(server, Channel):
            raise UnknownReferenceError(f"resource {command.resource} is no server")
        play = server.play(order)
        self._plays[play.id] = play
        self._homes[play.id] = server
        server.switchboard.expect(play)

    def _call(self, command: pb.Command) -> None:
        order = self._ordered(command.id, command.call)
        channel = self._resource(command.resource)
        if not isinstance(channel, Channel):
            raise UnknownReferenceError(f"resource {command.resource} is no channel")
        play = channel.play(order)
        self._plays[play.id] = play
        self._homes[play.id] = channel
        channel.began()
        play.start()

    def _ordered(self, play_id: int, play: pb.Play) -> Order:
        script = script_of(play)
        if script.method not in self._methods:
            raise UnknownReferenceError(f"no method {script.method} in the protos that this driver was built with")
        messages = {payload: self._payloads.get(payload) for payload in script.payloads}
        missing = [payload for payload, message in messages.items() if message is None]
        if missing:
            raise UnknownReferenceError(f"no payload {missing[0]}")
        return Order(play_id, script, *self._methods[script.method], messages, self._reported, self._relay)

    def _resource(self, resource: int) -> Server | Channel:
        if resource not in self._resources:
            raise UnknownReferenceError(f"no server or channel {resource}")
        return self._resources[resource]

    def _reported(self, play: Play, event: pb.Event) -> None:
        """Forget a play that has reported, unless it is frozen: then its RPC is still open."""
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
        switchboard = None if home is None or isinstance(home, Channel) else home.switchboard
        if command.abort.if_not_arrived:
            if switchboard is not None and isinstance(play, ServerPlay) and switchboard.forget_if_not_arrived(play):
                play.withdraw()
        elif not play.frozen:
            play.freeze()
        else:
            if switchboard is not None and isinstance(play, ServerPlay):
                switchboard.forget(play)
            play.end()
            self._leave(play.id)

    def _signal(self, command: pb.Command) -> None:
        play = self._plays.get(command.signal.play)
        if play is not None:
            play.signals.deliver(command.signal.name)

    def _transcode(self, command: pb.Command) -> None:
        self._send(pb.Event(id=command.id, transcoded=transcoded(command.transcode)))
