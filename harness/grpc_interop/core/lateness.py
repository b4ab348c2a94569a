"""Whether a case with a deadline failed because the machine was too busy: told from the transcripts' own times. Pure.

A deadline case orders a round trip before its deadline. On a machine that has many times as much to do as it can, that
takes longer than the deadline leaves. Such a play is no verdict about the drivers; but neither may it hide one. So three
things must hold, and else the failure stands:

- What was seen is what the model allows where the deadline comes before anything (model.hurried). An answer that is
  wrong, in another order or one too many, and a call that ended before its deadline, are none of that.
- The times show that the sides were busy elsewhere for at least half of the deadline: before they had done what they did for
  certain (begun, sent, received a message), and after it, until they learned that it was over. How long a side waited in vain
  for what never came says nothing.
- The case passes with a longer deadline.
"""

from __future__ import annotations

from collections.abc import Iterator

from grpc_interop.core.case import Case, Lane, Receive, Send, SendHeaders, Signal
from grpc_interop.core.transcript import ClientTranscript, Observed, ServerTranscript

SHARE = 2
"""One part in so many of the deadline must be gone. Whoever has used up half of it for one way has nothing left for the
other."""


def lost_us(case: Case, client: ClientTranscript, server: ServerTranscript) -> int:
    """How long, in microseconds, the transcripts show the sides to have been busy elsewhere: until they had done what they did,
    and again when the deadline was over. 0 where that is too little to explain anything, or where there are no times."""
    if case.timeout_us is None:
        return 0
    before = [0, *_progress(case.client, client.lanes, client.done_us)]
    after = [0, client.elapsed_us - case.timeout_us]
    if client.began_us and server.began_us:
        # Both tell it by the machine's clock.
        began = server.began_us - client.began_us
        before += [began, *(began + done for done in _progress(case.server, server.lanes, server.done_us))]
        # When it learned that the call was over; of one that never came, when it said so.
        learned = max((done[-1] for done in server.done_us if done), default=0) if server.arrived else server.elapsed_us
        after.append(began + learned - client.elapsed_us)
    lost = max(before) + max(after)
    return lost if lost * SHARE >= case.timeout_us else 0


def _progress(script: tuple[Lane, ...], lanes: tuple[Observed, ...], times: tuple[tuple[int, ...], ...]) -> Iterator[int]:
    """Yield for each lane when the last step was done whose time says how quick the side was."""
    for steps, observed, done in zip(script, lanes, times, strict=False):
        last, received = 0, iter(observed)
        for step, at in zip(steps, done, strict=False):
            if isinstance(step, Receive):
                if not isinstance(next(received, None), bytes):
                    break
            elif not isinstance(step, Send | SendHeaders | Signal):
                break
            last = at
        yield last
