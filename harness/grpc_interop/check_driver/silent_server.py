"""A server that takes any call and never answers: what a client does by itself shows here, and nobody ends the call for it.
It knows of HTTP/2 only the frames' heads (RFC 9113, section 4.1), which say all that is asked."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = 9
DATA, HEADERS, RST_STREAM, SETTINGS, PING = 0, 1, 3, 4, 6
END_STREAM = ACK = 0x1


class SilentServer:
    """Listens at `address` for one connection, and notes in `seen` what comes of its calls: `headers`, `message` (a frame of
    one), `half-close`, `reset`, and `gone` when the connection has ended."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        host, port = self._listener.getsockname()
        self.address = f"{host}:{port}"
        self.seen: list[str] = []
        self._changed = threading.Condition()
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> SilentServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for one in (self._listener, self._connection):
            if one is not None:
                try:
                    one.shutdown(socket.SHUT_RDWR)  # wakes the thread, which a close alone would not
                except OSError:
                    pass
                one.close()
        self._thread.join()

    def sees(self, *what: str, seconds: float) -> bool:
        """Whether one of these comes within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: any(one in self.seen for one in what), seconds)

    def _serve(self) -> None:
        try:
            self._connection, _ = self._listener.accept()
            with self._connection.makefile("rb") as stream:
                if stream.read(len(PREFACE)) == PREFACE:
                    self._connection.sendall(_frame(SETTINGS))
                    while len(head := stream.read(HEAD)) == HEAD:
                        self._take(head[3], head[4], stream.read(int.from_bytes(head[:3], "big")))
        except OSError:
            pass  # it was closed, by either side
        self._note("gone")

    def _take(self, kind: int, flags: int, content: bytes) -> None:
        assert self._connection is not None
        if kind in (SETTINGS, PING) and not flags & ACK:
            self._connection.sendall(_frame(kind, ACK, content if kind == PING else b""))
        if kind == HEADERS:
            self._note("headers")
        if kind == DATA and content:
            self._note("message")
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self._note("half-close")
        if kind == RST_STREAM:
            self._note("reset")

    def _note(self, what: str) -> None:
        with self._changed:
            self.seen.append(what)
            self._changed.notify_all()


def _frame(kind: int, flags: int = 0, content: bytes = b"") -> bytes:
    """A frame of the connection itself."""
    return len(content).to_bytes(3, "big") + bytes((kind, flags)) + bytes(4) + content
