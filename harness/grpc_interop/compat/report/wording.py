"""A changed element in words, the same for a terminal, a job summary and an annotation."""

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
"""Columns of the first word of a line."""

EVERY = "in every pair"

UNFINISHED = 2
"""Exit statuses from this number on mean that something was not run."""

MOST_NOT_RUN = 3
"""How many of the reasons for that the last line names."""

UNHARMED = frozenset({ElementOutcome.PRESERVED, ElementOutcome.RENAMED, ElementOutcome.ADDED})
"""Outcomes that are worth mentioning only beside the outcomes of other pairs."""


def block(entry: ReportedFinding, result: Result, directory: Path, width: int = PLAIN_WIDTH) -> Iterator[Line]:
    """Yield all lines about an element. `directory` is the report folder."""
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
    """Group the entries that have the same words. Each break is a group by itself."""
    groups: dict[object, list[ReportedFinding]] = {}
    for entry in entries:
        finding = entry.finding
        words = (change(finding), happening(finding), acceptance(finding), alarms(entry), against(entry, result))
        alone = finding.element if finding.verdict is ChangeVerdict.BREAK else ""
        groups.setdefault((finding.verdict, words, alone), []).append(entry)
    return list(groups.values())


def change(finding: ChangeFinding) -> str:
    """Return the edits: `type int64 -> int32; no longer in oneof pick`."""
    return "; ".join(finding.what)


def happening(finding: ChangeFinding) -> str:
    """Return the first break and the number of further breaks; without any, the notes."""
    if finding.notes and not finding.breaking:
        return _notes(finding)
    effects = _together(_harmed(finding), finding.observed)
    if not effects:
        return ""
    first = effects[0]
    more = f"; and {len(effects) - 1} more" if len(effects) > 1 else ""
    return f"{first.outcome}: {values(first)} ({way(first)}, {in_pairs(first, finding.observed)}){more}"


def glance(finding: ChangeFinding) -> str:
    """Return the same in few words: `altered: sent 1, received 0`."""
    effects = _together(_harmed(finding), finding.observed)
    if not effects or (finding.notes and not finding.breaking):
        return _notes(finding)
    first = effects[0]
    where = in_pairs(first, finding.observed)
    some = "" if where == EVERY else f" {where}"
    more = f"; and {len(effects) - 1} more" if len(effects) > 1 else ""
    return f"{first.outcome}{some}: {_both(first) or first.why}{more}"


def _notes(finding: ChangeFinding) -> str:
    return "; ".join(note for note in finding.notes if note not in finding.what)


def deployments(finding: ChangeFinding) -> str:
    """Return the orders of deployment in which it breaks: `servers first, clients first`."""
    return ", ".join(dict.fromkeys(deployment for effect in finding.breaking for deployment in effect.deployments))


def way(observed: EffectSummary) -> str:
    """Return the way of a message: `old to new, request, binary`."""
    return f"{observed.flow}, {observed.role}, {observed.format}"


def _harmed(finding: ChangeFinding) -> list[EffectSummary]:
    """Return the breaks, or else the values that did not arrive unharmed. Binary comes first, since all speak it."""
    harmed = finding.breaking or [effect for effect in finding.observed if effect.outcome not in UNHARMED]
    return sorted(harmed, key=lambda effect: effect.format != Format.BINARY)


def _together(observed: Iterable[EffectSummary], among: Sequence[EffectSummary]) -> list[EffectSummary]:
    """Merge effects that differ only in the role or only in the format (`request and response`, `binary and json`)."""
    for kept in ("format", "role"):
        groups: dict[object, list[EffectSummary]] = {}
        for effect in observed:
            key = (effect.flow, effect.outcome, effect.breaks, values(effect), in_pairs(effect, among), getattr(effect, kept))
            groups.setdefault(key, []).append(effect)
        observed = [_joined(group) for group in groups.values()]
    return list(observed)


