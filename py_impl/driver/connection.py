"""The connection to the harness, with blocking sockets."""

import contextlib
import os
import socket
import threading
from collections import deque
from collections.abc import Iterator

from driver.contract import CommandReader, frames, pb

ADDRESS = "INTEROP_DRIVER_ADDRESS"

# Room for many small commands in one system call.
READ_SIZE = 256 * 1024


def connect() -> "Connection":
    """Connect to the address in INTEROP_DRIVER_ADDRESS. Raise SystemExit with an explanation if there is none."""
    address = os.environ.get(ADDRESS, "")
    kind, _, place = address.partition(":")
    if kind == "unix":
        unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        unix.connect(place)
        return Connection(unix)
    if kind == "tcp":
        host, _, port = place.rpartition(":")
        tcp = socket.create_connection((host, int(port)))
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Connection(tcp)
    raise SystemExit(
        f"{ADDRESS} is {address!r}, but must be unix:/path or tcp:127.0.0.1:port. "
        "The harness sets it when it starts a driver; to debug one, listen there yourself."
    )


class Connection:
    """Commands come in, events go out. Any thread may send; sending never blocks."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._outgoing: deque[bytes] = deque()
        self._sending = threading.Lock()
        self._reader = CommandReader()
        self._rest: memoryview = memoryview(b"")
        self._stuck = threading.Semaphore(0)
        threading.Thread(target=self._unstick, name="interop-writer", daemon=True).start()

    def fileno(self) -> int:
        """Return the descriptor, for waiting on several things at once: it is readable when `receive` would not block."""
        return self._socket.fileno()

    def receive(self) -> Iterator[pb.Command] | None:
        """Return the commands that arrived, after waiting for some of their bytes; None if the harness has closed the
        connection.

        Raise BrokenFrameError, also while the commands are taken.
        """
        data = self._receive()
        return self._reader.feed(data) if data else None

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(READ_SIZE)
        except ConnectionError:
            return b""  # a harness that was killed closes as well

    def send(self, event: pb.Event) -> None:
        """Send an event after all earlier events."""
        self.enqueue(event)
        self.flush()

    def enqueue(self, event: pb.Event) -> None:
        """Leave an event to the next `flush` or `send`."""
        self._outgoing.append(frames(event))

    def flush(self) -> None:
        """Send the enqueued events."""
        # The thread that has the lock sends for all others. It looks again after the release, so that nothing is left behind.
        while self._outgoing and self._sending.acquire(blocking=False):
            if not self._send_what_fits():
                self._stuck.release()  # the lock now belongs to the writer thread
                return
            self._sending.release()

    def _send_what_fits(self) -> bool:
        """Send without waiting. Return False if the harness does not keep up: then `_rest` must be sent first."""
        data = memoryview(b"".join(self._outgoing.popleft() for _ in range(len(self._outgoing))))
        while data:
            try:
                data = data[self._socket.send(data, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                self._rest = data
                return False
            except ConnectionError:
                return True  # nobody listens any more; the reader sees the end and stops the driver
        return True

    def _unstick(self) -> None:
        """Wait in place of the senders, above all of the thread that reads commands."""
        while True:
            self._stuck.acquire()
            with contextlib.suppress(ConnectionError):  # as in `_send_what_fits`
                self._socket.sendall(self._rest)
            self._sending.release()
            self.flush()
