"""Whether a case with a deadline failed because the machine was too busy, by the transcripts' own times. Pure.

A deadline case has a round trip before its deadline. On a machine with many times as much work as it can do, the round
trip takes longer than the deadline allows. Such a play says nothing about the drivers, but it must not hide a failure
either. So the failure stands unless three conditions hold:

- The model allows the transcripts where the deadline comes before anything else (model.hurried). It does not allow a wrong
  answer, another order, a message too many, or a call that ended before its deadline.
- The times show that the sides were busy elsewhere for at least half of the deadline: before they had certainly begun, sent
  or received a message, and after the deadline, until they learned that it was over. How long a side waited in vain for
  something that never came says nothing.
- The case passes with a longer deadline.
"""

from collections.abc import Iterator

from grpc_interop.core.case import Case, Lane, Receive, Send, SendHeaders, Signal
from grpc_interop.core.transcript import ClientTranscript, Observed, ServerTranscript

SHARE = 2
"""The part of the deadline that must be lost, as a divisor: a play that needs half of it in one direction has nothing left
for the other."""


def lost_us(case: Case, client: ClientTranscript, server: ServerTranscript) -> int:
    """Return how many microseconds the sides were busy elsewhere: until they had done their steps, and again when the deadline
    was over. 0 where that is too little to explain anything, or where there are no times."""
    if case.timeout_us is None:
        return 0
    before = [0, *_progress(case.client, client.lanes, client.done_us)]
    after = [0, client.elapsed_us - case.timeout_us]
    if client.began_us and server.began_us:
        # Both are by the machine's clock.
        began = server.began_us - client.began_us
        before += [began, *(began + done for done in _progress(case.server, server.lanes, server.done_us))]
        # When it learned that the call was over; for a call that never arrived, when it said so.
        learned = max((done[-1] for done in server.done_us if done), default=0) if server.arrived else server.elapsed_us
        after.append(began + learned - client.elapsed_us)
    lost = max(before) + max(after)
    return lost if lost * SHARE >= case.timeout_us else 0


def _progress(script: tuple[Lane, ...], lanes: tuple[Observed, ...], times: tuple[tuple[int, ...], ...]) -> Iterator[int]:
    """Yield for each lane when the last step was done whose time shows how quick the side was."""
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
