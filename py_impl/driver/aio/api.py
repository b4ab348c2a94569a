"""The API grpc.aio: one loop reads commands and runs all plays."""

import asyncio
import faulthandler
import signal
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import grpc

from driver.aio.client import AioClientPlay
from driver.aio.served import AioServer
from driver.aio.stacks import print_tasks
from driver.aio.tasks import begin
from driver.channel import Channel
from driver.connection import Connection
from driver.contract import pb
from driver.plays import Order
from driver.session import Session
from driver.stubs import Service

# How long commands may keep the loop, in seconds. Some need milliseconds (a Transcode of a large message), and many of
# them would delay plays for as long as some deadlines last.
TURN_S = 0.005


class AioApi:
    """Makes servers and channels whose plays run in the loop."""

    greeter = "aio_server.py"

    def serve(self, order: pb.Serve, services: Iterable[Service], by_hand: dict[str, Any], ready: Callable[[str], None]) -> AioServer:
        """Start a server. Raise RefusedError."""
        return AioServer(order, services, by_hand, ready)

    def dial(self, order: pb.Dial) -> "AioChannel":
        return AioChannel(order, grpc.aio)


class AioChannel(Channel):
    """A channel of grpc.aio."""

    def play(self, order: Order) -> AioClientPlay:
        return AioClientPlay(order, self.multicallable(order.service, order.method))

    def close_now(self, closed: Callable[[], None]) -> None:
        begin(self._close(closed))

    async def _close(self, closed: Callable[[], None]) -> None:
        await self.grpc.close()
        closed()


def run(connection: Connection, services: list[Service]) -> None:
    """Carry out commands until the harness closes the connection. Raise BrokenFrameError."""
    loop = asyncio.new_event_loop()
    # Not asyncio.run: it would cancel the plays and wait for them, but the plays that remain end with the process.
    loop.run_until_complete(_run(connection, services))


async def _run(connection: Connection, services: list[Service]) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGQUIT, print_tasks)
    # Register again, since the loop has replaced the handler; `chain` also calls the loop.
    faulthandler.register(signal.SIGQUIT, all_threads=True, chain=True)
    await Turns(loop, connection, services).ended


class Turns:
    """The turns of the loop. Commands and events come in large numbers, and plays must have their turns between them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: Connection, services: list[Service]) -> None:
        """Begin to read. `ended` is done when the harness has closed the connection, or fails when the driver cannot go on."""
        self.ended: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._connection = connection
        self._waiting: deque[pb.Command] = deque()
        self._flush_planned = False
        self._session = Session(AioApi(), services, self._send)
        self._session.greet()
        loop.add_reader(connection.fileno(), self._receive)

    def _receive(self) -> None:
        idle = not self._waiting
        try:
            commands = self._connection.receive()
            self._waiting.extend(commands or ())
        except Exception as error:  # noqa: BLE001 - as an error of a callback it would be logged, but it ends the driver
            self._end(error)
            return
        if commands is None:
            self._end()
        elif idle:
            self._handle()

    def _handle(self) -> None:
        until = self._loop.time() + TURN_S
        while self._waiting and self._loop.time() < until:
            self._session.handle(self._waiting.popleft())
        if self._waiting:
            self._loop.call_soon(self._handle)

    def _end(self, error: Exception | None = None) -> None:
        self._loop.remove_reader(self._connection.fileno())
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)

    def _send(self, event: pb.Event) -> None:
        self._connection.enqueue(event)
        if not self._flush_planned:
            self._flush_planned = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_planned = False
        self._connection.flush()