def _joined(effects: Sequence[EffectSummary]) -> EffectSummary:
    return replace(
        effects[0],
        role=" and ".join(dict.fromkeys(effect.role for effect in effects)),
        format=" and ".join(dict.fromkeys(effect.format for effect in effects)),
        pairs=tuple(dict.fromkeys(pair for effect in effects for pair in effect.pairs)),
        deployments=tuple(dict.fromkeys(deployment for effect in effects for deployment in effect.deployments)),
    )


def values(observed: EffectSummary) -> str:
    """Return the sent value, the received value and the cause, as far as they are known."""
    both = _both(observed)
    return f"{both}: {observed.why}" if both and observed.why else both or observed.why


def _both(observed: EffectSummary) -> str:
    sent, received = apart(observed.sent, observed.received) if observed.received else (observed.sent, "")
    return ", ".join(filter(None, [f"sent {sent}" if sent else "", f"received {received}" if received else ""]))


def in_pairs(observed: EffectSummary, among: Iterable[EffectSummary]) -> str:
    """Return the pairs of an effect, compared with all pairs in which it could show: `in every pair`, `in go:py, py:py`."""
    could = {pair for effect in among if _is_part(effect, observed) for pair in effect.pairs}
    if set(observed.pairs) == could and len(could) > 1:
        return EVERY
    return f"in {', '.join(observed.pairs)}"


def alarms(entry: ReportedFinding) -> str:
    """Return buf's rules that the change breaks, and the categories without an alarm."""
    comparison, finding = entry
    if comparison.static:
        return "not asked"
    if not finding.static:
        return f"silent in {' '.join(CATEGORIES)}"
    rules = ", ".join(dict.fromkeys(alarm.rule for alarm in finding.static))
    speaking, silent = categories(finding.static)
    return f"{rules} ({' '.join(speaking)})" + (f"; silent in {' '.join(silent)}" if silent else "")


def categories(static: Sequence[Alarm]) -> tuple[list[str], list[str]]:
    """Return buf's categories with an alarm, and its categories without."""
    speaking = {category for alarm in static for category in alarm.categories}
    return [name for name in CATEGORIES if name in speaking], [name for name in CATEGORIES if name not in speaking]


def acceptance(finding: ChangeFinding) -> str:
    accepted = finding.accepted
    if accepted is None:
        return ""
    return f"{accepted.reason} ({accepted.where}" + (f", until {accepted.until})" if accepted.until else ")")


def against(entry: ReportedFinding, result: Result) -> str:
    """Return which base an entry is about, where there are several: `against base 2`."""
    return f"against {entry.comparison.base.label}" if len(result.comparisons) > 1 else ""


def rollout(result: Result) -> str:
    """Return `servers first: ok · clients first: breaks`; empty where the changes affect no order."""
    return " · ".join(f"{deployment}: {'ok' if sound else 'breaks'}" for deployment, sound in result.rollout.items())


def untouched(comparison: BaseComparison) -> str:
    """Return `132 RPCs, 310 messages: not run`; empty where all was touched."""
    counts = ", ".join(counted(count, noun) for noun, count in comparison.untouched.items() if count)
    return counts and f"{counts}: {'run as well' if comparison.everything else 'not run'}"


def asides(comparison: BaseComparison) -> list[tuple[str, str]]:
    """Return the notes on a comparison as a whole, each with its label."""
    return [
        *(("not run", f"{entry.what}: {entry.why}") for entry in comparison.not_run),
        *(("warning", words) for words in comparison.warnings),
        *([("buf", comparison.static)] if comparison.static else []),
        *([("untouched", notes)] if (notes := untouched(comparison)) else []),
    ]


def failure(result: Result) -> str:
    """Return `FAILED, exit 2: 1 break; not run: go:py (no Go found)`; empty for a comparison that ends with 0."""
    if not result.exit_status:
        return ""
    breaks, missing = len(result.findings(ChangeVerdict.BREAK)), not_run(result)
    parts = [counted(breaks, "break")] if breaks else []
    if missing:
        parts.append(f"not run: {_named(missing)}")
    return f"FAILED, exit {result.exit_status}: {'; '.join(parts) or 'not all could be compared'}"


