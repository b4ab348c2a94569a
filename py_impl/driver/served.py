"""One server: finds the script, or the application's handler, for each call that arrives."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from driver.contract import pb
from driver.metadata import case_of, reported
from driver.options import COMPRESSIONS, server_arguments, server_credentials
from driver.play_server import ServerCall, ServerPlay, remaining_us
from driver.stubs import Method, Service


class RefusedError(Exception):
    """The system refused what was asked for; the text says what, for people."""


class Server:
    """A grpcio server with the generated servicers of a whole tree."""

    def __init__(
        self,
        order: pb.Serve,
        services: Iterable[Service],
        application: dict[str, Any],
        handlers: ThreadPoolExecutor,
    ) -> None:
        """`application` has hand-written servicers by the full name of their service. Raises RefusedError."""
        self._switchboard = Switchboard()
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

    def expect(self, play: ServerPlay) -> None:
        """Serves the next calls with this play: those of its case, or those without a case."""
        self._switchboard.expect(play)

    def forget(self, play: ServerPlay) -> None:
        """Serves no further call with this play."""
        self._switchboard.forget(play)

    def forget_if_not_arrived(self, play: ServerPlay) -> bool:
        """Forgets the play if no call has come for it; tells whether it did."""
        return self._switchboard.forget_if_not_arrived(play)

    def close(self, graceful: bool) -> None:
        """Stops the server, and returns when it has stopped."""
        self._grpc.stop(grace=threading.TIMEOUT_MAX if graceful else None).wait()

    def _handler(self, method: Method, by_hand: Any) -> Callable[[Any, Any, grpc.ServicerContext], Any]:
        def handle(_: Any, request_or_requests: Any, context: grpc.ServicerContext) -> Any:
            case = case_of(context.invocation_metadata())
            play = self._switchboard.play_of(method, case, context)
            if play is not None:
                call = ServerCall(play, request_or_requests, context)
                return call.stream() if method.server_streaming else call.respond()
            if case is None and by_hand is not None:
                return getattr(by_hand, method.name)(request_or_requests, context)
            return context.abort(grpc.StatusCode.UNIMPLEMENTED, f"no script for this call of {method.path}")

        return handle


class Switchboard:
    """Brings calls and scripts together, whichever comes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plays: dict[tuple[str, int], ServerPlay] = {}
        self._for_anyone: dict[str, deque[ServerPlay]] = {}
        self._parked: dict[tuple[str, int], deque[_Parked]] = {}

    def expect(self, play: ServerPlay) -> None:
        """The play is there for calls to come, and for those that wait for it."""
        ended: list[_Parked] = []
        key = (play.method.path, play.id)
        with self._lock:
            if play.script.any_caller:
                self._for_anyone.setdefault(play.method.path, deque()).append(play)
                return
            self._plays[key] = play
            parked = self._parked.pop(key, deque())
            while parked and self._plays.get(key) is play:
                call = parked.popleft()
                self._admit(key, play)
                if call.assign(play):
                    continue
                ended.append(call)
        for call in ended:
            play.play_ended(call.request, call.remaining_us)

    def forget(self, play: ServerPlay) -> None:
        """The play takes no further call."""
        with self._lock:
            self._forget(play)

    def forget_if_not_arrived(self, play: ServerPlay) -> bool:
        """Forgets a play for which no call has come; tells whether it did."""
        with self._lock:
            if play.arrived:
                return False
            self._forget(play)
            return True

    def _forget(self, play: ServerPlay) -> None:
        if play.script.any_caller:
            waiting = self._for_anyone.get(play.method.path, deque())
            if play in waiting:
                waiting.remove(play)
        else:
            self._plays.pop((play.method.path, play.id), None)

    def play_of(self, method: Method, case: int | None, context: grpc.ServicerContext) -> ServerPlay | None:
        """The play for a call; waits for that of its case. None if there is none, or the call ended before it came."""
        if case is None:
            return self._anyones(method)
        key = (method.path, case)
        with self._lock:
            play = self._plays.get(key)
            if play is not None:
                self._admit(key, play)
                return play
            parked = _Parked(context)
            self._parked.setdefault(key, deque()).append(parked)
        return parked.wait()

    def _anyones(self, method: Method) -> ServerPlay | None:
        with self._lock:
            waiting = self._for_anyone.get(method.path)
            if not waiting:
                return None
            if not waiting[0].admit():
                return waiting.popleft()
            return waiting[0]

    def _admit(self, key: tuple[str, int], play: ServerPlay) -> None:
        if not play.admit():
            del self._plays[key]


class _Parked:
    """A call that came before its script. Its thread waits; a call that ends meanwhile stays known."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self.request = reported(context.invocation_metadata())
        self.remaining_us = remaining_us(context)
        self._context = context
        self._lock = threading.Lock()
        self._play: ServerPlay | None = None
        self._ended = False
        self._settled = threading.Event()
        if not context.add_callback(self._end):
            self._end()

    def wait(self) -> ServerPlay | None:
        """The play, once it came; None if the call ended before."""
        self._settled.wait()
        return self._play

    def assign(self, play: ServerPlay) -> bool:
        """Gives the play to the call; False if the call has ended."""
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
