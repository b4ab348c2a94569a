"""junit.xml: one testcase per case, for CI systems that show test results."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from grpc_interop.report.failure import plain_lines
from grpc_interop.report.plain_text import printable
from grpc_interop.report.protocol import RunInfo
from grpc_interop.report.records import Record
from grpc_interop.report.summary import Summary
from grpc_interop.verdict import Outcome
from grpc_interop.writing import replacing

JUNIT = "junit.xml"

_ELEMENTS = {
    Outcome.FAILED: "failure",
    Outcome.UNEXPECTED_PASS: "failure",
    Outcome.ERROR: "error",
    Outcome.KNOWN_FAILURE: "skipped",
    Outcome.UNSUPPORTED: "skipped",
}
"""The element that says why a case did not pass. JUnit has no word for an expected failure but `skipped`."""


class JUnit:
    """Writes junit.xml into a folder. Testcases wait in a file without a name: their counts stand before them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._cases: IO[bytes] | None = None

    def run_started(self, info: RunInfo) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / JUNIT).unlink(missing_ok=True)
        self._cases = tempfile.TemporaryFile(dir=self.directory)  # noqa: SIM115  open for the whole run

    def note_progress(self, text: str, *, lasting: bool = False) -> None:
        pass

    def add(self, record: Record) -> None:
        assert self._cases is not None, "run_started comes first"
        self._cases.write(_testcase(record, self.directory) + b"\n")

    def run_finished(self, summary: Summary) -> None:
        assert self._cases is not None, "run_started comes first"
        with self._cases as cases, replacing(self.directory / JUNIT) as whole:
            suites, suite = _counts(summary, "testsuites"), _counts(summary, "testsuite")
            whole.write(b'<?xml version="1.0" encoding="utf-8"?>\n' + _opening(suites) + _opening(suite))
            cases.seek(0)
            shutil.copyfileobj(cases, whole)
            whole.write(b"</testsuite>\n</testsuites>\n")


def _testcase(record: Record, directory: Path) -> bytes:
    service, _, method = record.method.removeprefix("/").rpartition("/")
    classname, name = _clean(f"{record.suite}.{service}".rstrip(".")), _clean(f"{method}/{record.name}[{record.pair}]")
    time = f"{record.seconds:.6f}"
    if record.outcome is Outcome.PASSED:
        # By hand: nearly all cases come here, and ElementTree takes five times as long.
        return f'<testcase classname={quoteattr(classname)} name={quoteattr(name)} time="{time}" />'.encode()
    element = ElementTree.Element("testcase", classname=classname, name=name, time=time)
    said = ElementTree.SubElement(element, _ELEMENTS[record.outcome], message=_clean(record.reason))
    if _ELEMENTS[record.outcome] != "skipped":
        said.set("type", record.outcome.value)
        said.text = _clean("\n".join(plain_lines(record, directory)))
    written: bytes = ElementTree.tostring(element, encoding="utf-8")
    return written


def _counts(summary: Summary, tag: str) -> ElementTree.Element:
    totals = summary.totals
    return ElementTree.Element(
        tag,
        name=_clean(summary.info.title),
        tests=str(summary.cases),
        failures=str(totals[Outcome.FAILED] + totals[Outcome.UNEXPECTED_PASS]),
        errors=str(totals[Outcome.ERROR]),
        skipped=str(totals[Outcome.KNOWN_FAILURE] + totals[Outcome.UNSUPPORTED]),
        time=f"{summary.seconds:.3f}",
    )


def _opening(element: ElementTree.Element) -> bytes:
    """An element's opening tag alone."""
    whole: bytes = ElementTree.tostring(element, encoding="utf-8")
    return whole.removesuffix(b" />") + b">\n"


def _clean(text: str) -> str:
    """XML 1.0 cannot hold control characters, not even escaped."""
    return printable(text, keep="\n\t")
