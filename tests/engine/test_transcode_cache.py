"""Answers are for all pairs that a process belongs to, within one time that a case is played."""

from itertools import count
from typing import cast

import pytest

from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Ask, Refused, Written
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.connection import ContractBroken
from grpc_interop.drivers.driver import Driver
from grpc_interop.engine.executors import transcode_cache
from grpc_interop.engine.executors.message import MessageExecution
from grpc_interop.engine.executors.transcode_cache import Question, TranscodeCache


class Spoken:
    """Stands for a driver: keeps what it was sent."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, bytes]] = []

    def send(self, body: bytes, command: int) -> None:
        self.asked.append((command, pb.Command.FromString(body).transcode.data))


class Talk:
    """Answers, with what is asked of them."""

    def __init__(self) -> None:
        self.answers = TranscodeCache()
        self.batch = object()
        self._ids = count(1)

    def question(self, driver: Spoken, *data: bytes, side: Side = Side.CLIENT, batch: object = None) -> Question:
        return Question(cast(Driver, driver), batch or self.batch, "t.M", Ask(side, data, to_view=True))

    def ask(self, question: Question, number: int = 0) -> object:
        """Lets somebody wait; who that is."""
        exchange = cast(MessageExecution, object())
        self.answers.ask(question, exchange, number, self._ids)
        return exchange

    def told(self, question: Question, *events: pb.Event) -> tuple[object, ...] | None:
        """Asks, and has the driver answer in these events."""
        driver = cast(Spoken, question.driver)
        before = len(driver.asked)
        self.ask(question)
        for (command, _), event in zip(driver.asked[before:], events, strict=True):
            self.answers.heard(pb.Event(id=command, **{str(event.WhichOneof("kind")): getattr(event, str(event.WhichOneof("kind")))}))
        return self.answers.known(question)


def wrote(binary: bytes) -> pb.Event:
    return pb.Event(transcoded=pb.Message(binary=binary, view=pb.View(unknown=binary)))


def refused(text: str) -> pb.Event:
    return pb.Event(error=pb.Error(kind=pb.Error.KIND_UNREADABLE_PAYLOAD, text=text))


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_a_question_is_asked_once_and_all_who_wait_hear_the_answer(talk: Talk) -> None:
    """
    One command for each message; whoever asks while they are under way, or after them, causes none.
    """
    driver = Spoken()
    question = talk.question(driver, b"a", b"b")
    waiting = [(talk.ask(question, 3), 3), (talk.ask(question, 8), 8)]
    assert driver.asked == [(1, b"a"), (2, b"b")]
    assert talk.answers.known(question) is None
    assert [talk.answers.awaits(command) for command in (1, 2, 3)] == [True, True, False]
    refusal = refused("no")
    refusal.id = 2
    request = talk.answers.heard(refusal)
    assert (request.answers, request.waiting) == (None, waiting)
    written = wrote(b"x")
    written.id = 1
    request = talk.answers.heard(written)
    assert request.waiting == waiting
    assert request.answers is not None
    first, second = request.answers
    assert isinstance(first, Written)
    assert (first.binary, second) == (b"x", Refused("no"))
    assert talk.answers.known(question) is request.answers
    assert not talk.answers.awaits(1)


def test_another_process_another_time_and_other_bytes_are_other_questions(talk: Talk) -> None:
    """
    A case that is played again, or on another process, is asked anew.
    """
    driver = Spoken()
    assert talk.told(talk.question(driver, b"a"), refused("no")) == (Refused("no"),)
    others = [talk.question(Spoken(), b"a"), talk.question(driver, b"a", batch=object()), talk.question(driver, b"b")]
    assert [talk.answers.known(other) for other in others] == [None, None, None]
    for other in others:
        talk.ask(other)
        assert cast(Spoken, other.driver).asked[-1][1] == other.ask.data[0]


def test_what_two_processes_say_in_the_same_bytes_is_one_answer(talk: Talk) -> None:
    """
    It is read once, whichever side says it; what only looks alike is another.
    """
    one = talk.told(talk.question(Spoken(), b"a", b"b"), wrote(b"x"), wrote(b"y"))
    assert one is not None
    assert talk.told(talk.question(Spoken(), b"a", b"b", side=Side.SERVER), wrote(b"x"), wrote(b"y")) is one
    other = talk.told(talk.question(Spoken(), b"a", b"b"), wrote(b"x"), wrote(b"z"))
    assert other is not None
    assert other is not one
    assert cast(Written, other[0]).view is cast(Written, one[0]).view
    assert cast(Written, other[1]).binary == b"z"


def test_a_dead_driver_has_said_nothing(talk: Talk) -> None:
    """
    What was under way with it will not be answered, and what it answered says nothing about its successor.
    """
    driver, other = Spoken(), Spoken()
    for who in (driver, other):
        talk.told(talk.question(who, b"a"), wrote(b"x"))
        talk.ask(talk.question(who, b"b"))
    talk.answers.forget(cast(Driver, driver))
    assert [talk.answers.known(talk.question(who, b"a")) is not None for who in (driver, other)] == [False, True]
    assert [talk.answers.awaits(who.asked[-1][0]) for who in (driver, other)] == [False, True]
    talk.ask(talk.question(driver, b"b"))
    talk.ask(talk.question(other, b"b"))
    assert [len(who.asked) for who in (driver, other)] == [3, 2]


def test_the_oldest_answers_go_when_they_are_too_many(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Memory does not grow with the cases.
    """
    monkeypatch.setattr(transcode_cache, "MOST_BYTES", 3 * transcode_cache.OVERHEAD)
    driver = Spoken()
    questions = [talk.question(driver, bytes([number]), batch=object()) for number in range(4)]
    for question in questions:
        talk.told(question, wrote(b"x"))
    assert [talk.answers.known(question) is not None for question in questions] == [False, False, True, True]


def test_an_answer_of_another_kind_breaks_the_contract(talk: Talk) -> None:
    """
    A Transcode is answered by a message or an error.
    """
    with pytest.raises(ContractBroken, match="answered a Transcode with done"):
        talk.told(talk.question(Spoken(), b"a"), pb.Event(done=pb.Done()))
