"""junit.xml: a testcase for each case, for CI systems that show test results."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from grpc_interop.core.verdict import Outcome
from grpc_interop.files.atomic import replacing
from grpc_interop.output.plain_text import printable
from grpc_interop.report.conclusion import FINDING
from grpc_interop.report.data import Detail, Lack, NotRun, RunInfo
from grpc_interop.report.failure import plain_lines, replay_options
from grpc_interop.report.protocol import Report
from grpc_interop.report.record import Record
from grpc_interop.report.summary import Summary

JUNIT = "junit.xml"

_ELEMENTS = {
    Outcome.FAILED: "failure",
    Outcome.UNEXPECTED_PASS: "failure",
    Outcome.ERROR: "error",
    Outcome.KNOWN_FAILURE: "skipped",
    Outcome.UNSUPPORTED: "skipped",
}
"""The element that says why a case did not pass. JUnit has no other word for an expected failure than `skipped`."""


class JUnit(Report):
    """Writes junit.xml into a folder. Testcases wait in a file without a name: their counts stand before them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._cases: IO[bytes] | None = None
        self._info: RunInfo | None = None

    def run_started(self, info: RunInfo) -> None:
        self._info = info
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / JUNIT).unlink(missing_ok=True)
        self._cases = tempfile.TemporaryFile(dir=self.directory)  # noqa: SIM115  open for the whole run

    def add(self, record: Record) -> None:
        assert self._cases is not None and self._info is not None, "run_started comes first"
        self._cases.write(_testcase(record, self.directory, self._info) + b"\n")

    def run_finished(self, summary: Summary) -> None:
        assert self._cases is not None, "run_started comes first"
        with self._cases as cases, replacing(self.directory / JUNIT) as whole:
            suites, suite = _counts(summary, "testsuites"), _counts(summary, "testsuite")
            whole.write(b'<?xml version="1.0" encoding="utf-8"?>\n' + _opening(suites) + _opening(suite))
            cases.seek(0)
            shutil.copyfileobj(cases, whole)
            for testcase in _beside(summary):
                whole.write(ElementTree.tostring(testcase, encoding="utf-8") + b"\n")
            whole.write(b"</testsuite>\n</testsuites>\n")


def _testcase(record: Record, directory: Path, info: RunInfo) -> bytes:
    service, _, method = record.method.removeprefix("/").rpartition("/")
    classname, name = _clean(f"{record.suite}.{service}".rstrip(".")), _clean(f"{method}/{record.name}[{record.pair}]")
    time = f"{record.seconds:.6f}"
    if record.outcome is Outcome.PASSED:
        # By hand: nearly all cases come here, and ElementTree takes five times as long.
        return f'<testcase classname={quoteattr(classname)} name={quoteattr(name)} time="{time}" />'.encode()
    element = ElementTree.Element("testcase", classname=classname, name=name, time=time)
    said = ElementTree.SubElement(element, _ELEMENTS[record.outcome], message=_clean(record.known or record.reason))
    if _ELEMENTS[record.outcome] != "skipped":
        said.set("type", record.outcome.value)
        said.text = _clean("\n".join(plain_lines(record, directory, replay_options(record, info, directory))))
    written: bytes = ElementTree.tostring(element, encoding="utf-8")
    return written


def _beside(summary: Summary) -> Iterator[ElementTree.Element]:
    """Yield a testcase for each failure that is not a case, so that no CI system shows the run as passed, and for everything
    that was not run and fails nothing."""
    for reason, detail in summary.conclusion.failures_beside_cases:
        yield _entry(reason.kind, detail, "failure" if reason.exit_status == FINDING else "error")
    for entry in _skipped(summary):
        yield _entry("not_run", Detail(entry.what, entry.why), "skipped")


def _skipped(summary: Summary) -> list[NotRun]:
    return summary.not_run_by_reason([lack for lack in Lack if lack not in summary.conclusion.failing])


def _entry(kind: str, detail: Detail, tag: str) -> ElementTree.Element:
    element = ElementTree.Element("testcase", classname=f"interop.{kind}", name=_clean(detail.what), time="0")
    said = ElementTree.SubElement(element, tag, message=_clean(detail.why))
    if tag != "skipped":
        said.set("type", kind)
        said.text = _clean(f"{detail.what}: {detail.why}")
    return element


def _counts(summary: Summary, tag: str) -> ElementTree.Element:
    totals = summary.totals
    beside, skipped = summary.conclusion.failures_beside_cases, _skipped(summary)
    findings = sum(reason.exit_status == FINDING for reason, _ in beside)
    return ElementTree.Element(
        tag,
        name=_clean(summary.info.title),
        tests=str(summary.cases + len(beside) + len(skipped)),
        failures=str(totals[Outcome.FAILED] + totals[Outcome.UNEXPECTED_PASS] + findings),
        errors=str(totals[Outcome.ERROR] + len(beside) - findings),
        skipped=str(totals[Outcome.KNOWN_FAILURE] + totals[Outcome.UNSUPPORTED] + len(skipped)),
        time=f"{summary.seconds:.3f}",
    )


def _opening(element: ElementTree.Element) -> bytes:
    """Return an element's opening tag alone."""
    whole: bytes = ElementTree.tostring(element, encoding="utf-8")
    return whole.removesuffix(b" />") + b">\n"


def _clean(text: str) -> str:
    """Return the text without control characters, which XML 1.0 cannot hold, not even escaped."""
    return printable(text, keep="\n\t")
