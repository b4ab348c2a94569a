"""What a check is: a title, a promise, and a function that finds out whether it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from grpc_interop.check_driver.bench import Bench

GUIDE = "docs/driver-contract.md"


class CheckResult(NamedTuple):
    """`section` is the guide's that tells of it. `kept` is None when it was not asked; `what` then says why. Otherwise
    `what` is the promise, or what the driver did instead, and `next_step` what is due (empty when kept)."""

    number: int
    name: str
    section: str
    kept: bool | None
    what: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Check:
    """`promise` is a sentence with the driver as its subject. `needs` names the capabilities (apart by spaces)
    without which it is not asked. `vital`: without it nothing that follows can work."""

    name: str
    promise: str
    section: str
    find_out: Callable[[Bench], None]
    needs: str = ""
    vital: bool = False


class Chapter:
    """Checks that belong to one section of the guide, in the order in which they were added."""

    def __init__(self, section: str) -> None:
        self.section = section
        self.checks: list[Check] = []

    def check(self, name: str, *, needs: str = "", vital: bool = False) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
        """Adds the decorated function, whose docstring is the promise."""

        def add(find_out: Callable[[Bench], None]) -> Callable[[Bench], None]:
            promise = " ".join((find_out.__doc__ or "").split())
            self.checks.append(Check(name, promise, self.section, find_out, needs, vital))
            return find_out

        return add
