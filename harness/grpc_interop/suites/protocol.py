"""The definition of a suite: a named family of cases, made from a catalog of protos and nothing else."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from grpc_interop.core.case import AnyCase
from grpc_interop.schema.catalog import Catalog

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """The options of a run that its suites may use."""

    seed: int = 1  # fixes every random choice, on every machine
    count: int = 0  # the number of examples in a suite that generates them; 0 for the suite's own number


@dataclass(frozen=True, slots=True)
class Suite:
    """A family of cases."""

    name: str
    about: str  # a sentence about the suite, for `interop list`
    cases: Callable[[Catalog, SuiteOptions], Iterator[AnyCase]]
    """Yields the cases lazily, in the same order each time; may be called many times. No two cases have the same id."""
    most_telling: Callable[[Catalog, SuiteOptions], Iterator[AnyCase]] | None = None
    """Yields the same cases in another order, for a run without time for all of them; None where any order is as good."""


def in_turn(streams: Sequence[Iterator[T]]) -> Iterator[T]:
    """Yield an element of each stream, then the next of each, until all are at their end."""
    going = list(streams)
    while going:
        for stream in list(going):
            try:
                yield next(stream)
            except StopIteration:
                going.remove(stream)
