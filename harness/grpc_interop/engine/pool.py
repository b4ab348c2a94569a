"""The drivers of a run: one process for each implementation and role, started when first needed, and again when it
dies, as often as makes sense."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Pair
from grpc_interop.drivers.build import Built, RefusedFile
from grpc_interop.drivers.driver import Driver
from grpc_interop.errors import BuildError

MOST_DEATHS = 20
"""After so many deaths of one driver in a run its remaining cases are not played: each costs a restart."""

MOST_FAILED_STARTS = 3
"""After so many starts in a row in which a driver died before it was ready, there is none. What cannot start says so at
once, and one that was killed from outside, as by a system without memory, starts the next time."""

MOST_HANGS = 5
"""After so many hangs of one driver, one after the other without a case played between them, its remaining cases are
not played: each hang costs the watchdog's full patience, and what hangs five times in a row hangs always."""

STOP_SECONDS = 2.0
"""How long drivers may take to end when their stdin does; the contract says so."""


class DriverPool:
    """Hands out drivers. `given_up` says of a role why there will be no driver for it any more; `versions` holds what
    each implementation's drivers said they run (language, grpc, protobuf); `foreign` names the implementations whose
    drivers speak another version of the contract."""

    def __init__(self, logs: Path, ids: Iterator[int], watch: Callable[[Driver], None]) -> None:
        """`watch` is given each driver that was started."""
        self.logs = logs
        self.built: dict[str, Built] = {}
        self.given_up: dict[tuple[str, Side], str] = {}
        self.drivers: dict[tuple[str, Side], Driver] = {}
        self.versions: dict[str, dict[str, str]] = {}
        self.incompatible: set[str] = set()
        self._deaths: dict[tuple[str, Side], int] = {}
        self._hangs: dict[tuple[str, Side], int] = {}
        self._starts: dict[tuple[str, Side], int] = {}
        self._started: set[tuple[str, Side]] = set()
        self._failed_starts: dict[tuple[str, Side], int] = {}
        self._ids = ids
        self._watch = watch

    def get(self, name: str, side: Side) -> Driver | None:
        """The driver, starting if need be; None once it was given up."""
        key = (name, side)
        if key in self.given_up:
            return None
        driver = self.drivers.get(key)
        if driver is None:
            driver = self._start(key)
        return driver

    def refused_files(self, pair: Pair) -> dict[str, RefusedFile]:
        """The files that one of the pair's languages refused, by name."""
        built = [self.built[name] for name in (pair.client, pair.server) if name in self.built]
        return {refused.file: refused for one in built for refused in one.refused}

    def on_hello(self, driver: Driver) -> None:
        """A driver has said Hello."""
        if driver.hello is not None:
            self.versions[driver.name] = dict(driver.hello.versions)

    def pair(self, pair: Pair) -> tuple[Driver | None, Driver | None]:
        return self.get(pair.client, Side.CLIENT), self.get(pair.server, Side.SERVER)

    def why_not(self, pair: Pair) -> str:
        """Why a pair can no longer be played; empty if it can."""
        return self.given_up.get((pair.client, Side.CLIENT), "") or self.given_up.get((pair.server, Side.SERVER), "")

    def hung(self, driver: Driver) -> None:
        """A driver did not answer any more, and will be buried."""
        key = (driver.name, driver.side)
        self._hangs[key] = 1 if driver.has_reported else self._hangs.get(key, 0) + 1

    def on_exit(self, driver: Driver) -> None:
        """A driver has died: the next `get` starts another, unless it never started or dies all the time."""
        key = (driver.name, driver.side)
        if self.drivers.get(key) is not driver:
            return
        del self.drivers[key]
        self._deaths[key] = self._deaths.get(key, 0) + 1
        if driver.hello is None or (driver.side is Side.SERVER and not driver.address):
            self._failed_starts[key] = self._failed_starts.get(key, 0) + 1
            again = driver.died or key in self._started
            if not again or driver.foreign or self._failed_starts[key] >= MOST_FAILED_STARTS:
                self.given_up[key] = _never_started(driver)
            if driver.foreign:
                self.incompatible.add(driver.name)
            return
        self._started.add(key)
        self._failed_starts[key] = 0
        if self._deaths[key] >= MOST_DEATHS:
            self.given_up[key] = f"the {driver.who} died {MOST_DEATHS} times, last: {driver.gone}"
        elif self._hangs.get(key, 0) >= MOST_HANGS:
            self.given_up[key] = f"the {driver.who} hung {MOST_HANGS} times in a row"

    def close(self) -> None:
        """Stops all drivers, together: those that do not end in time are killed."""
        limit = time.monotonic() + STOP_SECONDS
        for driver in self.drivers.values():
            driver.ask_to_stop()
        for driver in self.drivers.values():
            driver.stop(max(0.0, limit - time.monotonic()))
        self.drivers.clear()

    def _start(self, key: tuple[str, Side]) -> Driver | None:
        name, side = key
        self._starts[key] = self._starts.get(key, 0) + 1
        log = self.logs / f"{name}-{side}-{self._starts[key]}.log"
        try:
            driver = Driver(self.built[name], side, log, self._ids)
        except BuildError as error:
            self.given_up[key] = str(error)
            return None
        self.drivers[key] = driver
        self._watch(driver)
        return driver


def _never_started(driver: Driver) -> str:
    if driver.foreign:
        return f"the {driver.who} {driver.gone}"
    words = driver.tail()
    # Before Hello nothing has told the process which role it has: both fail alike, for one cause.
    who = f"{driver.name}'s driver" if driver.hello is None else f"the {driver.who}"
    return f"{who} cannot be started: it {driver.gone}" + (f"; its last words:\n{words}" if words else "")
