"""Plays servers through generated servicers, with grpc.aio.

grpc.aio ends a handler whose RPC is ended from outside by cancelling its task.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import grpc

from driver.aio.signals import Signals
from driver.aio.tasks import begin
from driver.metadata import remaining_us
from driver.options import COMPRESSIONS
from driver.plays import RECEIVING, Order, ServerPlay
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
from driver.transcript import END, TERMINATED, Recording

# How grpc.aio tells a handler that its RPC is over: its task is cancelled, or Core or the server refuses an operation.
RPC_ENDED = (asyncio.CancelledError, grpc.aio.InternalError)


class AioServerPlay(ServerPlay):
    """A server's play, in the tasks of its calls."""

    signals: Signals

    def __init__(self, order: Order) -> None:
        super().__init__(order, Signals())


class ServerCall:
    """One RPC, in which the script of a play is played once."""

    def __init__(self, play: AioServerPlay, request_or_requests: Any, context: grpc.aio.ServicerContext) -> None:
        self._play = play
        self._context = context
        self._request = None if play.method.client_streaming else request_or_requests
        self._response: Any = None
        self._end_seen = False
        self._terminated = False
        self._abandoned = False
        self._finish: Finish | None = None
        self._handler = asyncio.current_task()
        self.recording: Recording = play.begin()
        self.recording.called_with(context.invocation_metadata(), remaining_us(context))
        play.calls.add(self)

    async def run(self) -> Any:
        """Serve the call. Return the response of a method that has a single response."""
        play = self._play
        if play.script.compression:
            self._context.set_compression(COMPRESSIONS[play.script.compression])
        try:
            await self._play_lanes()
        except Exception as error:  # noqa: BLE001 - reported in place of the transcript
            play.fail(error)
        if not play.frozen:
            play.calls.discard(self)
            play.finish(self.recording)
        await self._end_rpc()
        return self._response

    def abandon(self) -> None:
        """End the RPC as if it had been cancelled."""
        self._abandoned = True
        assert self._handler is not None
        self._handler.cancel()

    async def _play_lanes(self) -> None:
        own = self._play.script.sending_lane
        if len(self._play.script.lanes) == 1:
            await self._play_lane(own)
            return
        other = begin(self._play_lane(1 - own))
        await self._play_lane(own)
        while not other.done():
            if self._terminated:
                other.cancel()
            try:
                await asyncio.wait([other])
            except asyncio.CancelledError:
                self._terminated = True
        if other.cancelled():  # before it began: no step of it waits any more
            await self._play_lane(1 - own)
        else:
            other.result()

    async def _play_lane(self, lane: int) -> None:
        for kind, argument in self._play.script.lanes[lane]:
            await self._step(lane, kind, argument)
            self.recording.done(lane)

    async def _step(self, lane: int, kind: str, argument: Any) -> None:
        if not self._terminated:
            try:
                if self._play.frozen:
                    await self._hold()
                await self._STEPS[kind](self, lane, argument)
                return
            except RPC_ENDED:
                self._terminated = True
        if kind is FINISH:
            self._finish = argument
        elif kind in RECEIVING and not self._play.frozen:
            self._observe_termination(lane, kind)

    async def _hold(self) -> None:
        """Wait for ever: a frozen play does nothing more, but its RPC stays open until somebody ends it."""
        await asyncio.get_running_loop().create_future()

    def _observe_termination(self, lane: int, kind: str) -> None:
        observed = self.recording.lanes[lane]
        nothing_to_come = self._end_seen and kind is not WAIT_FOR_TERMINATION
        if not nothing_to_come and observed[-1:] != [TERMINATED]:
            observed.append(TERMINATED)

    async def _end_rpc(self) -> None:
        """End the RPC as the script says. Raise in place of an error status, as grpc.aio demands."""
        if self._play.frozen and not self._terminated:
            try:
                await self._hold()
            except asyncio.CancelledError:
                self._terminated = True
        finish = self._finish
        if self._terminated and not self._abandoned:
            raise asyncio.CancelledError
        if finish is None or self._abandoned:
            await self._context.abort(grpc.StatusCode.CANCELLED, "the RPC was ended from outside")
            return
        self._context.set_trailing_metadata(finish.trailers)
        if finish.code is not grpc.StatusCode.OK:
            await self._context.abort(finish.code, finish.message)

    async def _send(self, _lane: int, payload: int) -> None:
        message = self._play.messages[payload]
        if self._play.method.server_streaming:
            await self._context.write(message)
        else:
            self._response = message

    async def _receive(self, lane: int, _argument: None) -> bool:
        """Observe the next message or the end. Return False if it was not a message."""
        if self._end_seen:
            return False
        if not self._play.method.client_streaming:
            return await self._receive_request(lane)
        message = await self._context.read()
        self._end_seen = message is grpc.aio.EOF
        self.recording.lanes[lane].append(END if self._end_seen else message)
        return not self._end_seen

    async def _receive_request(self, lane: int) -> bool:
        request, self._request = self._request, None
        if request is None:
            await self._hold()
        self.recording.lanes[lane].append(request)
        return True

    async def _receive_to_end(self, lane: int, _argument: None) -> None:
        while await self._receive(lane, None):
            pass

    async def _wait_for_termination(self, _lane: int, _argument: None) -> None:
        await self._hold()

    async def _send_headers(self, _lane: int, headers: Any) -> None:
        await self._context.send_initial_metadata(headers)

    async def _signal(self, _lane: int, name: str) -> None:
        self._play.signal(name)

    async def _wait_for(self, _lane: int, name: str) -> None:
        await self._play.signals.take(name, lambda: self._play.frozen)

    async def _keep_finish(self, _lane: int, finish: Finish) -> None:
        self._finish = finish

    _STEPS: ClassVar[dict[str, Callable[["ServerCall", int, Any], Awaitable[object]]]] = {
        SEND: _send,
        RECEIVE: _receive,
        RECEIVE_TO_END: _receive_to_end,
        SEND_HEADERS: _send_headers,
        SIGNAL: _signal,
        WAIT_FOR: _wait_for,
        WAIT_FOR_TERMINATION: _wait_for_termination,
        FINISH: _keep_finish,
    }
