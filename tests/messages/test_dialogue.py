"""What is asked about a message, and what the answers say."""

from __future__ import annotations

import pytest

from grpc_interop.messages.dialogue import of_one_cause
from grpc_interop.verdict import Difference


@pytest.mark.parametrize(
    ("words", "alike"),
    [
        ('a Note cannot be written: no type "b"', True),
        ("a Note cannot be written: 'str' object is not callable", False),
    ],
)
def test_messages_that_are_refused_in_other_words_fail_for_another_cause(words: str, alike: bool) -> None:
    """
    So that what is shrunk is not refused at last for being no message; what the words quote may differ.
    """
    first = Difference("client", "the client refuses to write a message as ProtoJSON", "", 'a Note cannot be written: no type "a"')
    assert of_one_cause(Difference("client", first.what, "", words), first) is alike


def test_values_may_differ_in_whatever_they_are() -> None:
    """
    Where a value is altered, only the sentence counts.
    """
    first = Difference("server", "the server did not write what it read", "x: 1", "x: 2")
    assert of_one_cause(Difference("server", first.what, 'y: "a"', "(not set)"), first)
