"""The pytest plugin, in a pytest of its own: cases are tests that a person can select, repeat, stop and share out."""

import re
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from project import MakeImplementation, Project

EVERY_CASE = "def test_interop(interop_case): interop_case.check()"
CALLS = ["--interop-suite", "calls", "-p", "no:cacheprovider"]
ONE = "test_all.py::test_interop[calls/greeter.v1.Greeter/SayHello/one-py:py]"


@pytest.fixture
def user(pytester: pytest.Pytester, project: Project) -> pytest.Pytester:
    """A user's folder of tests, with `test_interop` over the project's cases; builds are shared with the project."""
    pytester.makefile(".toml", interop=(project.folder / "interop.toml").read_text())
    (project.folder / ".interop").mkdir(exist_ok=True)
    (pytester.path / ".interop").symlink_to(project.folder / ".interop")
    pytester.makepyfile(test_all=EVERY_CASE)
    return pytester


@pytest.fixture
def wrong(reference: MakeImplementation) -> list[str]:
    """Options for the pair py:wrong, whose server ends AllStream with another code, and others that pass or fail."""
    return ["--interop-implementation", str(reference("wrong", "ends_with_another_code", method="AllStream"))]


def test_a_case_is_a_test(user: pytest.Pytester) -> None:
    """
    A case has one test for each pair, with an id that a person can type.
    """
    ended = user.runpytest_subprocess(*CALLS, "-v", ONE)
    ended.assert_outcomes(passed=1)
    ended.stdout.fnmatch_lines([f"{ONE.replace('[', '[[]')} PASSED*"])


def test_k_and_q(user: pytest.Pytester) -> None:
    """
    -k selects by words of the id, and -q is as brief as ever.
    """
    ended = user.runpytest_subprocess(*CALLS, "-q", "-k", "AllStream and ping_pong_10 or SayHello/one")
    assert ended.ret == 0
    assert ended.outlines[0].split() == ["..", "[100%]"]


def test_a_failure_shows_both_sides(user: pytest.Pytester, wrong: list[str]) -> None:
    """
    A test fails with the conversation beside the model, and the line that replays it, without a traceback.
    """
    ended = user.runpytest_subprocess(*CALLS, *wrong, "-k", "AllStream/ping_pong_10 and py:wrong")
    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(["*client (py)*server (wrong)*model*", "*interop replay *ic1:*"])
    assert "Traceback" not in ended.stdout.str()


