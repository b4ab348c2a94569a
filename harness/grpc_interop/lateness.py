"""Whether a case with a deadline failed because the machine was too busy: told from the transcripts' own times. Pure.

A deadline case orders a round trip before its deadline. On a machine that has many times as much to do as it can, that
takes longer than the deadline leaves. Such a play is no verdict about the drivers; but neither may it hide one. So three
things must hold, and else the failure stands:

- What was seen is what the model allows where the deadline comes before anything (model.hurried). An answer that is
  wrong, in another order or one too many, and a call that ended before its deadline, are none of that.
- The times show that at least half of the deadline was gone when the sides had done what they did for certain: begun, sent,
  or received a message; or that a side was so much too late with what waits for nobody: the client with its deadline, the
  server with its word that no call has come. How long a side waited in vain for what never came says nothing.
- The case passes with a longer deadline.
"""

from __future__ import annotations

from collections.abc import Iterator

from grpc_interop.case import Case, Lane, Receive, Send, SendHeaders, Signal
from grpc_interop.transcript import ClientTranscript, Observed, ServerTranscript

SHARE = 2
"""One part in so many of the deadline must be gone. Whoever has used up half of it for one way has nothing left for the
other."""


def lost_us(case: Case, client: ClientTranscript, server: ServerTranscript) -> int:
    """Of the time until the deadline, in microseconds from the call's beginning, what the transcripts show to have gone by
    before the sides were done; 0 where that is too little to explain anything, or where there are no times."""
    if case.timeout_us is None:
        return 0
    lost = max([0, *_progress(case.client, client.lanes, client.done_us), *_at_server(case, client, server)])
    # A client that learns of its own deadline late did not learn of a message in time either.
    lost = max(lost, client.elapsed_us - case.timeout_us)
    return lost if lost * SHARE >= case.timeout_us else 0


def _at_server(case: Case, client: ClientTranscript, server: ServerTranscript) -> Iterator[int]:
    """When the server had done what it did, after the client's beginning: both tell it by the machine's clock."""
    if not (client.began_us and server.began_us):
        return
    began = server.began_us - client.began_us
    if not server.arrived:
        # How late the server took the script, and how late it answered when it was asked after the call.
        yield max(0, began) + max(0, began + server.elapsed_us - client.elapsed_us)
        return
    yield began
    for done in _progress(case.server, server.lanes, server.done_us):
        yield began + done


def _progress(script: tuple[Lane, ...], lanes: tuple[Observed, ...], times: tuple[tuple[int, ...], ...]) -> Iterator[int]:
    """Of each lane, when the last step was done of which the time says how quick the side was."""
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
