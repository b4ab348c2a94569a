"""Attachments and raw transcripts: what a verdict brings along beside its text reaches every form of report."""

import io
from dataclasses import replace
from pathlib import Path

from conversations import PY_GO, PY_PY, hello, lost_end, observed, passed
from grpc_interop.core.case import Status
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import END, ClientTranscript, Observation
from grpc_interop.core.verdict import LOG, Attachment
from grpc_interop.report import Record, Recorder, Report, RunInfo, Summary, from_json, merge, standard_reports, to_json
from grpc_interop.report.record import MOST_TRANSCRIPT_BYTES
from grpc_interop.report.recorder import MOST_IN_FULL

CLIENT_LOG = Attachment(LOG, "py client", "logs/py-client-1.log", "last words")
STACK_DUMP = Attachment("stack dump", "go server", text="goroutine 1 [select]\nmain.main()")


class Drawing(Report):
    """A form of report: draws the raw transcripts of each case that did not pass, and lists its attachments."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.records: list[Record] = []

    def run_started(self, info: RunInfo) -> None:
        self.lines.append(info.title)

    def add(self, record: Record) -> None:
        self.records.append(record)
        for side, transcript in zip(Side, (record.client_transcript, record.server_transcript), strict=True):
            for lane in transcript.lanes if transcript else ():
                self.lines.append(f"{side}: {' '.join(map(_mark, lane))}")
        self.lines += [f"{attachment.kind} of {attachment.name}" for attachment in record.attachments]

    def run_finished(self, summary: Summary) -> None:
        self.lines.append(summary.closing_words())


def _mark(observation: Observation) -> str:
    return f"<{observation.decode()}>" if isinstance(observation, bytes) else observation.value


def run(directory: Path, *verdicts: object) -> tuple[Drawing, str]:
    """What the drawing and the terminal show of a run."""
    drawing, out = Drawing(), io.StringIO()
    recorder = Recorder(directory, [drawing, *standard_reports(directory, out)])
    recorder.run_started(RunInfo("interop run", 1, (PY_GO,)))
    for verdict in verdicts:
        recorder.add(verdict)  # type: ignore[arg-type]
    recorder.run_finished(1.0)
    return drawing, out.getvalue()


def test_a_form_of_report_draws_the_transcripts_and_lists_the_attachments(tmp_path: Path) -> None:
    drawing, _ = run(tmp_path, lost_end(count=2, attachments=(CLIENT_LOG, STACK_DUMP)))
    assert drawing.lines == [
        "interop run",
        "client: <y1> <y2> end",
        "server: <x1> <x2>",
        "log of py client",
        "stack dump of go server",
        "1 case: 0 passed, 1 failed · 1.0 s · seed 1",
    ]


def test_an_attachment_of_any_kind_is_in_all_files_and_survives_a_merge(tmp_path: Path) -> None:
    _, shown = run(tmp_path / "one", lost_end(attachments=(CLIENT_LOG, STACK_DUMP)))
    assert "go server stack dump" in shown
    assert "| main.main()" in shown
    for name in ("junit.xml", "report.html"):
        assert "goroutine 1 [select]" in (tmp_path / "one" / name).read_text()
    again = Drawing()
    merge([tmp_path / "one"], Recorder(tmp_path / "again", [again]))
    assert [attachment._replace(path="") for record in again.records for attachment in record.attachments] == [
        CLIENT_LOG._replace(path=""),
        STACK_DUMP,
    ]


def test_a_record_that_was_read_again_has_all_but_the_transcripts(tmp_path: Path) -> None:
    drawing, _ = run(tmp_path, lost_end(attachments=(STACK_DUMP,)))
    (record,) = drawing.records
    assert record.client_transcript is not None
    assert from_json(to_json(record)) == record == replace(record, client_transcript=None)
    assert from_json(to_json(record)).client_transcript is None


def test_transcripts_are_kept_of_few_cases_and_only_while_they_are_small(tmp_path: Path) -> None:
    """Not of cases that passed, nor of the many that are the same again, nor of messages of megabytes."""
    huge = ClientTranscript(((b"x" * MOST_TRANSCRIPT_BYTES, b"x", END),), (), Status(0))
    drawing, _ = run(
        tmp_path, passed(hello()), observed(hello("huge"), PY_GO, huge), *(lost_end(name=f"{n}") for n in range(MOST_IN_FULL + 2))
    )
    assert [record.client_transcript is not None for record in drawing.records] == [False, False, *[True] * MOST_IN_FULL, False, False]


def test_the_record_of_a_cause_has_its_transcripts_at_the_end(tmp_path: Path) -> None:
    """A page is written when the run is finished, from the summary."""
    recorder = Recorder(tmp_path, [])
    recorder.run_started(RunInfo("interop run", 1, (PY_PY,)))
    recorder.add(lost_end(PY_PY, name="shown"))
    summary = recorder.run_finished(1.0)
    assert [cause.first.client_transcript is not None for cause in summary.failing_causes] == [True]
