"""How a run ended: its exit status and every reason for it, found once. All forms of report render this, so that no
form is green where another is red.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from grpc_interop.core.verdict import Outcome
from grpc_interop.output.plain_text import counted, few
from grpc_interop.report.data import Conclusion, Detail, Lack, Reason
from grpc_interop.report.summary import Summary

FINDING, USAGE, BROKEN, INTERRUPTED = 1, 2, 3, 130
"""Exit statuses. The last is the status that shells give a command ended by Ctrl-C. Where several apply, the largest counts."""

MOST_NAMED = 3
"""How many things a reason names in its line; a section of each report has all of them."""

MOST_WORDS = 120
"""Characters of such a name with its explanation: a compiler's output is longer than a line."""

_STATUS = {Lack.FOREIGN: USAGE, Lack.BROKEN: BROKEN, Lack.LOST: BROKEN, Lack.UNEXPLAINED: BROKEN}
"""The kinds of lack that always fail a run. UNAVAILABLE does so where the run is strict or nothing else was played, UNSEEN
where it is strict."""

_CASES = {
    Outcome.FAILED: "failed",
    Outcome.ERROR: "could not be judged",
    Outcome.UNEXPECTED_PASS: "passed against expectation",
}


def conclude(summary: Summary) -> Conclusion:
    """Return the conclusion of a finished run."""
    reasons = [*_endings(summary), *_not_run(summary), *_cases(summary), *_findings(summary)]
    if not reasons and not summary.cases and summary.info.shard == (1, 1):
        # Never a success, except for a shard to which no case fell.
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
    words = [f"{counted(count, 'case')} {ending}" for outcome, ending in _CASES.items() if (count := summary.totals[outcome])]
    if words:
        yield Reason(FINDING, "cases", ", ".join(words))


def _findings(summary: Summary) -> Iterator[Reason]:
    if details := [Detail(finding.what, finding.why, finding.path, finding.line) for finding in summary.grouped_findings]:
        yield Reason(FINDING, "finding", _named(details), tuple(details))


def _not_run(summary: Summary) -> Iterator[Reason]:
    """Yield a reason for each status."""
    statuses = {entry.lack: _status(entry.lack, summary) for entry in summary.not_run}
    for status in sorted(set(statuses.values()) - {0}):
        entries = summary.not_run_by_reason([lack for lack, its_status in statuses.items() if its_status == status])
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
        words = [counted(cases, "case")] if cases else []
        yield f"left out, as asked: {', '.join([*words, *(entry.what for entry in summary.left_out if not entry.cases)])}"
    if names := set(chain.from_iterable(entry.fields for entry in summary.shown_uncovered)):
        yield f"{counted(len(names), 'field')} not carried by any case that passed"


def _named(details: Iterable[Detail]) -> str:
    return few([_brief(detail) for detail in details], MOST_NAMED)


def _brief(detail: Detail) -> str:
    why = " ".join(detail.why.split())
    room = max(0, MOST_WORDS - len(detail.what))
    return f"{detail.what} ({why if len(why) <= room else why[:room].rstrip() + '…'})" if why else detail.what
