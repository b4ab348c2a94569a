"""`interop compat accept`: writes down that a break of the last comparison is intended."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import click

from grpc_interop.compat import accepted
from grpc_interop.compat.result import Verdict
from grpc_interop.config import Options
from grpc_interop.errors import UsageError
from grpc_interop.report.compat.stored import read_changes


def accept(options: Options, element: str, reason: str, until: str | None) -> None:
    """Adds the element to the project's file, with what it changes from and to. Raises UsageError for an element that the
    last comparison does not name, or that does not break."""
    if not reason.strip():
        raise UsageError("--reason is empty", "say why it may break, for whoever reads the file next year")
    last_day = accepted.read_date(until, "--until") if until else None
    path = options.project.accepted_breaks[0]
    shown = os.path.relpath(path)
    for intent in _intents(options.report, element):
        line = accepted.write(path, accepted.Entry(intent, reason.strip(), last_day))
        change = intent.change or f"{intent.before or '(not there)'} -> {intent.after or '(gone)'}"
        click.echo(f"{shown}:{line}: accepted: {intent.element}: {change}")


def _intents(report: Path, element: str) -> list[accepted.Intent]:
    """What there is to accept: a change of one element, though several bases may have other definitions of it."""
    changes = read_changes(report)
    named = [change for change in changes if element in (change["element"], change["now"])]
    if not named:
        near = difflib.get_close_matches(element, dict.fromkeys(change["element"] for change in changes), 3)
        found = f"did you mean {' or '.join(near)}?" if near else "it names none that is like it"
        raise UsageError(f"the last comparison found no change of {element}", found)
    breaks = [change for change in named if change["verdict"] in (Verdict.BREAK, Verdict.ACCEPTED)]
    if not breaks:
        raise UsageError(f"{element} changed, but does not break", "there is nothing to accept")
    return list(
        dict.fromkeys(
            accepted.Intent.of(change["element"], _definition(change["base"]), _definition(change["head"]), change["what"])
            for change in breaks
        )
    )


def _definition(place: dict[str, str] | None) -> str:
    return place["definition"] if place else ""
