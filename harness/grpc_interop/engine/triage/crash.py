"""A driver's death, and who is to blame: the cases that were in flight are played again one by one, so that only the
culprit is red. Where none of them kills the driver alone, the death itself must still be seen: the first of them is an
error that tells of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Difference, Outcome, Verdict


@dataclass(slots=True)
class CrashTriage:
    """`what`: "the go server was killed by SIGSEGV". `waiting`: cases that have not been played alone yet."""

    what: str
    side: Side
    in_flight: int
    waiting: int
    culprit: bool = False
    innocent: list[Verdict] = field(default_factory=list)

    def settle(self, verdict: Verdict, *, killed: bool) -> list[Verdict]:
        """Takes the verdict of a case played alone; gives those that are now final."""
        self.waiting -= 1
        final = []
        if killed:
            self.culprit = True
            final.append(verdict)
        else:
            note = f"played again alone after {self.what} with {self.in_flight} cases in flight"
            self.innocent.append(verdict._replace(notes=(*verdict.notes, note)))
        if self.waiting == 0:
            final.extend(self._close())
        return final

    def _close(self) -> list[Verdict]:
        if self.culprit or not self.innocent:
            return self.innocent
        first, *others = self.innocent
        what = f"{self.what} with {self.in_flight} cases in flight; each of them alone does not bring it about"
        error = first._replace(outcome=Outcome.ERROR, difference=Difference(self.side, what))
        return [error, *others]
