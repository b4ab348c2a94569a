"""Prints messages of commands: always fit for a terminal and for the log of a CI job."""

import click

from grpc_interop.output.plain_text import in_lines


def say(text: str, *, err: bool = False) -> None:
    """Print a text, which may contain text from outside. `err`: on stderr."""
    click.echo(in_lines(text), err=err)
