"""Who takes too long: cases are aborted, and drivers that answer no Abort, or never get ready, count as dead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from grpc_interop.drivers.driver import DUMP_SECONDS, START_SECONDS, Driver
from grpc_interop.engine.executors.execution import Execution
from grpc_interop.engine.pool import DriverPool

TICK_SECONDS = 0.2
"""How often the watchdog looks: well below all its limits."""

ABORT_SECONDS = 3.0
"""How long a driver may take to answer an Abort before it counts as hanging."""

MOST_OF_A_TURN = 0.05
"""Seconds that count of the harness' own work in one turn of the loop, whatever it took: not nothing, so that a driver
that keeps the harness busy cannot hold up the clock for ever."""


class WatchdogClock:
    """A clock that pauses while the harness works: it counts the time in which the harness waits for the drivers, and hardly
    the time in which they wait for it. `now` is in seconds.

    A case with many signals needs the harness at each of them. On a machine that is too busy the harness may take a second
    for one turn of its loop; a case that is late for that reason hangs no more than the harness does.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = 0.0
        self._clock = clock
        self._since = clock()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the one place in which the harness waits for the drivers."""
        began = self._clock()
        self.now += min(began - self._since, MOST_OF_A_TURN)
        try:
            yield
        finally:
            self._since = self._clock()
            self.now += self._since - began


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
