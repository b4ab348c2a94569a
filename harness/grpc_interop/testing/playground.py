"""The place where tests play cases: a session for each pytest process, and the values of the plugin's fixtures.

Documented in docs/your-own-tests.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grpc_interop.config import Options, added_implementations
from grpc_interop.core.case import AnyCase, Case, Method
from grpc_interop.core.script import NotACase
from grpc_interop.core.verdict import Outcome, Pair, Verdict
from grpc_interop.errors import UsageError
from grpc_interop.report.folder import make_folder
from grpc_interop.repro.replay import explain, replay_text
from grpc_interop.schema.lookup import build_message, find_method
from grpc_interop.session.selection import nothing_selected, pytest_id, tested_together
from grpc_interop.session.session import Session

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class PlannedTest:
    """The cases of a test, on a pair: a named case, or all generated cases of a method, so that the number of tests does not
    grow with the number of cases."""

    cases: tuple[AnyCase, ...]
    pair: Pair

    @property
    def label(self) -> str:
        """The test's id, which a person types after -k."""
        return pytest_id(self.cases[0], self.pair)

    @property
    def ids(self) -> list[str]:
        """The ids of the cases in `interop list` and reports."""
        return [f"{case.id}[{self.pair}]" for case in self.cases]


class Playground:
    """Builds in the background from the start, and plays the cases that tests ask for."""

    def __init__(self, options: Options, *, shared_out: bool = False) -> None:
        """`shared_out`: several processes share the tests, by whole pairs (xdist_scheduler.py), and this process is one of them.
        Raise UsageError."""
        make_folder(options.report)
        self.session = Session(options)
        self._shared_out = shared_out
        self._chosen: list[PlannedTest] = []
        self._verdicts: dict[tuple[str, Pair], Verdict] = {}
        self._enqueued: set[tuple[str, Pair]] = set()
        self._building = False

    def planned(self) -> list[PlannedTest]:
        """Return every case of the chosen suites, on every pair."""
        tests: dict[str, list[AnyCase]] = {}
        for case in self.session.cases():
            tests.setdefault(tested_together(case), []).append(case)
        if not tests:
            raise nothing_selected("", self.session.catalog.refused)
        return [PlannedTest(tuple(cases), pair) for cases in tests.values() for pair in self.session.pairs]

    def choose(self, planned: Sequence[PlannedTest]) -> None:
        """Set the tests that will ask for verdicts, in order."""
        self._chosen = list(planned)

    def bound(self, planned: PlannedTest) -> "BoundCase":
        return BoundCase(self, planned)

    def pair(self, pair: Pair) -> "BoundPair":
        return BoundPair(self, pair)

    def verdicts(self, planned: PlannedTest) -> list[Verdict]:
        """Return the verdicts on a test's cases. All chosen cases of built pairs are played at the same time."""
        self.await_build(planned.pair)
        if (planned.cases[0].id, planned.pair) not in self._enqueued:
            self._look_ahead(planned)
        return [self._await((case.id, planned.pair)) for case in planned.cases]

    def play(self, case: Case, pair: Pair) -> Verdict:
        """Play a case at once."""
        self.await_build(pair)
        self.session.engine.enqueue(iter([self.session.job(case, pair)]))
        return self._await((case.id, pair))

    def await_build(self, pair: Pair) -> None:
        """Wait until both sides are built. A pair that cannot be played fails its tests: it must not go missing."""
        if not self._building:
            self._building = True
            self.session.start_building()
        while not self.session.playable(pair):
            if why := self.session.why_not(pair):
                pytest.fail(f"{pair} cannot be played: {why}", pytrace=False)
            self.session.collect_builds(POLL_SECONDS)

    def _look_ahead(self, first: PlannedTest) -> None:
        """Hand the engine the cases of a test and of all chosen tests after it whose pair is built. Where tests are shared out,
        this process will be asked only for tests of the same pair."""
        ready = [first.pair] if self._shared_out else [pair for pair in self.session.pairs if self.session.playable(pair)]
        start = self._chosen.index(first) if first in self._chosen else 0
        ahead = [planned for planned in self._chosen[start:] if planned.pair in ready] or [first]
        keys = [(case, test.pair) for test in ahead for case in test.cases if (case.id, test.pair) not in self._enqueued]
        self._enqueued.update((case.id, pair) for case, pair in keys)
        self.session.engine.enqueue(self.session.job(case, pair) for case, pair in keys)

    def _await(self, key: tuple[str, Pair]) -> Verdict:
        while key not in self._verdicts:
            self._move(key[1])
        return self._verdicts.pop(key)

    def _move(self, pair: Pair) -> None:
        engine = self.session.engine
        self.session.collect_builds()
        for verdict in engine.poll(POLL_SECONDS):
            self._verdicts[verdict.case.id, verdict.pair] = self.session.known.apply(verdict)
        if why := self.session.why_not(pair):
            pytest.fail(f"{pair} cannot be played: {why}", pytrace=False)

    def explain(self, verdict: Verdict) -> str:
        """Return what differs, on the first line, both sides beside the model, and the line that replays it."""
        catalog, added = self.session.catalog, added_implementations(self.session.options, Path.cwd())
        return explain(verdict, catalog.describe, replay_text(verdict, catalog), added).lstrip()

    def close(self) -> None:
        self.session.close()


