"""Plays that are over, remembered in order to recognise late reports, and reports that no driver should send."""

from collections import OrderedDict

from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.driver import Driver
from grpc_interop.engine.executors.execution import Execution

MOST_REMEMBERED = 4096
"""Plays whose case can still be named. A driver that reports twice does so at once, not thousands of plays later."""


class CompletedPlays:
    """Recognises reports of plays that are over. A fault is described only once for a driver, which repeats it in every case."""

    def __init__(self) -> None:
        self._cases: OrderedDict[int, str] = OrderedDict()
        self._given_up: set[int] = set()
        self._described: set[tuple[str, str]] = set()

    def landed(self, execution: Execution) -> None:
        """Remember an execution of which both sides have reported: no other report may come."""
        self._cases[execution.id] = execution.prepared.case.id
        if len(self._cases) > MOST_REMEMBERED:
            self._cases.popitem(last=False)

    def gave_up(self, execution: Execution) -> None:
        """Remember an execution that was aborted: reports that still come are ignored."""
        self._given_up.add(execution.id)

    def late_report(self, driver: Driver, play: int) -> str:
        """Describe the fault of a driver that reported a play which is not under way; return "" if there is no new fault."""
        if play in self._given_up:
            return ""
        return self._once(driver, "report", f"reported {self._name(play)} although it had reported it before")

    def late_error(self, driver: Driver, event: pb.Event) -> str:
        """Describe an error that belongs to no play under way; return "" if there is no new fault."""
        if event.id in self._given_up:
            return ""
        return self._once(driver, "error", f"answered {self._name(event.id)} with an error: {event.error.text}")

    def _once(self, driver: Driver, kind: str, what: str) -> str:
        if (driver.who, kind) in self._described:
            return ""
        self._described.add((driver.who, kind))
        return f"the {driver.who} {what}; log {driver.log}"

    def _name(self, play: int) -> str:
        return self._cases.get(play, f"command {play}")
