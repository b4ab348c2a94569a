"""A case's examples, each asked about in a dialogue of its own, many at a time; and the first that fails, shrunk. Pure:
whoever plays it takes asks and gives answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol

from grpc_interop.case import MessageCase
from grpc_interop.messages.dialogue import Answer, Ask, Dialogue, Rules, of_one_cause
from grpc_interop.protos.examples import Example, Examples
from grpc_interop.protos.meaning import sort_of
from grpc_interop.protos.shapes import Shape, Shapes
from grpc_interop.protos.shrink import smaller
from grpc_interop.verdict import Difference

AT_A_TIME = 16
"""Dialogues of one case that go on at the same time: both sides always have something to do."""

MOST_TRIES = 400
"""Smaller messages that are tried in order to shrink one: the largest ones of a tree needed about half as many."""


class Failed(NamedTuple):
    """An example that failed, and how."""

    number: int
    example: Example
    difference: Difference


class Findings(NamedTuple):
    """What became of a case: how many examples there were, those that failed in order, and the smallest message that
    fails as the first of them does."""

    examples: int
    failed: tuple[Failed, ...]
    smallest: bytes
    difference: Difference | None


class Questioning(Protocol):
    """What is asked about one case on one pair; `findings` is set when it is done, `pending` says what is being asked."""

    findings: Findings | None
    pending: dict[int, Example]

    def next_asks(self) -> Iterator[tuple[int, Ask]]: ...
    def answer(self, number: int, answer: Answer) -> Ask | None: ...


class Questioner(Protocol):
    """Knows what to ask about a case."""

    def examination(self, case: MessageCase) -> Questioning: ...


class Examination:
    """One case on one pair. `findings` is set when it is done; `pending` says which examples are being asked about."""

    def __init__(self, case: MessageCase, examples: Iterable[Example], rules: Rules, shape: Shape) -> None:
        self.findings: Findings | None = None
        self.pending: dict[int, Example] = {}
        self._case = case
        self._shape = shape
        self._rules = rules
        self._examples = enumerate(examples)
        self._dialogues: dict[int, Dialogue] = {}
        self._failed: list[Failed] = []
        self._count = 0
        self._shrinking: Dialogue | None = None
        self._smallest = b""

    def next_asks(self) -> Iterator[tuple[int, Ask]]:
        """Asks that may be sent now, each with the number by which to answer it."""
        while len(self._dialogues) < AT_A_TIME and self._shrinking is None:
            number, example = next(self._examples, (-1, None))
            if example is None:
                break
            self._count += 1
            self.pending[number] = example
            dialogue = self._start(example.data)
            self._dialogues[number] = dialogue
            yield number, next(dialogue)
        if not self._dialogues and self.findings is None:
            yield from self._shrink_or_end()

    def answer(self, number: int, answer: Answer) -> Ask | None:
        """Takes an answer; gives what to ask next in the same dialogue, or None: then ask for `next_asks`."""
        dialogue = self._dialogues[number]
        try:
            return dialogue.send(answer)
        except StopIteration as ended:
            del self._dialogues[number]
            example = self.pending.pop(number)
            if dialogue is self._shrinking:
                self._end(ended.value)
            elif ended.value is not None:
                self._failed.append(Failed(number, example, ended.value))
            return None

    def _start(self, data: bytes) -> Dialogue:
        return self._rules.dialogue(self._case.type_name, data, json=self._case.json, alike=self._case.alike)

    def _shrink_or_end(self) -> Iterator[tuple[int, Ask]]:
        if not self._failed:
            self._end(None)
            return
        self._failed.sort()
        first = self._failed[0]
        self._smallest = first.example.data
        self._shrinking = self._shrink(first)
        try:
            ask = next(self._shrinking)
        except StopIteration as ended:
            self._end(ended.value)
            return
        self.pending[first.number] = first.example
        self._dialogues[first.number] = self._shrinking
        yield first.number, ask

    def _shrink(self, first: Failed) -> Dialogue:
        """A dialogue about ever smaller messages, as long as they fail for the same cause."""
        difference, tries, found = first.difference, 0, True
        sort = sort_of(self._shape, self._smallest)
        while found and tries < MOST_TRIES:
            found = False
            for candidate in smaller(self._shape, self._smallest):
                if tries >= MOST_TRIES:
                    break
                if sort_of(self._shape, candidate) is not sort:
                    continue
                tries += 1
                outcome = yield from self._start(candidate)
                if outcome is not None and of_one_cause(outcome, first.difference):
                    self._smallest, difference, found = candidate, outcome, True
                    break
        return difference

    def _end(self, difference: Difference | None) -> None:
        self.findings = Findings(self._count, tuple(self._failed), self._smallest, difference)


class Examiner:
    """Makes the examinations of a catalog's cases."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._examples = Examples(shapes)
        self._rules = Rules(shapes)

    def examination(self, case: MessageCase) -> Examination:
        """Raises KeyError for a type that the catalog does not hold."""
        return Examination(case, self._examples.of(case), self._rules, self._shapes.of(case.type_name))


def shrunk(case: MessageCase, findings: Findings) -> MessageCase:
    """The case with nothing but the smallest message that fails."""
    return replace(case, examples=(findings.smallest,))
