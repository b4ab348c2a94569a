"""The differences between grpcio's two APIs, as the rest of the driver sees them: how servers and channels are made,
and how they play. `driver.sync` and `driver.aio` implement this interface."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from driver.channel import Channel
from driver.contract import pb
from driver.plays import Order, ServerPlay
from driver.stubs import Service
from driver.switchboard import Switchboard


class RefusedError(Exception):
    """The system refused a request; the text says which, for people."""


class Server(Protocol):
    """A server with the generated servicers of a whole tree."""

    switchboard: Switchboard[Any]

    def play(self, order: Order) -> ServerPlay:
        """Return a play for this server. Its switchboard does not expect the play yet."""

    def close(self, graceful: bool, closed: Callable[[], None]) -> None:
        """Stop the server, and call `closed` when it has stopped. If `graceful`, calls in flight may finish."""


class Api(Protocol):
    """The interface of grpcio's APIs."""

    greeter: str  # the file of the hand-written Greeter server for this API

    def serve(self, order: pb.Serve, services: Iterable[Service], by_hand: dict[str, Any], ready: Callable[[str], None]) -> Server:
        """Start a server, and call `ready` with its address when it serves. Raise RefusedError.

        `by_hand` has hand-written servicers by the full name of their service.
        """

    def dial(self, order: pb.Dial) -> Channel:
        """Open a channel."""
