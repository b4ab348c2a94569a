"""A case's examples, asked about in dialogues of a few each; and the first that fails, shrunk. Pure: whoever plays it
takes asks and gives answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol

from grpc_interop.core.case import AnyCase, MessageCase
from grpc_interop.core.transcoding import Answer, Ask
from grpc_interop.core.verdict import Difference
from grpc_interop.messages.dialogue import Dialogue, Rules, of_one_cause
from grpc_interop.messages.examples import Example, Examples
from grpc_interop.messages.shrink import smaller
from grpc_interop.wire.meaning import validity
from grpc_interop.wire.shapes import Shape, Shapes

AT_A_TIME, MOST_BYTES = 16, 256 * 1024
"""Messages of one dialogue, and their bytes: what a message costs the harness beside its judging is shared by so many."""

DIALOGUES = 2
"""Dialogues of one case that go on at the same time: both sides have something to do."""

MOST_TRIES = 400
"""Smaller messages that are tried in order to shrink one: the largest ones of a tree needed about half as many."""


Batch = tuple[Example, ...]
"""The examples of one dialogue."""

ShrinkDialogue = Generator[Ask, tuple[Answer, ...], Difference]


class Failed(NamedTuple):
    """An example that failed, and how."""

    number: int
    example: Example
    difference: Difference


class Findings(NamedTuple):
    """What became of a case: how many examples there were, those that failed in order, what is known behind what is not,
    and the smallest message that fails as the first of them does."""

    examples: int
    failed: tuple[Failed, ...]
    smallest: bytes
    difference: Difference | None


class Questioning(Protocol):
    """What is asked about one case on one pair; `findings` is set when it is done, `pending` says what is being asked about."""

    findings: Findings | None
    pending: dict[int, Example]

    def next_asks(self) -> Iterator[tuple[int, Ask]]: ...
    def answer(self, number: int, answers: tuple[Answer, ...]) -> Ask | None: ...


IsKnown = Callable[[Difference], bool]
"""Whether a difference is known: what fails so is told as it is, and after what is not known."""


class Questioner(Protocol):
    """Knows what to ask about a case. Of the files `without` one of the two sides has no code."""

    def examination(self, case: MessageCase, expected: IsKnown, without: Collection[str]) -> Questioning: ...


class Examination:
    """One case on one pair. `findings` is set when it is done; `pending` are the examples that are being asked about, by
    their numbers."""

    def __init__(self, case: MessageCase, examples: Iterable[Example], rules: Rules, shape: Shape, expected: IsKnown) -> None:
        self.findings: Findings | None = None
        self.pending: dict[int, Example] = {}
        self._case = case
        self._shape = shape
        self._rules = rules
        self._expected = expected
        self._parts = _parts(examples)
        self._dialogues: dict[int, tuple[Dialogue, Batch]] = {}
        self._failed: list[Failed] = []
        self._count = 0
        self._shrinking: ShrinkDialogue | None = None
        self._smallest = b""

    def next_asks(self) -> Iterator[tuple[int, Ask]]:
        """Asks that may be sent now, each with the number by which to answer it."""
        while len(self._dialogues) < DIALOGUES and self._shrinking is None:
            part = next(self._parts, None)
            if part is None:
                break
            number, self._count = self._count, self._count + len(part)
            self.pending.update(enumerate(part, number))
            dialogue = self._start(tuple([example.data for example in part]))
            self._dialogues[number] = dialogue, part
            yield number, next(dialogue)
        if not self._dialogues and self._shrinking is None and self.findings is None:
            yield from self._shrink_or_end()

    def answer(self, number: int, answers: tuple[Answer, ...]) -> Ask | None:
        """Takes the answers to an ask; gives what to ask next in the same dialogue, or None: then ask for `next_asks`."""
        if self._shrinking is not None:
            return self._go_on_shrinking(answers)
        dialogue, part = self._dialogues[number]
        try:
            return dialogue.send(answers)
        except StopIteration as ended:
            del self._dialogues[number]
            for at, (example, difference) in enumerate(zip(part, ended.value, strict=True), number):
                del self.pending[at]
                if difference is not None:
                    self._failed.append(Failed(at, example, replace(difference, tags=example.tags)))
            return None

    def _start(self, data: tuple[bytes, ...]) -> Dialogue:
        return self._rules.dialogue(self._case.type_name, data, json=self._case.json, alike=self._case.alike)

    def _shrink_or_end(self) -> Iterator[tuple[int, Ask]]:
        if not self._failed:
            self._end(None)
            return
        self._failed.sort(key=lambda failed: (self._expected(failed.difference), failed.number))
        first = self._failed[0]
        self._smallest = first.example.data
        if self._expected(first.difference):
            self._end(first.difference)
            return
        self._shrinking = self._shrink(first)
        self.pending[first.number] = first.example
        try:
            yield first.number, next(self._shrinking)
        except StopIteration as ended:
            self._end(ended.value)

    def _go_on_shrinking(self, answers: tuple[Answer, ...]) -> Ask | None:
        assert self._shrinking is not None
        try:
            return self._shrinking.send(answers)
        except StopIteration as ended:
            self._end(ended.value)
            return None

    def _shrink(self, first: Failed) -> ShrinkDialogue:
        """Dialogues about ever smaller messages, as long as they fail for the same cause."""
        difference, tries, found = first.difference, 0, True
        wanted = validity(self._shape, self._smallest)
        while found and tries < MOST_TRIES:
            found = False
            for candidate in smaller(self._shape, self._smallest):
                if tries >= MOST_TRIES:
                    break
                if validity(self._shape, candidate) is not wanted:
                    continue
                tries += 1
                (outcome,) = yield from self._start((candidate,))
                if outcome is not None and of_one_cause(outcome, first.difference):
                    self._smallest, difference, found = candidate, replace(outcome, tags=first.example.tags), True
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
        self.tag_sets = self._examples.tag_sets

    def examination(self, case: MessageCase, expected: IsKnown, without: Collection[str] = ()) -> Examination:
        """Raises KeyError for a type that the catalog does not hold."""
        examples = (example for example in self._examples.of(case) if example.file not in without)
        return Examination(case, examples, self._rules, self._shapes.of(case.type_name), expected)

    def needs_one_of(self, case: AnyCase, files: Collection[str]) -> str:
        """One of the files, if every example of the case needs one of them; else empty."""
        found = ""
        if not isinstance(case, MessageCase):
            return found
        for example in self._examples.of(case):
            if example.file not in files:
                return ""
            found = found or example.file
        return found


def _parts(examples: Iterable[Example]) -> Iterator[Batch]:
    """The same for each pair, so that what one pair asks the next asks as well."""
    part: list[Example] = []
    size = 0
    for example in examples:
        if part and (len(part) == AT_A_TIME or size + len(example.data) > MOST_BYTES):
            yield tuple(part)
            part, size = [], 0
        part.append(example)
        size += len(example.data)
    if part:
        yield tuple(part)
