"""`interop list`: the cases that would run."""

from collections import Counter

import click

from grpc_interop.commands.options import CHOICE, TREE, with_options
from grpc_interop.config import Options
from grpc_interop.output.console import say
from grpc_interop.output.plain_text import counted
from grpc_interop.session.listing import check_selection, selected
from grpc_interop.session.protos import unseen
from grpc_interop.suites import SUITES


@click.command()
@with_options(TREE, CHOICE)
def command(options: Options) -> None:
    """List the cases that would run, one a line; then, on standard error, the subjects of their suites."""
    print_cases(options)


def print_cases(options: Options) -> None:
    """Print the id of each case. Raise UsageError when nothing is selected."""
    check_selection(options)
    numbers: Counter[str] = Counter()
    for case, pair in selected(options):
        say(f"{case.id}[{pair}]")
        numbers[case.suite] += 1
    for name in numbers:
        say(f"{name}: {SUITES[name].about}", err=True)
    say(counted(numbers.total(), "case"), err=True)
    for why in unseen(options).values():
        say(f"not listed: {why}", err=True)
