"""An ordinary client that knows nothing of the contract: the harness' own grpcio, without generated code."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import grpc

from grpc_interop.core.case import Method

CASE_KEY = "x-interop-case"
"""The request metadata by which a server's driver finds the script of a call."""


class Answer(NamedTuple):
    """What an ordinary client got."""

    messages: tuple[bytes, ...]
    status: grpc.StatusCode


class Stranger:
    """A call under way. With a play's id in its metadata a server cannot tell it from a driver's."""

    def __init__(self, channel: grpc.Channel, method: Method, seconds: float, play: int) -> None:
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        metadata = [(CASE_KEY, str(play))] if play else []
        call = channel.stream_stream(method.path)
        self._call = call(iter(self._requests.get, None), timeout=seconds, metadata=metadata)

    def send(self, *messages: bytes) -> None:
        for message in messages:
            self._requests.put(message)

    def half_close(self) -> None:
        self._requests.put(None)

    def receive(self) -> bytes | None:
        """The next message, or None when there is none any more."""
        try:
            message: bytes | None = next(self._call, None)
        except grpc.RpcError:
            # Told by the status.
            message = None
        return message

    def rest(self) -> Answer:
        """All messages that are still to come, and the status."""
        messages = tuple(iter(self.receive, None))
        return Answer(messages, self._call.code())


@contextmanager
def open_call(address: str, method: Method, seconds: float, play: int = 0) -> Iterator[Stranger]:
    """Calls a method; after that time the call ends by itself."""
    # A proxy of the user's environment has no business with 127.0.0.1.
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        stranger = Stranger(channel, method, seconds, play)
        try:
            yield stranger
        finally:
            stranger.half_close()


def call_as_stranger(address: str, method: Method, messages: Sequence[bytes], seconds: float) -> Answer:
    """Sends those messages and takes all answers."""
    with open_call(address, method, seconds) as stranger:
        stranger.send(*messages)
        stranger.half_close()
        return stranger.rest()
