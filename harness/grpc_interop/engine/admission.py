"""Limits: the cases in flight on one driver, and the time that a case may take."""

from __future__ import annotations

from grpc_interop.drivers.driver import Driver
from grpc_interop.engine.jobs import Job

WINDOW = 128
"""What the cases in flight on one driver weigh at most; an ordinary case weighs 1. Harness and drivers take turns in
batches: with 32 in flight two quick drivers stand idle half of the time, from 128 on it makes no difference any more. 512
calls with 32 KiB unread each way, 128 at a time on one connection, passed in all four pairs of py and go."""

MOST_EXAMINED = 16
"""Message cases under way on one driver, beside its plays: with 32 messages of each asked about, it always has something
to do, and what is behind them in its socket waits a few hundredths of a second."""

CASE_SECONDS = 10.0
"""How long an ordinary case may take beyond its own deadline. Under load a cancel was seen after 0.5 s and a deadline's end
up to 2.9 s late; 10 s had no false alarm."""

WEIGHT_OF_TWICE = 20
"""So much more weight gives a case the same time once more. A call with 2,000 messages has 30 s: 40 times the work of an
ordinary case, beside others like it, on a machine that may have many times as much to do as it can."""

DEBUGGED_SECONDS = 24 * 3600.0
"""The same where somebody debugs one of the two drivers: as long as a person may sit at it."""


def full(driver: Driver, weight: int, window: int) -> bool:
    """Return whether a driver has no room for a case of that weight now. A driver that plays nothing has room for any case."""
    if driver.in_flight and driver.load + weight > window:
        return True
    return 0 < driver.most_in_flight <= driver.in_flight


def limit(job: Job, client: Driver, server: Driver, case_seconds: float) -> float:
    """Return the seconds that the job may take on those drivers, where an ordinary case may take `case_seconds`."""
    if client.debugged or server.debugged:
        return DEBUGGED_SECONDS
    return min(case_seconds * (1 + (job.prepared.weight - 1) / WEIGHT_OF_TWICE), job.purpose.most_seconds)
