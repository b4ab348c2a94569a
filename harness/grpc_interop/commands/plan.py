"""`interop plan`: a run split for a CI matrix."""

import json
import shlex
from pathlib import Path

import click

from grpc_interop.commands.options import CHOICE, TREE, with_options
from grpc_interop.config import Options, as_arguments
from grpc_interop.output.console import say
from grpc_interop.output.plain_text import counted
from grpc_interop.session.listing import check_selection, selected


@click.command()
@with_options(TREE, CHOICE)
@click.option("--shards", type=click.IntRange(1), default=4, show_default=True, help="Into how many jobs to split.")
def command(options: Options, shards: int) -> None:
    """Print the run split for a CI matrix, as JSON for `fromJSON`."""
    print_plan(options, shards)


def print_plan(options: Options, shards: int) -> None:
    """Print a JSON object for a CI matrix: `include` is a list of jobs, each with the `shard` and the `args` of its
    `interop run`. Raise UsageError when nothing is selected."""
    check_selection(options)
    number = sum(1 for _ in selected(options))
    of = min(shards, number)
    chosen = shlex.join(as_arguments(options, relative_to=Path.cwd()))
    include = [{"shard": f"{k}/{of}", "args": f"--shard {k}/{of} {chosen}".strip()} for k in range(1, of + 1)]
    say(json.dumps({"include": include}))
    say(f"{counted(number, 'case')} in {counted(of, 'shard')}", err=True)
