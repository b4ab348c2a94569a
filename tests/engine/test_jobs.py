"""Payloads are dropped in generations, for which nobody waits longer than memory demands."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from grpc_interop.check_driver.greeter import SAY_HELLO, exchange
from grpc_interop.core.case import OK, Case, Finish, Receive, ReceiveToEnd, Send, Status, WaitForTermination
from grpc_interop.core.verdict import Outcome
from grpc_interop.engine import jobs

if TYPE_CHECKING:
    from conftest import Play

QUICK = 12
A_GENERATION = 4


def hello(number: int) -> Case:
    """A call with messages that no other has."""
    text = b"\x0a\x02" + bytes([0x61 + number // 10, 0x61 + number % 10])
    client, server = (Send(text), ReceiveToEnd()), (Receive(), Send(text), Finish(OK))
    return replace(exchange(f"hello_{number}", SAY_HELLO), client=(client,), server=(server,))


def slow() -> Case:
    """A call that only its deadline ends."""
    client, server = (Send(b"\x0a\x01s"), ReceiveToEnd()), (Receive(), WaitForTermination(), Finish(Status(1, "ended")))
    return replace(exchange("slow", SAY_HELLO), client=(client,), server=(server,), timeout_us=1_000_000)


def test_a_generation_begins_while_a_play_of_the_one_before_goes_on(play: "Play", monkeypatch: pytest.MonkeyPatch) -> None:
    """
    One slow play holds up nothing until a third generation would begin; the drivers never keep more than two, and
    everything is played with the messages that it ought to have.
    """
    play.enqueue("good:good", [exchange("so that both drivers are ready", SAY_HELLO)])
    play.to_the_end()
    monkeypatch.setattr(jobs, "MOST_PAYLOADS", A_GENERATION)
    play.enqueue("good:good", [slow(), *map(hello, range(QUICK))])
    verdicts, kept = [], 0
    while play.engine.busy:
        verdicts += play.engine.poll(0.01)
        kept = max([kept, *(len(driver.resources._payloads) for driver in play.engine.pool.drivers.values())])
    assert [(verdict.case.name, verdict.difference) for verdict in verdicts if verdict.outcome is not Outcome.PASSED] == []
    assert len(verdicts) == 1 + QUICK
    before_the_slow_one = [verdict.case.name for verdict in verdicts].index("slow")
    # Two messages a call: no more than these fit into one generation.
    assert A_GENERATION / 2 + 1 < before_the_slow_one < QUICK
    assert 0 < kept <= 2 * (A_GENERATION + 2)
    assert all(len(driver.resources._payloads) <= A_GENERATION + 2 for driver in play.engine.pool.drivers.values())
