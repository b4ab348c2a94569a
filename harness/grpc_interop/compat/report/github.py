"""A comparison for GitHub Actions: a part of the job's summary, and annotations beside the lines of the protos."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from grpc_interop.compat.report import wording
from grpc_interop.compat.report.markdown import markdown
from grpc_interop.compat.vocabulary.result import ChangeVerdict, ReportedFinding, Result, SourceLocation
from grpc_interop.output.escaping import annotation

MOST = 10
"""GitHub shows ten annotations for each step."""

_LEVELS = {ChangeVerdict.BREAK: "error", ChangeVerdict.ACCEPTED: "notice", ChangeVerdict.NOTE: "notice"}


def write_summary(result: Result, directory: Path, environment: Mapping[str, str]) -> None:
    """Append to the file that GITHUB_STEP_SUMMARY names, if it is set."""
    if file := environment.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(markdown(result, directory))


def commands(result: Result, folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield lines for stdout where GITHUB_ACTIONS is set, breaks first. `folder` is the project's: GitHub expects paths from
    the top of the checkout."""
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    top = Path(environment.get("GITHUB_WORKSPACE") or folder)
    findings, missing = result.findings(*_LEVELS), wording.not_run(result)
    if result.exit_status and not missing and not result.findings(ChangeVerdict.BREAK):
        yield annotation("error", wording.failure(result), title="interop compat")
    for skipped in missing[: MOST // 2]:
        yield annotation("error", skipped.why, title=f"not run: {skipped.what}")
    for entry in findings[: MOST - min(len(missing), MOST // 2)]:
        finding = entry.finding
        file, line = _place(finding.place, folder, top)
        yield annotation(_LEVELS[finding.verdict], _text(entry, result), file=file, line=line, title=finding.element)


def _place(place: SourceLocation | None, folder: Path, top: Path) -> tuple[str, str]:
    """Return file and line in the checkout; empty for a file outside of it."""
    file = os.path.relpath(folder / place.path, top) if place and place.path else os.pardir
    return ("", "") if place is None or file.startswith(os.pardir) else (file, str(place.line or 1))


def _text(entry: ReportedFinding, result: Result) -> str:
    finding = entry.finding
    parts = [wording.change(finding), wording.happening(finding), wording.acceptance(finding), wording.against(entry, result)]
    return "\n".join(filter(None, [*parts, f"buf: {wording.alarms(entry)}"]))
