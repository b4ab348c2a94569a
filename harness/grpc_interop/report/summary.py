"""The summary of a run: totals, cells and causes. Its memory grows with pairs, methods and causes, never with cases."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import NamedTuple

from grpc_interop.core.verdict import Outcome, Pair
from grpc_interop.output.plain_text import counted
from grpc_interop.report.data import Conclusion, Detail, Finding, Implementation, Lack, LeftOut, NotRun, Reason, RunInfo
from grpc_interop.report.record import Record
from grpc_interop.values.coverage import Uncovered

MOST_PAIRS = 5
"""How many pairs the words for the extent of a cause may list; results.json has all."""

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
    """Cases of one suite that ended the same way, it seems for the same reason."""

    first: Record  # the case that is shown: the first among the cases with the shortest conversation
    count: int = 0
    pairs: set[Pair] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    name: str = ""  # a glob for the names of the cases

    @property
    def cases(self) -> str:
        """Return a glob for the ids of the cases, without their pairs: `messages/*/json_float_max`."""
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
    """A field of the matrix."""

    passed: int
    total: int  # without the cases that a driver does not offer
    findings: int


class Summary:
    """Accumulates records; complete once the run is finished."""

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        self.totals: Counter[Outcome] = Counter()
        self.cells: dict[Cell, Counter[Outcome]] = {}
        self.causes: dict[tuple[str, Outcome, str], Cause] = {}
        self.findings: list[Finding] = []
        self.not_run: list[NotRun] = []
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
        """Count a case."""
        cell = Cell(record.suite, record.client, record.server, record.kind)
        self.totals[record.outcome] += 1
        self.cells.setdefault(cell, Counter())[record.outcome] += 1
        if record.outcome is Outcome.PASSED:
            return
        cause = self.causes.setdefault(_cause_key(record), Cause(record))
        cause.add(record)

    def count_like(self, record: Record) -> int:
        """Return how many cases of the same cause have been counted."""
        cause = self.causes.get(_cause_key(record))
        return cause.count if cause else 0

    def set_versions(self, implementation: Implementation) -> None:
        """Replace the entry of an implementation by the versions that its driver announced."""
        for index, known in enumerate(self.implementations):
            if known.name == implementation.name:
                self.implementations[index] = implementation
                return
        self.implementations.append(implementation)

    def finish(self, seconds: float, *, interrupted: bool) -> None:
        """Complete the summary. A planned pair that neither ran nor has a reason is named, so that no pair goes missing."""
        self.seconds = seconds
        self.interrupted = interrupted
        explained = {entry.what for entry in self.not_run}
        why, lack = ("the run was interrupted before it", Lack.INTERRUPTED) if interrupted else _UNEXPLAINED
        for pair in self.info.pairs:
            if pair not in self.pairs_run and not explained & {str(pair), pair.client, pair.server}:
                self.not_run.append(NotRun(str(pair), why, lack))
        self.not_run = [entry if entry.suites else entry._replace(suites=self._lacking(entry.what)) for entry in self.not_run]

    def _lacking(self, what: str) -> tuple[str, ...]:
        """Return the suites in which a pair did not run, if it ran in others."""
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
        """Return the suites in the order in which they first appeared."""
        return list(dict.fromkeys(cell.suite for cell in self.cells))

    @property
    def failing_causes(self) -> list[Cause]:
        """Return the causes that make a run fail, the most frequent first. `findings` are the failures that are not cases."""
        return self._causes_of(*(outcome for outcome in Outcome if outcome.is_finding))

    @property
    def known_failures(self) -> list[Cause]:
        return self._causes_of(Outcome.KNOWN_FAILURE)

    @property
    def unsupported(self) -> list[Cause]:
        """Return the unsupported cases, without pairs that were not run: the reason for that explains these as well."""
        explained = {entry.what for entry in self.not_run}
        return [cause for cause in self._causes_of(Outcome.UNSUPPORTED) if not {str(pair) for pair in cause.pairs} <= explained]

    @property
    def grouped_findings(self) -> list[Finding]:
        """Return the findings as people read them: files that are refused for one reason are one entry."""
        return grouped(self.findings)

    @property
    def shown_uncovered(self) -> list[Uncovered]:
        """Return `uncovered` where it is meaningful: for a shard, only a merge can tell."""
        return (self.uncovered or []) if self.info.shard == (1, 1) else []

    @property
    def left_out_details(self) -> list[Detail]:
        return [Detail(entry.what, f"{counted(entry.cases, 'case')}: {entry.why}" if entry.cases else entry.why) for entry in self.left_out]

    @property
    def uncovered_section(self) -> tuple[str, list[Detail]]:
        """Return a title and the fields that were not carried, with their places; the title is empty if there are none.
        Where cases were left out, fields were too, and their names are no news."""
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
    def sections(self) -> list[tuple[str, list[Detail]]]:
        """Return everything to report beside the cases, under titles; a title may say all that there is to say."""
        title, fields = self.uncovered_section
        sections = [
            ("Found", [Detail(finding.what, finding.why) for finding in self.grouped_findings]),
            ("Not run", [Detail(entry.what, entry.why) for entry in self.not_run_by_reason()]),
            ("Left out, as asked", self.left_out_details),
        ]
        return [*((name, entries) for name, entries in sections if entries), *([(title, fields)] if title else [])]

    def not_run_by_reason(self, lacks: Collection[Lack] = tuple(Lack)) -> list[NotRun]:
        """Return `not_run`, each reason once: `every pair with java`, `go:java, py:java`, or `half:py in calls`."""
        groups: dict[tuple[str, tuple[str, ...]], list[NotRun]] = {}
        for entry in self.not_run:
            if entry.lack in lacks:
                groups.setdefault((entry.why, entry.suites), []).append(entry)
        return [
            NotRun(self._together([entry.what for entry in entries]) + _in_suites(suites), why, entries[0].lack, suites)
            for (why, suites), entries in groups.items()
        ]

    def falls_short(self, pair: Pair) -> bool:
        """Return whether the run fails because something of the pair was not run."""
        names = {entry.what for entry in self.not_run if entry.lack in self.conclusion.failing}
        return not names.isdisjoint({str(pair), pair.client, pair.server})

    def _together(self, names: list[str]) -> str:
        clients, servers = self.sides
        for name in sorted({*clients, *servers}):
            if len(names) > 1 and set(names) == {str(pair) for pair in self.info.pairs if name in (pair.client, pair.server)}:
                return f"every pair with {name}"
        if len(names) > 1 and set(names) == set(map(str, self.info.pairs)):
            return "every pair"
        return ", ".join(names)

    def _causes_of(self, *outcomes: Outcome) -> list[Cause]:
        causes = [cause for cause in self.causes.values() if cause.outcome in outcomes]
        return sorted(causes, key=lambda cause: -cause.count)

    @property
    def sides(self) -> tuple[list[str], list[str]]:
        """Return the matrix' rows (clients) and columns (servers): everything planned or run, sorted by name."""
        pairs = {*self.info.pairs, *self.pairs_run}
        return sorted({pair.client for pair in pairs}), sorted({pair.server for pair in pairs})

    def fraction(self, pair: Pair, suite: str | None = None) -> Fraction | None:
        """Return a field of the matrix, for all suites or for one. None: nothing ran, or only cases that the drivers do
        not offer, before the pair was given up."""
        counts: Counter[Outcome] = Counter()
        for cell, cell_counts in self.cells.items():
            if cell.pair == pair and suite in (None, cell.suite):
                counts.update(cell_counts)
        given_up = any(entry.what == str(pair) for entry in self.not_run)
        if not counts or (given_up and counts.total() == counts[Outcome.UNSUPPORTED]):
            return None
        return fraction_of(counts)

    def extent(self, cause: Cause) -> str:
        """Return where a cause shows, compared with all pairs in which it could: `a whole row: all with client py`."""
        could = {cell.pair for cell in self.cells if cell.suite == cause.first.suite and cell.kind in cause.kinds} | cause.pairs
        return _extent(cause.pairs, could)

    def headline(self, cause: Cause) -> str:
        """`12 cases · a whole row: all with client py`."""
        return f"{counted(cause.count, 'case')} · {self.extent(cause)}"

    def closing_words(self) -> str:
        """`912 cases: 900 passed, 12 failed · 12.3 s · seed 1`."""
        words = [f"{self.totals[Outcome.PASSED]:,} passed"]
        for outcome, (singular, plural) in _WORDS.items():
            if count := self.totals[outcome]:
                words.append(f"{count:,} {singular if count == 1 else plural}")
        end = " · interrupted" if self.interrupted else ""
        return f"{counted(self.cases, 'case')}: {', '.join(words)} · {self.seconds:.1f} s · seed {self.info.seed}{end}"


