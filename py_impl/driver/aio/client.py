"""Plays clients through generated stubs, with grpc.aio."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import grpc

from driver.aio.signals import Signals
from driver.aio.tasks import begin
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
from driver.transcript import END, Recording

# How grpc.aio says, in place of a result, that the RPC has ended: it failed, it is over, it was cancelled, or it is
# just ending (for a half-close).
RPC_ENDED = (grpc.aio.AioRpcError, asyncio.InvalidStateError, asyncio.CancelledError, grpc.aio.InternalError)


class AioClientPlay(ClientPlay):
    """A client's play, in tasks."""

    signals: Signals

    def __init__(self, order: Order, multicallable: Any) -> None:
        super().__init__(order, Signals(), multicallable)
        self._turns = itertools.count()

    def start(self) -> None:
        """Begin to play, in other tasks."""
        for _ in range(min(self.script.concurrency, self.script.repeat)):
            begin(self._make_calls())

    async def _make_calls(self) -> None:
        try:
            while next(self._turns) < self.script.repeat and not self.frozen:
                call = ClientCall(self)
                self.calls.add(call)
                if not await call.run():
                    return  # frozen: the RPC stays open until `end`
                self.calls.discard(call)
                self.finish(call.recording)
        except Exception as error:  # noqa: BLE001 - reported in place of the transcript
            self.fail(error)
            self.end()


class ClientCall:
    """One RPC, in which the script of a play is played once."""

    def __init__(self, play: AioClientPlay) -> None:
        self._play = play
        self.recording: Recording = play.begin()
        self._method = play.method
        self._rpc: Any = None
        self._begun = asyncio.Event() if len(play.script.lanes) > 1 else None
        self._lanes: list[asyncio.Task[None]] = []
        self._writing: asyncio.Task[None] | None = None
        self._end_seen = False
        self._answered = False

    async def run(self) -> bool:
        """Play to the end of the script and of the RPC. Return False if the play was frozen before."""
        if self._method.client_streaming:
            self._begin()
        if self._begun is None:
            await self._play_lane(0)
        else:
            self._lanes = [begin(self._play_lane(0)), begin(self._play_lane(1))]
            await asyncio.gather(*self._lanes)
        if self._play.frozen:
            return False
        await self._observe_status()
        return not self._play.frozen

    def abandon(self) -> None:
        """End the RPC, if there is one, and everything that waits for it."""
        if self._rpc is not None:
            self._cancel_rpc()
        for lane in self._lanes:
            lane.cancel()

    def _begin(self, *request: Any) -> None:
        play = self._play
        self._rpc = play.multicallable(
            *request,
            timeout=play.script.timeout,
            metadata=play.metadata,
            compression=COMPRESSIONS[play.script.compression],
        )
        if play.script.waits:
            self._rpc.add_done_callback(lambda _: play.signals.wake())
        if self._begun is not None:
            self._begun.set()

    async def _play_lane(self, lane: int) -> None:
        for kind, argument in self._play.script.lanes[lane]:
            if self._play.frozen:
                break
            await self._STEPS[kind](self, lane, argument)
            self.recording.done(lane)

    async def _call(self) -> Any:
        """Return the RPC. An RPC with a single request begins with the send, which may be in the other lane."""
        if self._rpc is None and self._begun is not None:
            await self._begun.wait()
        return self._rpc

    async def _send(self, _lane: int, payload: int) -> None:
        message = self._play.messages[payload]
        if not self._method.client_streaming:
            self._begin(message)
            return
        self._writing = asyncio.current_task()
        try:
            await self._rpc.write(message)
        except RPC_ENDED:
            pass  # a send reports nothing
        finally:
            self._writing = None

    async def _receive(self, lane: int, _argument: None) -> bool:
        """Observe the next message or the end. Return False if it was the end."""
        if self._end_seen:
            return False
        message = await self._next_message()
        self._end_seen = message is None
        self.recording.lanes[lane].append(END if message is None else message)
        return message is not None

    async def _next_message(self) -> Any:
        rpc = await self._call()
        try:
            if self._method.server_streaming:
                message = await rpc.read()
                return None if message is grpc.aio.EOF else message
            if self._answered:
                return None
            self._answered = True
            return await rpc
        except RPC_ENDED:
            return None

    async def _receive_to_end(self, lane: int, _argument: None) -> None:
        while await self._receive(lane, None):
            pass

    async def _half_close(self, _lane: int, _argument: None) -> None:
        try:
            await self._rpc.done_writing()
        except RPC_ENDED:
            pass  # it has no effect then

    async def _cancel(self, _lane: int, _argument: None) -> None:
        await self._call()
        self._cancel_rpc()

    def _cancel_rpc(self) -> None:
        self._rpc.cancel()
        if self._writing is not None:
            # In grpc.aio, a write that began before the call's metadata was sent waits for ever.
            self._writing.cancel()

    async def _receive_headers(self, _lane: int, _argument: None) -> None:
        await (await self._call()).initial_metadata()

    async def _signal(self, _lane: int, name: str) -> None:
        self._play.signal(name)

    async def _wait_for(self, _lane: int, name: str) -> None:
        play = self._play
        await play.signals.take(name, lambda: play.frozen or (self._rpc is not None and self._rpc.done()))

    async def _observe_status(self) -> None:
        rpc = await self._call()
        code = await rpc.code()  # waits for the end of the RPC
        if not self._play.frozen:
            self.recording.ended(code, await rpc.details(), await rpc.trailing_metadata(), await rpc.initial_metadata())

    _STEPS: ClassVar[dict[str, Callable[["ClientCall", int, Any], Awaitable[object]]]] = {
        SEND: _send,
        RECEIVE: _receive,
        RECEIVE_TO_END: _receive_to_end,
        HALF_CLOSE: _half_close,
        CANCEL: _cancel,
        RECEIVE_HEADERS: _receive_headers,
        SIGNAL: _signal,
        WAIT_FOR: _wait_for,
    }
