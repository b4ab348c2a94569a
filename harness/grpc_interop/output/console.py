"""What commands say to whoever runs them: lines fit for a terminal and for the log of a CI job, whatever they tell of."""

from __future__ import annotations

import click


def say(text: str, *, err: bool = False) -> None:
    """Print a text, which may hold what strangers wrote. `err`: on stderr."""
    # Not above: the reports load much that `interop --help` can do without.
    from grpc_interop.output.plain_text import in_lines

    click.echo(in_lines(text), err=err)
