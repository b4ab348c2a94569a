"""Time limits: late cases are aborted, and drivers that do not answer an Abort, or never get ready, count as dead."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from grpc_interop.drivers.driver import DUMP_SECONDS, START_SECONDS, Driver
from grpc_interop.engine.executors.execution import Execution
from grpc_interop.engine.pool import DriverPool

TICK_SECONDS = 0.2
"""Time between two looks: well below all limits."""

ABORT_SECONDS = 3.0
"""Time for the answer to an Abort, after which a driver hangs."""

MOST_OF_A_TURN = 0.05
"""Seconds of the harness' own work that count in a turn of the loop, however long it took: more than 0, so that a driver
that keeps the harness busy cannot stop the clock for ever."""


class WatchdogClock:
    """A clock that pauses while the harness works. A case with many signals needs the harness at each of them; on a busy
    machine a turn of the loop may take a second, and a case that is late for that reason does not hang."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = 0.0  # seconds
        self._clock = clock
        self._since = clock()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Surround the only place in which the harness waits for the drivers."""
        began = self._clock()
        self.now += min(began - self._since, MOST_OF_A_TURN)
        try:
            yield
        finally:
            self._since = self._clock()
            self.now += self._since - began


class Watchdog:
    """Watches the drivers of `pool`, and the executions `in_flight`, which the engine keeps by id."""

    def __init__(self, pool: DriverPool, in_flight: dict[int, Execution], clock: WatchdogClock) -> None:
        self._pool = pool
        self._in_flight = in_flight
        self._clock = clock
        self._doomed: dict[Driver, float] = {}
        self._next_look = time.monotonic()

    def look(self) -> list[tuple[Driver, str]]:
        """Abort late cases, and give up late servers and channels. Return the drivers to be ended, each with the reason, or an
        empty text if it ended by itself."""
        now = time.monotonic()
        if now < self._next_look:
            return []
        self._next_look = now + TICK_SECONDS
        for execution in [execution for execution in self._in_flight.values() if execution.due <= self._clock.now]:
            self._late(execution, now)
        return self._hanging(now) + self._not_started(now)

    def silent(self) -> set[Driver]:
        """Return the drivers that have not answered an Abort: they may hang."""
        frozen = (execution for execution in self._in_flight.values() if execution.frozen)
        return {driver for execution in frozen for driver in execution.unreported()} | set(self._doomed)

    def forget(self, driver: Driver) -> None:
        """Note that the driver has ended."""
        self._doomed.pop(driver, None)

    def _late(self, execution: Execution, now: float) -> None:
        execution.due = self._clock.now + ABORT_SECONDS
        for driver in execution.unreported():
            driver.dump_stacks()
            if execution.frozen:
                # The driver did not even answer the Abort.
                self._doomed.setdefault(driver, now + DUMP_SECONDS)
            else:
                driver.abort(execution.id)
        execution.frozen = True

    def _hanging(self, now: float) -> list[tuple[Driver, str]]:
        hanging = [driver for driver, due in self._doomed.items() if due <= now and not driver.gone]
        for driver in hanging:
            self._pool.hung(driver)
        return [(driver, f"did not answer for {ABORT_SECONDS:g} s and was killed") for driver in hanging]

    def _not_started(self, now: float) -> list[tuple[Driver, str]]:
        dead = []
        for driver in self._pool.drivers.values():
            if driver.ready or driver.gone:
                if not driver.debugged:
                    driver.resources.expire(now)
                continue
            if driver.connection is None and driver.process.poll() is not None:
                dead.append((driver, ""))
            elif now - driver.started > START_SECONDS and not driver.debugged:
                hint = f"`interop check-driver {driver.name}` shows what is missing"
                dead.append((driver, f"{driver.missing} within {START_SECONDS:g} s ({hint})"))
        return dead
