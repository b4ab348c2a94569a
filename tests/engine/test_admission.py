"""What is in flight on one driver is bounded in work, and a case with much of it gets more time."""

from types import SimpleNamespace

import pytest

from grpc_interop.check_driver.greeter import ALL_STREAM, SAY_HELLO, exchange
from grpc_interop.core.case import Send
from grpc_interop.core.verdict import Pair
from grpc_interop.engine.admission import WINDOW, full, limit
from grpc_interop.engine.jobs import BYTES_OF_ONE, MESSAGES_OF_ONE, Job, Preparer, weight

HEAVY = exchange("heavy", ALL_STREAM, 1000, 1000)


def prepared(case):
    return Preparer().prepare(case)


def driver(in_flight=0, load=0, most=0, debugged=False):
    return SimpleNamespace(in_flight=in_flight, load=load, most_in_flight=most, debugged=debugged)


def sends(count, size=1):
    return (tuple(Send(bytes(size)) for _ in range(count)),)


@pytest.mark.parametrize(
    ("client", "server", "weighs"),
    [
        ((), (), 1),
        (sends(MESSAGES_OF_ONE), sends(MESSAGES_OF_ONE - 1), 1),
        (sends(1000), sends(1000), 2000 // MESSAGES_OF_ONE),
        (sends(1, 4 * BYTES_OF_ONE), sends(1, 4 * BYTES_OF_ONE), 8),
    ],
    ids=["nothing", "ordinary", "many messages", "large messages"],
)
def test_a_case_weighs_what_both_sides_send(client, server, weighs):
    assert weight(client, server) == weighs


def test_ordinary_cases_have_the_whole_window():
    case = prepared(exchange("hello", SAY_HELLO))
    assert not full(driver(WINDOW - 1, WINDOW - 1), case.weight, WINDOW)
    assert full(driver(WINDOW, WINDOW), case.weight, WINDOW)
    assert full(driver(48, 48, most=48), case.weight, WINDOW)


def test_a_heavy_case_needs_room_for_its_weight():
    case = prepared(HEAVY)
    assert not full(driver(9, WINDOW - case.weight), case.weight, WINDOW)
    assert full(driver(9, WINDOW - case.weight + 1), case.weight, WINDOW)


def test_a_driver_that_plays_nothing_has_room_for_any_case():
    case = prepared(exchange("enormous", ALL_STREAM, 0, 2 * WINDOW * MESSAGES_OF_ONE))
    assert case.weight > WINDOW
    assert not full(driver(), case.weight, WINDOW)


def test_a_case_with_many_messages_gets_more_time_and_still_ends():
    job = Job(prepared(HEAVY), Pair("py", "go"))
    ordinary = Job(prepared(exchange("hello", SAY_HELLO)), Pair("py", "go"))
    assert limit(ordinary, driver(), driver(), 10) == 10
    assert 20 < limit(job, driver(), driver(), 10) < 60


def test_heavy_cases_are_never_in_flight_together_beyond_the_window_and_leave_no_load_behind(play):
    play.enqueue("good:good", [exchange(f"heavy {number}", ALL_STREAM, 1000, 1000) for number in range(10)])
    seen, verdicts = set(), []
    while play.engine.busy:
        verdicts += play.engine.poll(0.05)
        seen |= {one.load for one in play.engine.pool.drivers.values()}
    assert [verdict.outcome.value for verdict in verdicts] == ["passed"] * 10
    assert max(seen) == WINDOW // prepared(HEAVY).weight * prepared(HEAVY).weight
    assert {(one.in_flight, one.load) for one in play.engine.pool.drivers.values()} == {(0, 0)}
