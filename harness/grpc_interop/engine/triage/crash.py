"""Finds the case that killed a driver: the cases in flight are played again one by one, so that only the culprit is red. If none
of them kills the driver alone, the first of them becomes an error, so that the death is seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Difference, Outcome, Verdict
from grpc_interop.engine.jobs import Job, Purpose


@dataclass(slots=True)
class CrashTriage(Purpose):
    """The purpose of the jobs that play the cases again, in isolation."""

    what: str  # "the go server was killed by SIGSEGV"
    side: Side
    in_flight: int
    waiting: int  # cases that have not been played again yet
    culprit: bool = False  # a case has ended the driver again
    innocent: list[Verdict] = field(default_factory=list)

    def finished(self, verdict: Verdict) -> Sequence[Verdict]:
        note = f"played again alone after {self.what} with {self.in_flight} cases in flight"
        self.innocent.append(verdict._replace(notes=(*verdict.notes, note)))
        return self._settled()

    def killed(self, verdict: Verdict) -> Sequence[Verdict]:
        self.culprit = True
        return (verdict, *self._settled())

    def dropped(self, job: Job, why: str) -> Sequence[Verdict]:
        difference = Difference(self.side, f"{self.what}, and did not come back: {why}")
        return self.killed(Verdict(job.prepared.case, job.pair, Outcome.ERROR, difference=difference))

    def _settled(self) -> list[Verdict]:
        """Count a case as played again; return the verdicts of the innocent after the last."""
        self.waiting -= 1
        return [] if self.waiting else self._close()

    def _close(self) -> list[Verdict]:
        if self.culprit or not self.innocent:
            return self.innocent
        first, *others = self.innocent
        what = f"{self.what} with {self.in_flight} cases in flight; each of them alone does not bring it about"
        error = first._replace(outcome=Outcome.ERROR, difference=Difference(self.side, what))
        return [error, *others]
