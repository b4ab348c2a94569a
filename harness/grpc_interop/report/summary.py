"""What a run came to: totals, cells and causes. Its memory grows with pairs, methods and causes, never with cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import takewhile
from typing import NamedTuple

from grpc_interop.core.verdict import Outcome, Pair
from grpc_interop.output.plain_text import counted
from grpc_interop.report.conclusion import Conclusion, Detail, Reason, conclude
from grpc_interop.report.grouping import told_once
from grpc_interop.report.protocol import Finding, Implementation, Lack, LeftOut, NotRun, RunInfo
from grpc_interop.report.record import Record
from grpc_interop.values.coverage import Uncovered

MOST_PAIRS = 5
"""How many pairs the words for where a cause shows may list; results.json has all."""

_UNEXPLAINED = ("no case was played, and nobody said why", Lack.UNEXPLAINED)


class Cell(NamedTuple):
    """Where cases are counted."""

    suite: str
    client: str
    server: str
    kind: str

    @property
    def pair(self) -> Pair:
        return Pair(self.client, self.server)


@dataclass(slots=True)
class Cause:
    """Cases of one suite that ended the same way for what looks like the same reason. `first` is the first of them to
    be told: the one with the shortest conversation. `name` is a glob for the cases' own names."""

    first: Record
    count: int = 0
    pairs: set[Pair] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    name: str = ""

    @property
    def cases(self) -> str:
        """A glob for the ids of the cases, without their pairs: `messages/*/json_float_max`."""
        method = min(self.methods).removeprefix("/") if len(self.methods) == 1 else "*"
        return f"{self.first.suite}/{method}/{self.name}"

    @property
    def outcome(self) -> Outcome:
        return self.first.outcome

    def add(self, record: Record) -> None:
        self.count += 1
        self.pairs.add(record.pair)
        self.methods.add(record.method)
        self.kinds.add(record.kind)
        self.name = _glob(self.name, record.name) if self.name else record.name
        if record.conversation and len(record.conversation) < len(self.first.conversation or record.conversation * 2):
            self.first = record


class Fraction(NamedTuple):
    """One field of the matrix. `total` leaves out what a driver cannot do."""

    passed: int
    total: int
    findings: int


