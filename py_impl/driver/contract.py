"""The wire format of the driver contract: frames, and messages too large for one frame. No I/O.

`pb` is the driver's own copy of the contract's messages. It is generated at build time under a private name, so that it
does not clash with a copy in a user's tree.
"""

from collections.abc import Iterator

from google.protobuf.message import DecodeError
from grpc_interop_private.driver.v1 import driver_pb2 as pb

__all__ = ["CONTRACT_VERSION", "BrokenFrameError", "CommandReader", "frames", "pb"]

CONTRACT_VERSION = 1

# From the contract: no frame is longer.
MAX_FRAME = 1 << 20

# How much of a message fits into a part: the frame's other fields (id, more, the part's own length) need under 32 bytes.
PART = MAX_FRAME - 32

# Stands before the length of an event's part: its field number, and the wire type of bytes.
_PART_TAG = bytes([pb.Event.PART_FIELD_NUMBER << 3 | 2])


class BrokenFrameError(Exception):
    """The harness sent bytes that are not the contract's; the connection cannot be used any more."""


def frames(event: pb.Event) -> bytes:
    """Return an event as it travels: one frame, or its parts one after the other."""
    data: bytes = event.SerializeToString()
    if len(data) <= MAX_FRAME:
        return _varint(len(data)) + data
    whole = memoryview(data)  # its slices are copied only once, when all are joined
    pieces: list[bytes | memoryview] = []
    for at in range(0, len(data), PART):
        part = whole[at : at + PART]
        head = pb.Event(id=event.id, more=at + PART < len(data)).SerializeToString() + _PART_TAG + _varint(len(part))
        pieces += [_varint(len(head) + len(part)), head, part]
    return b"".join(pieces)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


class CommandReader:
    """Turn the bytes of a connection, however they are cut, into commands."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._awaited = 0  # bytes of a frame that has begun: looking before they are there would only copy them
        self._parts: dict[int, bytearray] = {}

    def feed(self, data: bytes) -> Iterator[pb.Command]:
        """Yield the commands that these bytes complete. Raise BrokenFrameError."""
        self._buffer += data
        if len(self._buffer) < self._awaited:
            return
        here, start, self._awaited = memoryview(bytes(self._buffer)), 0, 0
        while (frame := _frame(here, start)) is not None:
            body, end = frame
            if end > len(here):
                self._awaited = end - start
                break
            command = self._whole(_parsed(bytes(here[body:end])))
            if command is not None:
                yield command
            start = end
        del self._buffer[:start]

    def _whole(self, command: pb.Command) -> pb.Command | None:
        last_part = command.id in self._parts and command.WhichOneof("op") is None
        if not (command.part or command.more or last_part):
            return command
        parts = self._parts.setdefault(command.id, bytearray())
        parts += command.part
        if command.more:
            return None
        return _parsed(bytes(self._parts.pop(command.id)))


def _frame(here: memoryview, start: int) -> tuple[int, int] | None:
    """Return where the body of the frame at `start` begins and ends; None if its length has not arrived in full."""
    length = shift = 0
    for at in range(start, len(here)):
        byte = here[at]
        length |= (byte & 0x7F) << shift
        if length > MAX_FRAME:
            raise BrokenFrameError(f"the harness announced a frame of more than {MAX_FRAME} bytes")
        if byte < 0x80:
            return at + 1, at + 1 + length
        shift += 7
        if shift > 28:
            raise BrokenFrameError("the harness sent a frame length of more than five bytes")
    return None


def _parsed(data: bytes) -> pb.Command:
    try:
        return pb.Command.FromString(data)
    except DecodeError as error:
        raise BrokenFrameError(f"the harness sent a frame of {len(data)} bytes that is not a Command: {error}") from error
