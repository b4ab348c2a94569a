"""One selector for all sockets of the engine: it says which callbacks are due, and knows nothing about who registered them."""

import selectors
import socket
from collections.abc import Callable
from typing import NamedTuple

Callback = Callable[[], None]


class _Callbacks(NamedTuple):
    on_readable: Callback
    on_writable: Callable[[], bool]  # writes as much as the socket takes, and returns whether anything is left to write


class Poller:
    """Watches each registered socket until it is unregistered, which must happen before the socket is closed."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def register(self, sock: socket.socket, on_readable: Callback, on_writable: Callable[[], bool] = bool) -> None:
        """Watch a socket. `on_writable` writes as much as the socket takes, and returns whether anything is left to write."""
        self._selector.register(sock, selectors.EVENT_READ, _Callbacks(on_readable, on_writable))

    def unregister(self, sock: socket.socket) -> None:
        """Stop watching a socket. Without effect if it is not watched."""
        if sock.fileno() >= 0 and sock in self._selector.get_map():
            self._selector.unregister(sock)

    def flush(self) -> None:
        """Write everything that is queued, as far as the sockets take it."""
        for key in list(self._selector.get_map().values()):
            self._write(key)

    def wait(self, seconds: float) -> list[Callback]:
        """Wait for at most `seconds`, write where sockets have room again, and return the callbacks of the readable sockets."""
        due = []
        for key, events in self._selector.select(seconds):
            if events & selectors.EVENT_WRITE:
                self._write(key)
            if events & selectors.EVENT_READ:
                due.append(key.data.on_readable)
        return due

    def close(self) -> None:
        self._selector.close()

    def _write(self, key: selectors.SelectorKey) -> None:
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if key.data.on_writable() else 0)
        if key.events != mask:
            self._selector.modify(key.fileobj, mask, key.data)
