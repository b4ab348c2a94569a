"""The connection to the harness, with blocking sockets."""

from __future__ import annotations

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


def connect() -> Connection:
    """Connects to the address in INTEROP_DRIVER_ADDRESS. Raises SystemExit with words if there is none."""
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
        """For those who wait for several things at once: readable when `receive` would not block."""
        return self._socket.fileno()

    def receive(self) -> Iterator[pb.Command] | None:
        """The commands that arrived, waits for some bytes of them; None once the harness has closed the connection.

        Raises BrokenFrameError, also while the commands are taken.
        """
        data = self._receive()
        return self._reader.feed(data) if data else None

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(READ_SIZE)
        except ConnectionError:
            return b""  # a harness that was killed closes as well

    def send(self, event: pb.Event) -> None:
        """Sends an event, after those that were sent before."""
        self.enqueue(event)
        self.flush()

    def enqueue(self, event: pb.Event) -> None:
        """Leaves an event to the next `flush` or `send`."""
        self._outgoing.append(frames(event))

    def flush(self) -> None:
        """Sends what is enqueued."""
        # Whoever has the lock sends for all others. It looks again after it has let go, so nothing is left behind.
        while self._outgoing and self._sending.acquire(blocking=False):
            if not self._send_what_fits():
                self._stuck.release()  # the lock now belongs to the writer thread
                return
            self._sending.release()

    def _send_what_fits(self) -> bool:
        """Sends without waiting. False if the harness does not keep up: then `_rest` must be sent first."""
        data = memoryview(b"".join(self._outgoing.popleft() for _ in range(len(self._outgoing))))
        while data:
            try:
                data = data[self._socket.send(data, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                self._rest = data
                return False
            except ConnectionError:
                return True  # nobody is there to be told; the reader sees the end and stops the driver
        return True

    def _unstick(self) -> None:
        """Waits in the place of those who send, above all of the thread that reads commands."""
        while True:
            self._stuck.acquire()
            with contextlib.suppress(ConnectionError):  # as in `_send_what_fits`
                self._socket.sendall(self._rest)
            self._sending.release()
            self.flush()
