"""Reports only render verdicts: nothing here judges, and nothing else prints results.

    recorder = Recorder(directory, standard_reports(directory), describe=catalog.describe, replay_text=...)
    recorder.run_started(RunInfo("interop run", seed, pairs, implementations))
    recorder.note_progress("building go")          # a milestone
    recorder.set_versions(Implementation("go", "go 1.26.8", "1.85.0", "1.36.12"))
    recorder.not_run("java:go", "no JDK found")
    recorder.add(verdict)                          # for every case; or add_record(record) from another process
    summary = recorder.run_finished(seconds)       # writes the files, prints the matrix; interrupted=True after Ctrl-C
    summary.conclusion.exit_status

    merge(shards, Recorder(directory, standard_reports(directory)))

A new form is a class that overrides methods of Report (protocol.py), in a file of its own. docs/reading-a-report.md shows
the reports to people.
"""

import os
from pathlib import Path
from typing import IO

from grpc_interop.report.data import Implementation, NotRun, ReportError, RunInfo
from grpc_interop.report.forms.github import GitHub
from grpc_interop.report.forms.junit import JUnit
from grpc_interop.report.forms.page import Page
from grpc_interop.report.forms.results import Results
from grpc_interop.report.forms.terminal import Terminal
from grpc_interop.report.merge import merge
from grpc_interop.report.protocol import Report
from grpc_interop.report.record import Record, from_json, record_of, to_json
from grpc_interop.report.recorder import Recorder
from grpc_interop.report.summary import Summary

__all__ = [
    "Implementation",
    "NotRun",
    "Record",
    "Recorder",
    "Report",
    "ReportError",
    "RunInfo",
    "Summary",
    "from_json",
    "merge",
    "record_of",
    "report_files",
    "standard_reports",
    "to_json",
]


def standard_reports(directory: Path, out: IO[str] | None = None, *, quiet: bool = False) -> list[Report]:
    """Return the reports of every run: files in `directory`, GitHub's in its environment, and the terminal (`out`, stdout by
    default; without progress if `quiet`), which comes last because it names the files."""
    terminal = Terminal(directory, out, quiet=quiet)
    return [*report_files(directory), GitHub(directory, os.environ, out), terminal]


def report_files(directory: Path) -> list[Report]:
    """Return the reports that are files in `directory`. results.json comes last: its presence shows a complete report."""
    return [JUnit(directory), Page(directory), Results(directory)]
