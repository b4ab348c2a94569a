"""A relay between a client and a server: what travels is measured there, and can be cut."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Counts:
    """Bytes that went to the server and to the client."""

    up = 0
    down = 0


class Relay:
    """Passes bytes on between one client and one server, and counts them."""

    def __init__(self, target: str) -> None:
        self.counts = Counts()
        self._silent = False
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended, self._end = socket.socketpair()
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, name="relay")
        self._thread.start()

    def fall_silent(self) -> None:
        """Pass nothing on any more, in either direction, and let no side see that the other one closes: as a cable does that
        is cut. What is sent is taken all the same."""
        self._silent = True

    def close(self) -> None:
        self._end.close()
        self._thread.join()
        self._listener.close()
        self._ended.close()

    def _run(self) -> None:
        links: dict[socket.socket, tuple[socket.socket, bool]] = {}
        try:
            while True:
                ready = select.select([self._ended, self._listener, *links], [], [])[0]
                if self._ended in ready:
                    return
                for sock in ready:
                    if sock is self._listener:
                        client, server = sock.accept()[0], socket.create_connection(self._target)
                        links |= {client: (server, True), server: (client, False)}
                    elif sock in links:
                        self._pass_on(links, sock)
        finally:
            for sock in links:
                sock.close()

    def _pass_on(self, links: dict[socket.socket, tuple[socket.socket, bool]], sock: socket.socket) -> None:
        other, up = links[sock]
        try:
            data = sock.recv(1 << 16)
            if not self._silent:
                other.sendall(data)
        except OSError:
            data = b""
        if up:
            self.counts.up += len(data)
        else:
            self.counts.down += len(data)
        if not data:
            for one in (sock,) if self._silent else (sock, other):
                links.pop(one, None)
                one.close()


@contextmanager
def relaying(target: str) -> Iterator[Relay]:
    relay = Relay(target)
    try:
        yield relay
    finally:
        relay.close()
