"""Known failures: what is expected to fail, why, and where it is reported. Such cases are run all the same.

A file holds any number of entries:

    [[known]]
    cases = "conversations/*[py-aio:*]"     # a case's id with its pair; * and ? as in a shell
    tags = ["unread_at_end"]                # optional: only cases about which all of these facts are true
    message = "instead of"                  # a regular expression that the difference must match
    reason = "messages are lost when a send races the end of the RPC"
    link = "https://github.com/grpc/grpc/issues/36066"
    sometimes = true                        # optional: a race, so that passing is as good as failing

A failure that matches is a known failure. A case that matches and passes is an unexpected pass and fails the run, with
the line to delete, unless it is marked `sometimes`. An entry that no case of a whole run matches is stale, and fails it
too: so the list can only shrink. Entries in an implementation's own file (FILE) are never stale: the file is written for
any protos, and not all of them have a field for each entry.

Older files write `when = "..."` with the words in WHEN in place of a tag.
"""

import difflib
import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from grpc_interop.core.case import AnyCase
from grpc_interop.core.side import Side
from grpc_interop.core.tags import TAGS, tags_of
from grpc_interop.core.verdict import KNOWN, Difference, Outcome, Pair, Verdict
from grpc_interop.drivers.manifest import Manifest, words
from grpc_interop.errors import UsageError
from grpc_interop.messages.examples import TAGS as EXAMPLE_TAGS
from grpc_interop.output.plain_text import counted
from grpc_interop.session.toml_entries import TomlEntry, read_entries

FILE = "known_failures.toml"
"""The file beside an implementation's manifest, for failures that are known of that implementation wherever it is used."""

WHEN = {"the server ends with messages unread": "unread_at_end", "no message follows the headers": "headers_without_message"}
"""The words of the old key `when`, and their tags."""

TagSets = Callable[[AnyCase], Iterable[frozenset[str]]]
"""Gives the tags of a case; where it carries several messages, a set of tags for each sort of message."""


def brought_by(manifests: Iterable[Manifest]) -> list[Path]:
    """Return the files beside these manifests; implementations may share a folder, and with it a file."""
    beside = dict.fromkeys(manifest.folder / FILE for manifest in manifests)
    return [path for path in beside if path.is_file()]


_KEYS: dict[str, type] = {"cases": str, "message": str, "reason": str, "link": str, "tags": list, "when": str, "sometimes": bool}
_NEEDED = ("cases", "message", "reason", "link")


@dataclass(slots=True)
class KnownFailure:
    """An entry of a file."""

    path: Path
    line: int
    cases: str
    message: str
    reason: str
    link: str
    tags: frozenset[str] = frozenset()
    sometimes: bool = False
    outcomes: Counter[Outcome] = field(default_factory=Counter)  # the outcomes of the cases to which the entry applied
    _id: re.Pattern[str] = field(init=False)
    _words: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        # Square brackets enclose the pair in an id; they are no character class here.
        self._id = re.compile(fnmatch.translate(self.cases.replace("[", "[[]")))
        self._words = re.compile(self.message)

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"

    def covers(self, case_id: str, tag_sets: Callable[[], Iterable[frozenset[str]]]) -> bool:
        """Return whether the entry is about a case; tags are asked for only where they matter."""
        return self._id.match(case_id) is not None and (not self.tags or any(self.tags <= tags for tags in tag_sets()))

    def explains(self, difference: Difference) -> bool:
        """Return whether a difference is the failure that is known."""
        text = "\n".join(str(part) for part in (difference.what, difference.wanted, difference.got))
        return self._words.search(text) is not None


def _one_set(case: AnyCase) -> Iterable[frozenset[str]]:
    return (tags_of(case),)


