"""A check: a title, a promise, and a function that finds out whether it is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from grpc_interop.check_driver.bench import Bench

GUIDE = "docs/driver-contract.md"


class CheckResult(NamedTuple):
    """The result of a check."""

    number: int
    name: str
    section: str  # the section of the guide that describes the promise
    kept: bool | None  # None: the driver was not asked
    text: str  # the promise if it is kept, else how the driver behaved instead, or why it was not asked
    next_step: str  # the promise that the driver must keep; empty unless `kept` is False


@dataclass(frozen=True, slots=True)
class Check:
    """A promise of the driver contract, and how to check it."""

    name: str
    promise: str
    section: str
    find_out: Callable[[Bench], None]  # raises NotKept
    needs: str = ""  # capabilities, separated by spaces, without which the driver is not asked
    vital: bool = False  # without this promise no later check can work


class Chapter:
    """The checks of a section of the guide, in the order in which they were added."""

    def __init__(self, section: str) -> None:
        self.section = section
        self.checks: list[Check] = []

    def check(self, name: str, *, needs: str = "", vital: bool = False) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
        """Add the decorated function, whose docstring is the promise."""

        def add(find_out: Callable[[Bench], None]) -> Callable[[Bench], None]:
            promise = " ".join((find_out.__doc__ or "").split())
            self.checks.append(Check(name, promise, self.section, find_out, needs, vital))
            return find_out

        return add
