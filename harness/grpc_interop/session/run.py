"""`interop run`: the chosen cases on the chosen pairs, each pair as soon as it can play, with verdicts for the reports."""

import gc
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from grpc_interop.core.case import AnyCase
from grpc_interop.core.verdict import Outcome, Pair, Verdict
from grpc_interop.engine import Job
from grpc_interop.interruption import undivided
from grpc_interop.output.plain_text import counted
from grpc_interop.report.data import Finding, Lack, NotRun
from grpc_interop.session.case_streams import CaseStream, CaseStreams
from grpc_interop.session.pair_progress import Progress
from grpc_interop.session.protos import unseen
from grpc_interop.session.selection import Selection, nothing_selected
from grpc_interop.session.session import Session
from grpc_interop.suites import SUITES
from grpc_interop.suites.calls.suite import NAME as CALLS
from grpc_interop.values.coverage import Coverage, Uncovered

POLL_SECONDS = 0.05
"""Seconds that the loop waits at a time: a finished build is noticed that soon."""

NEW_OBJECTS = 50_000
"""Containers that are made before Python's collector looks for cycles. Cases, transcripts and messages have no cycles and are
freed without it; with Python's own threshold, 700, looking in vain took a tenth of the harness' time."""


class Run:
    """One run."""

    def __init__(self, session: Session, add: Callable[[Verdict], None], tell: Callable[[str], None] = lambda _: None) -> None:
        """`add` takes each verdict, `tell` takes a line about each pair that is done while others still wait."""
        options = session.options
        self.session = session
        self.tally: Counter[Outcome] = Counter()
        self.not_run: dict[str, NotRun] = {}  # planned and not run, with the reason
        self.findings: list[Finding] = []  # findings beside the cases
        self.left_out: Counter[str] = Counter()  # by suite: cases for which there was no time
        self.uncovered: list[Uncovered] | None = None  # fields that no passed case carried; None where it is not known
        self.seconds = 0.0
        self._add = add
        self._tell = tell
        self._progress = Progress(self._pair_is_done)
        self._selection = Selection(options.keyword, options.shard)
        self._waiting: list[Pair] = []
        self._streams = CaseStreams(self._suites, self._progress.more)
        self._plan: tuple[Pair, ...] = ()
        self._coverage = Coverage(session.catalog) if self._measures_coverage() else None
        self._deadline = math.inf
        self._without: defaultdict[str, set[Pair]] = defaultdict(set)
        self._too_late: set[Pair] = set()

    def narrow(self) -> tuple[Pair, ...]:
        """Leave the session only the pairs on which cases are selected, so that nothing else is built. Return the pairs of the
        whole plan, of which this run may be a shard. Raise UsageError when the plan has no case at all."""
        keyword = self.session.options.keyword
        plan = self._pairs(Selection(keyword))
        if not plan:
            raise nothing_selected(keyword, self.session.catalog.refused)
        self._plan = plan
        if self.session.options.shard != (1, 1):
            self.session.pairs = self._pairs(self._selection)
        else:
            self.session.pairs = plan
        self._waiting = list(self.session.pairs)
        return plan

    def _pairs(self, selection: Selection) -> tuple[Pair, ...]:
        open_pairs = list(self.session.pairs)
        for case in self.session.cases():
            open_pairs = [pair for pair in open_pairs if not selection.takes(case, pair)]
            if not open_pairs:
                break
        return tuple(pair for pair in self.session.pairs if pair not in open_pairs)

    def play(self) -> None:
        """Play everything. KeyboardInterrupt passes through, and finished cases stay counted."""
        started = time.monotonic()
        try:
            with _rarely_collecting():
                self._play()
            self._find_uncovered()
        finally:
            self.seconds = time.monotonic() - started
            self._sum_up()

    def _play(self) -> None:
        session = self.session
        session.start_building()
        self._enqueue_playable()
        while session.building or session.engine.busy:
            for verdict in session.engine.poll(POLL_SECONDS):
                with undivided:
                    self._count(verdict)
            session.collect_builds()
            self._enqueue_playable()

    def _enqueue_playable(self) -> None:
        """Enqueue the cases of playable pairs. Where time is short, all pairs wait for the last build, so that each gets equal time."""
        budget = self.session.options.budget
        if budget and self.session.building:
            return
        pairs = [pair for pair in self._waiting if self.session.playable(pair)]
        if pairs:
            if budget:
                self._deadline = time.monotonic() + budget
            self._waiting = [pair for pair in self._waiting if pair not in pairs]
            for stream in self._streams.join(pairs):
                self.session.engine.enqueue(self._jobs(stream))

    def _suites(self) -> Iterable[Iterator[AnyCase]]:
        """Return the cases of each suite as streams of their own: while deadlines pass in one suite, another can be played. Where
        time is short, return a single stream, in which the most telling cases of all suites come first."""
        return [self.session.most_telling_cases()] if self.session.options.budget else self.session.cases_by_suite()

    def _jobs(self, stream: CaseStream) -> Iterator[Job]:
        begun = False
        for case in stream:
            chosen = [pair for pair in stream.pairs if self._selection.takes(case, pair) and not self._refused(case, pair)]
            # A case is played however little time there is: a run without cases would say nothing.
            if begun and time.monotonic() > self._deadline:
                self.left_out[case.suite] += len(chosen)
                self._too_late.update(chosen)
            elif chosen:
                begun = True
                prepared = self.session.engine.prepare(case)
                for pair in chosen:
                    self._progress.begun(pair)
                    yield Job(prepared, pair)
        self._progress.all_begun(stream.pairs)

    def _refused(self, case: AnyCase, pair: Pair) -> bool:
        refused = self.session.refused(case, pair)
        if refused is not None:
            self._without[refused.file].add(pair)
        return refused is not None

    def _count(self, verdict: Verdict) -> None:
        verdict = self.session.known.apply(verdict)
        self.tally[verdict.outcome] += 1
        if self._coverage and verdict.outcome is Outcome.PASSED and verdict.case.covers_fields:
            self._coverage.add(verdict.rpc_case, verdict.pair)
        self._add(verdict)
        self._progress.judged(verdict.pair, verdict.outcome)

    def _pair_is_done(self, text: str) -> None:
        """Report a pair that is done early; in the end the matrix shows it."""
        if self.session.building:
            self._tell(text)

    def _sum_up(self) -> None:
        """Note everything that did not run, and the findings beside the cases."""
        session = self.session
        for pair in session.pairs:
            if why := session.why_not(pair):
                self._lack(str(pair), why, self._what_lacks(pair))
            elif pair in self._waiting:
                self._lack(str(pair), "the run was stopped before its turn", Lack.INTERRUPTED)
        all_built = [session.built[name] for name in sorted(session.built)]  # not in the order in which they became ready
        for file, pairs in self._without.items():
            names = [built.manifest.name for built in all_built if any(refused.file == file for refused in built.refused)]
            where = f"in {len(pairs)} of {counted(len(session.pairs), 'pair')}: those with {' or '.join(names)}, refused there"
            self._lack(file, where, Lack.REFUSED)
        for submodule, why in unseen(session.options).items():
            self._lack(submodule, why, Lack.UNSEEN)
        for pair in session.pairs:
            if str(pair) not in self.not_run and self._progress.had_nothing(pair):
                self._find_why_nothing(pair)
        for built in all_built:
            for refused in built.refused:
                name, file = built.manifest.name, refused.file
                path, line = session.locator.locate(file, refused.element)
                self.findings.append(Finding(f"{name} refuses {file}", refused.text, name, file, refused.element, path, line))
        for file, why in session.catalog.refused.items():
            what = f"protoc accepts it, and the protobuf that the harness runs on does not: {why}"
            self.findings.append(Finding(f"{file} cannot be driven", what))
        self.findings += [Finding(f"incident {number}", text) for number, text in enumerate(session.engine.incidents, 1)]
        if self._whole():
            self.findings += [Finding(f"stale entry {number}", text) for number, text in enumerate(session.known.stale(), 1)]

    def _lack(self, what: str, why: str, lack: Lack) -> None:
        self.not_run[what] = NotRun(what, why, lack)

    def _what_lacks(self, pair: Pair) -> Lack:
        """Return the lack of a pair that cannot be played."""
        missing = [self.session.missing[name] for name in (pair.client, pair.server) if name in self.session.missing]
        if missing:
            return Lack.BROKEN if any(implementation.broken for implementation in missing) else Lack.UNAVAILABLE
        return Lack.BROKEN if {pair.client, pair.server}.isdisjoint(self.session.engine.pool.incompatible) else Lack.FOREIGN

    def _find_why_nothing(self, pair: Pair) -> None:
        """Note why a pair that could be played had nothing to play."""
        refused = [file for file, pairs in self._without.items() if pair in pairs]
        if pair in self._too_late:
            why = f"the {self.session.options.budget:g} s of --budget were over before its first case"
            self._lack(str(pair), why, Lack.OUT_OF_TIME)
        elif refused:
            more = f" and {len(refused) - 1:,} more" if len(refused) > 1 else ""
            self._lack(str(pair), f"all its cases are about refused files: {refused[0]}{more}", Lack.REFUSED)

    def _measures_coverage(self) -> bool:
        """Return whether every case that carries fields is in the plan; the shards of a plan are merged later."""
        return not self.session.options.keyword and any(suite.name == CALLS for suite in self.session.suites)

    def _find_uncovered(self) -> None:
        """Find the fields that no passed case carried; in a shard, also on pairs of which it plays no case."""
        if self._coverage is None:
            return
        self.uncovered = []
        for pair in self._plan:
            if not self.session.why_not(pair):
                methods = self.session.catalog.methods(without=self.session.refused_files(pair))
                self.uncovered += self._coverage.uncovered([pair], list(methods))

    def _whole(self) -> bool:
        """Return whether every case was played, so that a known failure that matched no case is stale."""
        options, session = self.session.options, self.session
        every_pair = len(session.pairs) == len(options.implementations) ** 2
        every_suite = len(session.suites) == len(SUITES)
        unrestricted = not options.keyword and not options.changed and not self.left_out and options.shard == (1, 1)
        return every_pair and every_suite and unrestricted and not self.not_run and self.tally.total() > 0


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """Collect garbage rarely, and never among the objects that are loaded by now, which stay."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
