"""Dialogues about a case's examples, a few in each; and a smaller message in place of the first example that fails. Pure: the
executor (engine/executors/message.py) sends the asks to drivers, and brings their answers."""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol

from grpc_interop.core.case import AnyCase, MessageCase
from grpc_interop.core.transcoding import Answer, Ask
from grpc_interop.core.verdict import Difference
from grpc_interop.messages.dialogue import Dialogue, Rules, of_one_cause
from grpc_interop.messages.example_maker import Example
from grpc_interop.messages.examples import Examples
from grpc_interop.messages.shrink import smaller
from grpc_interop.wire.meaning import validity
from grpc_interop.wire.shapes import Shape, Shapes

AT_A_TIME, MOST_BYTES = 16, 256 * 1024
"""The most messages of a dialogue, and their most bytes. The messages share the overhead of a question."""

DIALOGUES = 2
"""Dialogues of a case at the same time: both sides then have something to do."""

MOST_TRIES = 400
"""Smaller messages that are tried in order to shrink a message: the largest messages of a tree needed about half as many."""


ExampleBatch = tuple[Example, ...]
"""The examples of a dialogue."""

ShrinkDialogue = Generator[Ask, tuple[Answer, ...], Difference]


class Failed(NamedTuple):
    """An example that failed, and how."""

    number: int
    example: Example
    difference: Difference


class Findings(NamedTuple):
    """The outcome of a case."""

    examples: int  # the number of examples
    failed: tuple[Failed, ...]  # the examples that failed in order, known failures behind all others
    smallest: bytes  # the smallest message that fails as the first failed example does
    difference: Difference | None


class Questioning(Protocol):
    """The questions about a case on a pair."""

    findings: Findings | None  # the outcome, when it is there
    pending: dict[int, Example]  # the examples in questions without an answer, by their numbers

    def next_asks(self) -> Iterator[tuple[int, Ask]]: ...
    def answer(self, number: int, answers: tuple[Answer, ...]) -> Ask | None: ...


IsKnown = Callable[[Difference], bool]
"""Whether a difference is known. A known failure is not shrunk, and reported after unknown failures."""


class Questioner(Protocol):
    """Makes the questions about a case. One of the two sides has no code for the files in `without`."""

    def examination(self, case: MessageCase, expected: IsKnown, without: Collection[str]) -> Questioning: ...


class Examination:
    """The Questioning about a case's examples."""

    def __init__(self, case: MessageCase, examples: Iterable[Example], rules: Rules, shape: Shape, expected: IsKnown) -> None:
        self.findings: Findings | None = None
        self.pending: dict[int, Example] = {}
        self._case = case
        self._shape = shape
        self._rules = rules
        self._expected = expected
        self._parts = _parts(examples)
        self._dialogues: dict[int, tuple[Dialogue, ExampleBatch]] = {}
        self._failed: list[Failed] = []
        self._count = 0
        self._shrinking: ShrinkDialogue | None = None
        self._smallest = b""

    def next_asks(self) -> Iterator[tuple[int, Ask]]:
        """Yield the asks that may be sent now, each with the number by which to answer it."""
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
        """Take the answers to an ask; return the next ask of the same dialogue, or None: then call `next_asks`."""
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
        """Try ever smaller messages, as long as they fail for the same cause."""
        difference, tries, smaller_fails = first.difference, 0, True
        wanted = validity(self._shape, self._smallest)
        while smaller_fails and tries < MOST_TRIES:
            smaller_fails = False
            for candidate in smaller(self._shape, self._smallest):
                if tries >= MOST_TRIES:
                    break
                if validity(self._shape, candidate) is not wanted:
                    continue
                tries += 1
                (outcome,) = yield from self._start((candidate,))
                if outcome is not None and of_one_cause(outcome, first.difference):
                    self._smallest, difference, smaller_fails = candidate, replace(outcome, tags=first.example.tags), True
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
        """Return the examination of a case. Raise KeyError for a type that the catalog does not hold."""
        examples = (example for example in self._examples.of(case) if example.file not in without)
        return Examination(case, examples, self._rules, self._shapes.of(case.type_name), expected)

    def needs_one_of(self, case: AnyCase, files: Collection[str]) -> str:
        """Return a file, if every example of a case of messages needs one of the files; else an empty text."""
        needed = ""
        for example in self._examples.of(case) if isinstance(case, MessageCase) else ():
            if example.file not in files:
                return ""  # a case may have many examples, and the first are made at once
            needed = needed or example.file
        return needed


def _parts(examples: Iterable[Example]) -> Iterator[ExampleBatch]:
    """Divide the examples in the same way for each pair, so that all pairs ask the same questions."""
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