class Summary:
    """Accumulates records; complete once the run is finished."""

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        self.totals: Counter[Outcome] = Counter()
        self.cells: dict[Cell, Counter[Outcome]] = {}
        self.causes: dict[tuple[str, Outcome, str], Cause] = {}
        self.not_run: list[NotRun] = []
        self.beside: list[Finding] = []
        self.left_out: list[LeftOut] = []
        self.uncovered: list[Uncovered] | None = None
        self.implementations: list[Implementation] = list(info.implementations)
        self.stopped: list[Reason] = []
        self.shards: list[Reason] = []
        self.seconds = 0.0
        self.interrupted = False
        self.conclusion = Conclusion()

    # -- filled by the recorder ----------------------------------------------------------------------------------------

    def add(self, record: Record) -> None:
        """Counts a case."""
        cell = Cell(record.suite, record.client, record.server, record.kind)
        self.totals[record.outcome] += 1
        self.cells.setdefault(cell, Counter())[record.outcome] += 1
        if record.outcome is Outcome.PASSED:
            return
        cause = self.causes.setdefault(_cause_key(record), Cause(record))
        cause.add(record)

    def count_like(self, record: Record) -> int:
        """How many cases of the same cause have been counted."""
        cause = self.causes.get(_cause_key(record))
        return cause.count if cause else 0

    def know(self, implementation: Implementation) -> None:
        """Takes the versions that a driver announced in the place of what was known of it."""
        for index, known in enumerate(self.implementations):
            if known.name == implementation.name:
                self.implementations[index] = implementation
                return
        self.implementations.append(implementation)

    def finish(self, seconds: float, *, interrupted: bool) -> None:
        """Completes the summary and draws the conclusion. A planned pair that neither ran nor has a reason is named, so that
        none goes missing."""
        self.seconds = seconds
        self.interrupted = interrupted
        explained = {entry.what for entry in self.not_run}
        why, lack = ("the run was interrupted before it", Lack.INTERRUPTED) if interrupted else _UNEXPLAINED
        for pair in self.info.pairs:
            if pair not in self.pairs_run and not explained & {str(pair), pair.client, pair.server}:
                self.not_run.append(NotRun(str(pair), why, lack))
        self.not_run = [entry if entry.suites else entry._replace(suites=self._lacking(entry.what)) for entry in self.not_run]
        self.conclusion = conclude(self)

    def _lacking(self, what: str) -> tuple[str, ...]:
        """The suites in which a pair did not run, if it ran in others."""
        ran = {cell.suite for cell, counts in self.cells.items() if str(cell.pair) == what and counts.total() > counts[Outcome.UNSUPPORTED]}
        return tuple(suite for suite in self.info.suites or self.suites if suite not in ran) if ran else ()

    # -- read by the reports -------------------------------------------------------------------------------------------

    @property
    def cases(self) -> int:
        return self.totals.total()

    @property
    def pairs_run(self) -> set[Pair]:
        return {cell.pair for cell in self.cells}

    @property
    def suites(self) -> list[str]:
        """In the order in which they first appeared."""
        return list(dict.fromkeys(cell.suite for cell in self.cells))

    @property
    def findings(self) -> list[Cause]:
        """The causes that make a run fail, those with the most cases first. Findings that are no case are `beside`."""
        return self._causes_of(*(outcome for outcome in Outcome if outcome.is_finding))

    @property
    def known_failures(self) -> list[Cause]:
        return self._causes_of(Outcome.KNOWN_FAILURE)

    @property
    def unsupported(self) -> list[Cause]:
        """Without those of pairs that were not run: why they were not explains these as well."""
        explained = {entry.what for entry in self.not_run}
        return [cause for cause in self._causes_of(Outcome.UNSUPPORTED) if not {str(pair) for pair in cause.pairs} <= explained]

    @property
    def found(self) -> list[Finding]:
        """`beside`, what is refused for one reason told once."""
        return told_once(self.beside)

    @property
    def shown_uncovered(self) -> list[Uncovered]:
        """`uncovered` where it says something: of a shard only a merge can tell."""
        return (self.uncovered or []) if self.info.shard == (1, 1) else []

    @property
    def left_out_in_words(self) -> list[Detail]:
        """`left_out` as people are told of it."""
        return [Detail(entry.what, f"{counted(entry.cases, 'case')}: {entry.why}" if entry.cases else entry.why) for entry in self.left_out]

    @property
    def uncovered_in_words(self) -> tuple[str, list[Detail]]:
        """Which fields were not carried, and where, under a title; the title is empty if there is none. Where cases were left
        out, fields were too, and which of them is no news."""
        places: dict[str, set[str]] = {}
        for entry in self.shown_uncovered:
            for name in entry.fields:
                places.setdefault(name, set()).add(f"{entry.method} ({entry.direction}) {entry.client}:{entry.server}")
        if not places:
            return "", []
        cases = sum(entry.cases for entry in self.left_out)
        because = f": {counted(cases, 'case')} that may carry them were left out, as told above" if cases else ""
        fields = [] if self.left_out else [Detail(name, _first_of(where)) for name, where in sorted(places.items())]
        return f"{counted(len(places), 'field')} not carried by any case that passed{because}", fields

    @property
    def beside_the_cases(self) -> list[tuple[str, list[Detail]]]:
        """All that is told beside the cases, under titles; a title may say all that there is to say."""
        title, fields = self.uncovered_in_words
        sections = [
            ("Found", [Detail(entry.what, entry.why) for entry in self.found]),
            ("Not run", [Detail(entry.what, entry.why) for entry in self.not_run_by_reason()]),
            ("Left out, as asked", self.left_out_in_words),
        ]
        return [*((name, entries) for name, entries in sections if entries), *([(title, fields)] if title else [])]

    def not_run_by_reason(self, lacks: Collection[Lack] = tuple(Lack)) -> list[NotRun]:
        """`not_run`, each reason once: `every pair with java`, `go:java, py:java`, or `half:py in calls`."""
        groups: dict[tuple[str, tuple[str, ...]], list[NotRun]] = {}
        for entry in self.not_run:
            if entry.lack in lacks:
                groups.setdefault((entry.why, entry.suites), []).append(entry)
        return [
            NotRun(self._together([entry.what for entry in entries]) + _in_suites(suites), why, entries[0].lack, suites)
            for (why, suites), entries in groups.items()
        ]

    def falls_short(self, pair: Pair) -> bool:
        """Whether it fails the run that something of the pair was not run."""
        details = {entry.what for entry in self.not_run if entry.lack in self.conclusion.failing}
        return not details.isdisjoint({str(pair), pair.client, pair.server})

    def _together(self, whats: list[str]) -> str:
        clients, servers = self.sides
        for name in sorted({*clients, *servers}):
            if len(whats) > 1 and set(whats) == {str(pair) for pair in self.info.pairs if name in (pair.client, pair.server)}:
                return f"every pair with {name}"
        if len(whats) > 1 and set(whats) == set(map(str, self.info.pairs)):
            return "every pair"
        return ", ".join(whats)

    def _causes_of(self, *outcomes: Outcome) -> list[Cause]:
        found = [cause for cause in self.causes.values() if cause.outcome in outcomes]
        return sorted(found, key=lambda cause: -cause.count)

    @property
    def sides(self) -> tuple[list[str], list[str]]:
        """The matrix' rows (clients) and columns (servers): all that were planned or ran, sorted by name."""
        pairs = {*self.info.pairs, *self.pairs_run}
        return sorted({pair.client for pair in pairs}), sorted({pair.server for pair in pairs})

    def fraction(self, pair: Pair, suite: str | None = None) -> Fraction | None:
        """A field of the matrix, of all suites or of one; None where nothing ran, or nothing but what cannot be done there
        before the pair was given up."""
        counts: Counter[Outcome] = Counter()
        for cell, cell_counts in self.cells.items():
            if cell.pair == pair and suite in (None, cell.suite):
                counts.update(cell_counts)
        given_up = any(entry.what == str(pair) for entry in self.not_run)
        if not counts or (given_up and counts.total() == counts[Outcome.UNSUPPORTED]):
            return None
        findings = sum(count for outcome, count in counts.items() if outcome.is_finding)
        return Fraction(counts[Outcome.PASSED], counts.total() - counts[Outcome.UNSUPPORTED], findings)

    def extent(self, cause: Cause) -> str:
        """Where a cause shows, seen beside all pairs in which it could have: `a whole row: all with client py`."""
        could = {cell.pair for cell in self.cells if cell.suite == cause.first.suite and cell.kind in cause.kinds} | cause.pairs
        return _extent(cause.pairs, could)

    def headline(self, cause: Cause) -> str:
        """`12 cases · a whole row: all with client py`."""
        return f"{counted(cause.count, 'case')} · {self.extent(cause)}"

    def closing_words(self) -> str:
        """`912 cases: 900 passed, 12 failed · 12.3 s · seed 1`."""
        told = [f"{self.totals[Outcome.PASSED]:,} passed"]
        for outcome, (one, many) in _WORDS.items():
            if count := self.totals[outcome]:
                told.append(f"{count:,} {one if count == 1 else many}")
        end = " · interrupted" if self.interrupted else ""
        return f"{counted(self.cases, 'case')}: {', '.join(told)} · {self.seconds:.1f} s · seed {self.info.seed}{end}"


