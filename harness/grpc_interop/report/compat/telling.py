"""A changed element in words, the same for a terminal, a job summary and an annotation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len

from grpc_interop.compat.observation import Outcome
from grpc_interop.compat.result import Alarm, Comparison, Entry, Example, Finding, Observed, Result, Verdict
from grpc_interop.compat.static import CATEGORIES
from grpc_interop.report.failure import LEAST_WIDTH, PLAIN_WIDTH, Line, Tone, replay_line, set_width
from grpc_interop.report.plain_text import apart, counted, printable

SIGNS = {Verdict.BREAK: "✗", Verdict.ACCEPTED: "~", Verdict.NOTE: "!", Verdict.OK: "✓"}

LABEL = 10
"""Columns of the word that a line begins with; the longest is an outcome, `preserved`."""

UNHARMED = frozenset({Outcome.PRESERVED, Outcome.RENAMED, Outcome.ADDED})
"""Outcomes that are only worth a word beside those of other pairs."""


def block(entry: Entry, result: Result, directory: Path, width: int = PLAIN_WIDTH) -> Iterator[Line]:
    """All there is to say of an element. `directory` is the report folder."""
    finding = entry.finding
    base = against(entry, result)
    named = f"{finding.element} (now {finding.now})" if finding.now and finding.now != finding.element else finding.element
    yield _line(Tone.TITLE, f"{SIGNS[finding.verdict]} {named}  {change(finding)}" + (f"    {base}" if base else ""))
    if finding.place is not None:
        only = "" if finding.head is not None else "  (where it was; head has it no more)"
        yield _line(Tone.ASIDE, f"  {finding.place}{only}")
    yield from _outcomes(finding)
    for note in finding.notes:
        yield _labelled(Tone.WHAT, "note", note)
    if finding.example is not None:
        yield from _example(finding.example, width)
    yield _labelled(Tone.ASIDE, "buf", alarms(entry))
    if finding.accepted is not None:
        yield _labelled(Tone.ASIDE, "accepted", acceptance(finding))
    if finding.example is not None and finding.example.replay:
        yield _labelled(Tone.REPLAY, "replay", replay_line(finding.example.replay, directory))


def change(finding: Finding) -> str:
    """What was edited: `type int64 -> int32; no longer in oneof pick`."""
    return "; ".join(finding.what)


def happening(finding: Finding) -> str:
    """The first thing to say of it: what breaks, and in how many more ways; else what is to be known."""
    if finding.notes and not finding.breaking:
        return "; ".join(finding.notes)
    told = finding.breaking or tuple(one for one in finding.observed if one.outcome not in UNHARMED)
    if not told:
        return ""
    first = told[0]
    kinds = {(one.outcome, one.flow, one.role, one.format) for one in told}
    more = f"; and {len(kinds) - 1} more" if len(kinds) > 1 else ""
    return f"{first.outcome}: {values(first)} ({way(first)}, {in_pairs(first, finding.observed)}){more}"


def way(observed: Observed) -> str:
    """`old to new, request, binary`."""
    return f"{observed.flow}, {observed.role}, {observed.format}"


def values(observed: Observed) -> str:
    """What was sent, what came of it, and why: as much of it as is known."""
    sent, received = apart(observed.sent, observed.received) if observed.received else (observed.sent, "")
    parts = [f"sent {sent}" if sent else "", f"received {received}" if received else ""]
    told = ", ".join(filter(None, parts))
    return f"{told}: {observed.why}" if told and observed.why else told or observed.why


def in_pairs(observed: Observed, among: Iterable[Observed]) -> str:
    """Where it was so, beside all the pairs in which it could have been: `in every pair`, `in go:py, py:py`."""
    could = {pair for one in among if _same_way(one, observed) for pair in one.pairs}
    if set(observed.pairs) == could and len(could) > 1:
        return "in every pair"
    return f"in {', '.join(observed.pairs)}"


def alarms(entry: Entry) -> str:
    """The rules of buf's that the change breaks, and the categories in which none does."""
    comparison, finding = entry
    if comparison.static:
        return "not asked"
    if not finding.static:
        return f"silent in {' '.join(CATEGORIES)}"
    rules = ", ".join(dict.fromkeys(alarm.rule for alarm in finding.static))
    speaking, silent = categories(finding.static)
    return f"{rules} ({' '.join(speaking)})" + (f"; silent in {' '.join(silent)}" if silent else "")


def categories(static: Sequence[Alarm]) -> tuple[list[str], list[str]]:
    """Those of buf's categories in which there is an alarm, and those in which there is none."""
    speaking = {category for alarm in static for category in alarm.categories}
    return [name for name in CATEGORIES if name in speaking], [name for name in CATEGORIES if name not in speaking]


