"""The watchdog's clock."""

import pytest

from grpc_interop.engine.watchdog_clock import MOST_OF_A_TURN, Patience


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def turn(patience: Patience, clock: Clock, *, work: float, wait: float) -> None:
    clock.seconds += work
    with patience.waiting():
        clock.seconds += wait


def test_time_in_which_the_harness_waits_counts_in_full():
    clock = Clock()
    patience = Patience(clock)
    turn(patience, clock, work=0.0, wait=3.0)
    assert patience.now == pytest.approx(3.0)


def test_of_the_harness_own_work_only_a_little_counts_in_each_turn():
    clock = Clock()
    patience = Patience(clock)
    for _ in range(10):
        turn(patience, clock, work=2.0, wait=0.0)
    assert patience.now == pytest.approx(10 * MOST_OF_A_TURN)


def test_short_work_counts_as_it_is():
    clock = Clock()
    patience = Patience(clock)
    turn(patience, clock, work=MOST_OF_A_TURN / 2, wait=0.0)
    assert patience.now == pytest.approx(MOST_OF_A_TURN / 2)
