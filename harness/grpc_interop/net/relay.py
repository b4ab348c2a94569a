"""Stands between a client program and a server, passes every byte on, and tells when the client has sent something."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

MOST_BYTES = 64 * 1024
"""Of what a client sends that is kept for being searched: what it is asked to send in a case is a few hundred bytes."""


class Relay:
    """Listens on `target` (`127.0.0.1:port`) and passes on to the server. Close it at the end of the RPC."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._sent = b""
        self._changed = threading.Condition()
        self._sockets: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def await_sent(self, data: bytes, seconds: float) -> None:
        """Waits until the client has sent these bytes (any, if they are none), at most so many seconds: one that compresses
        what it sends shows nothing."""
        with self._changed:
            self._changed.wait_for(lambda: self._sent and data in self._sent, seconds)

    def close(self) -> None:
        """Cuts all connections."""
        for one in self._sockets:
            # A thread may still wait for it: closing alone would leave that one waiting.
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        host, _, port = self._server.rpartition(":")
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                try:
                    server = socket.create_connection((host, int(port)))
                except ConnectionRefusedError:
                    # The server has gone: so it is for the client.
                    client.close()
                    continue
                self._sockets.append(server)
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, sink, source is client), name="relay", daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, from_client: bool) -> None:
        with suppress(OSError):  # one side has gone; the other is told below
            while data := source.recv(MOST_BYTES):
                sink.sendall(data)
                if from_client:
                    with self._changed:
                        self._sent = (self._sent + data)[-MOST_BYTES:]
                        self._changed.notify_all()
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
