"""One grpc.aio server: it finds the script, or the application's handler, for each call that arrives."""

import asyncio
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import grpc

from driver.aio.server import AioServerPlay, ServerCall
from driver.aio.tasks import begin
from driver.api import RefusedError
from driver.contract import pb
from driver.metadata import case_of
from driver.options import COMPRESSIONS, server_arguments, server_credentials
from driver.plays import Order, ServerPlay
from driver.stubs import Method, Service
from driver.switchboard import Parked, Switchboard

# How long a graceful stop waits for the calls in flight, in seconds: grpc.aio cannot express "as long as they need".
WITHOUT_END = 365 * 24 * 3600.0


class AioServer:
    """A grpc.aio server with the generated servicers of a whole tree."""

    def __init__(self, order: pb.Serve, services: Iterable[Service], by_hand: dict[str, Any], ready: Callable[[str], None]) -> None:
        """Start the server; the arguments are those of `Api.serve`. Raise RefusedError."""
        self.switchboard: Switchboard[_Parked] = Switchboard()
        self._grpc = grpc.aio.server(options=server_arguments(order.options), compression=COMPRESSIONS[order.options.compression])
        for service in services:
            servicer = by_hand.get(service.full_name)
            played = {method.name: self._handler(method, servicer) for method in service.methods}
            service.add_to_server(service.registered(played), self._grpc)
        begin(self._start(f"127.0.0.1:{self._bind(order)}", ready))

    def _bind(self, order: pb.Serve) -> int:
        address = f"127.0.0.1:{order.port}"
        try:
            credentials = server_credentials(order.options)
            if credentials is None:
                return int(self._grpc.add_insecure_port(address))
            return int(self._grpc.add_secure_port(address, credentials))
        except RuntimeError as error:
            raise RefusedError(f"cannot listen on {address}: {error}") from error

    async def _start(self, address: str, ready: Callable[[str], None]) -> None:
        await self._grpc.start()
        ready(address)

    def play(self, order: Order) -> AioServerPlay:
        """Return a play for this server."""
        return AioServerPlay(order)

    def close(self, graceful: bool, closed: Callable[[], None]) -> None:
        """Stop the server, and call `closed` when it has stopped."""
        begin(self._stop(graceful, closed))

    async def _stop(self, graceful: bool, closed: Callable[[], None]) -> None:
        await self._grpc.stop(WITHOUT_END if graceful else None)
        closed()

    def _handler(self, method: Method, servicer: Any) -> Callable[..., Any]:
        async def handle(_: Any, request_or_requests: Any, context: grpc.aio.ServicerContext) -> Any:
            case = case_of(context.invocation_metadata())
            play = self.switchboard.play_of(method, case, lambda: _Parked(context))
            if isinstance(play, _Parked):
                play = await play.wait()
            if play is not None:
                assert isinstance(play, AioServerPlay)
                return await ServerCall(play, request_or_requests, context).run()
            if case is None and servicer is not None:
                return await _by_hand(getattr(servicer, method.name), request_or_requests, context)
            return await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"no script for this call of {method.path}")

        return handle


async def _by_hand(handler: Callable[..., Any], request_or_requests: Any, context: grpc.aio.ServicerContext) -> Any:
    if not inspect.isasyncgenfunction(handler):
        return await handler(request_or_requests, context)
    async for response in handler(request_or_requests, context):
        await context.write(response)
    return None


class _Parked(Parked):
    """A parked call whose handler waits."""

    def __init__(self, context: grpc.aio.ServicerContext) -> None:
        super().__init__(context)
        self._play: asyncio.Future[ServerPlay] = asyncio.get_running_loop().create_future()

    async def wait(self) -> ServerPlay:
        """Return the play when its script has come."""
        try:
            return await self._play
        except asyncio.CancelledError:
            if not self._play.cancelled():  # the play came, and then the call ended, before this handler had its turn
                self._play.result().play_ended(self.metadata, self.remaining_us)
            raise

    def assign(self, play: ServerPlay) -> bool:
        if self._play.cancelled():
            return False
        self._play.set_result(play)
        return True
