"""Several streams of cases as one, each having its turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_turn(streams: Sequence[Iterator[T]]) -> Iterator[T]:
    """One of each stream, then the next of each, until all are at their end."""
    going = list(streams)
    while going:
        for stream in list(going):
            try:
                yield next(stream)
            except StopIteration:
                going.remove(stream)
