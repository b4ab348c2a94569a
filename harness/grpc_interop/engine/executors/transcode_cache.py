"""A cache of the drivers' answers to questions about messages. The pairs of a case ask a driver the same question many
times: a client reads the same messages for every server, and most clients pass the same bytes to a server. Each process is
asked once, and each of its pairs judges the answer.

The answers hold for a single preparation of a case: a case that is played again, in isolation or not, asks anew.
"""

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
"""Bound of the cache, so that memory does not grow with the cases: about three times the answers to the cases in flight at
the same time in a tree whose largest examples have 512 KiB."""

OVERHEAD = 2048
"""Bytes of an answer beside its texts: about the size of a view of ten fields."""


class Asker(Protocol):
    """An execution that waits for an answer."""

    id: int


class Question(NamedTuple):
    """An ask to a process."""

    driver: Driver
    batch: object  # identifies one preparation of a case
    type_name: str
    ask: Ask


@dataclass(slots=True, eq=False)
class PendingRequest:
    """A question that is under way."""

    question: Question
    commands: tuple[int, ...]  # one for each message
    events: dict[int, pb.Event] = field(default_factory=dict)  # so far, by command
    answers: tuple[Answer, ...] | None = None  # once all events came
    waiting: list[tuple[Asker, int]] = field(default_factory=list)  # each with its own number of the question


@dataclass(slots=True, eq=False)
class _BatchAnswers:
    """The answers to the questions within a preparation."""

    answers: dict[Question, tuple[Answer, ...]] = field(default_factory=dict)
    parsed: dict[Ask, dict[tuple[bytes, ...], tuple[Answer, ...]]] = field(default_factory=dict)
    """Answers by their bytes, for each ask: if another process answers in the same bytes, they are not parsed again."""
    views: dict[bytes, View] = field(default_factory=dict)  # for the same reason
    size: int = 0


class TranscodeCache:
    """Holds questions that are under way, and answers. The answers of the oldest batch are forgotten first."""

    def __init__(self) -> None:
        self._under_way: dict[Question, PendingRequest] = {}
        self._requests: dict[int, PendingRequest] = {}  # by command
        self._batches: OrderedDict[object, _BatchAnswers] = OrderedDict()
        self._bytes = 0

    def known(self, question: Question) -> tuple[Answer, ...] | None:
        """Return an answer for each message of the ask, if they are known."""
        batch = self._batches.get(question.batch)
        return None if batch is None else batch.answers.get(question)

    def ask(self, question: Question, asker: Asker, number: int, ids: Iterator[int]) -> None:
        """Let an execution wait for the answers; send the commands unless the same question is under way."""
        request = self._under_way.get(question)
        if request is None:
            commands = tuple(next(ids) for _ in question.ask.data)
            request = self._under_way[question] = PendingRequest(question, commands)
            for command, body in zip(commands, transcodes(question.type_name, question.ask), strict=True):
                self._requests[command] = request
                question.driver.send(body, command)
        request.waiting.append((asker, number))

    def awaits(self, command: int) -> bool:
        """Return whether the answer to the command is awaited."""
        return command in self._requests

    def heard(self, event: pb.Event) -> PendingRequest:
        """Take the answer to a command of a request. Raises ContractBroken."""
        request = self._requests.pop(event.id)
        request.events[event.id] = event
        if len(request.events) == len(request.commands):
            del self._under_way[request.question]
            request.answers = self._keep(request)
        return request

    def forget(self, driver: Driver) -> None:
        """Drop the questions and answers of a driver that is dead: its successor is another process."""
        for command, request in list(self._requests.items()):
            if request.question.driver is driver:
                del self._requests[command]
                self._under_way.pop(request.question, None)
        for batch in self._batches.values():
            for question in [question for question in batch.answers if question.driver is driver]:
                del batch.answers[question]

    def _keep(self, request: PendingRequest) -> tuple[Answer, ...]:
        question = request.question
        batch = self._batches.setdefault(question.batch, _BatchAnswers())
        events = [request.events[command] for command in request.commands]
        for event in events:
            event.ClearField("id")
        raw = tuple([event.SerializeToString() for event in events])
        parsed = batch.parsed.setdefault(question.ask._replace(side=Side.CLIENT), {})
        if raw not in parsed:
            parsed[raw] = tuple([answer_of(event, batch.views) for event in events])
            size = sum(map(len, raw)) + sum(map(len, question.ask.data)) + OVERHEAD * len(raw)
            batch.size += size
            self._bytes += size
        answers = batch.answers[question] = parsed[raw]
        while self._bytes > MOST_BYTES:
            self._bytes -= self._batches.popitem(last=False)[1].size
        return answers


def answer_of(event: pb.Event, views: dict[bytes, View]) -> Answer:
    """Return a driver's answer about a message; `views` as in `written`. Raises ContractBroken."""
    kind = event.WhichOneof("kind")
    if kind == "error":
        return Refused(event.error.text, failed=event.error.kind != pb.Error.KIND_UNREADABLE_PAYLOAD)
    if kind != "transcoded":
        raise ContractBroken(f"answered a Transcode with {kind or 'nothing'}")
    return written(event.transcoded, views)
