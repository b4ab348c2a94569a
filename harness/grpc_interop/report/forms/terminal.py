"""The report on a terminal: one live line during the run, then the failures, the sections beside the cases, and the matrix.

Without a terminal it is plain text, with few lines of progress. The matrix comes last, because the last lines are on the
screen when the command returns.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.text import Text

from grpc_interop.output.plain_text import counted, in_lines, printable
from grpc_interop.report.data import Detail, Finding, NotRun, RunInfo
from grpc_interop.report.failure import PLAIN_WIDTH, STYLES, Line, block, set_width, short_path
from grpc_interop.report.forms.results import RESULTS
from grpc_interop.report.protocol import Report
from grpc_interop.report.record import Record
from grpc_interop.report.summary import Summary

MOST_BLOCKS = 5
"""Nobody reads more causes at once, and the first usually explain the rest."""

WIDEST_NAME = 30
"""Columns of names in the sections beside the cases; a longer name moves its own reason to the right."""

MOST_ASIDES = 10
"""Lines about known failures or unsupported cases; the report folder has all."""

LIVE_SECONDS, PLAIN_SECONDS = 0.1, 30.0
"""How often the count of cases is shown: on a terminal as fast as eyes follow, elsewhere often enough to show life."""

CLEARED = "\r\x1b[2K"
"""Empties the live line."""

NOT_RUN, NOT_PLANNED, UNSUPPORTED = "not run", "-", "unsupported"


class Terminal(Report):
    """Writes to `file` (stdout by default). `quiet`: nothing until the run is done. `width` overrides the terminal's; `clock`
    returns seconds."""

    def __init__(
        self,
        directory: Path,
        file: IO[str] | None = None,
        *,
        quiet: bool = False,
        width: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.directory = directory
        self._console = Console(file=file, markup=False, emoji=False, highlight=False, width=width)
        self._live = self._console.is_terminal
        if width is None and not self._live:
            self._console.width = PLAIN_WIDTH
        self._quiet = quiet
        self._clock = clock
        self._due = clock() + (0 if self._live else PLAIN_SECONDS)
        self._note = ""
        self._cases = self._findings = 0

    # -- while it runs -------------------------------------------------------------------------------------------------

    def run_started(self, info: RunInfo) -> None:
        if not self._quiet:
            self._print(f"{info.title} · {counted(len(info.pairs), 'pair')} · seed {info.seed}", "bold")

    def note_progress(self, text: str, *, lasting: bool = False) -> None:
        if self._quiet:
            return
        if not self._live:
            self._print(printable(text))
            return
        if lasting:
            self._console.file.write(CLEARED)
            self._print(printable(text))
        else:
            self._note = printable(text)
        self._show_progress()

    def add(self, record: Record) -> None:
        self._cases += 1
        self._findings += record.outcome.is_finding
        now = self._clock()
        if now >= self._due and not self._quiet:
            self._due = now + (LIVE_SECONDS if self._live else PLAIN_SECONDS)
            self._show_progress()

    def _show_progress(self) -> None:
        bad = f", {self._findings:,} not as expected" if self._findings else ""
        text = f"{counted(self._cases, 'case')}{bad}" if self._cases else ""
        if not self._live:
            self._print(text)
            return
        text = " · ".join(filter(None, (text, self._note)))
        # Rewritten in place by hand: a live display of rich's hides the cursor, and a killed harness would leave it so.
        self._console.file.write(CLEARED + set_width(text, self._console.width - 1).rstrip())
        self._console.file.flush()

    # -- when it is done -----------------------------------------------------------------------------------------------

    def run_finished(self, summary: Summary) -> None:
        if self._live:
            self._console.file.write(CLEARED)
        self._failures(summary)
        for title, causes in (("known failures", summary.known_failures), ("unsupported", summary.unsupported)):
            if causes:
                self._list(title, [f"{summary.headline(cause)}: {cause.first.known or cause.first.reason}" for cause in causes])
        self._section("found", summary.grouped_findings, "red")
        self._section("not run", summary.not_run_by_reason(), "yellow")
        self._section("left out, as asked", summary.left_out_details, "yellow")
        title, fields = summary.uncovered_section
        if title:
            self._list(title, [f"{field.what}: {field.why}" for field in fields])
        self._matrix(summary)
        if len(summary.suites) > 1:
            for suite in sorted({cause.first.suite for cause in summary.failing_causes}):
                self._matrix(summary, suite)
        self._print()
        conclusion = summary.conclusion
        self._print(summary.closing_words(), "bold red" if conclusion.failed else "bold green")
        self._print(f"report: {short_path(self.directory)}", "dim")
        if conclusion.failed:
            self._print(printable(conclusion.line), "bold red")

    def _failures(self, summary: Summary) -> None:
        findings = summary.failing_causes
        for cause in findings[:MOST_BLOCKS]:
            self._print()
            self._lines(block(cause, summary, self.directory, self._console.width))
        more = len(findings) - MOST_BLOCKS
        if more > 0:
            self._print()
            self._print(f"and {counted(more, 'more cause')}: see {short_path(self.directory / RESULTS)}", "red")

    def _list(self, title: str, entries: list[str]) -> None:
        """Print a title and the first entries."""
        self._print()
        self._print(title, "bold")
        for entry in entries[:MOST_ASIDES]:
            self._print(printable(f"  {entry}"), "yellow")
        if len(entries) > MOST_ASIDES:
            self._print(f"  and {len(entries) - MOST_ASIDES:,} more; see {short_path(self.directory / RESULTS)}", "yellow")

    def _section(self, title: str, entries: Sequence[Finding | NotRun | Detail], colour: str) -> None:
        if not entries:
            return
        self._print()
        self._print(title, "bold")
        width = min(WIDEST_NAME, max(len(entry.what) for entry in entries))
        for entry in entries:
            first, *more = entry.why.splitlines() or [""]
            self._print(f"  {printable(entry.what):<{width}}  {printable(first)}", colour)
            for text in more:
                self._print(f"  {'':<{width}}  {printable(text)}", colour)

    def _matrix(self, summary: Summary, suite: str | None = None) -> None:
        clients, servers = summary.sides
        table = [[_field(summary, client, server, suite) for server in servers] for client in clients]
        corner = "client \\ server"
        shown = {name: in_lines(printable(name)) for name in (*clients, *servers)}
        first = max(map(len, (corner, *map(shown.__getitem__, clients))))
        widths = [max(len(shown[server]), *(len(row[column].plain) for row in table)) for column, server in enumerate(servers)]
        self._print()
        if suite:
            self._print(f"suite {suite}", "bold")
        self._row(Text(f"{corner:<{first}}", "dim"), [Text(shown[server], "bold") for server in servers], widths)
        for client, row in zip(clients, table, strict=True):
            self._row(Text(f"{shown[client]:<{first}}", "bold"), row, widths)

    def _row(self, head: Text, fields: list[Text], widths: list[int]) -> None:
        line = Text().append_text(head)  # not `head` itself: its style would spread over the whole line
        for field, width in zip(fields, widths, strict=True):
            line.append("  ")
            line.append(" " * (width - len(field.plain)))
            line.append_text(field)
        self._console.print(line, soft_wrap=True)

    def _lines(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._print(line.text, STYLES[line.tone])

    def _print(self, text: str = "", style: str = "") -> None:
        # Never wrapped: a replay line is copied as a whole.
        self._console.print(Text(in_lines(text), style), soft_wrap=True)


def _field(summary: Summary, client: str, server: str, suite: str | None) -> Text:
    pair = next((pair for pair in {*summary.info.pairs, *summary.pairs_run} if (pair.client, pair.server) == (client, server)), None)
    if pair is None:
        return Text(NOT_PLANNED, "dim")
    fraction, short = summary.fraction(pair, suite), summary.falls_short(pair)
    if fraction is None:
        return Text(NOT_RUN, "red" if short else "yellow")
    if not fraction.total:
        return Text(UNSUPPORTED, "dim")
    text = f"{fraction.passed:,}/{fraction.total:,}"
    if fraction.findings or (short and suite is None):
        return Text(f"✗ {text}", "red")
    return Text(text, "green" if fraction.passed == fraction.total else "yellow")
