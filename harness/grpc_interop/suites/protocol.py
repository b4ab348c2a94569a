"""What a suite is: a named family of cases, made from a catalog of protos and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from grpc_interop.core.case import AnyCase
from grpc_interop.schema.catalog import Catalog


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """What a run may say to its suites. `seed` fixes every random choice, on every machine; `count` is how many examples
    a generating suite yields, 0 for its own number."""

    seed: int = 1
    count: int = 0


@dataclass(frozen=True, slots=True)
class Suite:
    """`cases` yields lazily, in an order that is the same each time, and may be called many times; two cases never have
    one id. `about` is a sentence for `interop list`. `most_telling` yields the same cases in
    another order, for whoever has no time for all of them; None where one order is as good as the other."""

    name: str
    about: str
    cases: Callable[[Catalog, SuiteOptions], Iterator[AnyCase]]
    most_telling: Callable[[Catalog, SuiteOptions], Iterator[AnyCase]] | None = None
