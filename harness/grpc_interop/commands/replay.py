"""`interop replay`: play a case, or an exchange between two versions, again."""

import sys
from pathlib import Path
from typing import Any

import click

from grpc_interop.commands.options import REPORT, TREE, with_options
from grpc_interop.config import Options
from grpc_interop.repro.replay import replay


@click.command()
@with_options(TREE)
@click.argument("what", metavar="TEXT|FILE|ID")
@REPORT
@click.option(
    "--times",
    type=click.IntRange(1),
    default=None,
    help="Play it so often; by default once, and a failure that comes and goes several times.",
)
@click.option(
    "--export",
    "export_to",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write a reproduction that stands alone: protos, two programs, README.",
)
def command(options: Options, what: str, times: int | None, export_to: Path | None, **_: Any) -> None:
    """Play a case again, verbosely: a replay text, a file with a replay text, or a case's id from the last report.

    Ends in FIXED if it passes each time (in PASSED, where a failure comes and goes too seldom for that to prove anything),
    else in FAILED, or in ERROR where it cannot be judged.
    """
    sys.exit(replay(options, what, times, export_to))
