"""Breaks that are intended, written down with a reason. They are still run and still reported, but fail nothing.

A file holds any number of entries, which `interop compat accept` writes:

    [[accepted]]
    element = "shop.v1.Order.total"         # as the report names it
    from = "int64 total = 3"                # its definition in the base...
    to = "int32 total = 3"                  # ...and in head; empty where it is not declared
    reason = "no order was ever that large"
    until = 2026-12-31                      # optional: the last day on which it is accepted

An entry stands for this change and no other. Once the base itself contains the change, nothing is left to accept and the
entry does nothing: no second commit has to remove it after the merge. Where a break does not show in the element's own
definition, `change` holds the words of the report in place of `from` and `to`.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from grpc_interop.compat.diff.definitions import Definitions
from grpc_interop.compat.vocabulary.result import Acceptance, ChangeFinding, ChangeVerdict
from grpc_interop.config import ACCEPTED
from grpc_interop.errors import UsageError
from grpc_interop.schema.catalog import Catalog
from grpc_interop.session.toml_entries import TomlEntries, read_entries

_HEAD = "[[accepted]]"
_KEYS: dict[str, type] = {"element": str, "from": str, "to": str, "change": str, "reason": str, "until": object}


@dataclass(frozen=True, slots=True)
class Intent:
    """The change that an entry accepts: an element, and its change as definitions or else as words."""

    element: str
    before: str = ""
    after: str = ""
    change: str = ""

    @classmethod
    def of(cls, element: str, before: str, after: str, what: Iterable[str]) -> "Intent":
        """Return the intent that accepts this change and no other."""
        return cls(element, before, after) if before != after else cls(element, change="; ".join(what))


@dataclass(frozen=True, slots=True)
class AcceptedBreak:
    """An entry of a file."""

    intent: Intent
    reason: str
    until: date | None = None
    where: str = ""  # `FILE:LINE`


class AcceptedBreaks:
    """All entries of a run."""

    def __init__(self, entries: Iterable[AcceptedBreak] = ()) -> None:
        self.entries = tuple(entries)

    def apply(self, findings: Sequence[ChangeFinding], base: Catalog, head: Catalog, today: date) -> tuple[list[ChangeFinding], list[str]]:
        """Return the findings, with ACCEPTED in place of BREAK where an entry says so; and warnings about entries that have no
        effect, unless the base contains their change already."""
        judged = list(findings)
        warnings: list[str] = []
        for entry in self.entries:
            meant = [index for index, finding in enumerate(judged) if entry.intent == _intent(finding)]
            breaking = [index for index in meant if judged[index].verdict is ChangeVerdict.BREAK]
            if breaking and entry.until and today > entry.until:
                warnings.append(f"{entry.where}: {entry.intent.element} was accepted until {entry.until}, and counts as a break again")
            elif breaking:
                for index in breaking:
                    until = entry.until.isoformat() if entry.until else ""
                    acceptance = Acceptance(entry.where, entry.reason, until)
                    judged[index] = replace(judged[index], verdict=ChangeVerdict.ACCEPTED, accepted=acceptance)
            elif any(judged[index].accepted is None for index in meant):
                warnings.append(f"{entry.where}: {entry.intent.element} does not break any more: delete the entry")
            elif not meant:
                warnings += _idle(entry, judged, base, head)
        return judged, warnings


def _intent(finding: ChangeFinding) -> Intent:
    return Intent.of(finding.element, finding.before, finding.after, finding.what)


def _idle(entry: AcceptedBreak, findings: Iterable[ChangeFinding], base: Catalog, head: Catalog) -> Iterator[str]:
    """Yield why no change matches the entry, unless that is because the base contains the change."""
    intent = entry.intent
    other = next((each for each in findings if each.element == intent.element and each.verdict is ChangeVerdict.BREAK), None)
    if other is not None:
        now = _intent(other)
        words = f"from {now.before!r} to {now.after!r}" if not now.change else now.change
        yield f"{entry.where}: {intent.element} breaks in another way than was accepted: {words}"
    elif not intent.change and Definitions(base).text(intent.element) == intent.before:
        yield f"{entry.where}: {intent.element} is not changed: delete the entry"
    elif not intent.change and intent.after and not any(Definitions(catalog).text(intent.element) for catalog in (base, head)):
        yield f"{entry.where}: {intent.element} does not exist: delete the entry or correct it"


# -- The file ----------------------------------------------------------------------------------------------------------


def read(paths: Iterable[Path]) -> AcceptedBreaks:
    """Read the files; the default file need not be there. Raise UsageError, which names file, line and key."""
    return AcceptedBreaks(entry for path in paths for entry in _read(path))


def write(path: Path, entry: AcceptedBreak) -> int:
    """Add an entry to a file, in the place of an entry with the same intent if there is any. Return its line. Raise UsageError."""
    entries = _entries(path)
    if entries.in_a_list:
        raise UsageError(
            f"{os.path.relpath(path)}:{entries.in_a_list}: the entries are written as one list, to which no entry can be added",
            f"write each as a table of its own that begins with {_HEAD}",
        )
    text = path.read_bytes().decode() if path.exists() else ""
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []
    known = next((row for row in entries.entries if _entry("", row.table).intent == entry.intent), None)
    if known is None:
        lines += [""] if lines and lines[-1] else []
        start = end = len(lines)
    else:
        start, end = known.line - 1, known.end - 1
    lines[start:end] = _lines(entry)
    path.write_bytes("".join(f"{line}{ending}" for line in lines).encode())
    return start + 1


def _lines(entry: AcceptedBreak) -> Iterator[str]:
    intent = entry.intent
    values = {"element": intent.element}
    values |= {"change": intent.change} if intent.change else {"from": intent.before, "to": intent.after}
    yield _HEAD
    for key, value in (values | {"reason": entry.reason}).items():
        # A JSON string is a TOML string, except for this character, which TOML wants escaped.
        yield f"{key} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f")
    if entry.until:
        yield f"until = {entry.until.isoformat()}"


def _read(path: Path) -> Iterator[AcceptedBreak]:
    for number, _, table in _entries(path).entries:
        yield _entry(f"{os.path.relpath(path)}:{number}", table)


def _entries(path: Path) -> TomlEntries:
    if path.exists():
        return read_entries(path, "accepted", _KEYS)
    if path.name != ACCEPTED:
        raise UsageError(f"{path} is not there", "interop.toml names it under `accepted_breaks`")
    return TomlEntries(())


def _entry(where: str, table: dict[str, str]) -> AcceptedBreak:
    missing = [key for key in ("element", "reason") if not table.get(key)]
    if missing or ("change" not in table and not {"from", "to"} <= table.keys()):
        raise UsageError(
            f"{where}: the key `{missing[0] if missing else 'from` or `to'}` is missing",
            'run: interop compat accept ELEMENT --reason "..."',
        )
    until = read_date(table["until"], where) if "until" in table else None
    return AcceptedBreak(
        Intent(table["element"], table.get("from", ""), table.get("to", ""), table.get("change", "")), table["reason"], until, where
    )


def read_date(value: object, where: str) -> date:
    """Return a date of TOML, or of a text (2026-12-31). Raise UsageError, which begins with `where`."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise UsageError(f"{where}: {value!r} is not a valid date", "such as 2026-12-31") from None