def test_the_summary_gives_the_reason(user: pytest.Pytester, wrong: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    pytest's short summary says of a failed case what differs, of the suites' cases and of one's own.
    """
    monkeypatch.setenv("COLUMNS", "300")
    user.makepyfile(test_own=OWN_CASE)
    ended = user.runpytest_subprocess(*CALLS, *wrong, "-k", "py:wrong and (AllStream/ping_pong_10 or test_own)")
    ended.assert_outcomes(failed=2)
    summary = [line for line in ended.outlines if line.startswith("FAILED")]
    assert [line.partition(" - ")[2].partition(":")[0] for line in summary] == ["Failed", "AssertionError"]
    assert all(": the client's status is INTERNAL instead of OK" in line for line in summary)


OWN_CASE = """
from grpc_interop.core.case import *

def test_own(interop_pair):
    method = interop_pair.method("AllStream")
    case = Case("mine", "own", method, ((HalfClose(), ReceiveToEnd()),), ((ReceiveToEnd(), Finish()),))
    played = interop_pair.play(case)
    assert played.passed, played.text
"""


def test_what_is_wrong_with_a_test_is_told_at_its_line(user: pytest.Pytester) -> None:
    """
    Without the harness' own frames: a case that is none, a method, a type and a field that are not there.
    """
    user.makepyfile(
        test_wrong="""
        from grpc_interop.core.case import *

        def test_no_case(interop_pair):
            method = interop_pair.method("SayHello")
            interop_pair.play(Case("mine", "own", method, ((Send(b""), HalfClose(), ReceiveToEnd()),), ((Receive(), Finish(Status(9))),)))

        def test_no_method(interop_pair):
            interop_pair.method("SayHelo")

        def test_no_type(interop_pair):
            interop_pair.message("HelloRequst")

        def test_no_field(interop_pair):
            interop_pair.message("HelloRequest", nam="x")
        """
    )
    ended = user.runpytest_subprocess("--interop-client", "py", "--interop-server", "py", "-p", "no:cacheprovider", "test_wrong.py")
    ended.assert_outcomes(failed=4)
    ended.stdout.fnmatch_lines(
        [
            "E *NotACase: mine/greeter.v1.Greeter/SayHello/own: a unary call has no half-close of its own: leave HalfClose out",
            "E *the protos have no method 'SayHelo'",
            "E *did you mean /greeter.v1.Greeter/SayHello?",
            "E *the protos have no message 'HelloRequst'",
            "E *HelloRequest has no field 'nam'",
            "E *did you mean 'name'?",
        ]
    )
    ended.stdout.no_fnmatch_line("*playground.py*")


@pytest.mark.parametrize("processes", [[], ["-n", "2"]])
def test_a_wrong_option_is_told_once(user: pytest.Pytester, processes: list[str]) -> None:
    """
    However many files ask for cases, nothing is run, and the words are there one time.
    """
    user.makepyfile(test_own=OWN_CASE, test_more=EVERY_CASE)
    ended = user.runpytest_subprocess("--interop-client", "rust", "-p", "no:cacheprovider", *processes)
    assert ended.ret == (pytest.ExitCode.TESTS_FAILED if processes else pytest.ExitCode.USAGE_ERROR)
    told = [line for line in (*ended.outlines, *ended.errlines) if "unknown client 'rust'" in line and " - " not in line]
    assert len(told) == 1
    assert "INTERNALERROR" not in ended.stdout.str()


def test_x_stops_at_the_first_failure(user: pytest.Pytester, wrong: list[str]) -> None:
    """
    -x ends the session, though the engine has looked ahead.
    """
    ended = user.runpytest_subprocess(*CALLS, *wrong, "-x", "-k", "AllStream and py:wrong")
    assert ended.parseoutcomes()["failed"] == 1
    assert ended.ret == 1


def test_lf_repeats_what_failed(user: pytest.Pytester, wrong: list[str]) -> None:
    """
    --lf runs only the failed cases again.
    """
    chosen = ["--interop-suite", "calls", "--interop-client", "py", *wrong, "-k", "ping_pong_10 or SayHello/one"]
    first = user.runpytest_subprocess(*chosen).parseoutcomes()
    again = user.runpytest_subprocess(*chosen, "--lf").parseoutcomes()
    assert (first["passed"], first["failed"]) == (3, 1)
    assert (again.get("passed", 0), again["failed"]) == (0, 1)


def test_n_gives_whole_pairs_to_a_worker(user: pytest.Pytester, reference: MakeImplementation) -> None:
    """
    Under -n 2 each pair's cases are played by one worker, so that no driver is started twice.
    """
    two = ["--interop-implementation", str(reference("other")), "--interop-client", "py"]
    ended = user.runpytest_subprocess(*CALLS, *two, "-n", "2", "-v", "-k", "SayHello and not huge")
    assert ended.ret == 0
    workers = defaultdict(set)
    for worker, pair in re.findall(r"^\[(gw\d)\].* PASSED .*-(\w+:\w+)\]", ended.stdout.str(), re.MULTILINE):
        workers[pair].add(worker)
    assert sorted(map(len, workers.values())) == [1, 1]


def test_junit_has_the_durations_of_cases(user: pytest.Pytester, tmp_path: Path) -> None:
    """
    A test's duration is its case's own: a deadline of one second takes one, and a short call does not wait for a build.
    """
    junit = tmp_path / "junit.xml"
    user.runpytest_subprocess(*CALLS, f"--junitxml={junit}", "-o", "junit_duration_report=call", "-k", "SayHello/one or SayHello/deadline-")
    cases = ElementTree.parse(junit).iter("testcase")
    seconds = {re.sub(r".*/(\w+)-.*", r"\1", case.attrib["name"]): float(case.attrib["time"]) for case in cases}
    assert set(seconds) == {"one", "deadline"}
    assert seconds["one"] < 0.9 < seconds["deadline"] < 10


def test_what_cannot_be_built_fails(user: pytest.Pytester, unbuildable: Path, without_toolchain: Path) -> None:
    """
    The tests of a pair that cannot be played fail with the reason: they neither vanish nor pass.
    """
    two = ["--interop-implementation", str(unbuildable), "--interop-implementation", str(without_toolchain), "--interop-server", "py"]
    ended = user.runpytest_subprocess(*CALLS, *two, "-k", "SayHello/one")
    ended.assert_outcomes(passed=1, failed=2)
    ended.stdout.fnmatch_lines_random(
        [
            "broken:py cannot be played: broken: the build command exited with status 1*",
            "cobol:py cannot be played: Cobol 2023 is missing: set COBOL=/path/to/cobol",
        ]
    )


def test_what_a_driver_lacks_is_skipped(user: pytest.Pytester, buildable: MakeImplementation) -> None:
    """
    A program that an implementation does not have is skipped, by name.
    """
    plain = buildable("plain", "answer = {}")
    ended = user.runpytest_subprocess(
        "--interop-suite", "greeter", "--interop-implementation", str(plain), "--interop-server", "plain", "--interop-client", "py",
        "-rs", "-k", "SayHello/greets-",
    )  # fmt: skip
    ended.assert_outcomes(skipped=1)
    ended.stdout.fnmatch_lines(["*plain has no program greeter-server*"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--interop-server", "ruby"], "interop: unknown server 'ruby'"),
        (["--interop-suite", "cals"], "interop: there is no suite 'cals'"),
        (["--interop-proto-path", "nowhere"], "nowhere: no such folder of protos"),
    ],
)
def test_bad_input(user: pytest.Pytester, options: list[str], words: str) -> None:
    """
    Wrong options end pytest as wrong usage, in the words of `interop run`.
    """
    ended = user.runpytest_subprocess(*options)
    assert ended.ret in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERRUPTED)
    assert words in ended.stdout.str() + ended.stderr.str()


def test_tests_that_play_nothing_start_nothing(user: pytest.Pytester) -> None:
    """
    The plugin costs a suite without such tests nothing: it does not even look for protos.
    """
    (user.path / "interop.toml").write_text("[protos]\nroots = ['nowhere']\n")
    user.makepyfile(test_all="def test_plain(): ...")
    user.runpytest_subprocess().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--interop-client", "ruby"], "interop: unknown client 'ruby'"),
        (["--interop-report", "test_all.py"], "interop: --report */test_all.py: nothing can be written there: File exists"),
    ],
)
def test_wrong_usage_is_told_in_words(user: pytest.Pytester, options: list[str], words: str) -> None:
    """
    No test runs, and nobody has to read the traceback of a plugin.
    """
    ended = user.runpytest_subprocess("-p", "no:cacheprovider", *options)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines([f"ERROR: {words}"])
    assert "Traceback" not in ended.stdout.str() and "pytest_plugin.py" not in ended.stdout.str()
