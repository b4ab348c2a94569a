"""A changed element in words, the same for a terminal, a job summary and an annotation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.cells import cell_len

from grpc_interop.compat.vocabulary.observation import ElementOutcome, Format
from grpc_interop.compat.vocabulary.result import (
    CATEGORIES,
    Alarm,
    BaseComparison,
    ChangeFinding,
    ChangeVerdict,
    EffectSummary,
    ExchangeExample,
    NotCompared,
    ReportedFinding,
    Result,
)
from grpc_interop.output.plain_text import apart, counted, few, printable
from grpc_interop.report.failure import LEAST_WIDTH, PLAIN_WIDTH, Line, Tone, replay_line, set_width

SIGNS = {ChangeVerdict.BREAK: "✗", ChangeVerdict.ACCEPTED: "~", ChangeVerdict.NOTE: "!", ChangeVerdict.OK: "✓"}

LABEL = len(ElementOutcome.KIND_CHANGED)
"""Columns of the word that a line begins with."""

EVERY = "in every pair"

UNFINISHED = 2
"""The exit statuses from here on say that something was not run."""

MOST_NOT_RUN = 3
"""How much of that the last line names."""

UNHARMED = frozenset({ElementOutcome.PRESERVED, ElementOutcome.RENAMED, ElementOutcome.ADDED})
"""Outcomes that are only worth a word beside those of other pairs."""


def block(entry: ReportedFinding, result: Result, directory: Path, width: int = PLAIN_WIDTH) -> Iterator[Line]:
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
        yield _labelled(Tone.REPLAY, "replay", replay_line(finding.example.replay, directory, result.replay_options))


def alike(entries: Iterable[ReportedFinding], result: Result) -> list[list[ReportedFinding]]:
    """The entries, those together of which the same is to be said; each break for itself."""
    groups: dict[object, list[ReportedFinding]] = {}
    for entry in entries:
        finding = entry.finding
        told = (change(finding), happening(finding), acceptance(finding), alarms(entry), against(entry, result))
        alone = finding.element if finding.verdict is ChangeVerdict.BREAK else ""
        groups.setdefault((finding.verdict, told, alone), []).append(entry)
    return list(groups.values())


def change(finding: ChangeFinding) -> str:
    """What was edited: `type int64 -> int32; no longer in oneof pick`."""
    return "; ".join(finding.what)


def happening(finding: ChangeFinding) -> str:
    """The first thing to say of it: what breaks, and in how many more ways; else what is to be known."""
    if finding.notes and not finding.breaking:
        return _notes(finding)
    told = _together(_harmed(finding), finding.observed)
    if not told:
        return ""
    first = told[0]
    more = f"; and {len(told) - 1} more" if len(told) > 1 else ""
    return f"{first.outcome}: {values(first)} ({way(first)}, {in_pairs(first, finding.observed)}){more}"


def glance(finding: ChangeFinding) -> str:
    """The same for who has twenty seconds: `altered: sent 1, received 0`."""
    told = _together(_harmed(finding), finding.observed)
    if not told or (finding.notes and not finding.breaking):
        return _notes(finding)
    first = told[0]
    where = in_pairs(first, finding.observed)
    some = "" if where == EVERY else f" {where}"
    more = f"; and {len(told) - 1} more" if len(told) > 1 else ""
    return f"{first.outcome}{some}: {_both(first) or first.why}{more}"


def _notes(finding: ChangeFinding) -> str:
    return "; ".join(note for note in finding.notes if note not in finding.what)


def deployments(finding: ChangeFinding) -> str:
    """The orders of deployment in which it breaks: `servers first, clients first`."""
    return ", ".join(dict.fromkeys(deployment for one in finding.breaking for deployment in one.deployments))


def way(observed: EffectSummary) -> str:
    """`old to new, request, binary`."""
    return f"{observed.flow}, {observed.role}, {observed.format}"


def _harmed(finding: ChangeFinding) -> list[EffectSummary]:
    """What breaks, or else what did not arrive as it was: binary first, since all speak it."""
    told = finding.breaking or [one for one in finding.observed if one.outcome not in UNHARMED]
    return sorted(told, key=lambda one: one.format != Format.BINARY)


def _together(observed: Iterable[EffectSummary], among: Sequence[EffectSummary]) -> list[EffectSummary]:
    """The same in fewer: what is so of requests and responses, or of binary and JSON, is said once (`request and response`)."""
    for kept in ("format", "role"):
        alike: dict[object, list[EffectSummary]] = {}
        for one in observed:
            told = (one.flow, one.outcome, one.breaks, values(one), in_pairs(one, among), getattr(one, kept))
            alike.setdefault(told, []).append(one)
        observed = [_joined(ones) for ones in alike.values()]
    return list(observed)


def _joined(ones: Sequence[EffectSummary]) -> EffectSummary:
    return replace(
        ones[0],
        role=" and ".join(dict.fromkeys(one.role for one in ones)),
        format=" and ".join(dict.fromkeys(one.format for one in ones)),
        pairs=tuple(dict.fromkeys(pair for one in ones for pair in one.pairs)),
        deployments=tuple(dict.fromkeys(deployment for one in ones for deployment in one.deployments)),
    )


def values(observed: EffectSummary) -> str:
    """What was sent, what came of it, and why: as much of it as is known."""
    told = _both(observed)
    return f"{told}: {observed.why}" if told and observed.why else told or observed.why


def _both(observed: EffectSummary) -> str:
    sent, received = apart(observed.sent, observed.received) if observed.received else (observed.sent, "")
    return ", ".join(filter(None, [f"sent {sent}" if sent else "", f"received {received}" if received else ""]))


def in_pairs(observed: EffectSummary, among: Iterable[EffectSummary]) -> str:
    """Where it was so, beside all the pairs in which it could have been: `in every pair`, `in go:py, py:py`."""
    could = {pair for one in among if _is_part(one, observed) for pair in one.pairs}
    if set(observed.pairs) == could and len(could) > 1:
        return EVERY
    return f"in {', '.join(observed.pairs)}"


def alarms(entry: ReportedFinding) -> str:
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


def acceptance(finding: ChangeFinding) -> str:
    accepted = finding.accepted
    if accepted is None:
        return ""
    return f"{accepted.reason} ({accepted.where}" + (f", until {accepted.until})" if accepted.until else ")")


def against(entry: ReportedFinding, result: Result) -> str:
    """Which base is spoken of, where there are several: `against base 2`."""
    return f"against {entry.comparison.base.label}" if len(result.comparisons) > 1 else ""


def rollout(result: Result) -> str:
    """`servers first: ok · clients first: breaks`; empty where nothing that changed bears on it."""
    return " · ".join(f"{deployment}: {'ok' if sound else 'breaks'}" for deployment, sound in result.rollout.items())


def untouched(comparison: BaseComparison) -> str:
    """`132 RPCs, 310 messages: not run`; empty where all was touched."""
    told = ", ".join(counted(count, noun) for noun, count in comparison.untouched.items() if count)
    return told and f"{told}: {'run as well' if comparison.everything else 'not run'}"


def failure(result: Result) -> str:
    """`FAILED, exit 2: 1 break; not run: go:py (no Go found)`; empty for a comparison that ends with 0."""
    if not result.exit_status:
        return ""
    breaks, missing = len(result.findings(ChangeVerdict.BREAK)), not_run(result)
    told = [counted(breaks, "break")] if breaks else []
    if missing:
        told.append(f"not run: {_named(missing)}")
    return f"FAILED, exit {result.exit_status}: {'; '.join(told) or 'not all could be compared'}"


def _named(missing: Sequence[NotCompared]) -> str:
    """Return what was not run in a line, each reason once: a refused file is one for all that it declares."""
    by_why: dict[str, list[str]] = {}
    for entry in missing:
        by_why.setdefault(" ".join(entry.why.split()), []).append(entry.what)
    return few([f"{few(whats, MOST_NOT_RUN)} ({why})" for why, whats in by_why.items()], MOST_NOT_RUN)


def not_run(result: Result) -> list[NotCompared]:
    """What was not run, where that is why the comparison fails."""
    if result.exit_status < UNFINISHED:
        return []
    return list(dict.fromkeys(entry for one in result.comparisons for entry in one.not_run))


def closing_words(result: Result) -> str:
    """`3 changes: 1 break, 2 notes · 1,240 exchanges · 12.3 s · exit 1`."""
    count = {verdict: len(result.findings(verdict)) for verdict in ChangeVerdict}
    words = {ChangeVerdict.BREAK: "break", ChangeVerdict.ACCEPTED: "accepted break", ChangeVerdict.NOTE: "note"}
    told = [counted(count[verdict], word) for verdict, word in words.items() if count[verdict]]
    if count[ChangeVerdict.OK]:
        told.append(f"{count[ChangeVerdict.OK]:,} without effect")
    total = sum(count.values())
    changes = f"{counted(total, 'change')}: {', '.join(told)}" if total else "nothing changed"
    parts = [changes, f"guarantee {result.guarantee}", counted(result.exchanges, "exchange"), f"{result.seconds:.1f} s"]
    return " · ".join([*parts, f"exit {result.exit_status}"])


# ----------------------------------------------------------------------------------------------------------------------


def _outcomes(finding: ChangeFinding) -> Iterator[Line]:
    """What breaks, or else what became of it; of pairs that agree only where others of the same way do not."""
    harmed = _together(_harmed(finding), finding.observed)
    for one in harmed:
        tone = Tone.DIFFERS if one.breaks else Tone.AGREES
        deployments = f" · {', '.join(one.deployments)}" if one.deployments else ""
        others = "".join(f"; {outcome} in {', '.join(pairs)}" for outcome, pairs in _elsewhere(one, finding.observed))
        yield _labelled(tone, one.outcome, f"{way(one)}{deployments} · {in_pairs(one, finding.observed)}{others}")
        if told := values(one):
            yield _labelled(tone, "", told)
    sound = [one for one in finding.observed if one.outcome in UNHARMED and not any(_is_part(one, other) for other in harmed)]
    alike = _together((replace(one, sent="", received="", why="", pairs=()) for one in sound), ())
    for outcome in dict.fromkeys(one.outcome for one in alike):
        yield _labelled(Tone.AGREES, outcome, " · ".join(way(one) for one in alike if one.outcome == outcome))


def _elsewhere(observed: EffectSummary, among: Iterable[EffectSummary]) -> Iterator[tuple[str, list[str]]]:
    """What became of it in the pairs in which this did not happen."""
    found: dict[str, dict[str, None]] = {}
    for one in among:
        if _is_part(one, observed) and one.outcome in UNHARMED:
            found.setdefault(one.outcome, {}).update(dict.fromkeys(pair for pair in one.pairs if pair not in observed.pairs))
    yield from ((outcome, list(pairs)) for outcome, pairs in found.items() if pairs)


def _is_part(one: EffectSummary, merged: EffectSummary) -> bool:
    """Whether it was observed in a way that the other one, which may be joined of several, speaks of."""
    return one.flow == merged.flow and all(
        set(part.split(" and ")) & set(whole.split(" and ")) for part, whole in ((one.role, merged.role), (one.format, merged.format))
    )


def _example(example: ExchangeExample, width: int) -> Iterator[Line]:
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
    return _line(tone, f"  {label:<{LABEL}}  {text}".rstrip())


def _line(tone: Tone, text: str) -> Line:
    return Line(tone, printable(" ".join(text.split("\n"))))
