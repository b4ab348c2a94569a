"""`interop compat`: old protos against new. The comparison itself is compat/compare.py."""

import sys
from typing import Any

import click

from grpc_interop.commands import compat_accept
from grpc_interop.commands.options import IMPLEMENTATION, PAIRS, PROTO_PATHS, REPORT, with_options
from grpc_interop.compat import compare
from grpc_interop.compat.judge.guarantee import Guarantee
from grpc_interop.config import Options
from grpc_interop.interruption import interruptible
from grpc_interop.repro.exchange_text import encode


@click.group(invoke_without_command=True)
@with_options(PROTO_PATHS, IMPLEMENTATION, PAIRS)
@REPORT
@click.option(
    "--base",
    "bases",
    multiple=True,
    metavar="REF|DIR|IMAGE",
    help="The old protos: a git ref, a folder or a descriptor set. May be repeated.",
)
@click.option("--head", metavar="REF|DIR|IMAGE", help="The new protos (default: the working tree).")
@click.option(
    "--guarantee",
    type=click.Choice([guarantee.value for guarantee in Guarantee]),
    default="both",
    show_default=True,
    help="The formats that have to hold: binary, JSON, or both; JSON whose readers refuse unknown fields; JSON whose writers use"
    " the fields' own names.",
)
@click.option("--all", "everything", is_flag=True, help="Also run messages and RPCs that have not changed.")
@click.option("--strict", is_flag=True, help="Anything that cannot run is a failure (as with CI=true).")
def command(options: Options, bases: tuple[str, ...], head: str | None, guarantee: str, *, everything: bool, **_: Any) -> None:
    """Run old protos against new, both ways: see the effects on the values, and which side can be rolled out first."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    interruptible()
    sys.exit(compare.compat(options, compare.Request(encode, bases, head, Guarantee(guarantee), everything=everything)))


command.add_command(compat_accept.command, "accept")
