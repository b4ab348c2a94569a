"""What becomes of a verdict before it is final: a failure in company is played again alone, a generated case that fails
is shrunk, and cases that were in flight with a driver that died wait until it is known who is to blame."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace

from grpc_interop.core.case import AnyCase
from grpc_interop.core.lateness import lost_us
from grpc_interop.core.model import hurried
from grpc_interop.core.verdict import Canonical, Difference, Outcome, Pair, Verdict, as_they_are, compare
from grpc_interop.engine.jobs import Job, Prepared
from grpc_interop.engine.shrink.passes import SmallerMessages
from grpc_interop.engine.shrink.shrinker import RARE, Shrinker
from grpc_interop.engine.triage.crash import CrashTriage

MOST_CHECKS = 8
"""Failures of one pair that are played again alone to tell interference from a plain failure. One cause shows in the
first; the number bounds the time when everything fails."""

STRETCH, MOST_STRETCHES = 4, 2
"""How much longer a deadline is made that a busy machine has missed, and how often: 2 s, 8 s, 32 s. With drivers that stood
still for nineteen twentieths of the time, every case passed within these."""

MOST_SHRUNK = 3
"""Failures of one pair that are shrunk: a search may take seconds, in which nothing else is played."""


class Reruns:
    """`isolated` holds what is to be played with nothing else in flight, in order; `final` the verdicts that are;
    `stretched` counts the plays with a longer deadline. A failure that is `expected` needs no explanation, and nothing is
    played for it."""

    def __init__(
        self,
        prepare: Callable[[AnyCase], Prepared],
        smaller_messages: SmallerMessages,
        expected: Callable[[Verdict], bool],
        canonical: Canonical = as_they_are,
    ) -> None:
        self.isolated: deque[Job] = deque()
        self.stretched = 0
        self._again: list[Job] = []
        self._canonical = canonical
        self.final: list[Verdict] = []
        self._prepare = prepare
        self._smaller_messages = smaller_messages
        self._expected = expected
        self._checked: Counter[object] = Counter()
        self._shrunk: Counter[Pair] = Counter()

    def finish(self, job: Job, verdict: Verdict, *, whole: bool = False) -> None:
        """A verdict has been reached. `whole`: both sides had reported, so that playing the case alone may tell more."""
        if whole and verdict.outcome is Outcome.FAILED and (lost := self._lost_us(job, verdict)):
            self._stretch(job, lost)
        elif job.incident is not None:
            self.final.extend(job.incident.settle(verdict, killed=False))
        elif job.suspect is not None:
            self.final.append(_explained(job.suspect, verdict))
        elif job.shrinking is not None:
            self._shrink(job.shrinking, verdict)
        elif whole and verdict.outcome is Outcome.FAILED and not job.isolated and self._worth_checking(verdict):
            self._check(job, verdict)
        else:
            self.final.append(verdict)

    def killed(self, job: Job, verdict: Verdict) -> None:
        """A case that was played alone took its driver with it."""
        if job.incident is not None:
            self.final.extend(job.incident.settle(verdict, killed=True))
        elif job.shrinking is not None:
            self._shrink(job.shrinking, verdict)
        else:
            self.final.append(verdict)

    def again(self, job: Job, incident: CrashTriage) -> None:
        """The case was in flight when a driver died."""
        self.isolated.append(Job(job.prepared, job.pair, isolated=True, incident=incident))

    def dropped(self, job: Job, why: str) -> bool:
        """The job will never be played. Ends what waits for it; False where nothing does."""
        if job.incident is not None:
            what = Difference(job.incident.side, f"{job.incident.what}, and did not come back: {why}")
            verdict = Verdict(job.prepared.case, job.pair, Outcome.ERROR, difference=what)
            self.final.extend(job.incident.settle(verdict, killed=True))
        elif job.suspect is not None:
            self.final.append(job.suspect)
        elif job.shrinking is not None:
            self.final.append(job.shrinking.result)
        else:
            return False
        return True

    @property
    def busy(self) -> bool:
        return bool(self.isolated or self.final or self._again)

    def take_again(self) -> list[Job]:
        """What is to be played again in company."""
        again, self._again = self._again, []
        return again

    def take_final(self) -> list[Verdict]:
        """The verdicts that became final since the last time."""
        final, self.final = self.final, []
        return final

    def _lost_us(self, job: Job, verdict: Verdict) -> int:
        """How much of its deadline a play had lost, if that is all that explains its failure; else 0."""
        client, server = verdict.client, verdict.server
        if job.shrinking or job.stretched >= MOST_STRETCHES or client is None or server is None:
            return 0
        case = verdict.rpc_case
        lost = lost_us(case, client, server)
        allowed = hurried(case) if lost else ()
        return lost if allowed and compare(case, allowed, client, server, self._canonical)[0] is None else 0

    def _stretch(self, job: Job, lost_us: int) -> None:
        """Plays the case again as it was played, with a longer deadline."""
        case = job.prepared.rpc_case
        before_us = case.timeout_us or 0
        longer = replace(case, timeout_us=before_us * STRETCH)
        note = (
            f"{lost_us / 1e6:.1f} s of its deadline of {before_us / 1e6:g} s were gone before both sides had begun: the machine was "
            f"too busy, and it was played again with {before_us * STRETCH / 1e6:g} s"
        )
        self.stretched += 1
        again = replace(job, prepared=self._prepare(longer), stretched=job.stretched + 1, notes=[*job.notes, note])
        (self.isolated if job.isolated else self._again).append(again)

    def _check(self, job: Job, verdict: Verdict) -> None:
        if job.prepared.case.generated and self._shrunk[job.pair] < MOST_SHRUNK:
            self._shrunk[job.pair] += 1
            self._shrink(Shrinker(verdict, self._smaller_messages))
        else:
            self.isolated.append(Job(job.prepared, job.pair, isolated=True, suspect=verdict))

    def _shrink(self, shrinking: Shrinker, verdict: Verdict | None = None) -> None:
        """Goes on with the search, before anything else: its time is short."""
        case = shrinking.next(verdict)
        if case is None:
            self.final.append(shrinking.result)
        else:
            pair = shrinking.result.pair
            self.isolated.appendleft(Job(self._prepare(case), pair, isolated=True, shrinking=shrinking))

    def _worth_checking(self, verdict: Verdict) -> bool:
        """The first unexpected failure of each cause, as long as there are not too many."""
        if self._expected(verdict):
            return False
        cause = (verdict.pair, verdict.difference and verdict.difference.fingerprint)
        if self._checked[cause] or self._checked[verdict.pair] >= MOST_CHECKS:
            return False
        self._checked[cause] += 1
        self._checked[verdict.pair] += 1
        return True


def _explained(suspect: Verdict, alone: Verdict) -> Verdict:
    """A failure in company, explained by what the case did alone. It fails in any case."""
    if alone.outcome is Outcome.PASSED:
        notes = (*suspect.notes, "interference: it fails beside other cases, and passes alone")
        return suspect._replace(notes=notes, plays=RARE)
    return suspect._replace(notes=(*suspect.notes, "it fails alone as well"))
