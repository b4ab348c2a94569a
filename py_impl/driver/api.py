"""What differs between grpcio's APIs, as the rest of the driver sees it: how servers and channels are made, and how they
play. `driver.sync` and `driver.aio` each implement it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from driver.channel import Channel
from driver.contract import pb
from driver.plays import Order, ServerPlay
from driver.stubs import Service
from driver.switchboard import Switchboard


class RefusedError(Exception):
    """The system refused what was asked for; the text says what, for people."""


class Server(Protocol):
    """A server with the generated servicers of a whole tree."""

    switchboard: Switchboard[Any]

    def play(self, order: Order) -> ServerPlay:
        """A play for this server, which its switchboard has yet to expect."""

    def close(self, graceful: bool, closed: Callable[[], None]) -> None:
        """Stops the server, calls in flight may finish if `graceful`; calls `closed` when it has stopped."""


class Api(Protocol):
    """One of grpcio's APIs."""

    greeter: str
    """The file of the hand-written Greeter server that is written for it."""

    def serve(self, order: pb.Serve, services: Iterable[Service], by_hand: dict[str, Any], ready: Callable[[str], None]) -> Server:
        """Starts a server, and calls `ready` with its address when it serves. Raises RefusedError.

        `by_hand` has hand-written servicers by the full name of their service.
        """

    def dial(self, order: pb.Dial) -> Channel:
        """Opens a channel."""
