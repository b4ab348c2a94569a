"""report.html: the run as a page that opens offline, for people who did not see the run."""

from pathlib import Path
from typing import Any

from grpc_interop.core.case import Kind
from grpc_interop.core.verdict import Outcome, Pair
from grpc_interop.files.atomic import replacing
from grpc_interop.output.plain_text import counted, printable
from grpc_interop.report.conversation import Row
from grpc_interop.report.data import RunInfo
from grpc_interop.report.failure import LOG_LINES, replay_command, replay_options
from grpc_interop.report.protocol import Report
from grpc_interop.report.summary import Cause, Fraction, Summary, fraction_of

PAGE = "report.html"

MOST_CAUSES = 50
"""Ten times as many as a terminal shows; nobody scrolls through a longer page. results.json has all."""

_ORDER = {kind.value: place for place, kind in enumerate(Kind)}
"""The place of each kind of RPC; other kinds, such as a message case's, come after them."""

_COLOURS = {
    Outcome.PASSED: "good",
    Outcome.KNOWN_FAILURE: "known",
    Outcome.UNSUPPORTED: "none",
    Outcome.FAILED: "bad",
    Outcome.ERROR: "bad",
    Outcome.UNEXPECTED_PASS: "bad",
}


class Page(Report):
    """Writes report.html into a folder."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def run_started(self, info: RunInfo) -> None:
        (self.directory / PAGE).unlink(missing_ok=True)

    def run_finished(self, summary: Summary) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        with replacing(self.directory / PAGE) as file:
            file.write(page(summary, self.directory).encode("utf-8", "backslashreplace"))


def page(summary: Summary, directory: Path) -> str:
    """Return the page as HTML; the template engine escapes everything from outside."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("grpc_interop.report.forms", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value, keep="\n\t") if isinstance(value, str) else value,
    )
    clients, servers = summary.sides
    return environment.get_template("page.html").render(
        summary=summary,
        clients=clients,
        servers=servers,
        matrix={(client, server): _field(summary, Pair(client, server)) for client in clients for server in servers},
        share=_share(summary),
        breakdown=_breakdown(summary),
        pairs=sorted(map(str, summary.pairs_run)),
        causes=[_cause(cause, summary, directory) for cause in summary.failing_causes[:MOST_CAUSES]],
        more_causes=max(0, len(summary.failing_causes) - MOST_CAUSES),
        sections=[(title, entries[:MOST_CAUSES], max(0, len(entries) - MOST_CAUSES)) for title, entries in summary.sections],
        asides=[("Known failures", summary.known_failures), ("Unsupported", summary.unsupported)],
    )


def _field(summary: Summary, pair: Pair) -> dict[str, str]:
    fraction, short = summary.fraction(pair), summary.falls_short(pair)
    if fraction is not None:
        shown = _shown(fraction)
        return shown | {"look": "bad"} if short else shown
    return {"text": "not run", "look": "bad" if short else "known"} if pair in summary.info.pairs else {"text": "", "look": "none"}


def _shown(fraction: Fraction) -> dict[str, str]:
    if not fraction.total:
        return {"text": "unsupported", "look": "none"}
    look = "bad" if fraction.findings else "good" if fraction.passed == fraction.total else "known"
    return {"text": f"{fraction.passed:,}/{fraction.total:,}", "look": look}


def _share(summary: Summary) -> list[dict[str, Any]]:
    """Return the bar over the page: a piece per outcome, in thousandths of its width."""
    pieces, start = [], 0.0
    for outcome, colour in _COLOURS.items():
        if count := summary.totals[outcome]:
            # Wide enough to be seen, however few.
            width = max(6.0, 1000 * count / summary.cases)
            words = f"{count:,} {outcome.value.replace('_', ' ')}"
            pieces.append({"start": start, "width": width, "look": colour, "words": words})
            start += width
    return pieces


def _breakdown(summary: Summary) -> list[dict[str, Any]]:
    """Return a row per suite and kind, a field per pair."""
    rows = []
    for suite in summary.suites:
        kinds = {cell.kind for cell in summary.cells if cell.suite == suite}
        for kind in sorted(kinds, key=lambda kind: (_ORDER.get(kind, len(_ORDER)), kind)):
            cells = {str(cell.pair): counts for cell, counts in summary.cells.items() if (cell.suite, cell.kind) == (suite, kind)}
            rows.append({"suite": suite, "kind": kind, "fields": {pair: _shown(fraction_of(counts)) for pair, counts in cells.items()}})
    return rows


def _cause(cause: Cause, summary: Summary, directory: Path) -> dict[str, Any]:
    record = cause.first
    return {
        "record": record,
        "count": counted(cause.count, "case"),
        "extent": summary.extent(cause),
        "methods": sorted(cause.methods),
        "rows": [_row(row) for row in record.conversation],
        "attachments": [each._replace(text="\n".join(each.text.splitlines()[-LOG_LINES:])) for each in record.attachments],
        "replay": replay_command(record, directory, replay_options(record, summary.info, directory)) if record.replay else "",
    }


def _row(row: Row) -> dict[str, str]:
    return {**row._asdict(), "arrow": {"->": "→", "<-": "←"}.get(row.arrow, "")}
