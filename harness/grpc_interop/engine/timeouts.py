"""How long a case may take."""

from __future__ import annotations

from grpc_interop.drivers.driver import Driver
from grpc_interop.engine.jobs import Job
from grpc_interop.engine.shrink.shrinker import PLAY_SECONDS

CASE_SECONDS = 10.0
"""How long an ordinary case may take beyond its own deadline. Under load a cancel was seen after 0.5 s and a deadline's end
up to 2.9 s late; 10 s had no false alarm."""

WEIGHT_OF_TWICE = 20
"""So much more weight gives a case the same time once more. A call with 2,000 messages has 30 s: 40 times the work of an
ordinary case, beside others like it, on a machine that may have many times as much to do as it can."""

DEBUGGED_SECONDS = 24 * 3600.0
"""The same where somebody debugs one of the two drivers: as long as a person may sit at it."""


def limit(job: Job, client: Driver, server: Driver, case_seconds: float) -> float:
    """Seconds that the job may take on those drivers, where an ordinary case may take `case_seconds`."""
    if client.debugged or server.debugged:
        return DEBUGGED_SECONDS
    if job.shrinking:
        return min(case_seconds, PLAY_SECONDS)
    return case_seconds * (1 + (job.prepared.weight - 1) / WEIGHT_OF_TWICE)
