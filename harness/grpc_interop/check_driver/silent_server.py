"""A server that takes any call and never answers, so that the client must end the call by itself. It knows only the frame
headers of HTTP/2 (RFC 9113, section 4.1), which are enough to see that."""

import socket
import threading
from types import TracebackType

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = 9
DATA, HEADERS, RST_STREAM, SETTINGS, PING = 0, 1, 3, 4, 6
END_STREAM = ACK = 0x1


class SilentServer:
    """Listens at `address` for a single connection, and notes in `seen` the events of its calls: `headers`, `message` (a frame
    of a message), `half-close`, `reset`, and `gone` when the connection has ended."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        host, port = self._listener.getsockname()
        self.address = f"{host}:{port}"
        self.seen: list[str] = []
        self._changed = threading.Condition()
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> "SilentServer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for sock in (self._listener, self._connection):
            if sock is not None:
                try:
                    sock.shutdown(socket.SHUT_RDWR)  # wakes the thread, which a close alone would not
                except OSError:
                    pass
                sock.close()
        self._thread.join()

    def sees(self, *events: str, seconds: float) -> bool:
        """Wait so many seconds for any of the events, and tell whether it has come."""
        with self._changed:
            return self._changed.wait_for(lambda: any(event in self.seen for event in events), seconds)

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

    def _note(self, event: str) -> None:
        with self._changed:
            self.seen.append(event)
            self._changed.notify_all()


def _frame(kind: int, flags: int = 0, content: bytes = b"") -> bytes:
    """Return a frame of the connection itself."""
    return len(content).to_bytes(3, "big") + bytes((kind, flags)) + bytes(4) + content
