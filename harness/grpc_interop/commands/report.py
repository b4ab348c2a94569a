"""`interop report`: merge the reports of shards."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from grpc_interop.commands.options import REPORT
from grpc_interop.config import find_project, in_continuous_integration
from grpc_interop.report import Recorder, merge, standard_reports


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@REPORT
def command(folders: tuple[Path, ...], report: Path | None) -> None:
    """Merge the reports of shards, and render the merged report."""
    sys.exit(merge_reports(folders, Path.cwd() / (report or find_project().make_state_folder() / "report")))


def merge_reports(folders: Sequence[Path], directory: Path, *, interrupted: bool = False) -> int:
    """Merge the folders of shards, and render the merged report. Return the exit status: the worst of the shards, 3 where a shard
    is missing, and 2 where cases that did not run must run (CI=true). `interrupted`: the shards were told to end early.
    Raise ReportError for folders that cannot be merged."""
    recorder = Recorder(directory, standard_reports(directory))
    summary = merge(folders, recorder, strict=in_continuous_integration(), interrupted=interrupted)
    return summary.conclusion.exit_status
