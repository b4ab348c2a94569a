"""Failures that are held back before they are believed: another driver's death may explain them."""

from __future__ import annotations

import time
from collections import deque

from grpc_interop.core.verdict import Verdict
from grpc_interop.drivers.driver import Driver
from grpc_interop.engine.executors.execution import Execution

DEFER_SECONDS = 0.2
"""How long a failure is held back before it is believed: where a driver died, the other side may tell of its broken
calls before the death itself is seen, and they are not to blame."""


class DeferredFailures:
    """Flights that have landed with a failure, each with its verdict."""

    def __init__(self) -> None:
        self._held: deque[tuple[float, Execution, Verdict]] = deque()

    def __bool__(self) -> bool:
        return bool(self._held)

    @property
    def flights(self) -> list[Execution]:
        return [flight for _, flight, _ in self._held]

    def hold(self, flight: Execution, verdict: Verdict) -> None:
        self._held.append((time.monotonic() + DEFER_SECONDS, flight, verdict))

    @property
    def ripe(self) -> bool:
        """Whether one was held back long enough."""
        return bool(self._held) and self._held[0][0] <= time.monotonic()

    def release(self, silent: set[Driver]) -> list[tuple[Execution, Verdict]]:
        """Takes out what was held back long enough and stands. What one of the `silent` drivers took part in does not
        yet: if that driver hangs, it may have held up other calls as well."""
        now = time.monotonic()
        stands, waits = [], deque[tuple[float, Execution, Verdict]]()
        for since, flight, verdict in self._held:
            if since <= now and silent.isdisjoint((flight.client, flight.server)):
                stands.append((flight, verdict))
            else:
                waits.append((since, flight, verdict))
        self._held = waits
        return stands

    def take_explained_by(self, driver: Driver) -> list[Execution]:
        """Takes out the failures that the driver's death explains."""
        explained = [flight for flight in self.flights if driver in (flight.client, flight.server)]
        self._held = deque(entry for entry in self._held if driver not in (entry[1].client, entry[1].server))
        return explained
