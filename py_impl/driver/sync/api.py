"""The synchronous API: commands are read in the main thread, plays run in others."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from driver.connection import Connection
from driver.contract import pb
from driver.session import Session
from driver.stubs import Service
from driver.sync.channel import SyncChannel
from driver.sync.served import SyncServer
from driver.sync.workers import Workers

# A call that finds no free handler would not arrive. So there must be a handler for every call that can be open at
# once: the calls of all plays, repeated concurrently, frozen calls, and callers from outside. Threads are started only
# when needed.
HANDLERS = 1024


class SyncApi:
    """Makes servers and channels whose plays run in threads."""

    greeter = "server.py"

    def __init__(self) -> None:
        self._workers = Workers()
        self._handlers = ThreadPoolExecutor(HANDLERS, thread_name_prefix="interop-handler")

    def serve(self, order: pb.Serve, services: Iterable[Service], by_hand: dict[str, Any], ready: Callable[[str], None]) -> SyncServer:
        """Start a server. Raise RefusedError."""
        server = SyncServer(order, services, by_hand, self._handlers, self._workers)
        ready(server.address)
        return server

    def dial(self, order: pb.Dial) -> SyncChannel:
        return SyncChannel(order, self._workers)


def run(connection: Connection, services: list[Service]) -> None:
    """Carry out commands until the harness closes the connection. Raise BrokenFrameError."""
    session = Session(SyncApi(), services, connection.send)
    session.greet()
    while (commands := connection.receive()) is not None:
        for command in commands:
            session.handle(command)
