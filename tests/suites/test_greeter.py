"""The `greeter` suite with programs that are right, and with each kind of wrong server: it turns red, in the right words."""

import sys
import time
from pathlib import Path

import pytest

from grpc_interop.core.model import model
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Outcome, Pair, Verdict
from grpc_interop.drivers.build import Built, Launch
from grpc_interop.drivers.manifest import Manifest
from grpc_interop.engine.executors.program import ProgramExecutor
from grpc_interop.engine.jobs import Job, Prepared
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites import SUITES
from grpc_interop.suites.protocol import SuiteOptions

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
HARNESS = str(ROOT / "harness")

FAULTS = {
    "wrong_greeting": ("SayHello/greets", "the client received another message 1 than the server sent"),
    "ascii_only": ("SayHello/greets_non_ascii", "the client received another message 1 than the server sent"),
    "crashes": ("SayHello/greets", "the server program exited with status 3 during the RPC"),
    "buffers_ticks": ("GetStream/ten_ticks", "the server's messages came all at once instead of one by one"),
    "nine_ticks": ("GetStream/ten_ticks", "the client saw the end after 9 of 10 messages"),
    "eleven_ticks": ("GetStream/ten_ticks", "the client received a message that the server did not send, after 10 messages"),
    "wrong_order": ("GetStream/ten_ticks", "the client received the server's messages in another order, from message 4 on"),
    "price_without_decimals": ("GetStream/ten_ticks", "the client received another message 1 than the server sent"),
    "ticks_for_ever": ("GetStream/ten_ticks", "the client received a message that the server did not send, after 10 messages"),
    "error_at_the_end": ("GetStream/ten_ticks", "the client's status is INTERNAL instead of OK"),
    "never_ends": ("GetStream/ten_ticks", "the client did not see the end of the server's messages and still waits for it"),
    "miscounts": ("PutStream/counts_three", "the client received another message 1 than the server sent"),
    "answers_put_stream_early": ("PutStream/counts_three", "the server answered before the client had half-closed"),
    "answers_with_the_third_item": ("PutStream/counts_three", "the server answered before the client had half-closed"),
    "answers_all_stream_at_the_end": (
        "AllStream/answers_each",
        "the client did not receive message 1 of 5 and still waits for it",
    ),
    "answers_twice": ("AllStream/answers_each", "the client received another message 2 than the server sent"),
    "echoes_nothing": ("AllStream/talks_on", "the client received another message 1 than the server sent"),
    "exits": ("SayHello/greets", "the server program exited with status 1 before it listened"),
    "wrong_first_line": (
        "SayHello/greets",
        "the server program's first line is 'ready' instead of `listening on 127.0.0.1:PORT`",
    ),
}

NEVER_SERVES = {"exits", "wrong_first_line"}
KINDS = {"SayHello", "GetStream", "PutStream", "AllStream"}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory):
    catalog = Catalog.load([ROOT / "proto"], [], tmp_path_factory.mktemp("cache"))
    return {case.id: case for case in SUITES["greeter"].cases(catalog, SuiteOptions())}


@pytest.fixture
def programs(tmp_path: Path):
    programs = ProgramExecutor(tmp_path / "logs", step_seconds=8)
    yield programs
    programs.close()


def implementation(name: str, *, fault: str = "none") -> Built:
    env = {"PYTHONPATH": HARNESS}
    client = Launch((sys.executable, str(HERE / "greeter_client.py")), env)
    server = Launch((sys.executable, str(HERE / "greeter_server.py"), fault), env)
    return Built(Manifest(name, HERE / "interop.toml"), programs={"greeter-client": client, "greeter-server": server})


def play(programs: ProgramExecutor, cases, *, fault: str = "none") -> dict[str, Verdict]:
    """The verdicts by case id."""
    programs.add(implementation("right"))
    programs.add(implementation("tested", fault=fault))
    for case in cases:
        needs = case.needs(Side.CLIENT)
        programs.start(Job(Prepared(case, model(case), needs, needs), Pair("right", "tested")))
    verdicts = {}
    due = time.monotonic() + 60
    while programs.busy:
        assert time.monotonic() < due
        verdicts.update({job.prepared.case.id: verdict for job, verdict in programs.collect()})
        time.sleep(0.02)
    return verdicts


def test_right_programs_pass(programs: ProgramExecutor, cases) -> None:
    """
    A server and a client that do what the manifest's guide says pass every case of the suite.
    """
    verdicts = play(programs, cases.values())
    assert {id: verdict.difference for id, verdict in verdicts.items()} == dict.fromkeys(cases)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_server_is_found(programs: ProgramExecutor, cases, fault: str) -> None:
    """
    Each fault of a server fails the case that looks for it, and the verdict says what is wrong; the other methods pass.
    """
    name, words = FAULTS[fault]
    verdicts = play(programs, cases.values(), fault=fault)
    verdict = verdicts[f"greeter/greeter.v1.Greeter/{name}"]
    assert verdict.outcome is Outcome.FAILED
    assert verdict.difference.what == words
    failed = {one.case.method.name for one in verdicts.values() if one.outcome is not Outcome.PASSED}
    assert failed == (KINDS if fault in NEVER_SERVES else {verdict.case.method.name})


def test_an_answer_before_the_half_close_is_counted(programs: ProgramExecutor, cases) -> None:
    """
    Of a server that answers PutStream early, the transcript says how many answers came too early.
    """
    case = cases["greeter/greeter.v1.Greeter/PutStream/counts_three"]
    verdict = play(programs, [case], fault="answers_put_stream_early")[case.id]
    assert verdict.client.early == 1


def test_a_crash_is_blamed_on_the_case_that_caused_it(programs: ProgramExecutor, cases) -> None:
    """
    A server that one case kills is started again, and the cases that were in play with it pass.
    """
    verdicts = play(programs, cases.values(), fault="crashes")
    failed = {id for id, verdict in verdicts.items() if verdict.outcome is not Outcome.PASSED}
    assert failed == {id for id in cases if "/SayHello/" in id}


def test_a_missing_program_is_unsupported(programs: ProgramExecutor, cases) -> None:
    """
    An implementation without a program of that name is reported as such, by name.
    """
    case = next(iter(cases.values()))
    programs.add(implementation("right"))
    programs.add(Built(Manifest("tested", HERE / "interop.toml")))
    programs.start(Job(Prepared(case, model(case), frozenset(), frozenset()), Pair("right", "tested")))
    while not (collected := programs.collect()):
        time.sleep(0.01)
    ((_, verdict),) = collected
    assert (verdict.outcome, verdict.difference.what) == (Outcome.UNSUPPORTED, "tested has no program greeter-server")


def test_closing_ends_programs_in_play(programs: ProgramExecutor, cases) -> None:
    """
    Closing in the middle of cases ends their processes at once.
    """
    programs.add(implementation("right"))
    case = cases["greeter/greeter.v1.Greeter/GetStream/ten_ticks"]
    programs.start(Job(Prepared(case, model(case), frozenset(), frozenset()), Pair("right", "right")))
    time.sleep(1)
    started = time.monotonic()
    programs.close()
    assert time.monotonic() - started < 2
