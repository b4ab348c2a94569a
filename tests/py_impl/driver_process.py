"""A driver started for a test, and spoken to as the harness would."""

import contextlib
import itertools
import socket
import subprocess
import tempfile
import threading
from collections import defaultdict
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

from grpc_interop.drivers import driver_pb2 as pb

# How long any answer may take on a loaded machine before the test fails.
PATIENCE_S = 20.0

# Of all drivers together: a case has the same id in both of its drivers.
_IDS = itertools.count(1)


class DriverProcess:
    """One driver and the connection with it. Use as a context manager: it leaves nothing behind."""

    def __init__(self, argv: list[str]) -> None:
        self._ids = _IDS
        self._events: dict[int, SimpleQueue[Any]] = defaultdict(SimpleQueue)
        # Not pytest's folder: its path may be longer than the 108 bytes of a socket's address.
        self._folder = tempfile.TemporaryDirectory()
        address = Path(self._folder.name, "driver.sock")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(address))
        listener.listen()
        listener.settimeout(PATIENCE_S)
        self.log = Path(self._folder.name, "driver.log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"INTEROP_DRIVER_ADDRESS": f"unix:{address}", "INTEROP_DRIVER_TOKEN": "secret"},
            )
        try:
            self.socket, _ = listener.accept()
        except TimeoutError:
            self.process.kill()
            raise AssertionError(f"the driver did not connect; its log:\n{self.log.read_text()}") from None
        finally:
            listener.close()
        self._may_read = threading.Event()
        self._may_read.set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.hello = self.event(0).hello

    def __enter__(self) -> "DriverProcess":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None and self.process.poll() is None:
            self.stop()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(PATIENCE_S)
        self.socket.close()
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._folder.cleanup()

    def stop(self) -> None:
        """Ends the driver as the harness does, and checks that it ends well."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(PATIENCE_S) == 0, self.log.read_text()

    def command(self, command_id: int = 0, **fields: Any) -> int:
        """Sends a command and returns its id, a new one unless told."""
        command = pb.Command(id=command_id or next(self._ids), **fields)
        self.send(command.SerializeToString())
        return command.id

    def send(self, frame: bytes) -> None:
        """Sends one frame."""
        self.socket.sendall(varint(len(frame)) + frame)

    def event(self, command: int, patience: float = PATIENCE_S) -> Any:
        """The next event that answers a command."""
        try:
            return self._events[command].get(timeout=patience)
        except Empty:
            raise AssertionError(f"no answer to command {command}; driver log:\n{self.log.read_text()}") from None

    def silent(self, command: int, seconds: float = 0.2) -> bool:
        """Whether nothing answers the command for a while."""
        try:
            self._events[command].get(timeout=seconds)
        except Empty:
            return True
        return False

    def payload(self, type_name: str, binary: bytes) -> int:
        """Gives the driver a message."""
        return self.command(payload=pb.Payload(type=type_name, binary=binary))

    def serve(self, **fields: Any) -> tuple[int, str]:
        """Starts a server; its resource and its address."""
        server = self.command(serve=pb.Serve(**fields))
        return server, self.event(server).ready.address

    def dial(self, address: str, options: pb.Options | None = None) -> int:
        """Makes a channel; its resource."""
        channel = self.command(dial=pb.Dial(target=address, options=options))
        assert self.event(channel).HasField("ready")
        return channel

    def pause_reading(self) -> None:
        """Leaves what the driver sends unread."""
        self._may_read.clear()
        # The reader may already wait for the next event; it takes that one, and then stands still.
        self.event(self.command(transcode=pb.Transcode(type="google.protobuf.Empty")))

    def resume_reading(self) -> None:
        """Reads again."""
        self._may_read.set()

    def _read(self) -> None:
        with contextlib.suppress(ConnectionResetError), self.socket.makefile("rb") as stream:
            self._read_events(stream)

    def _read_events(self, stream: Any) -> None:
        parts: dict[int, bytes] = defaultdict(bytes)
        while (length := _readvarint(stream)) is not None:
            assert length <= 1 << 20, "the driver sent a frame that is too long"
            event = pb.Event.FromString(stream.read(length))
            if event.part or event.more:
                parts[event.id] += event.part
                if event.more:
                    continue
                event = pb.Event.FromString(parts.pop(event.id))
            self._events[event.id].put(event)
            self._may_read.wait()


def varint(number: int) -> bytes:
    """A length as it stands before a frame, or a field."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def _readvarint(stream: Any) -> int | None:
    number = shift = 0
    while byte := stream.read(1):
        number |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return number
        shift += 7
    return None
