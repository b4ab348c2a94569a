"""Admission: how many cases may be in flight on a driver, and how much time each may take."""

from grpc_interop.drivers.driver import Driver
from grpc_interop.engine.jobs import Job

WINDOW = 128
"""Most weight of the cases in flight on a driver; an ordinary case weighs 1. Harness and drivers take turns in batches: with
32 in flight two quick drivers are idle half of the time, and above 128 it makes no difference. 512 calls with 32 KiB unread
each way, 128 at a time on a connection, passed in all four pairs of py and go."""

MOST_EXAMINED = 16
"""Most message cases under way on a driver, beside its plays. With 32 questions about each the driver always has work, and
a command behind them in its socket waits a few hundredths of a second."""

CASE_SECONDS = 10.0
"""Time that an ordinary case may take beyond its own deadline. Under load a cancel was seen after 0.5 s and the end of a
deadline up to 2.9 s late; 10 s had no false alarm."""

WEIGHT_OF_TWICE = 20
"""Weight for which a case gets the same time once more. A call with 2,000 messages has 30 s: it is 40 times the work of an
ordinary case, beside others like it, on a machine that may be overloaded many times."""

DEBUGGED_SECONDS = 24 * 3600.0
"""Time for a case while somebody debugs its drivers: as long as a person may work at it."""


def full(driver: Driver, weight: int, window: int) -> bool:
    """Return whether a driver has no room for a case of that weight now. A driver that plays nothing has room for any case."""
    if driver.in_flight and driver.load + weight > window:
        return True
    return 0 < driver.most_in_flight <= driver.in_flight


def limit(job: Job, client: Driver, server: Driver, case_seconds: float) -> float:
    """Return the seconds that the job may take on these drivers, where an ordinary case may take `case_seconds`."""
    if client.debugged or server.debugged:
        return DEBUGGED_SECONDS
    return min(case_seconds * (1 + (job.prepared.weight - 1) / WEIGHT_OF_TWICE), job.purpose.most_seconds)