def _named(missing: Sequence[NotCompared]) -> str:
    """Return the elements that were not run, as a line with each reason once: a refused file is the reason for all its elements."""
    by_why: dict[str, list[str]] = {}
    for entry in missing:
        by_why.setdefault(" ".join(entry.why.split()), []).append(entry.what)
    return few([f"{few(whats, MOST_NOT_RUN)} ({why})" for why, whats in by_why.items()], MOST_NOT_RUN)


def not_run(result: Result) -> list[NotCompared]:
    """Return the elements that were not run, where the comparison fails for that reason."""
    if result.exit_status < UNFINISHED:
        return []
    return list(dict.fromkeys(entry for comparison in result.comparisons for entry in comparison.not_run))


def closing_words(result: Result) -> str:
    """Return `3 changes: 1 break, 2 notes · 1,240 exchanges · 12.3 s · exit 1`."""
    count = {verdict: len(result.findings(verdict)) for verdict in ChangeVerdict}
    words = {ChangeVerdict.BREAK: "break", ChangeVerdict.ACCEPTED: "accepted break", ChangeVerdict.NOTE: "note"}
    verdicts = [counted(count[verdict], word) for verdict, word in words.items() if count[verdict]]
    if count[ChangeVerdict.OK]:
        verdicts.append(f"{count[ChangeVerdict.OK]:,} without effect")
    total = sum(count.values())
    changes = f"{counted(total, 'change')}: {', '.join(verdicts)}" if total else "nothing changed"
    parts = [changes, f"guarantee {result.guarantee}", counted(result.exchanges, "exchange"), f"{result.seconds:.1f} s"]
    return " · ".join([*parts, f"exit {result.exit_status}"])


# ----------------------------------------------------------------------------------------------------------------------


def _outcomes(finding: ChangeFinding) -> Iterator[Line]:
    """Yield the breaks, or else the effects. Pairs that agree are named only where other pairs in the same way do not."""
    harmed = _together(_harmed(finding), finding.observed)
    for effect in harmed:
        tone = Tone.DIFFERS if effect.breaks else Tone.AGREES
        deployments = f" · {', '.join(effect.deployments)}" if effect.deployments else ""
        others = "".join(f"; {outcome} in {', '.join(pairs)}" for outcome, pairs in _elsewhere(effect, finding.observed))
        yield _labelled(tone, effect.outcome, f"{way(effect)}{deployments} · {in_pairs(effect, finding.observed)}{others}")
        if words := values(effect):
            yield _labelled(tone, "", words)
    sound = [effect for effect in finding.observed if effect.outcome in UNHARMED and not any(_is_part(effect, other) for other in harmed)]
    alike = _together((replace(effect, sent="", received="", why="", pairs=()) for effect in sound), ())
    for outcome in dict.fromkeys(effect.outcome for effect in alike):
        yield _labelled(Tone.AGREES, outcome, " · ".join(way(effect) for effect in alike if effect.outcome == outcome))


def _elsewhere(observed: EffectSummary, among: Iterable[EffectSummary]) -> Iterator[tuple[str, list[str]]]:
    """Yield the outcomes in the pairs without this effect."""
    others: dict[str, dict[str, None]] = {}
    for effect in among:
        if _is_part(effect, observed) and effect.outcome in UNHARMED:
            others.setdefault(effect.outcome, {}).update(dict.fromkeys(pair for pair in effect.pairs if pair not in observed.pairs))
    yield from ((outcome, list(pairs)) for outcome, pairs in others.items() if pairs)


def _is_part(effect: EffectSummary, merged: EffectSummary) -> bool:
    """Tell whether an effect was observed in a way that the merged effect covers."""
    return effect.flow == merged.flow and all(
        set(part.split(" and ")) & set(whole.split(" and ")) for part, whole in ((effect.role, merged.role), (effect.format, merged.format))
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
