"""A comparison for a reviewer: a table to be understood in twenty seconds, followed by the breaks in full."""

import html
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from grpc_interop.compat.report import wording
from grpc_interop.compat.vocabulary.result import ChangeVerdict, ReportedFinding, Result
from grpc_interop.output.escaping import inline
from grpc_interop.output.plain_text import in_lines

FILE = "compat.md"

MOST_ROWS = 30
"""Nobody reads more in twenty seconds. The rest is counted, and stands in compat.json."""

MOST_IN_FULL = 10
"""Breaks with their transcripts, folded up. GitHub refuses a summary of more than a mebibyte."""

MOST_WORDS = 120
"""Characters of a field of the table."""

_SIGNS = {ChangeVerdict.BREAK: "❌", ChangeVerdict.ACCEPTED: "🟡", ChangeVerdict.NOTE: "ℹ️", ChangeVerdict.OK: "✅"}  # noqa: RUF001  the sign is meant
_WORDS = {ChangeVerdict.BREAK: "break", ChangeVerdict.ACCEPTED: "accepted", ChangeVerdict.NOTE: "note", ChangeVerdict.OK: "fine"}


def write(result: Result, directory: Path) -> None:
    """Write the file into the report folder."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / FILE).write_text(markdown(result, directory), encoding="utf-8")


def markdown(result: Result, directory: Path) -> str:
    """Return the comparison as Markdown. `directory` is the report folder."""
    return "\n".join(_markdown(result, directory)) + "\n"


def _markdown(result: Result, directory: Path) -> Iterator[str]:
    unfinished = "not all could be compared" if wording.not_run(result) else "nothing breaks"
    yield f"### {'❌' if result.exit_status else '✅'} interop compat: {inline(wording.rollout(result) or unfinished)}\n"
    if result.exit_status:
        yield f"**{inline(wording.failure(result))}**\n"
    yield inline(wording.closing_words(result)) + "\n"
    head = f"{inline(result.head.label)}: {inline(result.head.words)}"
    for comparison in result.comparisons:
        yield f"{inline(comparison.base.label)}: {inline(comparison.base.words)} · {head}\n"
    yield from _table(result)
    yield from _beside(result)
    for entry in result.findings(ChangeVerdict.BREAK)[:MOST_IN_FULL]:
        finding = entry.finding
        yield f"\n<details><summary>{inline(finding.element)}: {inline(wording.change(finding))}</summary>\n"
        yield "<pre>"
        # An empty line would end the HTML, and the following lines would be Markdown.
        yield from (html.escape(in_lines(line.text)) or " " for line in wording.block(entry, result, directory))
        yield "</pre></details>"
    yield ""


def _table(result: Result) -> Iterator[str]:
    """Yield the table. Changes without effect and without an alarm from buf are only counted."""
    every = result.findings(*ChangeVerdict)
    shown = [entry for entry in every if entry.finding.verdict is not ChangeVerdict.OK or entry.finding.static]
    groups = wording.alike(shown, result)
    if groups:
        yield "| | element | change | what happens | breaks | buf breaking |"
        yield "|---|---|---|---|---|---|"
        yield from (_row(group, result) for group in groups[:MOST_ROWS])
    rest = Counter(finding.verdict for group in groups[MOST_ROWS:] for _, finding in group)
    if rest:
        yield f"\nand {', '.join(f'{count:,} × {_WORDS[verdict]}' for verdict, count in rest.items())} more: see compat.json"  # noqa: RUF001


def _row(group: list[ReportedFinding], result: Result) -> str:
    """Return the row of a group of elements with the same effects."""
    entry = group[0]
    finding = entry.finding
    happening = wording.glance(finding) or ("nothing" if finding.verdict is ChangeVerdict.OK else "")
    fields = [
        f"{_SIGNS[finding.verdict]} {_WORDS[finding.verdict]}",
        _element(entry, result) + (f"<br>and {len(group) - 1:,} more" if len(group) > 1 else ""),
        _cut(wording.change(finding)),
        _cut("; ".join(filter(None, [wording.acceptance(finding), happening]))),
        inline(wording.deployments(finding)),
        _static(entry),
    ]
    return f"| {' | '.join(fields)} |"


def _element(entry: ReportedFinding, result: Result) -> str:
    """Return the name of an element, and below it where it is declared."""
    finding, against = entry.finding, wording.against(entry, result)
    now = f" (now {_code(finding.now)})" if finding.now and finding.now != finding.element else ""
    below = [_code(str(finding.place)) if finding.place else "", inline(against)]
    return "<br>".join(filter(None, [_code(finding.element) + now, *below]))


def _static(entry: ReportedFinding) -> str:
    """Return the categories in which buf has an alarm; in bold where buf and the observations disagree."""
    comparison, finding = entry
    if comparison.static:
        return "not asked"
    speaking, _ = wording.categories(finding.static)
    broken = finding.verdict in (ChangeVerdict.BREAK, ChangeVerdict.ACCEPTED)
    if broken and not speaking:
        return "**silent**"
    if finding.verdict is ChangeVerdict.OK:
        return f"**alarm**: {inline(' '.join(speaking))}"
    return inline(" ".join(speaking))


def _beside(result: Result) -> Iterator[str]:
    for comparison in result.comparisons:
        notes = wording.asides(comparison)
        if notes:
            yield ""
        prefixes = {"warning": "", "buf": "buf breaking was not asked: "}
        yield from (f"- {inline(prefixes.get(label, f'{label}: ') + text)}" for label, text in notes)


def _code(text: str) -> str:
    """Format code. Backticks would not do: nothing can be escaped within them."""
    return f"<code>{inline(text)}</code>"


def _cut(text: str) -> str:
    return inline(text if len(text) <= MOST_WORDS else text[:MOST_WORDS].rstrip("… ") + "…")