_WORDS = {
    Outcome.FAILED: ("failed", "failed"),
    Outcome.ERROR: ("error", "errors"),
    Outcome.UNEXPECTED_PASS: ("unexpected pass", "unexpected passes"),
    Outcome.KNOWN_FAILURE: ("known failure", "known failures"),
    Outcome.UNSUPPORTED: ("unsupported", "unsupported"),
}


def _first_of(where: set[str]) -> str:
    return min(where) + (f" and {len(where) - 1:,} more" if len(where) > 1 else "")


def _in_suites(suites: tuple[str, ...]) -> str:
    return f" in {', '.join(suites)}" if suites else ""


def _glob(known: str, name: str) -> str:
    """What covers another name as well: their common beginning."""
    if known == name:
        return known
    same = takewhile(lambda pair: pair[0] == pair[1], zip(known.removesuffix("*"), name, strict=False))
    return "".join(char for char, _ in same) + "*"


def _cause_key(record: Record) -> tuple[str, Outcome, str]:
    """Equal for records that are told as one cause."""
    # All that one entry says is known is one thing to a reader, in whatever words it shows.
    alike = record.known or (record.difference.fingerprint if record.difference else record.reason)
    return record.suite, record.outcome, alike


def _extent(seen: set[Pair], could: set[Pair]) -> str:
    clients, servers = sorted({pair.client for pair in seen}), sorted({pair.server for pair in seen})
    if len(seen) == 1:
        return f"only {next(iter(seen))}" if could != seen else f"{next(iter(seen))}, the only pair that ran it"
    if seen == could:
        return _line(clients, servers) or "in every pair"
    for one, line, end in ((clients, "row", "client"), (servers, "column", "server")):
        if len(one) == 1:
            of_line = {pair for pair in could if one[0] == getattr(pair, end)}
            words = f"all with {end} {one[0]}"
            return f"a whole {line}: {words}" if seen == of_line else _part(seen, of_line, words, f" with {end} {one[0]}")
    for name in sorted({*clients, *servers}):
        if seen == {pair for pair in could if name in (pair.client, pair.server)}:
            return f"wherever {name} takes part"
    return _part(seen, could, "in every pair", "")


def _part(seen: set[Pair], could: set[Pair], every: str, which: str) -> str:
    """Some of the pairs, by the shorter of two lists: those in which it was seen, or those in which it was not."""
    rest = could - seen
    if len(rest) <= MOST_PAIRS and len(rest) < len(seen):
        return f"{every}{', but not' if which else ' but'} {_listed(rest)}"
    if len(seen) <= MOST_PAIRS:
        return f"in {_listed(seen)}"
    return f"in {len(seen):,} of {counted(len(could), 'pair')}{which}; the report names them"


def _listed(pairs: set[Pair]) -> str:
    return ", ".join(sorted(map(str, pairs)))


def _line(clients: list[str], servers: list[str]) -> str:
    """All pairs that ran lie in one row or column, so that nothing tells the line from the pair."""
    if len(clients) == 1:
        return f"in every pair; all had client {clients[0]}"
    return f"in every pair; all had server {servers[0]}" if len(servers) == 1 else ""
