"""`interop bench`: how fast pairs are, and what trees cost."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grpc_interop.bench import pairs
from grpc_interop.bench import trees as of_trees
from grpc_interop.commands.options import PAIRS, TREE, with_options
from grpc_interop.config import Options


@click.command()
@with_options(TREE, PAIRS)
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Writes the figures as JSON.")
@click.option("--seconds", type=click.FloatRange(0.1), default=2.0, show_default=True, help="How long each figure is measured.")
@click.option(
    "--tree",
    "trees",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Measures what this tree costs, in place of the pairs. May be repeated.",
)
@click.option("--growth", is_flag=True, help="The same of synthetic trees, of 1, 2, 4 and 8 times as many services.")
def command(options: Options, json_file: Path | None, seconds: float, trees: tuple[Path, ...], growth: bool) -> None:
    """Measures cases per second of the engine, and calls per second of the bare loop between the same processes; or what
    trees of protos cost: building, playing, memory."""
    sys.exit(of_trees.run(options, trees, json_file, growth=growth) if trees or growth else pairs.run(options, json_file, seconds))
