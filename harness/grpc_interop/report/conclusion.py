"""How a run ended: its exit status and every reason for it, found once. All forms of report render this, so that none is
green where another is red.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from grpc_interop.core.verdict import Outcome
from grpc_interop.output.plain_text import counted, few
from grpc_interop.report.protocol import Lack

if TYPE_CHECKING:
    from grpc_interop.report.summary import Summary

FINDING, USAGE, BROKEN, INTERRUPTED = 1, 2, 3, 130
"""Exit statuses. The last is what shells give a command ended by Ctrl-C. Where several apply, the largest counts."""

MOST_NAMED = 3
"""How many things a reason names in its one line; a section of each report has all of them."""

MOST_WORDS = 120
"""Characters of such a name with its why: a compiler's output is no line."""

_STATUS = {Lack.FOREIGN: USAGE, Lack.BROKEN: BROKEN, Lack.LOST: BROKEN, Lack.UNEXPLAINED: BROKEN}
"""What fails a run whenever it did not run. UNAVAILABLE does so where the run is strict or nothing else was played, UNSEEN
where it is strict."""

_CASES = {
    Outcome.FAILED: "failed",
    Outcome.ERROR: "could not be judged",
    Outcome.UNEXPECTED_PASS: "passed against expectation",
}


class Detail(NamedTuple):
    """One thing beside the cases that makes a run fail, and why; `path` and `line` where it stands, if in a file."""

    what: str
    why: str
    path: str = ""
    line: int = 0


class Reason(NamedTuple):
    """Why a run does not end with 0. `kind` is `cases`, `finding`, `not_run`, `nothing_played`, `interrupted`, `stopped` or
    `shard`; `words` fit into a line; `details` are the things that it stands for, none where the cases tell themselves or
    there is nothing but the words."""

    exit_status: int
    kind: str
    words: str
    details: tuple[Detail, ...] = ()

    @property
    def told(self) -> tuple[Detail, ...]:
        """What a report of single results has an entry for; nothing where these are the cases themselves."""
        return () if self.kind == "cases" else self.details or (Detail(self.kind.replace("_", " "), self.words),)


class Conclusion(NamedTuple):
    """`reasons` has those of the largest status first, and is empty if and only if the status is 0. `remarks` say what fails
    nothing and is to be known all the same. `failing`: what for a lack of was not run fails the run."""

    exit_status: int = 0
    reasons: tuple[Reason, ...] = ()
    remarks: tuple[str, ...] = ()
    failing: tuple[Lack, ...] = ()

    @property
    def failed(self) -> bool:
        return self.exit_status != 0

    @property
    def line(self) -> str:
        """`FAILED, exit 2: not run: every pair with go (Go 1.26 is missing)`."""
        if not self.failed:
            return "; ".join(("passed", *self.remarks))
        return f"FAILED, exit {self.exit_status}: {'; '.join(reason.words for reason in self.reasons)}"

    @property
    def beside(self) -> list[tuple[Reason, Detail]]:
        """All that fails the run and is no case."""
        return [(reason, detail) for reason in self.reasons for detail in reason.told]


def conclude(summary: Summary) -> Conclusion:
    """The conclusion of a finished run."""
    reasons = [*_endings(summary), *_not_run(summary), *_cases(summary), *_found(summary)]
    if not reasons and not summary.cases and summary.info.shard == (1, 1):
        # Never a success, except for a shard that none of the cases fell to.
        reasons.append(Reason(BROKEN, "nothing_played", "no case was played"))
    status = max((reason.exit_status for reason in reasons), default=0)
    reasons += [reason for reason in summary.shards if reason.exit_status > status]
    reasons.sort(key=lambda reason: -reason.exit_status)
    failing = tuple(lack for lack in Lack if _status(lack, summary))
    return Conclusion(max((reason.exit_status for reason in reasons), default=0), tuple(reasons), tuple(_remarks(summary)), failing)


def _endings(summary: Summary) -> Iterator[Reason]:
    if summary.interrupted:
        yield Reason(INTERRUPTED, "interrupted", "interrupted before all was played")
    yield from summary.stopped


def _cases(summary: Summary) -> Iterator[Reason]:
    told = [f"{counted(count, 'case')} {words}" for outcome, words in _CASES.items() if (count := summary.totals[outcome])]
    if told:
        yield Reason(FINDING, "cases", ", ".join(told))


def _found(summary: Summary) -> Iterator[Reason]:
    if found := [Detail(entry.what, entry.why, entry.path, entry.line) for entry in summary.found]:
        yield Reason(FINDING, "finding", _named(found), tuple(found))


def _not_run(summary: Summary) -> Iterator[Reason]:
    """A reason for each status."""
    statuses = {entry.lack: _status(entry.lack, summary) for entry in summary.not_run}
    for status in sorted(set(statuses.values()) - {0}):
        entries = summary.not_run_by_reason([lack for lack, asked in statuses.items() if asked == status])
        details = tuple(Detail(entry.what, entry.why) for entry in entries)
        yield Reason(status, "not_run", f"not run: {_named(details)}", details)


def _status(lack: Lack, summary: Summary) -> int:
    if lack is Lack.UNAVAILABLE and (summary.info.strict or not summary.cases):
        return USAGE
    if lack is Lack.UNSEEN and summary.info.strict:
        return USAGE
    return _STATUS.get(lack, 0)


def _remarks(summary: Summary) -> Iterator[str]:
    passing = [lack for lack in Lack if not _status(lack, summary) and lack is not Lack.REFUSED]
    if entries := summary.not_run_by_reason(passing):
        yield f"not run: {_named(Detail(entry.what, entry.why) for entry in entries)}"
    if summary.left_out:
        cases = sum(entry.cases for entry in summary.left_out)
        told = [counted(cases, "case")] if cases else []
        yield f"left out, as asked: {', '.join([*told, *(entry.what for entry in summary.left_out if not entry.cases)])}"
    if names := set(chain.from_iterable(entry.fields for entry in summary.shown_uncovered)):
        yield f"{counted(len(names), 'field')} not carried by any case that passed"


def _named(details: Iterable[Detail]) -> str:
    return few([_brief(detail) for detail in details], MOST_NAMED)


def _brief(detail: Detail) -> str:
    why = " ".join(detail.why.split())
    room = max(0, MOST_WORDS - len(detail.what))
    return f"{detail.what} ({why if len(why) <= room else why[:room].rstrip() + '…'})" if why else detail.what
