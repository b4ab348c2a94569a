"""A relay between clients and a server: it passes every byte on, counts the bytes, and can fall silent. It runs in threads of
its own, so that it works without the engine."""

import socket
import threading
from contextlib import suppress
from types import TracebackType

MOST_BYTES = 64 * 1024
"""Bytes of a client's traffic that are kept for `await_sent`. The messages it looks for have a few hundred."""


class Relay:
    """Listen on `target` (`127.0.0.1:port`) until it is closed. `up` and `down` count the bytes to the server and to the client."""

    def __init__(self, server: str) -> None:
        self.up = self.down = 0
        self._server = server
        self._silent = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._sent = b""
        self._changed = threading.Condition()
        self._sockets: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def await_sent(self, data: bytes, seconds: float) -> None:
        """Wait until the client has sent these bytes (any, if `data` is empty), at most for `seconds`: a client that compresses
        its messages never shows them."""
        with self._changed:
            self._changed.wait_for(lambda: self._sent and data in self._sent, seconds)

    def fall_silent(self) -> None:
        """Pass nothing on any more, in either direction, and hide from each side that the other side closes: like a cut cable.
        The relay still reads all bytes."""
        self._silent = True

    def close(self) -> None:
        """Cut all connections."""
        for sock in self._sockets:
            # Another thread may wait for the socket: `close` alone would leave that thread waiting.
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        host, _, port = self._server.rpartition(":")
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                try:
                    server = socket.create_connection((host, int(port)))
                except ConnectionRefusedError:
                    # The server has gone: the client must see that, too.
                    client.close()
                    continue
                self._sockets.append(server)
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, sink, source is client), name="relay", daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, from_client: bool) -> None:
        with suppress(OSError):  # this side has gone; the other side is told below
            while data := source.recv(MOST_BYTES):
                with self._changed:
                    if from_client:
                        self.up += len(data)
                    else:
                        self.down += len(data)
                if not self._silent:
                    sink.sendall(data)
                if from_client:  # only now: `await_sent` begins the time in which the server may answer too early
                    with self._changed:
                        self._sent = (self._sent + data)[-MOST_BYTES:]
                        self._changed.notify_all()
        if not self._silent:
            with suppress(OSError):
                sink.shutdown(socket.SHUT_WR)
