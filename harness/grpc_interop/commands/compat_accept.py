"""`interop compat accept`: record that a break is intended."""

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

import click

from grpc_interop.commands.options import PROTO_PATHS, REPORT, with_options
from grpc_interop.compat import accepted
from grpc_interop.compat.diff.definitions import Definitions
from grpc_interop.compat.report.json import read_changes
from grpc_interop.compat.sides import read_base, read_head
from grpc_interop.compat.unlisted import comparable
from grpc_interop.compat.version_pair import VersionPair
from grpc_interop.compat.vocabulary.result import ChangeVerdict
from grpc_interop.config import Options
from grpc_interop.errors import UsageError
from grpc_interop.output.console import say


@click.command()
@click.argument("element")
@click.option("--reason", required=True, metavar="WORDS", help="Why it may break.")
@click.option("--until", metavar="DATE", help="The last day on which it is accepted: 2026-12-31.")
@click.option("--base", metavar="REF|DIR|IMAGE", help="As it changed since then (default: as the last comparison found it).")
@click.option("--head", metavar="REF|DIR|IMAGE", help="With --base: the new protos (default: the working tree).")
@with_options(PROTO_PATHS, [REPORT])
def command(options: Options, element: str, reason: str, until: str | None, base: str | None, head: str | None) -> None:
    """Record that a break is intended."""
    accept(options, element, reason, until, base, head)


def accept(options: Options, element: str, reason: str, until: str | None, base: str | None = None, head: str | None = None) -> None:
    """Add the element to the project's file, with its definitions before and after: as the last comparison found them, or, with
    a base, as the two sides declare them. Raise UsageError for an element that did not change, or does not break."""
    if not reason.strip():
        raise UsageError("--reason is empty", "say why it may break, for whoever reads the file next year")
    if reason.encode(errors="replace").decode() != reason:
        raise UsageError("--reason is not valid UTF-8", "the file that it is written to is UTF-8")
    last_day = accepted.read_date(until, "--until") if until else None
    path = options.project.accepted_breaks[0]
    shown = os.path.relpath(path)
    for intent in _compared(options.report, element) if base is None else _declared(options, element, base, head):
        line = accepted.write(path, accepted.AcceptedBreak(intent, reason.strip(), last_day))
        change = intent.change or f"{intent.before or '(not there)'} -> {intent.after or '(gone)'}"
        say(f"{shown}:{line}: accepted: {intent.element}: {change}")


def _compared(report: Path, element: str) -> list[accepted.Intent]:
    """Return the breaks of the element in the last comparison. Each of several bases may define the element in its own way."""
    changes = read_changes(report)
    named = [change for change in changes if element in (change["element"], change["now"])]
    if not named:
        raise _unknown(element, "the last comparison found", [change["element"] for change in changes])
    breaks = [change for change in named if change["verdict"] in (ChangeVerdict.BREAK, ChangeVerdict.ACCEPTED)]
    if not breaks:
        raise UsageError(f"{element} changed, but does not break", "there is nothing to accept")
    intents = (
        accepted.Intent.of(change["element"], _definition(change["base"]), _definition(change["head"]), change["what"]) for change in breaks
    )
    return list(dict.fromkeys(intents))


def _declared(options: Options, element: str, base: str, head: str | None) -> list[accepted.Intent]:
    """Return the change of the element between two sides, before anything is run."""
    bases, now = comparable([read_base(base, "base", options, head)], read_head(head, options))
    versions = VersionPair(bases[0], now)
    before, after = Definitions(versions.base.catalog), Definitions(versions.head.catalog)
    changes = versions.changes.changes
    for change in changes:
        if element in (change.element, change.now):
            definition = after.text(change.now or change.element)
            return [accepted.Intent.of(change.element, before.text(change.element), definition, change.what)]
    raise _unknown(element, "between these versions there is", [change.element for change in changes])


def _unknown(element: str, who: str, known: Sequence[str]) -> UsageError:
    near = difflib.get_close_matches(element, dict.fromkeys(known), 3)
    return UsageError(
        f"{who} no change of {element}", f"did you mean {' or '.join(near)}?" if near else "no element that changed has a similar name"
    )


def _definition(place: dict[str, str] | None) -> str:
    return place["definition"] if place else ""
