"""A run's exit status, its workers, and what it says of what could not be played."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from project import REPOSITORY, Ended, MakeImplementation, Project, results

ONE = ["-k", "SayHello/one"]


def test_a_finding(project: Project, reference: MakeImplementation, report: Path) -> None:
    """
    A server that drops a message is a finding of its pair alone: exit status 1, one block, a line that replays it.
    """
    wrong = reference("wrong", "drops_the_last_message")
    ended = project.interop(
        "run", "--implementation", wrong, "--client", "py", "-k", "GetStream/ten", "--suite", "calls", "--report", report
    )
    assert ended.status == 1
    assert "✗ py:wrong  Greeter/GetStream  ten" in ended.out
    assert "the client saw the end after 9 of 10 messages" in ended.out
    assert results(report)["totals"]["passed"] >= 1 and results(report)["totals"]["failed"] >= 1
    again = pasted(project, ended.out)
    assert again.status == 1 and "FAILED: 0 of 1 passed" in again.out


def pasted(project: Project, out: str) -> Ended:
    """What becomes of the first replay line that was printed, typed where it was printed."""
    line = next(text for text in out.splitlines() if text.startswith("  replay "))
    words = shlex.split(line)
    assert words[1:3] == ["interop", "replay"]
    return project.interop(*words[2:])


def test_a_replay_line_can_be_pasted_wherever_the_run_was(project: Project, reference: MakeImplementation, tmp_path: Path) -> None:
    """
    With an implementation beside the project's, in a folder whose name needs quotes, from a folder within the project: of a
    text, and of an id, whose protos and report lie elsewhere.
    """
    wrong = reference("wrong one", "drops_the_last_message")
    (wrong / "interop.toml").write_text((wrong / "interop.toml").read_text().replace('"wrong one"', '"wrong"'))
    below = project.folder / "some where"
    below.mkdir(exist_ok=True)
    chosen = ["--implementation", wrong, "--client", "py", "--server", "wrong", "-k", "GetStream/ten", "--suite", "calls"]
    protos = ["--proto-path", REPOSITORY / "proto"]
    ended = project.interop("run", *chosen, *protos, "--report", tmp_path / "its report", cwd=below)
    (cause,) = results(tmp_path / "its report")["causes"]
    words = ["replay", "--implementation", os.path.relpath(wrong, below)]
    assert shlex.join(["interop", *words]) in ended.out
    again = project.interop(*words, cause["first"], *protos, "--report", tmp_path / "its report", cwd=below)
    assert again.status == 1, again


def test_a_pair_is_told_of_before_others_are_built(project: Project, buildable: MakeImplementation, tmp_path: Path) -> None:
    """
    A pair whose cases are all judged says so while another language is still being built, which here goes on only then.
    """
    seen = tmp_path / "seen"
    slow = (
        f"import time\nuntil = time.monotonic() + 60\nwhile not Path({str(seen)!r}).exists() and time.monotonic() < until: time.sleep(0.05)"
    )
    late = buildable("late", f'{slow}\nsys.exit("main.c:7: no such function")')
    chosen = ["--implementation", late, "--server", "py", "--suite", "calls", "-k", "SayHello", "--report", tmp_path / "report"]
    process = project.start("run", *chosen)
    with process:
        assert process.stdout is not None
        told = iter(process.stdout.readline, "")
        line = next(line for line in told if line.startswith(("py:py  ", "late cannot")))
        seen.touch()
        matrix = process.stdout.read()
    totals = results(tmp_path / "report")["totals"]
    assert line == f"py:py  {totals['passed']} passed, {totals['known_failure']} known\n"
    assert "late cannot be built" in matrix and totals["passed"] > 1


@pytest.mark.parametrize(("strict", "env", "status"), [([], {}, 0), (["--strict"], {}, 2), ([], {"CI": "true"}, 2)])
def test_a_missing_toolchain(project: Project, report: Path, without_toolchain: Path, strict, env, status: int) -> None:
    """
    It is a named row of the matrix, with what is missing and what to do; it fails the run where everything must be there.
    """
    ended = project.interop("run", "--implementation", without_toolchain, "--server", "py", *ONE, *strict, "--report", report, env=env)
    assert ended.status == status
    assert "cobol:py  Cobol 2023 is missing: set COBOL=/path/to/cobol" in ended.out
    rows = [line.split() for line in ended.out.splitlines()]
    assert ["cobol", "not", "run"] in rows and ["py", "1/1"] in rows
    (entry,) = results(report)["not_run"]
    told = ("cobol:py", "Cobol 2023 is missing: set COBOL=/path/to/cobol", "unavailable")
    assert (entry["what"], entry["why"], entry["lack"]) == told


def test_a_build_that_fails(project: Project, report: Path, unbuildable: Path) -> None:
    """
    Its last words are shown, the other pairs run, and the exit status is 3.
    """
    ended = project.interop("run", "--implementation", unbuildable, "--server", "py", *ONE, "--report", report)
    assert ended.status == 3
    assert "broken: the build command exited with status 1" in ended.out and "main.c:7: no such function" in ended.out
    assert ["py", "1/1"] in [line.split() for line in ended.out.splitlines()]


def test_a_driver_that_does_not_start(project: Project, reference: MakeImplementation, report: Path) -> None:
    """
    Its last words are shown, and the exit status is 3.
    """
    dead = reference("dead", "dies_at_start")
    ended = project.interop("run", "--implementation", dead, "--server", "py", *ONE, "--report", report)
    assert ended.status == 3
    assert "no such library: libreference.so" in ended.out


def test_quiet(project: Project, report: Path) -> None:
    """
    -q leaves the matrix and what follows it.
    """
    ended = project.interop("run", "-q", *ONE, "--report", report)
    assert ended.out.startswith("\nclient \\ server") and "1 case: 1 passed" in ended.out


def test_workers_come_to_the_same_as_one(project: Project, tmp_path: Path) -> None:
    """
    -n 2 has the totals of one process, and one report.
    """
    chosen = ["--suite", "calls", "-k", "SayHello or PutStream"]
    assert project.interop("run", *chosen, "--report", tmp_path / "one").status == 0
    assert project.interop("run", "-n", 2, *chosen, "--report", tmp_path / "two").status == 0
    assert results(tmp_path / "one")["totals"] == results(tmp_path / "two")["totals"]
    assert results(tmp_path / "two")["shard"] == [1, 1]


def test_workers_end_as_one_does(project: Project, report: Path, without_toolchain: Path) -> None:
    """
    What is not run fails a run of workers where it would fail one process, and only there.
    """
    two = ["--implementation", without_toolchain, "--server", "py", "-n", 2, "--suite", "calls", "-k", "SayHello"]
    assert project.interop("run", *two, "--report", report).status == 0
    strict = project.interop("run", *two, "--strict", "--report", report)
    assert strict.status == 2 and "cobol:py  Cobol 2023 is missing" in strict.out


def test_workers_write_one_summary_for_github(project: Project, tmp_path: Path) -> None:
    """
    The job summary gets one matrix, not one for each worker.
    """
    summary = tmp_path / "summary.md"
    env = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTIONS": "true"}
    project.interop("run", "-n", 2, "-k", "SayHello", "--suite", "calls", "--report", tmp_path / "report", env=env)
    assert summary.read_text().count("interop run") == 1


def test_a_budget(project: Project, report: Path) -> None:
    """
    When the time is over, what was begun is finished, and what is left out is told; that fails nothing, even in CI.
    """
    ended = project.interop("run", "--suite", "calls", "--budget", "0.001s", "--report", report, env={"CI": "true"})
    assert ended.status == 0
    (left_out,) = results(report)["left_out"]
    assert (left_out["what"], left_out["why"]) == ("calls", "the 0.001 s of --budget were over")
    assert left_out["cases"] + sum(results(report)["totals"].values()) == 137
    assert f"calls  {left_out['cases']} case" in ended.out


def test_a_pair_that_refuses_all_there_is(project: Project, tmp_path: Path, report: Path) -> None:
    """
    It is shown as not run, because its language refuses the file; the refusal is the finding.
    """
    (tmp_path / "none.proto").write_text(
        'syntax = "proto3";\npackage none;\nmessage None {}\nservice S { rpc Get(None) returns (None); }\n'
    )
    ended = project.interop("run", "--proto-path", tmp_path, "--report", report)
    assert ended.status == 1
    not_run = {entry["what"]: entry["why"] for entry in results(report)["not_run"]}
    assert not_run["py:py"] == "all its cases are about refused files: none.proto"
    assert f"py refuses {tmp_path / 'none.proto'}:4" in ended.out
    assert "nobody said why" not in ended.out


def test_what_is_refused_is_told_with_its_element_line_and_path(project: Project, report: Path) -> None:
    """
    On the terminal, in the results and beside the line in a pull request; the path is the one from where the user stands.
    """
    project.write("refused/a/bad.proto", 'syntax = "proto3";\npackage bad;\nmessage O {}\nservice S {\n  rpc import(O) returns (O);\n}\n')
    run = ["run", "--proto-path", "refused", "--client", "py", "--server", "py", "--report", report]
    ended = project.interop(*run, env={"GITHUB_ACTIONS": "true"})
    assert ended.status == 1
    why = "RPC bad.S/import: Python's generator writes `def import`, and `import` is a keyword of Python"
    assert re.search(rf"py refuses refused/a/bad.proto:5 +{re.escape(why)}", ended.out)
    assert f"::error file=refused/a/bad.proto,line=5,title=finding%3A py refuses refused/a/bad.proto%3A5::{why}" in ended.out
    (finding,) = results(report)["findings"]
    told = {name: finding[name] for name in ("what", "file", "element", "path", "line")}
    assert told == {
        "what": "py refuses a/bad.proto",
        "file": "a/bad.proto",
        "element": "bad.S/import",
        "path": "refused/a/bad.proto",
        "line": 5,
    }


@pytest.mark.parametrize("budget", ["soon", "0s", "-5s", ""])
def test_a_budget_that_is_none(project: Project, report: Path, budget: str) -> None:
    """
    A text that is not a duration is answered with an example.
    """
    ended = project.interop("run", "--budget", budget, "--report", report)
    assert ended.status == 2
    assert "such as --budget 60s" in ended.err


def commit(project: Project, protos: str) -> None:
    """Makes the project a repository of one commit, with one proto file."""
    project.write("interop.toml", 'implementations = ["py"]\n[protos]\nroots = ["protos"]\n')
    project.write("protos/a.proto", protos)
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=n", "-c", "user.email=e@example.com", "commit", "-qm", "one"]):
        subprocess.run(["git", "-C", project.folder, *command], check=True)


@pytest.mark.parametrize("words", [[], ["-n", 2]])
def test_nothing_has_changed(tmp_path: Path, report: Path, words) -> None:
    """
    --changed says so, builds nothing, and is a success; a name that is not a commit is wrong usage.
    """
    project = Project(tmp_path / "project")
    commit(project, 'syntax = "proto3"; message M {} service S { rpc A(M) returns (M); }')
    ended = project.interop("run", "--changed", "HEAD", *words, "--report", report)
    assert (ended.status, ended.out) == (
        0,
        "nothing to run: of what the options select, no RPC or message has changed since HEAD\n",
    )
    assert not (project.folder / ".interop" / "build").exists()
    ended = project.interop("run", "--changed", "nowhere", *words, "--report", report)
    assert ended.status == 2
    assert "git fetch" in ended.err


def test_only_what_has_changed(tmp_path: Path, report: Path) -> None:
    """
    RPCs that reach an edited message run; the others are counted as left out.
    """
    project = Project(tmp_path / "project")
    protos = 'syntax = "proto3"; message M { string a = 1; } message N {} service S { rpc A(M) returns (M); rpc B(N) returns (N); }'
    commit(project, protos)
    project.write("protos/a.proto", protos.replace("string a = 1;", "string a = 1; int32 b = 2;"))
    ended = project.interop("run", "--changed", "HEAD", "--suite", "calls", "--report", report)
    assert ended.status == 0
    assert "1 of 2 RPCs, 1 of 2 messages  nothing that they depend on has changed since HEAD" in ended.out
    assert {json.loads(line)["method"] for line in (report / "cases.jsonl").read_text().splitlines()} == {"/S/A"}
