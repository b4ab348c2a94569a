"""Answers are for all pairs that a process belongs to, within one time that a case is played."""

from __future__ import annotations

from typing import cast

import pytest

from grpc_interop.drivers.driver import Driver
from grpc_interop.engine import answers
from grpc_interop.engine.answers import Answers, Question
from grpc_interop.messages.dialogue import CLIENT, Ask, Refused, Written


def question(driver: object, occasion: object, data: bytes = b"x") -> Question:
    return Question(cast(Driver, driver), occasion, Ask(CLIENT, data))


def test_the_same_question_is_one_command_and_one_answer() -> None:
    """
    Whoever asks it later finds the command that is under way, and after that the answer.
    """
    kept, driver, occasion = Answers(), object(), object()
    kept.asked(question(driver, occasion), 7)
    assert kept.under_way(question(driver, occasion)) == 7
    assert kept.known(question(driver, occasion)) is None
    kept.answered(7, Written(b"y"))
    assert kept.under_way(question(driver, occasion)) is None
    assert kept.known(question(driver, occasion)) == Written(b"y")


def test_another_process_another_time_and_other_bytes_are_other_questions() -> None:
    """
    A case that is played again, or on another process, is asked anew.
    """
    kept, driver, occasion = Answers(), object(), object()
    kept.asked(question(driver, occasion), 7)
    kept.answered(7, Refused("no"))
    others = [question(object(), occasion), question(driver, object()), question(driver, occasion, b"y")]
    assert [kept.known(other) for other in others] == [None, None, None]


def test_a_dead_driver_has_said_nothing() -> None:
    """
    What was under way with it will not be answered, and what it answered says nothing about its successor.
    """
    kept, driver, other, occasion = Answers(), object(), object(), object()
    for command, (who, data) in enumerate([(driver, b"x"), (driver, b"y"), (other, b"x"), (other, b"y")]):
        kept.asked(question(who, occasion, data), command)
    kept.answered(0, Written(b""))
    kept.answered(2, Written(b""))
    kept.forget(cast(Driver, driver))
    assert kept.known(question(driver, occasion)) is None
    assert kept.under_way(question(driver, occasion, b"y")) is None
    assert kept.known(question(other, occasion)) == Written(b"")
    assert kept.under_way(question(other, occasion, b"y")) == 3


def test_the_oldest_answers_go_when_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Memory does not grow with the cases.
    """
    monkeypatch.setattr(answers, "MOST_BYTES", 3 * answers.OVERHEAD)
    kept, driver, occasion = Answers(), object(), object()
    for command in range(4):
        kept.asked(question(driver, occasion, bytes([command])), command)
        kept.answered(command, Written(b""))
    assert [kept.known(question(driver, occasion, bytes([command]))) is not None for command in range(4)] == [False, False, True, True]