_WORDS = {
    Outcome.FAILED: ("failed", "failed"),
    Outcome.ERROR: ("error", "errors"),
    Outcome.UNEXPECTED_PASS: ("unexpected pass", "unexpected passes"),
    Outcome.KNOWN_FAILURE: ("known failure", "known failures"),
    Outcome.UNSUPPORTED: ("unsupported", "unsupported"),
}


def fraction_of(counts: Counter[Outcome]) -> Fraction:
    findings = sum(count for outcome, count in counts.items() if outcome.is_finding)
    return Fraction(counts[Outcome.PASSED], counts.total() - counts[Outcome.UNSUPPORTED], findings)


def _first_of(where: set[str]) -> str:
    return min(where) + (f" and {len(where) - 1:,} more" if len(where) > 1 else "")


def _in_suites(suites: tuple[str, ...]) -> str:
    return f" in {', '.join(suites)}" if suites else ""


def _glob(known: str, name: str) -> str:
    """Return a glob for both names: their common beginning."""
    if known == name:
        return known
    same = takewhile(lambda pair: pair[0] == pair[1], zip(known.removesuffix("*"), name, strict=False))
    return "".join(char for char, _ in same) + "*"


def _cause_key(record: Record) -> tuple[str, Outcome, str]:
    """Return a key that is equal for records of one cause."""
    # To a reader all cases of one known failure are one thing, whatever words they show it in.
    alike = record.known or (record.difference.fingerprint if record.difference else record.reason)
    return record.suite, record.outcome, alike


