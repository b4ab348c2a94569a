"""What is asked about a message, and what the answers say."""

from collections.abc import Callable
from pathlib import Path

import pytest

from grpc_interop.core.case import MessageCase
from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Ask, Written
from grpc_interop.core.transcript import View
from grpc_interop.core.verdict import Difference
from grpc_interop.messages.dialogue import Dialogue, Differences, Rules, of_one_cause
from grpc_interop.messages.examples import Examples
from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.shapes import Shapes

MINUS_ZERO = bytes.fromhex("090000000000000080")


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
    first = Difference(Side.CLIENT, "the client refuses to write a message as ProtoJSON", "", 'a Note cannot be written: no type "a"')
    assert of_one_cause(Difference(Side.CLIENT, first.what, "", words), first) is alike


def test_values_may_differ_in_whatever_they_are() -> None:
    """
    Where a value is altered, only the sentence counts.
    """
    first = Difference(Side.SERVER, "the server did not write what it read", "x: 1", "x: 2")
    assert of_one_cause(Difference(Side.SERVER, first.what, 'y: "a"', "(not set)"), first)


@pytest.mark.parametrize("side", [Side.CLIENT, Side.SERVER])
@pytest.mark.parametrize("written", [b"", bytes(8)], ids=["left out", "zero"])
def test_a_side_that_loses_the_sign_of_zero_is_named(tmp_path: Path, side: str, written: bytes) -> None:
    """
    In binary, where no runtime has been seen to do so: what is known of ProtoJSON hides nothing of it.
    """
    (tmp_path / "a.proto").write_text('syntax = "proto3"; package a; message M { double d = 1; }')
    shapes = Shapes(Catalog.load([tmp_path], [], tmp_path / "cache"))
    examples = Examples(shapes).of(MessageCase("messages", "values", "a.M"))
    data = tuple(example.data for example in examples)
    assert MINUS_ZERO in data

    def answer(ask: Ask) -> tuple[Written, ...]:
        wrong = b"\x09" + written if written else b""
        return (Written(wrong if ask.side == side else MINUS_ZERO, view=View({1: (1 << 63,)})),)

    (found,) = judged(Rules(shapes).dialogue("a.M", (MINUS_ZERO,), json=False, alike=False), answer)
    assert found is not None
    assert (found.side, found.what) == (side, f"the {side} did not write what it read")


def judged(dialogue: Dialogue, answer: Callable[[Ask], tuple[Written, ...]]) -> Differences:
    """What is found of the answers."""
    ask = next(dialogue)
    while True:
        try:
            ask = dialogue.send(answer(ask))
        except StopIteration as ended:
            found: Differences = ended.value
            return found
