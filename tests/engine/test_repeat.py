"""The bare loop: one script played many times inside the drivers, and what becomes of a side that counts wrongly."""

import pytest

from grpc_interop.check_driver.greeter import SAY_HELLO, exchange
from grpc_interop.core.verdict import Pair
from grpc_interop.engine import Job

CALLS = 5


def repeated(play, pair):
    preparer = play.engine.preparer
    client, server = pair.split(":")
    loop = preparer.loop(preparer.prepare(exchange("hello", SAY_HELLO)), CALLS, concurrency=2)
    play.engine.enqueue(iter([Job(loop, Pair(client, server), repeat=CALLS, concurrency=2)]))
    (verdict,) = play.to_the_end()
    return verdict


def test_a_loop_passes_when_both_sides_count_every_call(play):
    assert repeated(play, "good:good").outcome == "passed"


@pytest.mark.parametrize(
    ("fault", "pair", "side", "what"),
    [
        ("counts_one_less", "bad:good", "client", "at the client only 4 of 5 calls went as the first"),
        ("counts_one_less", "good:bad", "server", "at the server only 4 of 5 calls went as the first"),
        ("counts_one_more", "good:bad", "server", "at the server 6 of 5 calls went as the first"),
    ],
)
def test_a_side_that_counts_other_calls_fails_and_is_named(play, fault, pair, side, what):
    play.add("bad", fault=fault)
    verdict = repeated(play, pair)
    assert (verdict.outcome.value, verdict.difference.side, verdict.difference.what) == ("failed", side, what)
