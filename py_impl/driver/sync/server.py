"""Plays servers through generated servicers, with grpcio's synchronous API."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import grpc

from driver.metadata import remaining_us
from driver.options import COMPRESSIONS
from driver.plays import Order, ServerPlay
from driver.script import (
    FINISH,
    RECEIVE,
    RECEIVE_TO_END,
    SEND,
    SEND_HEADERS,
    SIGNAL,
    WAIT_FOR,
    WAIT_FOR_TERMINATION,
    Finish,
)
from driver.sync.signals import Signals
from driver.sync.workers import Workers
from driver.transcript import END, TERMINATED, Recording


class SyncServerPlay(ServerPlay):
    """A server's play, in threads."""

    signals: Signals

    def __init__(self, order: Order, workers: Workers) -> None:
        super().__init__(order, Signals(order.script.waits))
        self.workers = workers


class ServerCall:
    """One RPC, in which the script of a play is played once."""

    def __init__(self, play: SyncServerPlay, request_or_requests: Any, context: grpc.ServicerContext) -> None:
        self._play = play
        self._context = context
        self._requests = request_or_requests if play.method.client_streaming else None
        self._request = None if play.method.client_streaming else request_or_requests
        self._response: Any = None
        self._end_seen = False
        self._terminated = False
        self._ended: threading.Event | None = None
        self._finish: Finish | None = None
        self._lanes_left = len(play.script.lanes)
        self._lanes_lock = threading.Lock()
        self._other_lane_done = threading.Event() if self._lanes_left > 1 else None
        self.recording: Recording = play.begin()
        self.recording.called_with(context.invocation_metadata(), remaining_us(context))
        play.calls.add(self)

    def respond(self) -> Any:
        """Serve a method with a single response."""
        self._set_up()
        own = self._play.script.sending_lane
        self._start_other_lane(own)
        try:
            self._play_lane(own, self._play.script.lanes[own])
        except Exception as error:  # noqa: BLE001 - reported in place of the transcript
            self._play.fail(error)
        finally:
            self._lane_done()
        self._end_rpc()
        return self._response

    def stream(self) -> Iterator[Any]:
        """Serve a method with a stream of responses. Only the thread that iterates may send."""
        self._set_up()
        own = self._play.script.sending_lane
        self._start_other_lane(own)
        steps = iter(self._play.script.lanes[own])
        try:
            for step in steps:
                kind, argument = step
                if kind is not SEND:
                    self._step(own, kind, argument)
                elif not self._stopped():
                    yield self._play.messages[argument]
                self.recording.done(own)
        except GeneratorExit:
            # grpcio drops a handler that is sending when the RPC is ended from outside.
            self._terminated = True
            self._play_lane(own, steps)
            raise
        except Exception as error:  # noqa: BLE001 - reported in place of the transcript
            self._play.fail(error)
        finally:
            self._lane_done()
        self._end_rpc()

    def abandon(self) -> None:
        """End the RPC as if it had been cancelled. The threads that wait for it notice."""
        self._context.cancel()

    def _set_up(self) -> None:
        play = self._play
        if play.script.compression:
            self._context.set_compression(COMPRESSIONS[play.script.compression])
        if play.script.waits:
            self._ending()

    def _start_other_lane(self, own: int) -> None:
        if self._other_lane_done is not None:
            self._play.workers.run(self._play_other_lane, 1 - own)

    def _play_other_lane(self, lane: int) -> None:
        try:
            self._play_lane(lane, self._play.script.lanes[lane])
        except Exception as error:  # noqa: BLE001 - reported in place of the transcript
            self._play.fail(error)
        finally:
            self._lane_done()
            assert self._other_lane_done is not None
            self._other_lane_done.set()

    def _play_lane(self, lane: int, steps: Any) -> None:
        for kind, argument in steps:
            self._step(lane, kind, argument)
            self.recording.done(lane)

    def _step(self, lane: int, kind: str, argument: Any) -> None:
        if self._play.frozen:
            self._hold()
        else:
            self._STEPS[kind](self, lane, argument)

    def _lane_done(self) -> None:
        """Report if this lane is the last to finish. No thread waits for the other lane: it may be a generator that was
        dropped."""
        with self._lanes_lock:
            self._lanes_left -= 1
            if self._lanes_left:
                return
        play = self._play
        if not play.frozen:
            play.calls.discard(self)
            play.finish(self.recording)

    def _end_rpc(self) -> None:
        """End the RPC as the script says. Raise in place of an error status, as grpcio demands."""
        if self._other_lane_done is not None:
            self._other_lane_done.wait()
        if self._play.frozen:
            self._hold()
        finish = self._finish
        if finish is None or self._terminated:
            self._context.abort(grpc.StatusCode.CANCELLED, "the RPC was ended from outside")
            return
        self._context.set_trailing_metadata(finish.trailers)
        if finish.code is not grpc.StatusCode.OK:
            self._context.abort(finish.code, finish.message)

    def _hold(self) -> None:
        """Wait until somebody ends the RPC: a frozen play does nothing more, but its RPC stays open."""
        self._ending().wait()
        self._terminated = True

    def _stopped(self) -> bool:
        if self._play.frozen:
            self._hold()
        return self._terminated

    def _ending(self) -> threading.Event:
        """Return an event that is set when the RPC is ended from outside."""
        if self._ended is None:
            with self._lanes_lock:
                if self._ended is None:
                    ended = threading.Event()
                    self._ended = ended
                    if not self._context.add_callback(self._on_end):
                        ended.set()
        return self._ended

    def _on_end(self) -> None:
        assert self._ended is not None
        self._ended.set()
        self._play.signals.wake()

    def _send(self, _lane: int, payload: int) -> None:
        self._response = self._play.messages[payload]

    def _receive(self, lane: int, _argument: None) -> bool:
        """Observe the next message, the end or the termination. Return False if it was not a message."""
        if self._end_seen:
            return False
        if self._terminated:
            return self._observe_termination(lane)
        if self._requests is None:
            return self._receive_request(lane)
        try:
            self.recording.lanes[lane].append(next(self._requests))
            return True
        except StopIteration:
            # grpcio may end the iterator also when the RPC is cancelled (grpc/grpc#33038); the context may know that by
            # now.
            if not self._context.is_active():
                return self._observe_termination(lane)
            self._end_seen = True
            self.recording.lanes[lane].append(END)
        except grpc.RpcError:
            return self._observe_termination(lane)
        return False

    def _receive_request(self, lane: int) -> bool:
        request, self._request = self._request, None
        if request is None:
            self._wait_for_termination(lane, None)
            return False
        self.recording.lanes[lane].append(request)
        return True

    def _receive_to_end(self, lane: int, _argument: None) -> None:
        while self._receive(lane, None):
            pass

    def _wait_for_termination(self, lane: int, _argument: None) -> None:
        self._ending().wait()
        if not self._play.frozen:
            self._observe_termination(lane)

    def _observe_termination(self, lane: int) -> bool:
        self._terminated = True
        observed = self.recording.lanes[lane]
        if not observed or observed[-1] is not TERMINATED:
            observed.append(TERMINATED)
        return False

    def _send_headers(self, _lane: int, headers: Any) -> None:
        try:
            self._context.send_initial_metadata(headers)
        except grpc.RpcError:
            self._terminated = True

    def _signal(self, _lane: int, name: str) -> None:
        self._play.signal(name)

    def _wait_for(self, _lane: int, name: str) -> None:
        ended = self._ending()
        self._play.signals.take(name, lambda: ended.is_set() or self._play.frozen)

    def _keep_finish(self, _lane: int, finish: Finish) -> None:
        self._finish = finish

    _STEPS: ClassVar[dict[str, Callable[["ServerCall", int, Any], object]]] = {
        SEND: _send,
        RECEIVE: _receive,
        RECEIVE_TO_END: _receive_to_end,
        SEND_HEADERS: _send_headers,
        SIGNAL: _signal,
        WAIT_FOR: _wait_for,
        WAIT_FOR_TERMINATION: _wait_for_termination,
        FINISH: _keep_finish,
    }
