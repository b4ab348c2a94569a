"""Message cases played by the engine: drivers that change, lose or die of a message."""

from typing import TYPE_CHECKING

import pytest

from grpc_interop.core.case import MessageCase
from grpc_interop.core.verdict import Outcome, Pair
from grpc_interop.engine import Job

if TYPE_CHECKING:
    from conftest import Play

TYPE = "greeter.v1.HelloRequest"


def values(name: str = "values", **options: bool) -> MessageCase:
    return MessageCase("messages", name, TYPE, **options)


@pytest.mark.parametrize(
    ("fault", "case", "what", "smallest"),
    [
        ("changes_a_text", values(), "the {side} did not write what it read", b"\x0a\x04null"),
        ("shows_another_text", values(), "the {side}'s program sees another value than the message holds", b"\x0a\x04null"),
        ("writes_other_json", values("json", json=True), "the {side}'s ProtoJSON says another value than the message", b"\x0a\x04null"),
    ],
)
@pytest.mark.parametrize(("pair", "side"), [("bad:good", "client"), ("good:bad", "server")])
def test_a_value_that_is_altered_is_found_and_shrunk(
    play: "Play", pair: str, side: str, fault: str, case: MessageCase, what: str, smallest: bytes
) -> None:
    """
    The verdict names the side, and holds the smallest message that is altered.
    """
    play.add("bad", fault=fault)
    verdict = play.run(pair, [case])[case.name]
    assert verdict.outcome is Outcome.FAILED
    assert verdict.difference is not None
    assert (verdict.difference.side, verdict.difference.what) == (side, what.format(side=side))
    assert isinstance(verdict.case, MessageCase)
    assert verdict.case.examples == (smallest,)


def test_lost_unknown_fields_are_found(play: "Play") -> None:
    """
    What a type does not declare must survive; where that is lost, values are carried all the same.
    """
    play.add("bad", fault="loses_unknown_fields")
    verdicts = play.run("good:bad", [values("unknown_fields"), values()])
    assert {name: verdict.outcome for name, verdict in verdicts.items()} == {
        "unknown_fields": Outcome.FAILED,
        "values": Outcome.PASSED,
    }


@pytest.mark.parametrize(("fault", "how"), [("dies_of_a_text", "exited with status 7"), ("hangs_on_a_text", "did not answer")])
@pytest.mark.parametrize("pair", ["bad:good", "good:bad"])
def test_only_the_case_that_ends_a_driver_is_red(play: "Play", pair: str, fault: str, how: str) -> None:
    """
    A driver that dies of a message, or hangs on it, is blamed for that case and for no other, and the examples that it
    was asked about are named.
    """
    play.add("bad", fault=fault)
    verdicts = play.run(pair, [values("malformed", alike=True), values(), values("unknown_fields")])
    assert {name for name, verdict in verdicts.items() if verdict.outcome is not Outcome.PASSED} == {"values"}
    found = verdicts["values"]
    assert found.difference is not None
    assert how in found.difference.what
    assert any("boundary values" in note for note in found.notes)


def test_the_examples_of_a_failure_are_all_that_is_played_again(play: "Play") -> None:
    """
    A case that holds its examples asks about nothing else.
    """
    play.add("bad", fault="changes_a_text")
    case = MessageCase("messages", "values", TYPE, examples=(b"\x0a\x01x",))
    assert play.run("good:bad", [case])["values"].outcome is Outcome.PASSED


@pytest.mark.parametrize("fault", ["changes_a_text", "dies_of_a_text", "hangs_on_a_text"])
def test_pairs_that_share_a_case_share_its_answers_and_not_the_blame(play: "Play", fault: str) -> None:
    """
    Each pair of the process that is wrong is red, and no other, though the others are asked about the same.
    """
    play.add("bad", fault=fault)
    prepared = play.engine.prepare(values())
    pairs = ["good:good", "good:bad", "bad:good", "bad:bad"]
    play.engine.enqueue(iter([Job(prepared, Pair(*pair.split(":"))) for pair in pairs]))
    verdicts = {str(verdict.pair): verdict.outcome for verdict in play.to_the_end()}
    assert verdicts == {pair: Outcome.FAILED if "bad" in pair else Outcome.PASSED for pair in pairs}


def test_what_is_known_is_not_shrunk_and_hides_nothing_else(play: "Play") -> None:
    """
    A case whose messages all fail as is known keeps the first as it is. Where one fails otherwise, that one is told of.
    """
    play.add("bad", fault="loses_unknown_fields")
    case = values("unknown_fields")
    play.expected = lambda _: True
    known = play.run("good:bad", [case])["unknown_fields"]
    assert known.outcome is Outcome.FAILED
    assert not any("shrunk" in note for note in known.notes)
    play.expected = lambda verdict: verdict.difference == known.difference
    other = play.run("good:bad", [case])["unknown_fields"]
    assert other.outcome is Outcome.FAILED
    assert other.difference is not None
    assert other.difference != known.difference
