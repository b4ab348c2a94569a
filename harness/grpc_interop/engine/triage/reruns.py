"""Reruns before a verdict is final: a failed case is played again in isolation, a generated case that fails is shrunk, and a
case that was in flight when a driver died is played again to find the culprit."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from grpc_interop.core.case import AnyCase
from grpc_interop.core.lateness import lost_us
from grpc_interop.core.model import hurried
from grpc_interop.core.verdict import Canonical, Outcome, Pair, Verdict, as_they_are, compare
from grpc_interop.engine.jobs import Job, Prepared, Purpose
from grpc_interop.engine.shrink.passes import SmallerMessages
from grpc_interop.engine.shrink.shrinker import RARE, Shrinker, ShrinkStep

MOST_CHECKS = 8
"""Failures of one pair that are played again in isolation, which tells interference from a plain failure. A common cause shows
in the first; the number bounds the time when everything fails."""

STRETCH, MOST_STRETCHES = 4, 2
"""Factor by which a deadline that a busy machine has missed is made longer, and how often: 2 s, 8 s, 32 s. With drivers that
were stopped for nineteen twentieths of the time, every case passed within these deadlines."""

MOST_SHRUNK = 3
"""Failures of one pair that are shrunk: a search may take seconds, during which nothing else is played."""


class Reruns:
    """Decides which cases are played again. A failure that is `expected` needs no explanation, and causes no rerun."""

    def __init__(
        self,
        prepare: Callable[[AnyCase], Prepared],
        smaller_messages: SmallerMessages,
        expected: Callable[[Verdict], bool],
        canonical: Canonical = as_they_are,
    ) -> None:
        self.isolated: deque[Job] = deque()  # to be played with nothing else in flight, in this order
        self.stretched = 0  # plays with a longer deadline
        self._again: list[Job] = []
        self._canonical = canonical
        self.final: list[Verdict] = []
        self._prepare = prepare
        self._smaller_messages = smaller_messages
        self._expected = expected
        self._checked: Counter[object] = Counter()
        self._shrunk: Counter[Pair] = Counter()

    def finish(self, job: Job, verdict: Verdict, *, whole: bool = False) -> None:
        """Take a verdict. `whole`: both sides had reported, so that playing the case again may tell more."""
        failed = whole and verdict.outcome is Outcome.FAILED
        if failed and (lost := self._lost_us(job, verdict)):
            self._stretch(job, lost)
        elif failed and not job.isolated and self._worth_checking(verdict):
            self._check(job, verdict)
        else:
            self.final.extend(job.purpose.finished(verdict))

    def killed(self, job: Job, verdict: Verdict) -> None:
        """Take the verdict of an isolated case that ended its driver."""
        self.final.extend(job.purpose.killed(verdict))

    def isolate(self, job: Job, purpose: Purpose) -> None:
        """Play the case of a job again, with nothing else in flight."""
        self.isolated.append(Job(job.prepared, job.pair, isolated=True, purpose=purpose))

    def dropped(self, job: Job, why: str) -> bool:
        """End the wait for a job that will never be played; return False where nothing waits for it."""
        verdicts = job.purpose.dropped(job, why)
        self.final.extend(verdicts or ())
        return verdicts is not None

    @property
    def busy(self) -> bool:
        return bool(self.isolated or self.final or self._again)

    def take_again(self) -> list[Job]:
        """Return the jobs to be played again beside other jobs."""
        again, self._again = self._again, []
        return again

    def take_final(self) -> list[Verdict]:
        """Return the verdicts that became final since the last call."""
        final, self.final = self.final, []
        return final

    def _lost_us(self, job: Job, verdict: Verdict) -> int:
        """Return the part of its deadline that a play had lost, if this alone explains the failure; else 0."""
        client, server = verdict.client, verdict.server
        if job.purpose.at_once or job.stretched >= MOST_STRETCHES or client is None or server is None:
            return 0
        case = verdict.rpc_case
        lost = lost_us(case, client, server)
        allowed = hurried(case) if lost else ()
        return lost if allowed and compare(case, allowed, client, server, self._canonical)[0] is None else 0

    def _stretch(self, job: Job, lost_us: int) -> None:
        """Play the case again as before, with a longer deadline."""
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
            search = ShrinkStep(Shrinker(verdict, self._smaller_messages), partial(self._play_next, job.pair))
            self.final.extend(search.finished())
        else:
            self.isolate(job, IsolationCheck(verdict))

    def _play_next(self, pair: Pair, case: AnyCase, purpose: Purpose) -> None:
        """Play a case before anything else: the time of its search is short."""
        self.isolated.appendleft(Job(self._prepare(case), pair, isolated=True, purpose=purpose))

    def _worth_checking(self, verdict: Verdict) -> bool:
        """Return whether this is the first unexpected failure of its cause, and the pair has few of them so far."""
        if self._expected(verdict):
            return False
        cause = (verdict.pair, verdict.difference and verdict.difference.fingerprint)
        if self._checked[cause] or self._checked[verdict.pair] >= MOST_CHECKS:
            return False
        self._checked[cause] += 1
        self._checked[verdict.pair] += 1
        return True


class IsolationCheck(Purpose):
    """Finds out whether a case that failed beside other cases fails in isolation as well. Its failure stands in any case."""

    def __init__(self, suspect: Verdict) -> None:
        self._suspect = suspect

    def finished(self, verdict: Verdict) -> Sequence[Verdict]:
        suspect = self._suspect
        if verdict.outcome is Outcome.PASSED:
            note = "interference: it fails beside other cases, and passes alone"
            return (suspect._replace(notes=(*suspect.notes, note), plays=RARE),)
        return (suspect._replace(notes=(*suspect.notes, "it fails alone as well")),)

    def killed(self, verdict: Verdict) -> Sequence[Verdict]:
        return (verdict,)

    def dropped(self, job: Job, why: str) -> Sequence[Verdict]:
        return (self._suspect,)
