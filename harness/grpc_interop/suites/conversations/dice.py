"""Random choices that are the same everywhere: a text determines the sequence."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Choices that follow from `text` alone.

    They use only `Random.random`, whose sequence for a given seed is the same in every version of Python; the sequence of
    `choice`, `randrange` and `shuffle` is not promised.
    """

    def __init__(self, text: str) -> None:
        self.source = Random(text)  # for makers of values, which keep the same rule
        self._random = self.source.random

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1."""
        return int(self._random() * limit)

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def weighted(self, options: Sequence[tuple[float, T]]) -> T:
        """Return an option, each as likely as its weight says; an option without weight is never taken."""
        rest = self._random() * sum(weight for weight, _ in options)
        for weight, option in options:
            rest -= weight
            if rest < 0:
                return option
        return options[-1][1]
