"""Known failures: what is expected to fail, why, and where it is reported. They are run all the same.

A file holds any number of entries:

    [[known]]
    cases = "conversations/*[py-aio:*]"     # a case's id with its pair; * and ? as in a shell
    message = "instead of"                  # a regular expression that the difference must match
    reason = "messages are lost when a send races the end of the RPC"
    link = "https://github.com/grpc/grpc/issues/36066"
    when = "the server ends with messages unread"  # optional: only cases of which circumstances.py says so
    sometimes = true                        # optional: a race, so that passing is as good as failing

A failure that matches is a known failure. A case that matches and passes is an unexpected pass and fails the run, with
the line to delete, unless it is marked `sometimes`. An entry that no case of a whole run matches is stale, and fails it
too: so the list can only shrink. Only of what an implementation brings along (FILE) nothing is stale: it is written for
any protos, and not all have a field for it.
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grpc_interop.core.case import AnyCase
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import KNOWN, Difference, Outcome, Pair, Verdict
from grpc_interop.drivers.manifest import Manifest
from grpc_interop.errors import UsageError
from grpc_interop.output.plain_text import counted
from grpc_interop.session.conditions import CIRCUMSTANCES
from grpc_interop.session.toml_entries import read_entries

FILE = "known_failures.toml"
"""Beside an implementation's manifest, for what is known of that implementation wherever it is used."""


def brought_by(manifests: Iterable[Manifest]) -> list[Path]:
    """The files beside these manifests; implementations may share a folder, and with it a file."""
    beside = dict.fromkeys(manifest.folder / FILE for manifest in manifests)
    return [path for path in beside if path.is_file()]


_KEYS: dict[str, type] = {"cases": str, "message": str, "reason": str, "link": str, "when": str, "sometimes": bool}
_NEEDED = ("cases", "message", "reason", "link")


@dataclass(slots=True)
class KnownFailure:
    """One entry, and how often it applied: `outcomes` counts what became of the cases that it covers."""

    path: Path
    line: int
    cases: str
    message: str
    reason: str
    link: str
    when: str = ""
    sometimes: bool = False
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    _id: re.Pattern[str] = field(init=False)
    _words: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        # Square brackets enclose the pair in an id; they are no character class here.
        self._id = re.compile(fnmatch.translate(self.cases.replace("[", "[[]")))
        self._words = re.compile(self.message)

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"

    def covers(self, case_id: str, case: AnyCase) -> bool:
        return self._id.match(case_id) is not None and (not self.when or CIRCUMSTANCES[self.when](case))

    def explains(self, difference: Difference) -> bool:
        text = "\n".join(str(part) for part in (difference.what, difference.wanted, difference.got))
        return self._words.search(text) is not None


class KnownFailures:
    """All entries of a run."""

    def __init__(self, entries: Iterable[KnownFailure] = (), variants: Mapping[str, str] | None = None) -> None:
        """`variants`: the names of implementations that others are with settings of their own. What these bring along
        is known of the variants, too; but a variant has other versions, so that passing is as good as failing."""
        self.entries = tuple(entries)
        self._variants = dict(variants or {})

    @classmethod
    def read(cls, paths: Iterable[Path], variants: Mapping[str, str] | None = None) -> KnownFailures:
        """Reads the files. Raises UsageError naming file, line and key."""
        return cls((entry for path in paths for entry in _read(path)), variants)

    def apply(self, verdict: Verdict) -> Verdict:
        """The verdict in the light of what is known."""
        if verdict.outcome is Outcome.PASSED:
            varied = verdict.pair.client in self._variants or verdict.pair.server in self._variants
            covering = [
                entry for entry in self.entries if entry.covers(verdict.id, verdict.case) and not (varied and entry.path.name == FILE)
            ]
            return _passed(verdict, covering) if covering else verdict
        entry = self._explanation(verdict)
        if entry is None:
            return verdict
        entry.outcomes[Outcome.KNOWN_FAILURE] += 1
        notes = (*verdict.notes, f"written down at {entry.where}", f"{KNOWN}{entry.reason} ({entry.link})")
        return verdict._replace(outcome=Outcome.KNOWN_FAILURE, notes=notes)

    def explains(self, verdict: Verdict) -> bool:
        """Whether `apply` would make it a known failure; counts nothing."""
        return self._explanation(verdict) is not None

    def comes_and_goes(self, case: AnyCase, pair: Pair) -> bool:
        """Return whether a failure of the case is known that is a race: that it passes once says little."""
        names = [self._variants.get(name, name) for name in (pair.client, pair.server)]
        ids = (f"{case.id}[{pair}]", f"{case.id}[{':'.join(names)}]")
        return any(entry.sometimes and any(entry.covers(one, case) for one in ids) for entry in self.entries)

    def _explanation(self, verdict: Verdict) -> KnownFailure | None:
        difference = verdict.difference
        if verdict.outcome is not Outcome.FAILED or difference is None:
            return None
        return next((entry for entry in self.entries if self._covers(entry, verdict) and entry.explains(difference)), None)

    def _covers(self, entry: KnownFailure, verdict: Verdict) -> bool:
        if entry.covers(verdict.id, verdict.case):
            return True
        names = [self._variants.get(name, name) for name in (verdict.pair.client, verdict.pair.server)]
        as_made_from = f"{verdict.id.removesuffix(f'[{verdict.pair}]')}[{':'.join(names)}]"
        return entry.path.name == FILE and entry.covers(as_made_from, verdict.case)

    def stale(self) -> list[str]:
        """A sentence for each entry that no case matched; for a run that covered everything."""
        return [
            f"{entry.where}: no case matches {entry.cases!r}: delete the entry or mend it"
            for entry in self.entries
            if not entry.outcomes and entry.path.name != FILE
        ]

    def told(self) -> list[str]:
        """A sentence for each entry that applied."""
        return [
            f"{entry.where} covers {counted(entry.outcomes.total(), 'case')}: "
            + ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in sorted(entry.outcomes.items()))
            for entry in self.entries
            if entry.outcomes
        ]


def _passed(verdict: Verdict, covering: list[KnownFailure]) -> Verdict:
    for entry in covering:
        if entry.sometimes:
            entry.outcomes[Outcome.PASSED] += 1
            return verdict
    entry = covering[0]
    entry.outcomes[Outcome.UNEXPECTED_PASS] += 1
    what = f"it passes, though {entry.where} expects it to fail: delete that entry"
    return verdict._replace(outcome=Outcome.UNEXPECTED_PASS, difference=Difference(Side.CLIENT, what))


def _read(path: Path) -> list[KnownFailure]:
    entries = []
    for number, _, found in read_entries(path, "known", _KEYS).entries:
        for key in _NEEDED:
            if not found.get(key):
                raise UsageError(
                    f"{path}:{number}: the key `{key}` is missing",
                    "a known failure says which cases, which message, why, and where it is reported",
                )
        if found.get("when", "") not in ("", *CIRCUMSTANCES):
            known = " or ".join(map(repr, CIRCUMSTANCES))
            raise UsageError(f"{path}:{number}: when = {found['when']!r} is no known circumstance", f"write {known}")
        try:
            entries.append(KnownFailure(path, number, **found))
        except re.error as error:
            raise UsageError(f"{path}:{number}: message = {found['message']!r} is not a regular expression: {error}") from None
    return entries
