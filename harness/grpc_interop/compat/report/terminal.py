"""A comparison in the terminal: breaks in full, then notes, a line each, and last the orders of rollout."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.text import Text

from grpc_interop.compat.report import wording
from grpc_interop.compat.report.json import FILE
from grpc_interop.compat.vocabulary.result import BaseComparison, ChangeVerdict, ReportedFinding, Result
from grpc_interop.output.plain_text import counted, in_lines, printable
from grpc_interop.report.failure import PLAIN_WIDTH, STYLES, Line, Tone, short_path

MOST_BLOCKS = 20
"""Breaks shown in full. Where there are more, most have the same cause; each of the rest takes a line."""

MOST_LINES = 30
"""Lines of each further kind; compat.json has all."""

MOST_ALIKE = 5
"""Elements that are listed below a line about several elements."""


def show(result: Result, directory: Path, file: IO[str] | None = None, width: int | None = None) -> None:
    """Print to `file` (stdout by default). `directory` is the report folder; `width` overrides the terminal's."""
    console = Console(file=file, markup=False, emoji=False, highlight=False, width=width)
    if width is None and not console.is_terminal:
        console.width = PLAIN_WIDTH
    for line in _lines(result, directory, console.width):
        # Never wrapped: a replay line is copied as a whole.
        console.print(Text(in_lines(line.text), STYLES[line.tone]), soft_wrap=True)
    broken = result.exit_status != 0
    console.print(Text(in_lines(wording.closing_words(result)), "bold red" if broken else "bold green"), soft_wrap=True)
    console.print(Text(f"report: {short_path(directory)}", "dim"), soft_wrap=True)
    if broken:
        console.print(Text(printable(wording.failure(result)), "bold red"), soft_wrap=True)


def _lines(result: Result, directory: Path, width: int) -> Iterator[Line]:
    for comparison in result.comparisons:
        yield Line(Tone.WHAT, printable(f"{comparison.base.label}: {comparison.base.words} · {result.head.label}: {result.head.words}"))
    yield from _breaks(result, directory, width)
    yield from _section("accepted breaks", result, [ChangeVerdict.ACCEPTED])
    yield from _section("notes", result, [ChangeVerdict.NOTE])
    yield from _section("buf raises an alarm, and nothing happens", result, [ChangeVerdict.OK])
    for comparison in result.comparisons:
        yield from _beside(comparison)
    yield _blank()
    if rollout := wording.rollout(result):
        yield Line(Tone.WHAT, rollout)


def _breaks(result: Result, directory: Path, width: int) -> Iterator[Line]:
    breaks = result.findings(ChangeVerdict.BREAK)
    for entry in breaks[:MOST_BLOCKS]:
        yield _blank()
        yield from wording.block(entry, result, directory, width)
    if len(breaks) > MOST_BLOCKS:
        yield _blank()
        yield from _each(breaks[MOST_BLOCKS:], result, Tone.DIFFERS)


def _section(title: str, result: Result, verdicts: list[ChangeVerdict]) -> Iterator[Line]:
    """Yield a line for each finding with these verdicts. Changes without effect matter only where buf has an alarm."""
    entries = [entry for entry in result.findings(*verdicts) if entry.finding.verdict is not ChangeVerdict.OK or entry.finding.static]
    if entries:
        yield _blank()
        yield Line(Tone.WHAT, title)
        yield from _each(entries, result, Tone.AGREES)


def _each(entries: list[ReportedFinding], result: Result, tone: Tone) -> Iterator[Line]:
    """Yield a line for each group of findings with the same words, and list its elements below."""
    groups = wording.alike(entries, result)
    for group in groups[:MOST_LINES]:
        first = group[0]
        finding = first.finding
        named = finding.element if len(group) == 1 else counted(len(group), "element")
        parts = [wording.change(finding), wording.happening(finding), wording.acceptance(finding), wording.against(first, result)]
        yield Line(tone, printable(f"  {wording.SIGNS[finding.verdict]} {named}  {' · '.join(filter(None, parts))}"))
        for entry in group[:MOST_ALIKE]:
            below = [entry.finding.element if len(group) > 1 else "", str(entry.finding.place or "")]
            if any(below):
                yield Line(Tone.ASIDE, printable(f"      {'  '.join(filter(None, below))}"))
        if len(group) > MOST_ALIKE:
            yield Line(Tone.ASIDE, f"      and {len(group) - MOST_ALIKE:,} more: see {FILE}")
        # Static rules are usually silent about a note, so that is not worth a line.
        if finding.static or finding.verdict is not ChangeVerdict.NOTE:
            yield Line(Tone.ASIDE, printable(f"      buf: {wording.alarms(first)}"))
    if rest := sum(map(len, groups[MOST_LINES:])):
        yield Line(tone, f"  and {rest:,} more: see {FILE}")


def _beside(comparison: BaseComparison) -> Iterator[Line]:
    """Yield the lines about a comparison as a whole."""
    notes = wording.asides(comparison)
    if notes:
        yield _blank()
    for label, text in notes:
        tone = Tone.ASIDE if label == "untouched" else Tone.DIFFERS
        yield Line(tone, printable(f"{label:<{wording.LABEL}}  {' '.join(text.split())}"))


def _blank() -> Line:
    return Line(Tone.AGREES, "")
