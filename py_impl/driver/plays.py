"""Plays on either side of an RPC, for any API."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from driver.contract import pb
from driver.metadata import CASE, Metadata
from driver.script import RECEIVE, RECEIVE_TO_END, WAIT_FOR_TERMINATION, Script
from driver.stubs import Method, Service
from driver.transcript import TERMINATED, Play, PlaySignals

RECEIVING = (RECEIVE, RECEIVE_TO_END, WAIT_FOR_TERMINATION)
"""A server's steps that observe a termination."""


@dataclass(frozen=True, slots=True)
class Order:
    """A Play command, prepared."""

    id: int
    script: Script
    service: Service
    method: Method
    messages: dict[int, Any]  # the messages that the script sends, by the id of their payload
    reported: Callable[[Play, pb.Event], None]  # is called with the play's transcript
    signalled: Callable[[int, str], None]  # is called with each signal for the other side


class OpenCall(Protocol):
    """An RPC that a play has not ended yet."""

    def abandon(self) -> None:
        """End the RPC, and everything that waits for it."""


class OrderedPlay(Play):
    """One side of an order."""

    def __init__(self, order: Order, signals: PlaySignals) -> None:
        super().__init__(order.id, order.script, order.reported, signals)
        self.method = order.method
        self.messages = order.messages
        self.calls: set[OpenCall] = set()  # its open RPCs
        self._signalled = order.signalled

    def signal(self, name: str) -> None:
        """Send a signal to the other side."""
        self._signalled(self.id, name)

    def end(self) -> None:
        """Carry out the second Abort: end the RPCs that the first Abort left open."""
        for call in tuple(self.calls):
            call.abandon()
        self.calls.clear()


class ClientPlay(OrderedPlay):
    """A script played on a channel: `repeat` calls, `concurrency` at a time."""

    always_arrived = True

    def __init__(self, order: Order, signals: PlaySignals, multicallable: Any) -> None:
        """Prepare the play. `multicallable` is the attribute of the generated stub."""
        super().__init__(order, signals)
        self.multicallable = multicallable
        self.metadata = ((CASE, str(order.id)), *order.script.metadata)

    @abstractmethod
    def start(self) -> None:
        """Begin to play, and return."""


class ServerPlay(OrderedPlay):
    """A script that serves `repeat` calls."""

    def __init__(self, order: Order, signals: PlaySignals) -> None:
        super().__init__(order, signals)
        self._to_come = order.script.repeat

    def admit(self) -> bool:
        """Count a call that arrives. Return False if it is the last call that the script serves."""
        self._to_come -= 1
        return self._to_come > 0

    @property
    def arrived(self) -> bool:
        """Whether a call has come."""
        return self._to_come < self.script.repeat

    def play_ended(self, metadata: Metadata, remaining_us: int | None) -> None:
        """Play on a call that ended before its script came: every lane finds it terminated."""
        recording = self.begin()
        recording.called_with(metadata, remaining_us)
        for lane, observed in zip(self.script.lanes, recording.lanes, strict=True):
            if any(kind in RECEIVING for kind, _ in lane):
                observed.append(TERMINATED)
        self.finish(recording)
