"""Takes verdicts and hands records to all reports."""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from grpc_interop.core.verdict import Outcome, Verdict
from grpc_interop.files.atomic import write_whole
from grpc_interop.output.plain_text import Describe, escaped_bytes
from grpc_interop.report.conclusion import conclude
from grpc_interop.report.data import Finding, Implementation, Lack, LeftOut, NotRun, Reason, RunInfo, UnwrittenError
from grpc_interop.report.folder import claim
from grpc_interop.report.protocol import Report
from grpc_interop.report.record import REPLAYS, Record, record_of
from grpc_interop.report.summary import Summary
from grpc_interop.values.coverage import Uncovered

LONGEST_REPLAY = 2_000
"""Characters of a replay text that is printed. A longer text is written to a file: terminals, chats and shells cut or wrap it,
and nobody scrolls past it."""

MOST_IN_FULL = 20
"""How many cases of a cause get their conversation, attachments and replay text. Further cases are the same again, and a
broken driver has thousands of them; they can be replayed by their id."""


class Recorder:
    """The way into all reports; not thread-safe.

    `directory` is the report folder. `describe` shows messages. `replay_text` returns the text for `interop replay` of a verdict
    (grpc_interop.repro.case_text.encode), and is only called for cases that did not pass.
    """

    def __init__(
        self,
        directory: Path,
        reports: Sequence[Report],
        *,
        describe: Describe = escaped_bytes,
        replay_text: Callable[[Verdict], str] | None = None,
    ) -> None:
        self.directory = directory
        self._reports = list(reports)
        self._unwritten: list[OSError] = []
        self._describe = describe
        self._replay_text = replay_text
        self._summary: Summary | None = None
        self._open = ExitStack()

    @property
    def summary(self) -> Summary:
        """Return the summary so far."""
        assert self._summary is not None, "run_started comes first"
        return self._summary

    def run_started(self, info: RunInfo) -> None:
        """Begin all reports. Raise ReportError where nothing can be written."""
        self._open.enter_context(claim(self.directory))
        self._summary = Summary(info)
        self._each(lambda report: report.run_started(info))

    def note_progress(self, text: str, *, lasting: bool = False) -> None:
        """Show a milestone in one line; see Report."""
        self._each(lambda report: report.note_progress(text, lasting=lasting))

    def set_versions(self, implementation: Implementation) -> None:
        """Take the versions of an implementation."""
        self.summary.set_versions(implementation)

    def not_run(self, what: str, why: str, lack: Lack = Lack.UNAVAILABLE, suites: tuple[str, ...] = ()) -> None:
        """Take something planned that will not run: a pair `java:go`, or an implementation `java` with all its pairs; see NotRun."""
        self.summary.not_run.append(NotRun(what, why, lack, suites))

    def stopped(self, exit_status: int, words: str) -> None:
        """Take an error that ends the run before its time."""
        self.summary.stopped.append(Reason(exit_status, "stopped", words))

    def shard_ended(self, exit_status: int, words: str) -> None:
        """Take how a shard of this merged report ended."""
        self.summary.shards.append(Reason(exit_status, "shard", words))

    def left_out(self, what: str, cases: int, why: str) -> None:
        """Take something that was left out on purpose; see LeftOut."""
        self.summary.left_out.append(LeftOut(what, cases, why))

    def uncovered(self, entries: Iterable[Uncovered]) -> None:
        """Take the fields that no passed case carried; empty if every field was carried."""
        self.summary.uncovered = list(entries)

    def add_finding(self, finding: Finding) -> None:
        """Take a failure that is not a case."""
        self.summary.findings.append(finding)

    def add(self, verdict: Verdict) -> None:
        """Take the verdict of a case."""
        if verdict.outcome is Outcome.PASSED:
            self.add_record(record_of(verdict, self._describe))
            return
        brief = record_of(verdict, self._describe, in_full=False)
        if self.summary.count_like(brief) >= MOST_IN_FULL and not verdict.shrunk:
            self.add_record(replace(brief, replay=verdict.id))
        else:
            replay = self._replay(verdict)
            self.add_record(record_of(verdict, self._describe, replay=replay, directory=self.directory))

    def add_record(self, record: Record) -> None:
        """Take a case that was recorded elsewhere: in another process or another run."""
        self.summary.add(record)
        self._each(lambda report: report.add(record))

    def run_finished(self, seconds: float, *, interrupted: bool = False) -> Summary:
        """Write all files and return the summary. Without this call no file appears. Raise UnwrittenError, after writing as much
        as possible, where the disk was full, for instance."""
        self.summary.finish(seconds, interrupted=interrupted)
        self.summary.conclusion = conclude(self.summary)
        self._each(lambda report: report.run_finished(self.summary))
        self._open.close()
        if self._unwritten:
            raise UnwrittenError(self.directory, self._unwritten)
        return self.summary

    def _each(self, call: Callable[[Report], None]) -> None:
        """Call every report. A report that cannot write any more is not called again, and the others are unaffected."""
        for report in tuple(self._reports):
            try:
                call(report)
            except BrokenPipeError:  # nobody reads the terminal any more, which ends the command
                raise
            except OSError as error:
                self._reports.remove(report)
                self._unwritten.append(error)

    def _replay(self, verdict: Verdict) -> str | None:
        if self._replay_text is None:
            return None
        text = self._replay_text(verdict)
        if len(text) <= LONGEST_REPLAY:
            return text
        name = f"{REPLAYS}/{_file_name(verdict.id)}"
        try:
            write_whole(self.directory / name, text + "\n")
        except OSError as error:
            self._unwritten.append(error)
            return verdict.id
        return name


def _file_name(case_id: str) -> str:
    """Return a case's id as a file name that needs no quoting in a shell."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", case_id).strip("_")[-200:] + ".ic1"
