"""The base of all forms of the report: a form is a class that overrides some of these methods, in a file of its own under
forms/."""

from grpc_interop.report.data import RunInfo
from grpc_interop.report.record import Record
from grpc_interop.report.summary import Summary


class Report:
    """A form of the report. Called from one thread, in the order of the methods below."""

    def run_started(self, info: RunInfo) -> None:
        """Begin the report. Called once, before anything else."""

    def note_progress(self, text: str, *, lasting: bool = False) -> None:
        """Show a milestone, in one line (`building go`, `driver py restarted`); each form counts cases itself.
        `lasting`: the line stays worth seeing when the next arrives."""

    def add(self, record: Record) -> None:
        """Take the record of a case that is done. Must not keep records of passing cases: there may be millions."""

    def run_finished(self, summary: Summary) -> None:
        """Write the report. Called once, after everything else, also when the run was interrupted. Files appear only now."""
