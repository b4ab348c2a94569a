"""How much is in flight on one driver: so many cases, and so much work in them."""

from __future__ import annotations

from grpc_interop.core.case import Script, Send, steps
from grpc_interop.drivers.driver import Driver

WINDOW = 128
"""What the cases in flight on one driver weigh at most; an ordinary case weighs 1. Harness and drivers take turns in
batches: with 32 in flight two quick drivers stand idle half of the time, from 128 on it makes no difference any more. 512
calls with 32 KiB unread each way, 128 at a time on one connection, passed in all four pairs of py and go."""

MESSAGES_OF_ONE, BYTES_OF_ONE = 50, 1024 * 1024
"""What weighs 1; a case that sends less weighs 1 all the same. What a suite asks many times sends a few dozen
messages at most and keeps the whole window. Of calls with 2,000 messages 3 are then in flight, which keeps a driver busy;
with 48 of them a driver in Python got round to none within its 10 s."""

MOST_EXAMINED = 16
"""Message cases under way on one driver, beside its plays: with 32 messages of each asked about, it always has something
to do, and what is behind them in its socket waits a few hundredths of a second."""


def weight(client: Script, server: Script) -> int:
    """What a call weighs with those scripts."""
    sent = [step.message for script in (client, server) for step in steps(script) if isinstance(step, Send)]
    return max(1, len(sent) // MESSAGES_OF_ONE + sum(map(len, sent)) // BYTES_OF_ONE)


def full(driver: Driver, weight: int, window: int) -> bool:
    """Return whether a driver has no room for a case of that weight now. A driver that plays nothing has room for any case."""
    if driver.in_flight and driver.load + weight > window:
        return True
    return 0 < driver.most_in_flight <= driver.in_flight
