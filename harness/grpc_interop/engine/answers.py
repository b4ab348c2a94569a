"""What drivers answered to asks about messages. On the pairs of one case a driver is asked the same again and again: a
client reads the same message for every server, and most clients hand a server the same bytes. Each process is asked once,
and every pair that it belongs to judges its answer.

It holds for the one time that a case is prepared: what is played again, replayed or played alone is asked anew.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from grpc_interop.drivers.driver import Driver
from grpc_interop.messages.dialogue import Answer, Ask, Written

MOST_BYTES = 64 * 1024 * 1024
"""What is kept at most, so that memory does not grow with the cases: some three times the answers to the cases that are in
flight at the same time in a tree whose largest examples have 512 KiB."""

OVERHEAD = 2048
"""Bytes that an answer takes beside its texts: about those of a view of ten fields."""


class Question(NamedTuple):
    """An ask to one process. `occasion` is the prepared case's own: of no other case, and of no other time."""

    driver: Driver
    occasion: object
    ask: Ask


class Answers:
    """Questions that are under way, by the id of their command, and answers, of which the oldest are forgotten."""

    def __init__(self) -> None:
        self._under_way: dict[Question, int] = {}
        self._questions: dict[int, Question] = {}
        self._known: OrderedDict[Question, Answer] = OrderedDict()
        self._bytes = 0

    def known(self, question: Question) -> Answer | None:
        return self._known.get(question)

    def under_way(self, question: Question) -> int | None:
        """The command that asks it."""
        return self._under_way.get(question)

    def asked(self, question: Question, command: int) -> None:
        self._under_way[question] = command
        self._questions[command] = question

    def answered(self, command: int, answer: Answer) -> None:
        question = self._questions.pop(command, None)
        if question is None:
            return
        if self._under_way.get(question) == command:
            del self._under_way[question]
        if question not in self._known:
            self._known[question] = answer
            self._bytes += _size(question, answer)
        while self._bytes > MOST_BYTES:
            self._bytes -= _size(*self._known.popitem(last=False))

    def forget(self, driver: Driver) -> None:
        """The driver is dead: it answers nothing any more, and its successor is another process."""
        for question, command in list(self._under_way.items()):
            if question.driver is driver:
                del self._under_way[question], self._questions[command]
        for question in [one for one in self._known if one.driver is driver]:
            self._bytes -= _size(question, self._known.pop(question))


def _size(question: Question, answer: Answer) -> int:
    text = len(answer.binary) + len(answer.json) if isinstance(answer, Written) else len(answer.text)
    return OVERHEAD + len(question.ask.data) + text
