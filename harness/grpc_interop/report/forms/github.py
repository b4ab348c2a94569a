"""The report for GitHub Actions: a job summary in Markdown, and an annotation per cause."""

import html
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from grpc_interop.core.verdict import Pair
from grpc_interop.output.escaping import annotation, inline
from grpc_interop.output.plain_text import counted, in_lines
from grpc_interop.report.failure import block
from grpc_interop.report.protocol import Report
from grpc_interop.report.summary import Summary

MOST_CAUSES = 10
"""GitHub shows ten error annotations a step, and a summary is for a glance; junit.xml and results.json have the rest."""

MOST_ENTRIES = 20
"""Lines of a section beside the cases."""


class GitHub(Report):
    """Appends to the file that GITHUB_STEP_SUMMARY names; with GITHUB_ACTIONS set, prints annotations to `file` (stdout
    by default). Does nothing elsewhere. `environment` is os.environ."""

    def __init__(self, directory: Path, environment: Mapping[str, str], file: IO[str] | None = None) -> None:
        self.directory = directory
        self._summary_file = environment.get("GITHUB_STEP_SUMMARY")
        self._annotates = environment.get("GITHUB_ACTIONS") == "true"
        self._file = file

    def run_finished(self, summary: Summary) -> None:
        if self._summary_file:
            with Path(self._summary_file).open("a", encoding="utf-8") as file:
                file.write(markdown(summary, self.directory))
        if self._annotates:
            for line in _annotations(summary):
                print(line, file=self._file or sys.stdout)


def tell_error(words: str, exit_status: int, environment: Mapping[str, str]) -> None:
    """Show an error that ends a command before there is anything to report, in the job's summary and as an annotation."""
    what, _, remedy = words.partition("\n")
    if path := environment.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"### ❌ interop\n\n**FAILED, exit {exit_status}: {inline(what)}**\n\n{inline(remedy)}\n")
    if environment.get("GITHUB_ACTIONS") == "true":
        # GitHub reads both streams, and stdout may be somebody's data.
        print(annotation("error", words, title="interop"), file=sys.stderr)


def markdown(summary: Summary, directory: Path) -> str:
    """Return the matrix, the sections beside the cases, and the causes with their conversations."""
    return "\n".join(_markdown(summary, directory)) + "\n"


def _markdown(summary: Summary, directory: Path) -> Iterator[str]:
    conclusion = summary.conclusion
    yield f"### {'❌' if conclusion.failed else '✅'} {inline(summary.info.title)}\n"
    if conclusion.failed or conclusion.remarks:
        yield f"**{inline(conclusion.line)}**\n"
    yield inline(summary.closing_words()) + "\n"
    clients, servers = summary.sides
    yield "| client \\ server | " + " | ".join(inline(server) for server in servers) + " |"
    yield "|---" * (len(servers) + 1) + "|"
    for client in clients:
        yield "| " + " | ".join([f"**{inline(client)}**", *(_field(summary, Pair(client, server)) for server in servers)]) + " |"
    for title, entries in summary.sections:
        yield f"\n**{title}**\n"
        yield from (f"- <code>{inline(entry.what)}</code>: {inline(entry.why)}" for entry in entries[:MOST_ENTRIES])
        if len(entries) > MOST_ENTRIES:
            yield f"- and {len(entries) - MOST_ENTRIES:,} more in results.json"
    findings = summary.failing_causes
    for cause in findings[:MOST_CAUSES]:
        yield f"\n<details><summary>{inline(cause.first.reason)} · {inline(summary.headline(cause))}</summary>\n"
        yield "<pre>"
        yield from (html.escape(in_lines(line.text)) for line in block(cause, summary, directory))
        yield "</pre></details>"
    if len(findings) > MOST_CAUSES:
        yield f"\nand {counted(len(findings) - MOST_CAUSES, 'more cause')} in results.json"
    yield ""


def _field(summary: Summary, pair: Pair) -> str:
    fraction, short = summary.fraction(pair), summary.falls_short(pair)
    if fraction is None:
        return f"{'❌ ' if short else ''}not run" if pair in summary.info.pairs else ""
    sign = "❌" if fraction.findings or short else "✅" if fraction.passed == fraction.total > 0 else "🟡"
    return f"{sign} {fraction.passed:,}/{fraction.total:,}"


def _annotations(summary: Summary) -> Iterator[str]:
    """Yield annotations: first failures that are not cases, since they are few, and no other line mentions them."""
    causes, beside = summary.failing_causes, summary.conclusion.failures_beside_cases
    room = MOST_CAUSES - min(len(causes), MOST_CAUSES // 2)
    for reason, detail in beside[: room if len(beside) <= room else room - 1]:
        title = f"{reason.kind.replace('_', ' ')}: {detail.what}"
        yield annotation("error", detail.why, file=detail.path, line=str(detail.line or ""), title=title)
    if len(beside) > room:
        yield annotation("error", summary.conclusion.line, title=f"and {len(beside) - room + 1:,} more")
    for cause in causes[: MOST_CAUSES - min(len(beside), room)]:
        record = cause.first
        title = f"{record.pair} {record.short_method} {record.name}"
        text = f"{record.reason} ({summary.headline(cause)})"
        yield annotation("error", text, title=title)
