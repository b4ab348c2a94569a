"""`interop bench`: the speed of pairs, or the cost of trees."""

import sys
from pathlib import Path

import click

from grpc_interop.bench import pairs
from grpc_interop.bench import trees as tree_costs
from grpc_interop.commands.options import PAIRS, TREE, with_options
from grpc_interop.config import Options


@click.command()
@with_options(TREE, PAIRS)
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the figures as JSON.")
@click.option("--seconds", type=click.FloatRange(0.1), default=2.0, show_default=True, help="How long each figure is measured.")
@click.option(
    "--tree",
    "trees",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Measure the cost of this tree, in place of the pairs. May be repeated.",
)
@click.option("--growth", is_flag=True, help="Measure synthetic trees with 1, 2, 4 and 8 times as many services.")
def command(options: Options, json_file: Path | None, seconds: float, trees: tuple[Path, ...], growth: bool) -> None:
    """Measure cases per second of the engine, and calls per second of the bare loop between the same processes; or the cost
    of trees of protos: building, playing, memory."""
    sys.exit(tree_costs.run(options, trees, json_file, growth=growth) if trees or growth else pairs.run(options, json_file, seconds))
