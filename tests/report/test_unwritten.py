"""Reports that cannot be written: the others go on, and the run ends with a sentence."""

import errno
import io
from pathlib import Path

import pytest

from conversations import GO_PY, PY_GO, describe, hello, passed
from grpc_interop.errors import InteropError
from grpc_interop.report import Implementation, Record, Recorder, RunInfo, Summary
from grpc_interop.report.forms.terminal import Terminal


class OnAFullDisk:
    """A report that fails at one of its calls, as a disk without room makes it."""

    def __init__(self, at: str) -> None:
        self._at = at

    def _fail(self, at: str) -> None:
        if at == self._at:
            raise OSError(errno.ENOSPC, "No space left on device")

    def run_started(self, info: RunInfo) -> None:
        self._fail("run_started")

    def note_progress(self, text: str, *, lasting: bool = False) -> None:
        self._fail("note_progress")

    def add(self, record: Record) -> None:
        self._fail("add")

    def run_finished(self, summary: Summary) -> None:
        self._fail("run_finished")


@pytest.mark.parametrize("at", ["run_started", "note_progress", "add", "run_finished"])
def test_the_terminal_shows_what_was_found_though_no_file_can_be_written(tmp_path: Path, at: str) -> None:
    out = io.StringIO()
    recorder = Recorder(tmp_path, [OnAFullDisk(at), Terminal(tmp_path, out)], describe=describe)
    recorder.run_started(RunInfo("interop run", 1, (PY_GO, GO_PY), (Implementation("py"),)))
    recorder.note_progress("built py")
    recorder.add(passed(hello(), GO_PY))
    recorder.add(passed(hello(), GO_PY))
    with pytest.raises(InteropError) as error:
        recorder.run_finished(1.0)
    assert error.value.exit_status == 3
    assert error.value.what == f"No space left on device: cannot write {tmp_path}"
    assert "2 cases: 2 passed" in out.getvalue()


def test_a_terminal_that_nobody_reads_ends_the_run(tmp_path: Path) -> None:
    class Closed(Terminal):
        def run_started(self, info: RunInfo) -> None:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        Recorder(tmp_path, [Closed(tmp_path, io.StringIO())]).run_started(RunInfo("interop run", 1, (), ()))