class KnownFailures:
    """All entries of a run."""

    def __init__(
        self, entries: Iterable[KnownFailure] = (), variants: Mapping[str, str] | None = None, tag_sets: TagSets = _one_set
    ) -> None:
        """`variants` maps the name of an implementation to the name of the implementation that it is, with settings of its
        own. Failures that are known of an implementation are known of its variants, too; but a variant has other versions,
        so that passing is as good as failing."""
        self.entries = tuple(entries)
        self._variants = dict(variants or {})
        self._tag_sets = tag_sets

    @classmethod
    def read(cls, paths: Iterable[Path], variants: Mapping[str, str] | None = None, tag_sets: TagSets = _one_set) -> "KnownFailures":
        """Read the files. Raise UsageError naming file, line and key."""
        return cls((entry for path in paths for entry in _read(path)), variants, tag_sets)

    def apply(self, verdict: Verdict) -> Verdict:
        """Return the verdict in the light of the known failures, and count it."""
        if verdict.outcome is Outcome.PASSED:
            varied = verdict.pair.client in self._variants or verdict.pair.server in self._variants
            entries = [entry for entry in self.entries if not (varied and entry.path.name == FILE)]
            tag_sets = self._once(verdict.case)
            covering = [entry for entry in entries if entry.covers(verdict.id, tag_sets)]
            return _passed(verdict, covering) if covering else verdict
        entry = self._explanation(verdict)
        if entry is None:
            return verdict
        entry.outcomes[Outcome.KNOWN_FAILURE] += 1
        notes = (*verdict.notes, f"written down at {entry.where}", f"{KNOWN}{entry.reason} ({entry.link})")
        return verdict._replace(outcome=Outcome.KNOWN_FAILURE, notes=notes)

    def explains(self, verdict: Verdict) -> bool:
        """Return whether `apply` would make the verdict a known failure; count nothing."""
        return self._explanation(verdict) is not None

    def comes_and_goes(self, case: AnyCase, pair: Pair) -> bool:
        """Return whether a failure of the case is known that is a race: that it passes once says little."""
        ids = (f"{case.id}[{pair}]", f"{case.id}[{self._made_from(pair)}]")
        tag_sets = self._once(case)
        return any(entry.sometimes and entry.covers(case_id, tag_sets) for case_id in ids for entry in self.entries)

    def _explanation(self, verdict: Verdict) -> KnownFailure | None:
        difference = verdict.difference
        if verdict.outcome is not Outcome.FAILED or difference is None:
            return None
        tag_sets = self._once(verdict.case, difference.tags)
        return next((entry for entry in self.entries if self._covers(entry, verdict, tag_sets) and entry.explains(difference)), None)

    def _once(self, case: AnyCase, example_tags: frozenset[str] = frozenset()) -> Callable[[], Iterable[frozenset[str]]]:
        """Return the tag sets of a case, or of the only example that matters, for many entries: they are made at most once."""
        return cache(lambda: (tags_of(case) | example_tags,) if example_tags else tuple(self._tag_sets(case)))

    def _covers(self, entry: KnownFailure, verdict: Verdict, tag_sets: Callable[[], Iterable[frozenset[str]]]) -> bool:
        if entry.covers(verdict.id, tag_sets):
            return True
        as_made_from = f"{verdict.id.removesuffix(f'[{verdict.pair}]')}[{self._made_from(verdict.pair)}]"
        return entry.path.name == FILE and entry.covers(as_made_from, tag_sets)

    def _made_from(self, pair: Pair) -> Pair:
        """Return the pair with the implementations of which its own are variants."""
        return Pair(self._variants.get(pair.client, pair.client), self._variants.get(pair.server, pair.server))

    def stale(self) -> list[str]:
        """Return a sentence for each entry that no case matched; for a run that covered everything."""
        return [
            f"{entry.where}: no case matches {entry.cases!r}: delete the entry or mend it"
            for entry in self.entries
            if not entry.outcomes and entry.path.name != FILE
        ]

    def summary(self) -> list[str]:
        """Return a sentence for each entry that applied."""
        return [
            f"{entry.where} covers {counted(entry.outcomes.total(), 'case')}: "
            + ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in sorted(entry.outcomes.items()))
            for entry in self.entries
            if entry.outcomes
        ]


def _passed(verdict: Verdict, covering: list[KnownFailure]) -> Verdict:
    # An implementation's race, which may be known of many cases, excuses no entry that a project has for one of them.
    deciding = [entry for entry in covering if entry.path.name != FILE] or covering
    for entry in deciding:
        if entry.sometimes:
            entry.outcomes[Outcome.PASSED] += 1
            return verdict
    entry = deciding[0]
    entry.outcomes[Outcome.UNEXPECTED_PASS] += 1
    what = f"it passes, though {entry.where} expects it to fail: delete that entry"
    return verdict._replace(outcome=Outcome.UNEXPECTED_PASS, difference=Difference(Side.CLIENT, what))


def _read(path: Path) -> list[KnownFailure]:
    return [_known_failure(path, entry) for entry in read_entries(path, "known", _KEYS).entries]


def _known_failure(path: Path, entry: TomlEntry) -> KnownFailure:
    where, table = f"{path}:{entry.line}", dict(entry.table)
    for key in _NEEDED:
        if not table.get(key):
            raise UsageError(
                f"{where}: the key `{key}` is missing", "a known failure says which cases, which message, why, and where it is reported"
            )
    try:
        return KnownFailure(path, entry.line, tags=_tags(where, table), **table)
    except re.error as error:
        raise UsageError(f"{where}: message = {table['message']!r} is not a regular expression: {error}") from None


def _tags(where: str, table: dict[str, Any]) -> frozenset[str]:
    """Take the tags out of an entry's table, those of its old key `when` included."""
    tags, when = words(where, "known.tags", table.pop("tags", [])), table.pop("when", "")
    known = TAGS | EXAMPLE_TAGS
    for tag in tags:
        if tag not in known:
            near = difflib.get_close_matches(tag, known, 1)
            raise UsageError(
                f"{where}: {tag!r} is not a known tag", f"did you mean {near[0]!r}?" if near else "docs/known-failures.md lists them"
            )
    if when not in ("", *WHEN):
        raise UsageError(f"{where}: when = {when!r} is not a known condition", f"write tags = [...], or {' or '.join(map(repr, WHEN))}")
    return frozenset([*tags, WHEN[when]] if when else tags)
