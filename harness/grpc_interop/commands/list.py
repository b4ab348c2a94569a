"""`interop list`: what would run, one case a line."""

from __future__ import annotations

import click

from grpc_interop.commands.options import CHOICE, TREE, with_options
from grpc_interop.config import Options
from grpc_interop.output.console import say
from grpc_interop.output.plain_text import counted
from grpc_interop.session.listing import check_selection, selected
from grpc_interop.session.protos import unseen


@click.command()
@with_options(TREE, CHOICE)
def command(options: Options) -> None:
    """Lists what would run, one case a line."""
    print_cases(options)


def print_cases(options: Options) -> None:
    """Raises UsageError when nothing is selected."""
    check_selection(options)
    number = 0
    for case, pair in selected(options):
        say(f"{case.id}[{pair}]")
        number += 1
    say(counted(number, "case"), err=True)
    for why in unseen(options).values():
        say(f"not listed: {why}", err=True)
