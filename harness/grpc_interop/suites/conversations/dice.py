"""Chance that is the same everywhere: one text, one sequence of choices."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Choices that follow from `text` alone.

    All are made of `Random.random`, whose sequence for a given seed is the same in every version of Python; that of
    `choice`, `randrange` and `shuffle` is not promised. `source` is for what makes its own choices, under the same rule.
    """

    def __init__(self, text: str) -> None:
        self.source = Random(text)
        self._random = self.source.random

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        return int(self._random() * limit)

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def weighted(self, options: Sequence[tuple[float, T]]) -> T:
        """One of the options, each as likely as its weight says; of zero weights none is ever taken."""
        rest = self._random() * sum(weight for weight, _ in options)
        for weight, option in options:
            rest -= weight
            if rest < 0:
                return option
        return options[-1][1]
