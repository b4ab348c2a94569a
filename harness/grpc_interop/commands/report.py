"""`interop report`: the reports of shards as one."""

from __future__ import annotations

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
    """Merges the reports of shards into one, and renders it again."""
    sys.exit(merge_reports(folders, Path.cwd() / (report or find_project().make_state_folder() / "report")))


def merge_reports(folders: Sequence[Path], directory: Path, *, interrupted: bool = False) -> int:
    """Merges the folders of shards into one, renders it, and gives the exit status: that of the worst of them, 3 where one is
    missing, and 2 where what was not run must be there (CI=true). `interrupted`: the shards were to end before their
    time. Raises ReportError for folders that cannot be merged."""
    recorder = Recorder(directory, standard_reports(directory))
    summary = merge(folders, recorder, strict=in_continuous_integration(), interrupted=interrupted)
    return summary.conclusion.exit_status
