"""Signals become one KeyboardInterrupt, and wait where something must be done whole."""

import os
import signal
from collections.abc import Iterator

import pytest

from grpc_interop.interruption import _Interruption


@pytest.fixture
def interruption() -> Iterator[_Interruption]:
    before = signal.getsignal(signal.SIGTERM)
    made = _Interruption()
    signal.signal(signal.SIGTERM, made.arrived)
    yield made
    signal.signal(signal.SIGTERM, before)


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_it_waits_for_the_end_of_a_block(interruption: _Interruption) -> None:
    """
    What was begun is done, within blocks in blocks too.
    """
    done = []

    def work() -> None:
        with interruption:
            with interruption:
                stop()
                done.append("inner")
            done.append("outer")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["inner", "outer"]


def test_it_comes_at_once_elsewhere_and_only_once(interruption: _Interruption) -> None:
    """
    While what was done is being reported, another signal changes nothing.
    """
    with pytest.raises(KeyboardInterrupt):
        stop()
    stop()
    with interruption:
        stop()


def test_none_comes_when_the_end_is_near(interruption: _Interruption) -> None:
    interruption.no_more()
    stop()