def grouped(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings in their order, files grouped that the same implementations refuse in the same words. Where many
    files import one refused file, all of them are one entry."""
    refusers: dict[tuple[str, str], list[str]] = {}
    first: dict[str, Finding] = {}
    for finding in findings:
        if finding.file:
            refusers.setdefault((finding.why, finding.place), []).append(finding.refused_by)
            first.setdefault(finding.place, finding)
    groups: dict[tuple[str, ...], list[str]] = {}
    for (why, place), names in refusers.items():
        groups.setdefault((why, *names), []).append(place)

    def entry(finding: Finding) -> Finding:
        if not finding.file:
            return finding
        names = refusers[finding.why, finding.place]
        places = groups[(finding.why, *names)]
        return _refused(finding.why, names, places, first[places[0]])

    return list(dict.fromkeys(map(entry, findings)))


def _refused(why: str, names: Sequence[str], places: Sequence[str], first: Finding) -> Finding:
    who = f"{', '.join(names)} {'refuses' if len(names) == 1 else 'refuse'}"
    if len(places) == 1:
        return Finding(f"{who} {places[0]}", why, path=first.path, line=first.line)
    return Finding(f"{who} {counted(len(places), 'file')}", f"{why}\n{', '.join(places)}", path=first.path, line=first.line)


def _extent(seen: set[Pair], could: set[Pair]) -> str:
    clients, servers = sorted({pair.client for pair in seen}), sorted({pair.server for pair in seen})
    if len(seen) == 1:
        return f"only {next(iter(seen))}" if could != seen else f"{next(iter(seen))}, the only pair that ran it"
    if seen == could:
        return _line(clients, servers) or "in every pair"
    for names, line, end in ((clients, "row", "client"), (servers, "column", "server")):
        if len(names) == 1:
            of_line = {pair for pair in could if names[0] == getattr(pair, end)}
            words = f"all with {end} {names[0]}"
            return f"a whole {line}: {words}" if seen == of_line else _part(seen, of_line, words, f" with {end} {names[0]}")
    for name in sorted({*clients, *servers}):
        if seen == {pair for pair in could if name in (pair.client, pair.server)}:
            return f"wherever {name} takes part"
    return _part(seen, could, "in every pair", "")


def _part(seen: set[Pair], could: set[Pair], every: str, which: str) -> str:
    """Return some of the pairs by the shorter of two lists: the pairs with the cause, or the pairs without."""
    rest = could - seen
    if len(rest) <= MOST_PAIRS and len(rest) < len(seen):
        return f"{every}{', but not' if which else ' but'} {_listed(rest)}"
    if len(seen) <= MOST_PAIRS:
        return f"in {_listed(seen)}"
    return f"in {len(seen):,} of {counted(len(could), 'pair')}{which}; the report names them"


def _listed(pairs: set[Pair]) -> str:
    return ", ".join(sorted(map(str, pairs)))


def _line(clients: list[str], servers: list[str]) -> str:
    """Return words for the case that all pairs that ran lie in one row or column: then nothing tells the line from the pair."""
    if len(clients) == 1:
        return f"in every pair; all had client {clients[0]}"
    return f"in every pair; all had server {servers[0]}" if len(servers) == 1 else ""