def acceptance(finding: Finding) -> str:
    accepted = finding.accepted
    if accepted is None:
        return ""
    return f"{accepted.reason} ({accepted.where}" + (f", until {accepted.until})" if accepted.until else ")")


def against(entry: Entry, result: Result) -> str:
    """Which base is spoken of, where there are several: `against base 2`."""
    return f"against {entry.comparison.base.label}" if len(result.comparisons) > 1 else ""


def rollout(result: Result) -> str:
    """`servers first: ok · clients first: breaks`; empty where nothing that changed bears on it."""
    return " · ".join(f"{deployment}: {'ok' if sound else 'breaks'}" for deployment, sound in result.rollout.items())


def untouched(comparison: Comparison) -> str:
    """`132 RPCs, 310 messages`."""
    return ", ".join(counted(count, noun) for noun, count in comparison.untouched.items())


def closing_words(result: Result) -> str:
    """`3 changes: 1 break, 2 notes · 1,240 exchanges · 12.3 s · exit 1`."""
    count = {verdict: len(result.findings(verdict)) for verdict in Verdict}
    words = {Verdict.BREAK: "break", Verdict.ACCEPTED: "accepted break", Verdict.NOTE: "note"}
    told = [counted(count[verdict], word) for verdict, word in words.items() if count[verdict]]
    if count[Verdict.OK]:
        told.append(f"{count[Verdict.OK]:,} without effect")
    total = sum(count.values())
    changes = f"{counted(total, 'change')}: {', '.join(told)}" if total else "nothing changed"
    parts = [changes, f"guarantee {result.guarantee}", counted(result.exchanges, "exchange"), f"{result.seconds:.1f} s"]
    return " · ".join([*parts, f"exit {result.exit_status}"])


# ----------------------------------------------------------------------------------------------------------------------


def _outcomes(finding: Finding) -> Iterator[Line]:
    """What breaks, then what else became of it; of pairs that agree only where others of the same way do not."""
    shown = [*finding.breaking, *(one for one in finding.observed if not one.breaks and one.outcome not in UNHARMED)]
    for one in shown:
        tone = Tone.DIFFERS if one.breaks else Tone.AGREES
        deployments = f" · {', '.join(one.deployments)}" if one.deployments else ""
        others = "".join(f"; {other} in {', '.join(pairs)}" for other, pairs in _elsewhere(one, finding.observed))
        yield _labelled(tone, one.outcome, f"{way(one)}{deployments} · {in_pairs(one, finding.observed)}{others}")
        if told := values(one):
            yield _labelled(tone, "", told)
    sound = [one for one in finding.observed if one.outcome in UNHARMED and not any(_same_way(one, other) for other in shown)]
    for outcome in dict.fromkeys(one.outcome for one in sound):
        yield _labelled(Tone.AGREES, outcome, " · ".join(dict.fromkeys(way(one) for one in sound if one.outcome == outcome)))


def _elsewhere(observed: Observed, among: Iterable[Observed]) -> Iterator[tuple[str, list[str]]]:
    """What became of it in the pairs in which this did not happen."""
    for one in among:
        pairs = [pair for pair in one.pairs if pair not in observed.pairs]
        if _same_way(one, observed) and one.outcome in UNHARMED and pairs:
            yield one.outcome, pairs


def _same_way(one: Observed, other: Observed) -> bool:
    return (one.flow, one.role, one.format) == (other.flow, other.role, other.format)


def _example(example: Example, width: int) -> Iterator[Line]:
    yield _labelled(Tone.WHAT, "example", example.what)
    if not example.rows:
        yield _labelled(Tone.WHAT, "sent", example.sent)
        yield _labelled(Tone.WHAT, "received", example.received)
        return
    most = (max(width, LEAST_WIDTH) - len("    ") - len(" -> ")) // 2
    widest = max(cell_len(printable(text)) for text in (example.left, *(row.left for row in example.rows)))
    left = min(most, widest)
    yield Line(Tone.HEAD, f"    {set_width(printable(example.left), left)}    {printable(example.right)}")
    for row in example.rows:
        cells = set_width(printable(row.left), left), set_width(printable(row.right), most)
        yield Line(Tone.AGREES, f"    {cells[0]} {row.arrow or '  '} {cells[1]}".rstrip())


def _labelled(tone: Tone, label: str, text: str) -> Line:
    return _line(tone, f"  {label:<{LABEL}}  {text}")


def _line(tone: Tone, text: str) -> Line:
    return Line(tone, printable(" ".join(text.split("\n"))))
