"""grpc.aio: one loop reads commands and runs all plays."""

from __future__ import annotations

import asyncio
import faulthandler
import signal
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


class AioApi:
    """Makes servers and channels whose plays run in the loop."""

    greeter = "aio_server.py"

    def serve(self, order: pb.Serve, services: Iterable[Service], by_hand: dict[str, Any], ready: Callable[[str], None]) -> AioServer:
        """Raises RefusedError."""
        return AioServer(order, services, by_hand, ready)

    def dial(self, order: pb.Dial) -> AioChannel:
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
    """Carries out commands until the harness closes the connection. Raises BrokenFrameError."""
    loop = asyncio.new_event_loop()
    # Not asyncio.run: it would cancel the plays and wait for them, but what is left then ends with the process.
    loop.run_until_complete(_run(connection, services))


async def _run(connection: Connection, services: list[Service]) -> None:
    loop = asyncio.get_running_loop()
    closed = loop.create_future()
    session = Session(AioApi(), services, connection.send)

    def take_commands() -> None:
        try:
            commands = connection.receive()
            if commands is None:
                closed.set_result(None)
                return
            for command in commands:
                session.handle(command)
        except Exception as error:  # noqa: BLE001 - a callback's error would be logged, but this one ends the driver
            closed.set_exception(error)

    loop.add_signal_handler(signal.SIGQUIT, print_tasks)
    # Again, for the loop has taken its place; `chain` goes on to the loop.
    faulthandler.register(signal.SIGQUIT, all_threads=True, chain=True)
    session.greet()
    loop.add_reader(connection.fileno(), take_commands)
    await closed
