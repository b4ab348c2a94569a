"""One server: it finds the script, or the application's handler, for each call that arrives."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from driver.api import RefusedError
from driver.contract import pb
from driver.metadata import case_of
from driver.options import COMPRESSIONS, server_arguments, server_credentials
from driver.plays import Order, ServerPlay
from driver.stubs import Method, Service
from driver.switchboard import Parked, Switchboard
from driver.sync.server import ServerCall, SyncServerPlay
from driver.sync.workers import Workers


class SyncServer:
    """A grpcio server with the generated servicers of a whole tree."""

    def __init__(
        self,
        order: pb.Serve,
        services: Iterable[Service],
        application: dict[str, Any],
        handlers: ThreadPoolExecutor,
        workers: Workers,
    ) -> None:
        """Start the server. `application` has hand-written servicers by the full name of their service. Raise RefusedError."""
        self._workers = workers
        self.switchboard: Switchboard[_Parked] = Switchboard()
        self._grpc = grpc.server(handlers, options=server_arguments(order.options), compression=COMPRESSIONS[order.options.compression])
        for service in services:
            by_hand = application.get(service.full_name)
            played = {method.name: self._handler(method, by_hand) for method in service.methods}
            service.add_to_server(service.registered(played), self._grpc)
        self.address = f"127.0.0.1:{self._bind(order)}"
        self._grpc.start()

    def _bind(self, order: pb.Serve) -> int:
        address = f"127.0.0.1:{order.port}"
        try:
            credentials = server_credentials(order.options)
            if credentials is None:
                return int(self._grpc.add_insecure_port(address))
            return int(self._grpc.add_secure_port(address, credentials))
        except RuntimeError as error:
            raise RefusedError(f"cannot listen on {address}: {error}") from error

    def play(self, order: Order) -> SyncServerPlay:
        """Return a play for this server."""
        return SyncServerPlay(order, self._workers)

    def close(self, graceful: bool, closed: Callable[[], None]) -> None:
        """Stop the server, and call `closed` when it has stopped."""
        self._workers.run(self._stop, graceful, closed)

    def _stop(self, graceful: bool, closed: Callable[[], None]) -> None:
        self._grpc.stop(grace=threading.TIMEOUT_MAX if graceful else None).wait()
        closed()

    def _handler(self, method: Method, by_hand: Any) -> Callable[[Any, Any, grpc.ServicerContext], Any]:
        def handle(_: Any, request_or_requests: Any, context: grpc.ServicerContext) -> Any:
            case = case_of(context.invocation_metadata())
            play = self.switchboard.play_of(method, case, lambda: _Parked(context))
            if isinstance(play, _Parked):
                play = play.wait()
            if play is not None:
                assert isinstance(play, SyncServerPlay)
                call = ServerCall(play, request_or_requests, context)
                return call.stream() if method.server_streaming else call.respond()
            if case is None and by_hand is not None:
                return getattr(by_hand, method.name)(request_or_requests, context)
            return context.abort(grpc.StatusCode.UNIMPLEMENTED, f"no script for this call of {method.path}")

        return handle


class _Parked(Parked):
    """A parked call whose thread waits."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        super().__init__(context)
        self._context = context
        self._lock = threading.Lock()
        self._play: ServerPlay | None = None
        self._ended = False
        self._settled = threading.Event()
        if not context.add_callback(self._end):
            self._end()

    def wait(self) -> ServerPlay | None:
        """Return the play when its script has come; None if the call ended before."""
        self._settled.wait()
        return self._play

    def assign(self, play: ServerPlay) -> bool:
        """Give the play to the call. Return False if the call has ended."""
        with self._lock:
            if self._ended or not self._context.is_active():
                self._ended = True
                self._settled.set()
                return False
            self._play = play
            self._settled.set()
            return True

    def _end(self) -> None:
        with self._lock:
            self._ended = True
        self._settled.set()
