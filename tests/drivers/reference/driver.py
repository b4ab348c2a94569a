"""A driver for the tests of the harness: small, independent of the real ones, and faulty where REFERENCE_FAULT says so
(faults.py lists the faults). It knows greeter.v1 and nothing else (greeter.py), through grpcio's generic handlers."""

import faulthandler
import os
import queue
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# The contract's messages are the harness' own copy; everything else here stands alone.
sys.path.insert(0, str(Path(__file__).parents[3] / "harness"))

import faults
import greeter
import grpc
from client import play_call
from play import Play
from server import Registry, handlers

from grpc_interop.drivers import driver_pb2 as pb

CAPABILITIES = [
    "metadata", "trailers_on_ok", "details", "deadline", "cancel", "lanes", "signals", "wait_for_termination",
    "any_caller", "repeat", "unknown_fields", "transcode", "json", "view", "max_receive_bytes", "compression:gzip",
    "times", "report_metadata",
]  # fmt: skip

MOST_PLAYS = 64
"""Each call occupies a thread of the handler pool."""

MAX_FRAME = 1 << 20

COMPRESSION = {"": None, "gzip": grpc.Compression.Gzip}


class Refused(Exception):
    """A command that cannot be carried out."""

    def __init__(self, kind: pb.Error.Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Driver:
    """One connection to the harness, and what was made on it."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.fault = faults.of_process()
        self._played = 0
        self.payloads: dict[int, bytes] = {}
        self.servers: dict[int, tuple[grpc.Server, Registry]] = {}
        self.channels: dict[int, grpc.Channel] = {}
        self.plays: dict[int, Play] = {}
        self._out: queue.SimpleQueue[pb.Event] = queue.SimpleQueue()
        self._parts: dict[int, bytearray] = {}
        # Apart from reading, so that neither waits for the other.
        threading.Thread(target=self._write, daemon=True).start()

    def run(self) -> None:
        """Reads commands until the connection ends."""
        self.fault.after_connecting()
        hello = pb.Hello(
            contract=self.fault.version(1),
            versions={"language": f"python {sys.version.split()[0]}", "grpc": grpc.__version__},
            capabilities=[*CAPABILITIES, *self.fault.claims],
            max_plays=MOST_PLAYS,
            token=os.environ.get("INTEROP_DRIVER_TOKEN", ""),
        )
        self.send(pb.Event(hello=hello))
        self.fault.after_hello(self.socket)
        with self.socket.makefile("rb") as stream:
            while (command := self._read(stream)) is not None:
                self._obey(command)

    # -- frames --------------------------------------------------------------------------------------------------------

    def _read(self, stream) -> pb.Command | None:
        while True:
            length = shift = 0
            while True:
                byte = stream.read(1)
                if not byte:
                    return None
                length |= (byte[0] & 0x7F) << shift
                shift += 7
                if byte[0] < 0x80:
                    break
            command = pb.Command.FromString(stream.read(length))
            if not (command.part or command.more):
                return command
            whole = self._parts.setdefault(command.id, bytearray())
            whole += command.part
            if not command.more:
                return pb.Command.FromString(bytes(self._parts.pop(command.id)))

    def send(self, event: pb.Event) -> None:
        self._out.put(event)

    def _write(self) -> None:
        while True:
            event = self._out.get()
            data = event.SerializeToString()
            frames = [data]
            if len(data) > MAX_FRAME:
                size = MAX_FRAME - 64
                pieces = [data[start : start + size] for start in range(0, len(data), size)]
                frames = [pb.Event(id=event.id, part=piece, more=piece is not pieces[-1]).SerializeToString() for piece in pieces]
            for frame in frames:
                try:
                    self.socket.sendall(_varint(len(frame)) + frame)
                except OSError:
                    return

    # -- commands ------------------------------------------------------------------------------------------------------

    def _obey(self, command: pb.Command) -> None:
        try:
            missing = set(command.requires) - set(CAPABILITIES) - self.fault.accepts
            if missing:
                raise Refused(pb.Error.KIND_UNSUPPORTED, f"this driver does not offer {', '.join(sorted(missing))}")
            op = command.WhichOneof("op")
            if op is None:
                raise Refused(pb.Error.KIND_UNKNOWN_COMMAND, f"command {command.id} has no op that this driver knows")
            getattr(self, f"_{op}")(command, getattr(command, op))
        except Refused as refused:
            self.send(pb.Event(id=command.id, error=pb.Error(kind=refused.kind, text=str(refused))))

    def _payload(self, command: pb.Command, payload: pb.Payload) -> None:
        self.payloads[command.id] = _parse(payload.type, payload.binary).SerializeToString(deterministic=True)

    def _serve(self, command: pb.Command, serve: pb.Serve) -> None:
        if why := self.fault.refusal(serve):
            raise Refused(pb.Error.KIND_REFUSED, why)
        registry = Registry()
        options = [("grpc.so_reuseport", 0), *_sizes(serve.options)]
        server = grpc.server(ThreadPoolExecutor(4 * MOST_PLAYS), options=options, compression=COMPRESSION[serve.options.compression])
        server.add_generic_rpc_handlers(handlers(registry))
        try:
            port = server.add_insecure_port(f"127.0.0.1:{serve.port}")
        except RuntimeError as error:
            raise Refused(pb.Error.KIND_REFUSED, f"port {serve.port}: {error}") from None
        server.start()
        self.servers[command.id] = server, registry
        ready = pb.Event(id=command.id, ready=pb.Ready(address=f"127.0.0.1:{port}"))
        self.fault.served(serve, lambda: self.send(ready))

    def _dial(self, command: pb.Command, dial: pb.Dial) -> None:
        # A pool of its own, since channels with equal options would otherwise share one connection.
        options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1), *_sizes(dial.options)]
        self.channels[command.id] = grpc.insecure_channel(dial.target, options=options, compression=COMPRESSION[dial.options.compression])
        self.send(pb.Event(id=command.id, ready=pb.Ready()))

    def _close(self, command: pb.Command, close: pb.Close) -> None:
        resource = close.resource
        done = pb.Event(id=command.id, done=pb.Done())
        if resource in self.servers:
            server, _ = self.servers.pop(resource)
            stopped = server.stop(None if not close.graceful else 3600)
            threading.Thread(target=lambda: (stopped.wait(), self.send(done)), daemon=True).start()
            return
        if resource in self.channels:
            self.channels.pop(resource).close()
        elif self.payloads.pop(resource, None) is None:
            raise Refused(pb.Error.KIND_UNKNOWN_REFERENCE, f"there is no resource {resource}")
        self.send(done)

    def _expect(self, command: pb.Command, spec: pb.Play) -> None:
        if command.resource not in self.servers:
            raise Refused(pb.Error.KIND_UNKNOWN_REFERENCE, f"there is no server {command.resource}")
        play = self._play(command, spec)
        self.servers[command.resource][1].expect(play)

    def _call(self, command: pb.Command, spec: pb.Play) -> None:
        if command.resource not in self.channels:
            raise Refused(pb.Error.KIND_UNKNOWN_REFERENCE, f"there is no channel {command.resource}")
        play = self._play(command, spec)
        channel = self.channels[command.resource]
        threading.Thread(target=play_call, args=(play, channel), daemon=True).start()

    def _play(self, command: pb.Command, spec: pb.Play) -> Play:
        if spec.method not in greeter.METHODS:
            raise Refused(pb.Error.KIND_UNKNOWN_REFERENCE, f"there is no method {spec.method}")
        sent = {step.send for lane in spec.lanes for step in lane.steps if step.WhichOneof("kind") == "send"}
        if unknown := sent - self.payloads.keys():
            raise Refused(pb.Error.KIND_UNKNOWN_REFERENCE, f"there is no payload {min(unknown)}")
        payloads = {payload: self.payloads[payload] for payload in sent}
        self._played += 1
        fault = faults.of_play(spec.method, self._played)
        fault.on_command()
        play = self.plays[command.id] = Play(command.id, spec, payloads, self._report, self.send, fault)
        return play

    def _report(self, play: Play, transcript: pb.Transcript) -> None:
        if not transcript.aborted:
            del self.plays[play.id]
        play.fault.report(transcript, lambda: self.send(pb.Event(id=play.id, transcript=transcript)))

    def _abort(self, command: pb.Command, abort: pb.Abort) -> None:
        play = self.plays.get(abort.play)
        if play is not None:
            play.abort(abort.if_not_arrived)

    def _signal(self, command: pb.Command, sent: pb.Signal) -> None:
        play = self.plays.get(sent.play)
        if play is not None:
            play.signalled(sent.name)

    def _transcode(self, command: pb.Command, wanted: pb.Transcode) -> None:
        self.fault.on_transcode(wanted.data)
        message = _parse(wanted.type, wanted.data, from_json=wanted.from_json, ignore_unknown=wanted.ignore_unknown)
        shown = greeter.show(message, json=wanted.to_json, view=wanted.to_view, emit_zero=wanted.emit_zero)
        self.send(pb.Event(id=command.id, transcoded=self.fault.transcoded(shown)))


def _parse(type_name: str, data: bytes, **how: bool):
    try:
        return greeter.parse(type_name, data, **how)
    except ValueError as error:
        raise Refused(pb.Error.KIND_UNREADABLE_PAYLOAD, str(error)) from None


def _sizes(options: pb.Options) -> list[tuple[str, int]]:
    limit = options.max_receive_bytes if options.HasField("max_receive_bytes") else None
    return [] if limit is None else [("grpc.max_receive_message_length", limit)]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _exit_after(wait: Callable[[], object]) -> None:
    status = 1
    try:
        wait()
        status = 0
    except Exception:  # noqa: BLE001  told, and then the end
        traceback.print_exc()
    finally:
        # grpcio's threads would keep the interpreter alive until every call in flight has ended.
        os._exit(status)


def main() -> None:
    """Runs until stdin or the connection ends."""
    faulthandler.register(signal.SIGQUIT, all_threads=True)
    threading.Thread(target=_exit_after, args=(sys.stdin.buffer.read,), daemon=True).start()
    faults.of_process().at_start()
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(os.environ["INTEROP_DRIVER_ADDRESS"].removeprefix("unix:"))
    _exit_after(Driver(sock).run)


if __name__ == "__main__":
    main()
