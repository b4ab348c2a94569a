"""Which payloads the drivers still keep: those of plays that are under way, and what new plays are written with."""

from __future__ import annotations

from collections.abc import Mapping

from grpc_interop.engine.executors.execution import Execution
from grpc_interop.engine.jobs import Preparer
from grpc_interop.engine.pool import DriverPool


class Generations:
    """At most two generations of payloads: a new one begins while plays that use the one before are still under way, so
    that nobody waits for the slowest of them."""

    def __init__(self, preparer: Preparer, pool: DriverPool, flights: Mapping[int, Execution]) -> None:
        self._preparer = preparer
        self._pool = pool
        self._flights = flights
        # Ids below it are of the generation before; 0: there is none.
        self._first = 0

    def room(self) -> bool:
        """Whether plays may be written: not while a third generation would begin. Closes what no play uses any more."""
        if self._first and not self._before_is_used():
            for driver in self._pool.drivers.values():
                driver.forget_payloads(self._first)
            self._first = 0
        if not self._preparer.full:
            return True
        if self._first:
            return False
        self._first = self._preparer.begin_generation()
        return True

    def _before_is_used(self) -> bool:
        now = self._preparer.generation
        return any(0 < execution.prepared.generation < now for execution in self._flights.values())
