"""The watchdog's clock."""

import pytest

from grpc_interop.engine.watchdog import MOST_OF_A_TURN, WatchdogClock


class Hands:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def turn(clock: WatchdogClock, hands: Hands, *, work: float, wait: float) -> None:
    hands.seconds += work
    with clock.waiting():
        hands.seconds += wait


def test_time_in_which_the_harness_waits_counts_in_full():
    hands = Hands()
    clock = WatchdogClock(hands)
    turn(clock, hands, work=0.0, wait=3.0)
    assert clock.now == pytest.approx(3.0)


def test_of_the_harness_own_work_only_a_little_counts_in_each_turn():
    hands = Hands()
    clock = WatchdogClock(hands)
    for _ in range(10):
        turn(clock, hands, work=2.0, wait=0.0)
    assert clock.now == pytest.approx(10 * MOST_OF_A_TURN)


def test_short_work_counts_as_it_is():
    hands = Hands()
    clock = WatchdogClock(hands)
    turn(clock, hands, work=MOST_OF_A_TURN / 2, wait=0.0)
    assert clock.now == pytest.approx(MOST_OF_A_TURN / 2)
