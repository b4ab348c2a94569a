"""Frames over a socket: commands out, events in. Never blocks, and never stops reading while it writes."""

import socket
from collections import deque
from itertools import islice

from google.protobuf.message import DecodeError

from grpc_interop.drivers import driver_pb2 as pb

MAX_FRAME = 1024 * 1024
"""Bytes of the largest frame. Larger messages travel in parts: some readers refuse large frames (Go's protodelim: 4 MiB)."""

PART = MAX_FRAME - 64
"""Bytes of a part: leaves room for the frame's other fields."""

_PART_TAG = bytes([pb.Command.PART_FIELD_NUMBER << 3 | 2])
"""The tag of a command's part: its field number and wire type."""

MAX_EVENT = 512 * 1024 * 1024
"""Bytes of the largest event that is put together from parts. A broken driver that sends more must not use up all memory."""

FRAMES = 256
"""Frames that are written in one system call: as many as gather between two polls, and fewer than the 1,024 that Linux takes."""

READ = 256 * 1024
"""Bytes per read: a full socket buffer."""


class ContractBroken(Exception):
    """The other side does not keep the contract; the text says how."""


def frame(message: bytes) -> bytes:
    """Return a message with its length before it, as a base-128 varint."""
    return varint(len(message)) + message


def varint(value: int) -> bytes:
    """Return `value` as a base-128 varint."""
    return _SHORT_VARINTS[value] if value < 1 << 14 else _CONTINUED_VARINTS[value & 0x3FFF] + varint(value >> 14)


_SHORT_VARINTS = tuple(bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80, value >> 7]) for value in range(1 << 14))
"""All varints of one and two bytes: every frame holds some, and encoding them took a tenth of the harness' time."""

_CONTINUED_VARINTS = tuple(bytes([value & 0x7F | 0x80, value >> 7 | 0x80]) for value in range(1 << 14))
"""The first two bytes of longer varints."""


class Connection:
    """One driver's connection. The owner calls `readable` and `writable` when its selector says so."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock
        self.closed = False
        self._inbox = bytearray()
        self._awaited = 0
        """Bytes of the incomplete frame: parsing is not tried before they have arrived."""
        self._outbox: deque[bytes | memoryview] = deque()
        self._parts: dict[int, bytearray] = {}

    @property
    def wants_to_write(self) -> bool:
        return bool(self._outbox)

    def send(self, command: bytes, command_id: int) -> None:
        """Queue a serialised Command. Parts carry its id, `command_id`."""
        if len(command) <= MAX_FRAME:
            self._outbox.append(frame(command))
            return
        whole = memoryview(command)  # no slice of it is copied
        for start in range(0, len(command), PART):
            part = whole[start : start + PART]
            more = start + PART < len(command)
            head = pb.Command(id=command_id, more=more).SerializeToString() + _PART_TAG + varint(len(part))
            self._outbox += [varint(len(head) + len(part)) + head, part]

    def writable(self) -> bool:
        """Write as much as the socket takes, and return whether anything is left. The rest stays as it is: a large backlog is
        not copied."""
        outbox = self._outbox
        while outbox:
            try:
                sent = self.socket.sendmsg(islice(outbox, FRAMES))
            except OSError:
                # The socket takes nothing now, or never again: then reading will show why.
                return True
            while sent:
                first = outbox[0]
                if sent < len(first):
                    outbox[0] = memoryview(first)[sent:]
                    return True
                sent -= len(first)
                outbox.popleft()
        return False

    def readable(self) -> list[pb.Event]:
        """Return the events that have arrived. Set `closed` at the end of the stream. Raises ContractBroken."""
        try:
            data = self.socket.recv(READ)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return []
        self._inbox += data
        return self._events() if len(self._inbox) >= self._awaited else []

    def close(self) -> None:
        self.closed = True
        self.socket.close()

    def _events(self) -> list[pb.Event]:
        events = []
        inbox = bytes(self._inbox)
        at = self._awaited = 0
        while at < len(inbox):
            length, start = _read_varint(inbox, at)
            if start < 0:
                break
            if length > MAX_FRAME:
                raise ContractBroken(f"sent a frame of {length:,} bytes; the most is {MAX_FRAME:,}")
            if len(inbox) - start < length:
                self._awaited = start + length - at
                break
            at = start + length
            event = _parse(inbox[start:at])
            if event.more or event.part:
                whole = self._join(event)
                if whole is None:
                    continue
                event = whole
            events.append(event)
        del self._inbox[:at]
        return events

    def _join(self, event: pb.Event) -> pb.Event | None:
        parts = self._parts.setdefault(event.id, bytearray())
        parts += event.part
        if len(parts) > MAX_EVENT:
            raise ContractBroken(f"sent an event of more than {MAX_EVENT:,} bytes")
        if event.more:
            return None
        return _parse(bytes(self._parts.pop(event.id)))


def _parse(data: bytes) -> pb.Event:
    try:
        return pb.Event.FromString(data)
    except DecodeError:
        raise ContractBroken(f"sent {len(data)} bytes that are not an Event: {data[:32]!r}") from None


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the varint at `at` and its end, or (0, -1) when it is incomplete."""
    if data[at] < 0x80:
        return data[at], at + 1
    value = shift = 0
    for index in range(at, min(len(data), at + 5)):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, index + 1
        shift += 7
    if len(data) - at >= 5:
        raise ContractBroken(f"sent something that is not the length of a frame: {bytes(data[at : at + 16])!r}")
    return 0, -1