_DECIDE = (Outcome.ERROR, Outcome.FAILED, Outcome.UNEXPECTED_PASS, Outcome.KNOWN_FAILURE, Outcome.PASSED, Outcome.UNSUPPORTED)
"""Among the outcomes of generated cases, the first in this list decides over the test."""


class BoundCase:
    """The fixture `interop_case`. `case` is the first of generated cases; `seconds` is the time of playing."""

    def __init__(self, playground: Playground, planned: PlannedTest) -> None:
        self._playground = playground
        self._planned = planned
        self.case = planned.cases[0]
        self.pair = planned.pair
        self.seconds: float | None = None

    def check(self) -> Verdict:
        """Play the case, and fail the test unless it passes. A case that needs more than a driver offers is skipped. Among
        generated cases the gravest outcome counts."""
        verdicts = self._playground.verdicts(self._planned)
        self.seconds = sum(verdict.seconds for verdict in verdicts)
        verdict = min(verdicts, key=lambda verdict: (_DECIDE.index(verdict.outcome), not verdict.shrunk))
        if verdict.outcome is Outcome.UNSUPPORTED:
            pytest.skip(verdict.difference.what if verdict.difference else "unsupported")
        if verdict.outcome is Outcome.KNOWN_FAILURE:
            pytest.xfail(verdict.notes[-1])
        if verdict.outcome is not Outcome.PASSED:
            pytest.fail(_how_many(verdicts) + self._playground.explain(verdict), pytrace=False)
        return verdict


def _how_many(verdicts: Sequence[Verdict]) -> str:
    """Return a line that counts the generated cases that are not as expected; empty for a named case."""
    findings = sum(verdict.outcome.is_finding for verdict in verdicts)
    return f"{findings} of {len(verdicts)} generated cases are not as expected, among them\n" if len(verdicts) > 1 else ""


@dataclass(frozen=True, slots=True)
class Played:
    """The result of `interop_pair.play`: `passed`, the verdict with all transcripts, and a `text` to show if it failed."""

    verdict: Verdict
    text: str

    @property
    def passed(self) -> bool:
        return self.verdict.outcome is Outcome.PASSED


class BoundPair:
    """The fixture `interop_pair`."""

    def __init__(self, playground: Playground, pair: Pair) -> None:
        self._playground = playground
        self.pair = pair

    @property
    def client(self) -> str:
        return self.pair.client

    @property
    def server(self) -> str:
        return self.pair.server

    def method(self, path: str) -> Method:
        """Return the RPC `/package.Service/Method` (or an ending of it, such as `Greeter/AllStream`). Raise UsageError."""
        __tracebackhide__ = True
        with _RaisedAtTheTest():
            return find_method(self._playground.session.catalog, path)

    def message(self, type_name: str, json: str | Mapping[str, Any] | None = None, /, **fields: Any) -> bytes:
        """Return the bytes of a message by its fields, or as ProtoJSON (text or a dict); `type_name` is the type's full
        name or an ending of it. Raise UsageError."""
        __tracebackhide__ = True
        with _RaisedAtTheTest():
            return build_message(self._playground.session.catalog, type_name, json, fields)

    def play(self, case: Case) -> Played:
        """Play the case on this pair. Raise NotACase where gRPC promises no outcome."""
        __tracebackhide__ = True
        with _RaisedAtTheTest():
            verdict = self._playground.play(case, self.pair)
        passed = verdict.outcome is Outcome.PASSED
        return Played(verdict, "" if passed else self._playground.explain(verdict))


class _RaisedAtTheTest:
    """Raises errors of a test at the test's own line, without the harness' frames above it."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        __tracebackhide__ = True
        if isinstance(error, NotACase | UsageError):
            raise error.with_traceback(None)
