"""Engines over the reference driver (tests/drivers/reference), healthy and with its faults, and the check that nothing
of them is left running."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grpc_interop.core.case import AnyCase
from grpc_interop.core.verdict import Pair, Verdict
from grpc_interop.drivers.build import Built, Launch
from grpc_interop.drivers.manifest import read_manifest
from grpc_interop.engine import Engine, Job, watchdog
from grpc_interop.engine.executors.executor import Executor
from grpc_interop.messages.examination import Examiner
from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.shapes import Shapes

PROTOS = Path(__file__).parents[2] / "proto"
REFERENCE = Path(__file__).parents[1] / "drivers" / "reference"

CASE_SECONDS = 1.5
"""Patience with a case: enough on a loaded machine for one that takes milliseconds, short enough to hang on purpose."""

RUN_SECONDS = 60.0
"""What no test's run may exceed, whatever the drivers do."""

GONE_SECONDS = 5.0
"""How long a killed process may be seen: the kernel ends it when it gets to run."""

MARK = "REFERENCE_MARK"


class Play:
    """Plays cases on pairs of `good` and other implementations. `expected` says which failures are known."""

    def __init__(self, logs: Path, executors: Iterable[Executor] = ()) -> None:
        self.mark = uuid.uuid4().hex
        self.logs = logs
        catalog = Catalog.load([PROTOS], [], logs.parent / "cache")
        self.expected: Callable[[Verdict], bool] = lambda _: False
        examiner = Examiner(Shapes(catalog))
        self.engine = Engine(logs, case_seconds=CASE_SECONDS, examiner=examiner, expected=self._is_expected, executors=executors)
        self.add("good")

    def _is_expected(self, verdict: Verdict) -> bool:
        return self.expected(verdict)

    def add(self, name: str, **env: str) -> None:
        """Adds an implementation: the reference driver with these variables."""
        manifest = replace(read_manifest(REFERENCE), name=name)
        environment = {MARK: self.mark, **{f"REFERENCE_{key.upper()}": value for key, value in env.items()}}
        self.engine.add(Built(manifest, Launch(manifest.driver, environment)))

    def enqueue(self, pair: str, cases: Iterable[AnyCase]) -> None:
        client, server = pair.split(":")
        prepare = self.engine.prepare
        self.engine.enqueue(Job(prepare(case), Pair(client, server)) for case in cases)

    def to_the_end(self) -> list[Verdict]:
        """Everything that was enqueued."""
        limit = time.monotonic() + RUN_SECONDS
        verdicts: list[Verdict] = []
        while self.engine.busy:
            assert time.monotonic() < limit, f"the run does not end; so far {verdicts}"
            verdicts += self.engine.poll(0.05)
        return verdicts

    def run(self, pair: str, cases: Iterable[AnyCase]) -> dict[str, Verdict]:
        """The cases on that pair, by name, beside the same cases on a healthy pair, which must pass."""
        cases = list(cases)
        self.enqueue(pair, cases)
        self.enqueue("good:good", cases)
        verdicts = self.to_the_end()
        healthy = [verdict for verdict in verdicts if str(verdict.pair) == "good:good"]
        assert len(healthy) == len(cases)
        assert [(verdict.case.name, verdict.difference) for verdict in healthy if verdict.outcome != "passed"] == []
        return {verdict.case.name: verdict for verdict in verdicts if str(verdict.pair) == pair}

    def why_dropped(self, pair: str) -> str:
        client, server = pair.split(":")
        return self.engine.why_dropped.get(Pair(client, server), "")


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """An engine with a healthy implementation `good`. At the end nothing of its processes may be left."""
    monkeypatch.setattr(watchdog, "ABORT_SECONDS", 1.0)
    monkeypatch.setattr(watchdog, "DUMP_SECONDS", 0.2)
    playing = Play(tmp_path / "logs")
    try:
        yield playing
    finally:
        playing.engine.close()
    assert_gone(playing.mark)


@pytest.fixture
def gone() -> Callable[[str], None]:
    """Asserts that no process with that mark is left."""
    return assert_gone


def assert_gone(mark: str) -> None:
    limit = time.monotonic() + GONE_SECONDS
    while left := marked(mark):
        assert time.monotonic() < limit, f"still running: {left}"
        time.sleep(0.02)


def marked(mark: str) -> dict[int, str]:
    """The processes that have the mark in their environment, as every descendant of a driver has: pid and command."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            # Ended, or another user's.
            continue
    return found
