"""Who takes too long: cases are aborted, and drivers that answer no Abort, or never get ready, count as dead."""

from __future__ import annotations

import time

from grpc_interop.drivers.driver import DUMP_SECONDS, START_SECONDS, Driver
from grpc_interop.engine.executors.execution import Execution
from grpc_interop.engine.pool import DriverPool
from grpc_interop.engine.watchdog_clock import WatchdogClock

TICK_SECONDS = 0.2
"""How often the watchdog looks: well below all its limits."""

ABORT_SECONDS = 3.0
"""How long a driver may take to answer an Abort before it counts as hanging."""


class Watchdog:
    """Looks at the drivers of `pool`, and at `flights`, which the engine keeps by id."""

    def __init__(self, pool: DriverPool, flights: dict[int, Execution], clock: WatchdogClock) -> None:
        self._pool = pool
        self._flights = flights
        self._clock = clock
        self._doomed: dict[Driver, float] = {}
        self._next_look = time.monotonic()

    def look(self) -> list[tuple[Driver, str]]:
        """Aborts what is late. The drivers that are dead or as good as dead, to be buried, each with how it ended where
        that does not tell itself."""
        now = time.monotonic()
        if now < self._next_look:
            return []
        self._next_look = now + TICK_SECONDS
        for flight in [flight for flight in self._flights.values() if flight.due <= self._clock.now]:
            self._late(flight, now)
        return self._hanging(now) + self._not_started(now)

    def silent(self) -> set[Driver]:
        """The drivers that owe the answer to an Abort: they may hang."""
        frozen = (flight for flight in self._flights.values() if flight.frozen)
        return {driver for flight in frozen for driver in flight.unreported()} | set(self._doomed)

    def forget(self, driver: Driver) -> None:
        """The driver was buried."""
        self._doomed.pop(driver, None)

    def _late(self, flight: Execution, now: float) -> None:
        flight.due = self._clock.now + ABORT_SECONDS
        for driver in flight.unreported():
            driver.dump_stacks()
            if flight.frozen:
                # It did not even answer the Abort.
                self._doomed.setdefault(driver, now + DUMP_SECONDS)
            else:
                driver.abort(flight.id)
        flight.frozen = True

    def _hanging(self, now: float) -> list[tuple[Driver, str]]:
        hanging = [driver for driver, due in self._doomed.items() if due <= now and not driver.gone]
        for driver in hanging:
            self._pool.hung(driver)
        return [(driver, f"did not answer for {ABORT_SECONDS:g} s and was killed") for driver in hanging]

    def _not_started(self, now: float) -> list[tuple[Driver, str]]:
        dead = []
        for driver in self._pool.drivers.values():
            if driver.ready or driver.gone:
                continue
            if driver.connection is None and driver.process.poll() is not None:
                dead.append((driver, ""))
            elif now - driver.started > START_SECONDS and not driver.debugged:
                hint = f"`interop check-driver {driver.name}` tells what is due"
                dead.append((driver, f"{driver.missing} within {START_SECONDS:g} s ({hint})"))
        return dead
