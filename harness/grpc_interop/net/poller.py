"""The drivers' sockets, all in one selector: new drivers connect, queued commands go out, events come in."""

from __future__ import annotations

import selectors

from grpc_interop.drivers.driver import Driver


class Sockets:
    """Watches the drivers that were added, until they are forgotten."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.drivers: set[Driver] = set()

    def add(self, driver: Driver) -> None:
        """Watches a driver that was just started; one that is known already is not added again."""
        if driver not in self.drivers:
            self.drivers.add(driver)
            self._selector.register(driver.listener, selectors.EVENT_READ, driver)

    def flush(self) -> None:
        """Writes what is queued, as far as the sockets take it."""
        for driver in self.drivers:
            if driver.connection is not None and driver.connection.wants_to_write:
                self._write(driver)

    def wait(self, seconds: float) -> list[Driver]:
        """The drivers that have something to be read, after at most that long. Those that connect are accepted."""
        ready = []
        for key, _ in self._selector.select(seconds):
            driver: Driver = key.data
            if driver.connection is None:
                self._selector.unregister(driver.listener)
                self._selector.register(driver.accept().socket, selectors.EVENT_READ, driver)
                continue
            if driver.connection.wants_to_write:
                self._write(driver)
            ready.append(driver)
        return ready

    def forget(self, driver: Driver) -> None:
        self.drivers.discard(driver)
        for sock in (driver.listener, driver.connection.socket if driver.connection else None):
            if sock is not None and sock.fileno() >= 0 and sock in self._selector.get_map():
                self._selector.unregister(sock)

    def close(self) -> None:
        for driver in list(self.drivers):
            self.forget(driver)
        self._selector.close()

    def _write(self, driver: Driver) -> None:
        connection = driver.connection
        assert connection is not None
        connection.writable()
        if not connection.closed:
            mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.wants_to_write else 0)
            if self._selector.get_key(connection.socket).events != mask:
                self._selector.modify(connection.socket, mask, driver)
