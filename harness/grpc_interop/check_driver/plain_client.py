"""An ordinary client that knows nothing of the contract: the harness' own grpcio, without generated code."""

import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import grpc

from grpc_interop.core.case import Method

CASE_KEY = "x-interop-case"
"""The request metadata by which a server's driver finds the script of a call."""


class Reply(NamedTuple):
    """The messages and the status that an ordinary client received."""

    messages: tuple[bytes, ...]
    status: grpc.StatusCode


class PlainCall:
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
        """Return the next message, or None after the last."""
        try:
            message: bytes | None = next(self._call, None)
        except grpc.RpcError:
            message = None  # the status tells of it
        return message

    def rest(self) -> Reply:
        """Wait for all further messages and the status, and return them."""
        messages = tuple(iter(self.receive, None))
        return Reply(messages, self._call.code())


@contextmanager
def open_plain_call(address: str, method: Method, seconds: float, play: int = 0) -> Iterator[PlainCall]:
    """Call a method. The call ends by itself after so many seconds."""
    # A proxy of the user's environment has no business with 127.0.0.1.
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        call = PlainCall(channel, method, seconds, play)
        try:
            yield call
        finally:
            call.half_close()


def plain_call(address: str, method: Method, messages: Sequence[bytes], seconds: float) -> Reply:
    """Send the messages, half-close, and return all that the server answers."""
    with open_plain_call(address, method, seconds) as call:
        call.send(*messages)
        call.half_close()
        return call.rest()
