"""Plays clients through generated stubs, with grpcio's synchronous API."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, ClassVar, Final

import grpc

from driver.contract import pb
from driver.metadata import CASE, DETAILS, entries, reported, value_of
from driver.options import COMPRESSIONS
from driver.script import (
    CANCEL,
    HALF_CLOSE,
    RECEIVE,
    RECEIVE_HEADERS,
    RECEIVE_TO_END,
    SEND,
    SIGNAL,
    WAIT_FOR,
    Script,
)
from driver.stubs import Method
from driver.transcript import END, Play, Recording
from driver.workers import Workers

# Stands behind the last request.
_NO_MORE: Final = object()


class ClientPlay(Play):
    """A script played on a channel: `repeat` calls, `concurrency` at a time."""

    always_arrived = True

    def __init__(
        self,
        play_id: int,
        script: Script,
        done: Callable[[Play, pb.Event], None],
        *,
        method: Method,
        multicallable: Any,
        messages: dict[int, Any],
        workers: Workers,
        signal: Callable[[int, str], None],
    ) -> None:
        super().__init__(play_id, script, done)
        self.method = method
        self.multicallable = multicallable
        self.messages = messages
        self.workers = workers
        self.signal = signal
        self.metadata = ((CASE, str(play_id)), *script.metadata)
        self._turns = itertools.count()
        self._calls: set[ClientCall] = set()

    def start(self) -> None:
        """Begins to play, in other threads."""
        for _ in range(min(self.script.concurrency, self.script.repeat)):
            self.workers.run(self._make_calls)

    def _make_calls(self) -> None:
        try:
            while next(self._turns) < self.script.repeat and not self.frozen:
                call = ClientCall(self)
                self._calls.add(call)
                if not call.run():
                    return  # frozen: the RPC stays open until `end`
                self._calls.discard(call)
                self.finish(call.recording)
        except Exception as error:  # noqa: BLE001 - reported in the place of the transcript
            self.fail(error)
            self.end()

    def end(self) -> None:
        """The second Abort: ends the RPCs that the first one left open."""
        for call in tuple(self._calls):
            call.abandon()
        self._calls.clear()


class ClientCall:
    """One RPC: the script of a play played once."""

    def __init__(self, play: ClientPlay) -> None:
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
        """Plays to the end of the script and of the RPC. False if the play was frozen before."""
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
            self._requests.put(_NO_MORE)  # lets go of the thread in which grpcio takes the requests
        return not self._play.frozen

    def abandon(self) -> None:
        """Ends the RPC, if there is one, and the threads that wait for it."""
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
        except Exception as error:  # noqa: BLE001 - reported in the place of the transcript
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
            self.recording.steps_done[lane] += 1

    def _send(self, message: Any) -> None:
        if self._requests is not None:
            self._requests.put(message)
        elif self._rpc is None:
            self._begin(message)

    def _call(self) -> Any:
        """The RPC; of a kind with a single request it begins with the send, which may be in the other lane."""
        if self._rpc is None and self._begun is not None:
            self._begun.wait()
        return self._rpc

    def _receive(self, lane: int, _argument: None) -> bool:
        """Observes the next message or the end; False if it was the end."""
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
        self._play.signal(self._play.id, name)

    def _wait_for(self, _lane: int, name: str) -> None:
        play = self._play
        play.signals.take(name, lambda: self._rpc_ended or play.frozen)

    def _observe_status(self) -> None:
        rpc = self._call()
        code = rpc.code()  # waits for the end of the RPC
        if self._play.frozen:
            return
        trailing = rpc.trailing_metadata()
        status = pb.Status(code=code.value[0], trailers=entries(reported(trailing)))
        if code is not grpc.StatusCode.OK:
            status.message = rpc.details() or ""
            status.details = value_of(trailing, DETAILS) or b""
        self.recording.initial = reported(rpc.initial_metadata())
        self.recording.status = status

    _STEPS: ClassVar[dict[str, Callable[[ClientCall, int, Any], object]]] = {
        RECEIVE: _receive,
        RECEIVE_TO_END: _receive_to_end,
        HALF_CLOSE: _half_close,
        CANCEL: _cancel,
        RECEIVE_HEADERS: _receive_headers,
        SIGNAL: _signal,
        WAIT_FOR: _wait_for,
    }


class _Requests:
    """The iterator from which grpcio, in a thread of its own, takes what a script sends."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self.put = self._queue.put

    def __iter__(self) -> _Requests:
        return self

    def __next__(self) -> Any:
        message = self._queue.get()
        if message is _NO_MORE:
            raise StopIteration
        return message
