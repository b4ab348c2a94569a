"""Plays clients through generated stubs, with grpcio's synchronous API."""

import itertools
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, ClassVar, Final

import grpc

from driver.options import COMPRESSIONS
from driver.plays import ClientPlay, Order
from driver.script import (
    CANCEL,
    HALF_CLOSE,
    RECEIVE,
    RECEIVE_HEADERS,
    RECEIVE_TO_END,
    SEND,
    SIGNAL,
    WAIT_FOR,
)
from driver.sync.signals import Signals
from driver.sync.workers import Workers
from driver.transcript import END, Recording

# Follows the last request.
_NO_MORE: Final = object()


class SyncClientPlay(ClientPlay):
    """A client's play, in threads."""

    signals: Signals

    def __init__(self, order: Order, multicallable: Any, workers: Workers) -> None:
        super().__init__(order, Signals(order.script.waits), multicallable)
        self.workers = workers
        self._turns = itertools.count()

    def start(self) -> None:
        """Begin to play, in other threads."""
        for _ in range(min(self.script.concurrency, self.script.repeat)):
            self.workers.run(self._make_calls)

    def _make_calls(self) -> None:
        try:
            while next(self._turns) < self.script.repeat and not self.frozen:
                call = ClientCall(self)
                self.calls.add(call)
                if not call.run():
                    return  # frozen: the RPC stays open until `end`
                self.calls.discard(call)
                self.finish(call.recording)
        except Exception as error:  # noqa: BLE001 - reported in place of the transcript
            self.fail(error)
            self.end()


class ClientCall:
    """One RPC, in which the script of a play is played once."""

    def __init__(self, play: SyncClientPlay) -> None:
        self._play = play
        self.recording: Recording = play.begin()
        self._method = play.method
        self._rpc: Any = None
        self._requests: _Requests | None = None
        self._begun = threading.Event() if len(play.script.lanes) > 1 else None
        self._rpc_ended = False
        self._end_seen = False
        self._answered = False

    def run(self) -> bool:
        """Play to the end of the script and of the RPC. Return False if the play was frozen before."""
        script = self._play.script
        if self._method.client_streaming:
            self._requests = _Requests()
            self._begin(self._requests)
        if len(script.lanes) == 1:
            self._play_lane(0)
        else:
            other_done = threading.Event()
            self._play.workers.run(self._play_other_lane, other_done)
            self._play_lane(0)
            other_done.wait()
        if self._play.frozen:
            return False
        self._observe_status()
        if self._requests is not None:
            self._requests.put(_NO_MORE)  # ends the thread in which grpcio takes the requests
        return not self._play.frozen

    def abandon(self) -> None:
        """End the RPC, if there is one, and the threads that wait for it."""
        if self._rpc is not None:
            self._rpc.cancel()
        if self._requests is not None:
            self._requests.put(_NO_MORE)
        if self._begun is not None:
            self._begun.set()

    def _begin(self, request_or_requests: Any) -> None:
        play = self._play
        script = play.script
        invoke = play.multicallable if self._method.server_streaming else play.multicallable.future
        self._rpc = invoke(
            request_or_requests,
            timeout=script.timeout,
            metadata=play.metadata,
            compression=COMPRESSIONS[script.compression],
        )
        if script.waits and not self._rpc.add_callback(self._on_end):
            self._on_end()
        if self._begun is not None:
            self._begun.set()

    def _on_end(self) -> None:
        self._rpc_ended = True
        self._play.signals.wake()

    def _play_other_lane(self, done: threading.Event) -> None:
        try:
            self._play_lane(1)
        except Exception as error:  # noqa: BLE001 - reported in place of the transcript
            self._play.fail(error)
        finally:
            done.set()

    def _play_lane(self, lane: int) -> None:
        play = self._play
        for kind, argument in play.script.lanes[lane]:
            if play.frozen:
                break
            if kind is SEND:
                self._send(play.messages[argument])
            else:
                self._STEPS[kind](self, lane, argument)
            self.recording.done(lane)

    def _send(self, message: Any) -> None:
        if self._requests is not None:
            self._requests.put(message)
        elif self._rpc is None:
            self._begin(message)

    def _call(self) -> Any:
        """Return the RPC. An RPC with a single request begins with the send, which may be in the other lane."""
        if self._rpc is None and self._begun is not None:
            self._begun.wait()
        return self._rpc

    def _receive(self, lane: int, _argument: None) -> bool:
        """Observe the next message or the end. Return False if it was the end."""
        if self._end_seen:
            return False
        message = self._next_message()
        self._end_seen = message is None
        self.recording.lanes[lane].append(END if message is None else message)
        return message is not None

    def _next_message(self) -> Any:
        rpc = self._call()
        try:
            if self._method.server_streaming:
                return next(rpc, None)
            if self._answered:
                return None
            self._answered = True
            return rpc.result()
        except (grpc.RpcError, grpc.FutureCancelledError):
            return None

    def _receive_to_end(self, lane: int, _argument: None) -> None:
        while self._receive(lane, None):
            pass

    def _half_close(self, _lane: int, _argument: None) -> None:
        if self._requests is not None:
            self._requests.put(_NO_MORE)

    def _cancel(self, _lane: int, _argument: None) -> None:
        self._call().cancel()

    def _receive_headers(self, _lane: int, _argument: None) -> None:
        self._call().initial_metadata()

    def _signal(self, _lane: int, name: str) -> None:
        self._play.signal(name)

    def _wait_for(self, _lane: int, name: str) -> None:
        play = self._play
        play.signals.take(name, lambda: self._rpc_ended or play.frozen)

    def _observe_status(self) -> None:
        rpc = self._call()
        code = rpc.code()  # waits for the end of the RPC
        if self._play.frozen:
            return
        self.recording.ended(code, rpc.details(), rpc.trailing_metadata(), rpc.initial_metadata())

    _STEPS: ClassVar[dict[str, Callable[["ClientCall", int, Any], object]]] = {
        RECEIVE: _receive,
        RECEIVE_TO_END: _receive_to_end,
        HALF_CLOSE: _half_close,
        CANCEL: _cancel,
        RECEIVE_HEADERS: _receive_headers,
        SIGNAL: _signal,
        WAIT_FOR: _wait_for,
    }


class _Requests:
    """The iterator from which grpcio, in a thread of its own, takes the messages that a script sends."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self.put = self._queue.put

    def __iter__(self) -> "_Requests":
        return self

    def __next__(self) -> Any:
        message = self._queue.get()
        if message is _NO_MORE:
            raise StopIteration
        return message
