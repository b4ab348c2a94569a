"""Failures that are held back before they are believed: another driver's death may explain them."""

import time
from typing import NamedTuple

from grpc_interop.core.verdict import Verdict
from grpc_interop.drivers.driver import Driver
from grpc_interop.engine.executors.execution import Execution

DEFER_SECONDS = 0.2
"""How long a failure is held back. When a driver dies, the other driver may report its broken calls before the harness sees
the death; those calls are not to blame."""


class _Failure(NamedTuple):
    until: float
    execution: Execution
    verdict: Verdict

    def involves(self, driver: Driver) -> bool:
        return driver in (self.execution.client, self.execution.server)


class DeferredFailures:
    """Executions that ended with a failure, each with its verdict, in the order of their ends."""

    def __init__(self) -> None:
        self._failures: list[_Failure] = []

    def __bool__(self) -> bool:
        return bool(self._failures)

    @property
    def executions(self) -> list[Execution]:
        return [failure.execution for failure in self._failures]

    def hold(self, execution: Execution, verdict: Verdict) -> None:
        self._failures.append(_Failure(time.monotonic() + DEFER_SECONDS, execution, verdict))

    @property
    def ripe(self) -> bool:
        """Whether a failure was held back long enough."""
        return bool(self._failures) and self._failures[0].until <= time.monotonic()

    def release(self, silent: set[Driver]) -> list[tuple[Execution, Verdict]]:
        """Take out the failures that were held back long enough. Failures that involve a `silent` driver, which has not answered
        an Abort, stay deferred: if that driver hangs, it may have held up other calls as well."""
        now = time.monotonic()
        kept: list[_Failure] = []
        released: list[_Failure] = []
        for failure in self._failures:
            stands = failure.until <= now and silent.isdisjoint((failure.execution.client, failure.execution.server))
            (released if stands else kept).append(failure)
        self._failures = kept
        return [(failure.execution, failure.verdict) for failure in released]

    def take_explained_by(self, driver: Driver) -> list[Execution]:
        """Take out the failures that the driver's death explains."""
        explained = [failure.execution for failure in self._failures if failure.involves(driver)]
        self._failures = [failure for failure in self._failures if not failure.involves(driver)]
        return explained
