"""A kind of case that the harness does not know is played with an executor of its own: the engine's loop needs no change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import Play, assert_gone
from grpc_interop.core.case import AnyCase, Declarations
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Difference, Outcome, Pair, Verdict
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.driver import Driver
from grpc_interop.drivers.resources import Resource
from grpc_interop.engine import Job, Prepared, watchdog
from grpc_interop.engine.executors.execution import Execution
from grpc_interop.engine.executors.executor import DriverExecutor, Host

SECONDS = 1.0
TYPE = "greeter.v1.HelloRequest"


@dataclass(frozen=True, slots=True)
class EchoCase(AnyCase):
    """Both drivers read and write the same message, and must write the same bytes."""

    data: bytes

    @property
    def executor(self) -> str:
        return "echo"

    @property
    def path(self) -> str:
        return f"/{TYPE}"

    @property
    def kind(self) -> str:
        return "echo"

    def type_seen_by(self, side: Side) -> str:
        return TYPE

    def needs(self, side: Side) -> frozenset[str]:
        return frozenset({"transcode"})

    def file(self, protos: Declarations) -> str:
        return protos.file_of_message(TYPE)

    def is_declared_by(self, protos: Declarations) -> bool:
        return bool(self.file(protos))


@dataclass(slots=True, eq=False)
class EchoExecution(Execution):
    written: dict[Driver, bytes] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return len(self.written) == 2

    def unreported(self) -> list[Driver]:
        return [driver for driver in (self.client, self.server) if driver not in self.written]

    def release(self, driver: Driver) -> None:
        driver.take_off(1)

    def judge(self) -> Verdict:
        client, server = self.written[self.client], self.written[self.server]
        difference = None if client == server else Difference(Side.SERVER, "the server wrote other bytes", client, server)
        return Verdict(self.prepared.case, self.job.pair, Outcome.FAILED if difference else Outcome.PASSED, difference=difference)

    def broken(self, driver: Driver | None, what: str) -> Verdict:
        return Verdict(self.prepared.case, self.job.pair, Outcome.FAILED, difference=Difference(Side.CLIENT, what))


class EchoExecutor(DriverExecutor):
    name = "echo"

    def __init__(self) -> None:
        self._waiting: dict[int, EchoExecution] = {}

    def prepare(self, case: AnyCase) -> Prepared:
        return Prepared(case, (), case.needs(Side.CLIENT), case.needs(Side.SERVER))

    def can_start(self, driver: Driver, prepared: Prepared, window: int) -> bool:
        return driver.in_flight < window

    def begin(self, job: Job, client: Driver, server: Driver, ready: Sequence[Resource], host: Host) -> None:
        case = job.prepared.case
        assert isinstance(case, EchoCase)
        execution = EchoExecution(next(host.ids), job, job.prepared, client, server, SECONDS, host.clock.now + SECONDS)
        host.in_flight[execution.id] = execution
        for driver in (client, server):
            driver.take_on(1)
            command = driver.order(pb.Command(requires=["transcode"], transcode=pb.Transcode(type=TYPE, data=case.data)))
            self._waiting[command] = execution

    def awaits(self, command: int) -> bool:
        return command in self._waiting

    def hear(self, driver: Driver, kind: str, event: pb.Event, host: Host) -> None:
        execution = self._waiting.pop(event.id)
        execution.written[driver] = event.transcoded.binary
        execution.release(driver)
        if execution.complete:
            host.land(execution)


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    monkeypatch.setattr(watchdog, "ABORT_SECONDS", 1.0)
    monkeypatch.setattr(watchdog, "DUMP_SECONDS", 0.2)
    playing = Play(tmp_path / "logs", executors=(EchoExecutor(),))
    try:
        yield playing
    finally:
        playing.engine.close()
    assert_gone(playing.mark)


def cases() -> list[AnyCase]:
    return [EchoCase("echoes", name, b"\x0a" + bytes([len(name)]) + name.encode()) for name in ("one", "two", "three")]


def test_cases_of_another_kind_are_played_and_judged(play: Play) -> None:
    play.add("other")
    verdicts = play.run("good:other", cases())
    assert {name: verdict.outcome for name, verdict in verdicts.items()} == dict.fromkeys(("one", "two", "three"), Outcome.PASSED)
    assert verdicts["one"].id == f"echoes/{TYPE}/one[good:other]"


def test_a_failure_of_another_kind_is_reported(play: Play) -> None:
    play.add("bad", fault="changes_a_text")
    [failed] = play.run("good:bad", [EchoCase("echoes", "null", b"\x0a\x04null")]).values()
    assert failed.difference is not None
    assert failed.difference.what == "the server wrote other bytes"


@pytest.mark.parametrize(("fault", "how"), [("dies_of_a_text", "exited with status 7"), ("hangs_on_a_text", "did not answer")])
def test_the_engine_finds_the_culprit_of_a_kind_that_it_does_not_know(play: Play, fault: str, how: str) -> None:
    """A driver that dies or hangs is started again, and only the case that brings it about is red."""
    play.add("bad", fault=fault)
    verdicts = play.run("bad:good", [*cases(), EchoCase("echoes", "null", b"\x0a\x04null")])
    failed = {name: verdict.difference for name, verdict in verdicts.items() if verdict.outcome is not Outcome.PASSED}
    assert set(failed) == {"null"}
    assert failed["null"] is not None
    assert how in failed["null"].what


def test_a_driver_that_lacks_a_capability_does_not_play_the_case(play: Play) -> None:
    prepared = Prepared(cases()[0], (), frozenset({"flying"}), frozenset())
    play.engine.enqueue(iter([Job(prepared, Pair("good", "good"))]))
    [verdict] = play.to_the_end()
    assert verdict.outcome is Outcome.UNSUPPORTED
