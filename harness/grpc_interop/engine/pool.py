"""The drivers of a run: a process for each implementation and side, started when first needed, and again after a death."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Pair
from grpc_interop.drivers.build import Built, RefusedFile
from grpc_interop.drivers.driver import Driver
from grpc_interop.errors import BuildError

MOST_DEATHS = 20
"""Deaths of a driver in a run after which its remaining cases are not played: each costs a restart."""

MOST_FAILED_STARTS = 3
"""Starts in a row that end before the driver is ready, after which it is given up. A driver that cannot start says so at once,
and a driver that was killed from outside, as by a system without memory, starts the next time."""

MOST_HANGS = 5
"""Hangs of a driver without a played case between them, after which its remaining cases are not played: each hang costs all
the time that the watchdog allows, and a driver that hangs five times in a row always hangs."""

STOP_SECONDS = 2.0
"""Time in which drivers must end after their stdin has; the contract says so."""


@dataclass(slots=True)
class _History:
    """The past of an implementation's drivers on a side."""

    starts: int = 0
    deaths: int = 0
    hangs: int = 0  # hangs since the last case that was played
    failed_starts: int = 0  # starts since the last driver that was ready
    was_ready: bool = False


class DriverPool:
    """Hands out drivers by implementation and side."""

    def __init__(self, logs: Path, ids: Iterator[int], watch: Callable[[Driver], None]) -> None:
        """`watch` is called with each driver that has been started."""
        self.logs = logs
        self.built: dict[str, Built] = {}
        self.given_up: dict[tuple[str, Side], str] = {}  # the reason why there will be no other driver
        self.drivers: dict[tuple[str, Side], Driver] = {}
        self.versions: dict[str, dict[str, str]] = {}  # of language, grpc and protobuf, by the drivers' own words
        self.incompatible: set[str] = set()  # implementations that speak another version of the contract
        self._histories: defaultdict[tuple[str, Side], _History] = defaultdict(_History)
        self._ids = ids
        self._watch = watch

    def get(self, name: str, side: Side) -> Driver | None:
        """Return the driver, started if need be; None once it was given up."""
        key = (name, side)
        if key in self.given_up:
            return None
        driver = self.drivers.get(key)
        if driver is None:
            driver = self._start(key)
        return driver

    def refused_files(self, pair: Pair) -> dict[str, RefusedFile]:
        """Return the files that a language of the pair refused, by name."""
        built = [self.built[name] for name in (pair.client, pair.server) if name in self.built]
        return {refused.file: refused for implementation in built for refused in implementation.refused}

    def on_hello(self, driver: Driver) -> None:
        """Note that a driver has said Hello."""
        if driver.hello is not None:
            self.versions[driver.name] = dict(driver.hello.versions)

    def pair(self, pair: Pair) -> tuple[Driver | None, Driver | None]:
        return self.get(pair.client, Side.CLIENT), self.get(pair.server, Side.SERVER)

    def why_not(self, pair: Pair) -> str:
        """Return why a pair can no longer be played; empty if it can."""
        return self.given_up.get((pair.client, Side.CLIENT), "") or self.given_up.get((pair.server, Side.SERVER), "")

    def hung(self, driver: Driver) -> None:
        """Note that a driver does not answer any more. It will be ended."""
        history = self._histories[driver.name, driver.side]
        history.hangs = 1 if driver.has_reported else history.hangs + 1

    def on_exit(self, driver: Driver) -> None:
        """Note that a driver has ended: the next `get` starts another, unless it never started or dies again and again."""
        key = (driver.name, driver.side)
        if self.drivers.get(key) is not driver:
            return
        del self.drivers[key]
        history = self._histories[key]
        history.deaths += 1
        if driver.hello is None or (driver.side is Side.SERVER and not driver.address):
            history.failed_starts += 1
            again = driver.died or history.was_ready
            if not again or driver.incompatible or history.failed_starts >= MOST_FAILED_STARTS:
                self.given_up[key] = _never_started(driver)
            if driver.incompatible:
                self.incompatible.add(driver.name)
            return
        history.was_ready, history.failed_starts = True, 0
        if history.deaths >= MOST_DEATHS:
            self.given_up[key] = f"the {driver.who} died {MOST_DEATHS} times, last: {driver.gone}"
        elif history.hangs >= MOST_HANGS:
            self.given_up[key] = f"the {driver.who} hung {MOST_HANGS} times in a row"

    def close(self) -> None:
        """Stop all drivers at the same time; kill the drivers that do not end in time."""
        limit = time.monotonic() + STOP_SECONDS
        for driver in self.drivers.values():
            driver.ask_to_stop()
        for driver in self.drivers.values():
            driver.stop(max(0.0, limit - time.monotonic()))
        self.drivers.clear()

    def _start(self, key: tuple[str, Side]) -> Driver | None:
        name, side = key
        self._histories[key].starts += 1
        log = self.logs / f"{name}-{side}-{self._histories[key].starts}.log"
        try:
            driver = Driver(self.built[name], side, log, self._ids)
        except BuildError as error:
            self.given_up[key] = str(error)
            return None
        self.drivers[key] = driver
        self._watch(driver)
        return driver


def _never_started(driver: Driver) -> str:
    if driver.incompatible:
        return f"the {driver.who} {driver.gone}"
    words = driver.tail()
    # Before Hello the process does not know its side: both sides fail alike, for the same cause.
    who = f"{driver.name}'s driver" if driver.hello is None else f"the {driver.who}"
    return f"{who} cannot be started: it {driver.gone}" + (f"; its last words:\n{words}" if words else "")
