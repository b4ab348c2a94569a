"""Plays that are over: remembered as far as it takes to tell a late answer from one that no driver should give."""

from __future__ import annotations

from collections import OrderedDict

from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.driver import Driver
from grpc_interop.engine.executors.execution import Execution

MOST_REMEMBERED = 4096
"""Plays whose case can still be named. A driver that reports twice does so at once, not thousands of plays later."""


class CompletedPlays:
    """Answers with a sentence for people, or with nothing where all is well. Each driver is told of once: what it does
    wrong it does in every case."""

    def __init__(self) -> None:
        self._cases: OrderedDict[int, str] = OrderedDict()
        self._given_up: set[int] = set()
        self._told: set[tuple[str, str]] = set()

    def landed(self, flight: Execution) -> None:
        """Both sides have reported: nothing more may come."""
        self._cases[flight.id] = flight.prepared.case.id
        if len(self._cases) > MOST_REMEMBERED:
            self._cases.popitem(last=False)

    def gave_up(self, flight: Execution) -> None:
        """One side will never report, and the other was told to stop: what it still says is of no use, and no fault."""
        self._given_up.add(flight.id)

    def late_report(self, driver: Driver, play: int) -> str:
        """A transcript has come of a play that is not under way."""
        if play in self._given_up:
            return ""
        return self._once(driver, "report", f"reported {self._name(play)} although it had reported it before")

    def late_error(self, driver: Driver, event: pb.Event) -> str:
        """An error has come that belongs to no play under way."""
        if event.id in self._given_up:
            return ""
        return self._once(driver, "error", f"answered {self._name(event.id)} with an error: {event.error.text}")

    def _once(self, driver: Driver, kind: str, what: str) -> str:
        if (driver.who, kind) in self._told:
            return ""
        self._told.add((driver.who, kind))
        return f"the {driver.who} {what}; log {driver.log}"

    def _name(self, play: int) -> str:
        return self._cases.get(play, f"command {play}")
