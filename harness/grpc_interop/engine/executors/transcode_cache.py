"""What drivers answer to asks about messages. On the pairs of one case a driver is asked the same again and again: a
client reads the same messages for every server, and most clients hand a server the same bytes. Each process is asked
once, and every pair that it belongs to judges its answer.

It holds for the one time that a case is prepared: what is played again, replayed or played alone is asked anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Answer, Ask, Refused
from grpc_interop.core.transcript import View
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.connection import ContractBroken
from grpc_interop.drivers.driver import Driver
from grpc_interop.drivers.translate import transcodes, written

MOST_BYTES = 64 * 1024 * 1024
"""What is kept at most, so that memory does not grow with the cases: some three times the answers to the cases that are in
flight at the same time in a tree whose largest examples have 512 KiB."""

OVERHEAD = 2048
"""Bytes that an answer takes beside its texts: about those of a view of ten fields."""


class Asker(Protocol):
    """An execution that waits for an answer."""

    id: int


class Question(NamedTuple):
    """An ask to one process. `batch` is the prepared case's own: of no other case, and of no other time."""

    driver: Driver
    batch: object
    type_name: str
    ask: Ask


@dataclass(slots=True, eq=False)
class PendingRequest:
    """A question that is under way: one command for each of its messages. `events` are what came so far, by command;
    `answers` is set once all came. `waiting` are the exchanges that are to hear them, each with the number by which it
    asked."""

    question: Question
    commands: tuple[int, ...]
    events: dict[int, pb.Event] = field(default_factory=dict)
    answers: tuple[Answer, ...] | None = None
    waiting: list[tuple[Asker, int]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Known:
    """What is known of one batch. `said` holds, for what was asked, each answer as it came and as it was read: what
    another process says in the same bytes is the same answer, and not read again. So it is with `views`."""

    answers: dict[Question, tuple[Answer, ...]] = field(default_factory=dict)
    said: dict[Ask, dict[tuple[bytes, ...], tuple[Answer, ...]]] = field(default_factory=dict)
    views: dict[bytes, View] = field(default_factory=dict)
    size: int = 0


class TranscodeCache:
    """Questions that are under way, and answers, of which those of the oldest batch are forgotten first."""

    def __init__(self) -> None:
        self._under_way: dict[Question, PendingRequest] = {}
        self._requests: dict[int, PendingRequest] = {}
        self._known: OrderedDict[object, _Known] = OrderedDict()
        self._bytes = 0

    def known(self, question: Question) -> tuple[Answer, ...] | None:
        """One for each message of the ask."""
        known = self._known.get(question.batch)
        return None if known is None else known.answers.get(question)

    def ask(self, question: Question, asker: Asker, number: int, ids: Iterator[int]) -> None:
        """Lets an exchange wait for the answer; sends the commands unless another one has asked the same."""
        request = self._under_way.get(question)
        if request is None:
            commands = tuple(next(ids) for _ in question.ask.data)
            request = self._under_way[question] = PendingRequest(question, commands)
            for command, body in zip(commands, transcodes(question.type_name, question.ask), strict=True):
                self._requests[command] = request
                question.driver.send(body, command)
        request.waiting.append((asker, number))

    def awaits(self, command: int) -> bool:
        """Whether the command is one of those whose answers are awaited."""
        return command in self._requests

    def heard(self, event: pb.Event) -> PendingRequest:
        """Takes the answer to one command of a request. Raises ContractBroken."""
        request = self._requests.pop(event.id)
        request.events[event.id] = event
        if len(request.events) == len(request.commands):
            del self._under_way[request.question]
            request.answers = self._keep(request)
        return request

    def forget(self, driver: Driver) -> None:
        """The driver is dead: it answers nothing any more, and its successor is another process."""
        for command, request in list(self._requests.items()):
            if request.question.driver is driver:
                del self._requests[command]
                self._under_way.pop(request.question, None)
        for known in self._known.values():
            for question in [one for one in known.answers if one.driver is driver]:
                del known.answers[question]

    def _keep(self, request: PendingRequest) -> tuple[Answer, ...]:
        question = request.question
        known = self._known.setdefault(question.batch, _Known())
        events = [request.events[command] for command in request.commands]
        for event in events:
            event.ClearField("id")
        raw = tuple([event.SerializeToString() for event in events])
        said = known.said.setdefault(question.ask._replace(side=Side.CLIENT), {})
        if raw not in said:
            said[raw] = tuple([answer_of(event, known.views) for event in events])
            size = sum(map(len, raw)) + sum(map(len, question.ask.data)) + OVERHEAD * len(raw)
            known.size += size
            self._bytes += size
        answers = known.answers[question] = said[raw]
        while self._bytes > MOST_BYTES:
            self._bytes -= self._known.popitem(last=False)[1].size
        return answers


def answer_of(event: pb.Event, views: dict[bytes, View]) -> Answer:
    """What a driver said to an ask about one message; `views` as `written` wants them. Raises ContractBroken."""
    kind = event.WhichOneof("kind")
    if kind == "error":
        return Refused(event.error.text, failed=event.error.kind != pb.Error.KIND_UNREADABLE_PAYLOAD)
    if kind != "transcoded":
        raise ContractBroken(f"answered a Transcode with {kind or 'nothing'}")
    return written(event.transcoded, views)
