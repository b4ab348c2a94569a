"""However a run goes wrong, every form of its report is red and says why: real runs, each of them small."""

import itertools
import os
import shlex
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from project import INTEROP, SECONDS, Ended, MakeImplementation, Project, results

ONE = ["--suite", "calls", "-k", "SayHello/one"]
PY = ["--client", "py", "--server", "py"]


class Seen(NamedTuple):
    """A command's end, and which forms of its report are red."""

    ended: Ended
    last_line: str
    red: dict[str, bool]
    said: Callable[[str], set[str]]


@pytest.fixture
def seen(project: Project, report: Path, tmp_path: Path) -> Callable[..., Seen]:
    """Runs `interop` as a job of GitHub's, and reads all that it wrote."""

    def look(*words: object, env: dict[str, str] | None = None, within: Project = project) -> Seen:
        summary = tmp_path / "summary.md"
        github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
        ended = within.interop(*words, "--report", report, env=github | (env or {}))
        page, junit = (report / "report.html").read_text(encoding="utf-8"), (report / "junit.xml").read_text(encoding="utf-8")
        texts = {
            "terminal": ended.out + ended.err,
            "page": page,
            "summary": summary.read_text(encoding="utf-8"),
            "junit": junit,
            "annotations": "\n".join(
                line.replace("%3A", ":") for line in (ended.out + ended.err).splitlines() if line.startswith("::error ")
            ),
        }
        root = ElementTree.fromstring(junit)
        red = {
            "terminal": ended.out.rstrip().rpartition("\n")[2].startswith("FAILED, exit ") or ended.err.startswith("interop: "),
            "page": "<title>✗" in page and "FAILED, exit " in page,
            "summary": "### ❌" in texts["summary"],
            "junit": sum(int(root[0].attrib[key]) for key in ("failures", "errors")) > 0,
            "annotations": bool(texts["annotations"]),
        }
        assert results(report)["conclusion"]["exit_status"] == ended.status
        return Seen(
            ended, ended.out.rstrip().rpartition("\n")[2], red, lambda what: {form for form, text in texts.items() if what not in text}
        )

    return look


@pytest.mark.parametrize(("strict", "env"), [(["--strict"], {}), ([], {"CI": "true"})])
def test_a_pair_that_must_run_and_cannot(seen, without_toolchain: Path, strict: list[str], env: dict[str, str]) -> None:
    run = seen("run", "--implementation", without_toolchain, "--server", "py", *ONE, *strict, env=env)
    assert (run.ended.status, [form for form, red in run.red.items() if not red]) == (2, [])
    assert run.said("Cobol 2023 is missing") == set()
    assert run.last_line.startswith("FAILED, exit 2: not run: cobol:py (Cobol 2023 is missing")


def test_a_submodule_that_is_not_checked_out_is_told_and_fails_a_strict_run_alone(seen, tmp_path: Path) -> None:
    """Nobody knows which RPCs it has."""
    project = Project(tmp_path)
    project.write("proto/hello.proto", 'syntax = "proto3"; message M {} service S { rpc SayHello(M) returns (M); }')
    project.write("interop.toml", 'implementations = ["py"]\n\n[protos]\nroots = ["proto"]\n')
    for words in (["init", "--quiet"], ["update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},proto/theirs"]):
        subprocess.run(["git", "-C", project.folder, *words], check=True)
    run = seen("run", *PY, *ONE, "--strict", within=project)
    assert (run.ended.status, [form for form, red in run.red.items() if not red]) == (2, [])
    assert run.said("proto/theirs") == set()
    for workers in ([], ["-n", "2"]):
        assert "git submodule update --init proto/theirs" in (ended := project.interop("run", *PY, *ONE, *workers)).out
        assert ended.status == 0
    assert "not listed: the submodule proto/theirs" in project.interop("list", *PY, *ONE).err


def test_a_build_that_fails(seen, unbuildable: Path) -> None:
    run = seen("run", "--implementation", unbuildable, "--server", "py", *ONE)
    assert (run.ended.status, [form for form, red in run.red.items() if not red]) == (3, [])
    assert run.said("broken:py") == set()


def test_a_case_that_fails(seen, reference: MakeImplementation) -> None:
    wrong = reference("wrong", "drops_the_last_message")
    run = seen("run", "--implementation", wrong, "--client", "py", "--suite", "calls", "-k", "GetStream/ten")
    assert (run.ended.status, [form for form, red in run.red.items() if not red]) == (1, [])
    assert run.said("the client saw the end after 9 of 10 messages") == set()


def test_a_proto_that_a_language_refuses(seen, buildable: MakeImplementation) -> None:
    refusing = buildable(
        "fussy",
        "answer = {'errors': [{'file': 'greeter/v1/greeter.proto', 'text': 'not to my taste'}], 'driver': {'argv': ['/bin/false']}}",
    )
    run = seen("run", "--implementation", refusing, "--server", "py", *ONE)
    assert run.ended.status == 1
    assert [form for form, red in run.red.items() if not red] == []
    for words in ("fussy refuses ", "greeter/v1/greeter.proto", "not to my taste"):
        assert run.said(words) == set()


def test_nothing_is_selected(seen) -> None:
    run = seen("run", "-k", "no_such_case")
    assert (run.ended.status, [form for form, red in run.red.items() if not red]) == (2, [])
    assert run.said("selects none of the cases") == set()


def test_a_mistake_does_not_cost_the_report_of_the_run_before(project: Project, report: Path) -> None:
    assert project.interop("run", *PY, *ONE, "--report", report).status == 0
    before = (report / "results.json").read_text()
    assert project.interop("run", "-k", "no_such_case", "--report", report).status == 2
    assert (report / "results.json").read_text() == before


def test_a_shard_that_got_lost(seen, project: Project, tmp_path: Path) -> None:
    chosen = [*PY, "--suite", "calls", "-k", "SayHello"]
    for number in (1, 3):
        assert project.interop("run", *chosen, "--shard", f"{number}/3", "--report", tmp_path / f"{number}").status == 0
    run = seen("report", tmp_path / "1", tmp_path / "3")
    assert (run.ended.status, [form for form, red in run.red.items() if not red]) == (3, [])
    assert run.said("shard 2/3") == set()


def test_a_merge_keeps_what_was_not_run_and_the_logs(
    seen, project: Project, reference: MakeImplementation, without_toolchain: Path, report: Path, tmp_path: Path
) -> None:
    """
    Strictly run shards are as red together as alone, and the merged folder stands alone.
    """
    wrong = reference("wrong", "drops_the_last_message")
    more = ["--implementation", wrong, "--implementation", without_toolchain, "--client", "py"]
    for number in (1, 2):
        chosen = [*more, "--suite", "calls", "-k", "GetStream", "--strict", "--shard", f"{number}/2", "--report", tmp_path / f"{number}"]
        assert project.interop("run", *chosen).status == 2
    run = seen("report", tmp_path / "1", tmp_path / "2")
    assert (run.ended.status, [form for form, red in run.red.items() if not red]) == (2, [])
    assert run.said("py:cobol") == set()
    logs = [log["path"] for case in results(report)["cases"] for log in case.get("logs", ())]
    assert logs
    assert all(not Path(path).is_absolute() and (report / path).is_file() for path in logs)


def test_a_budget_is_told_of_in_every_form_that_tells_of_more_than_failures(seen) -> None:
    run = seen("run", *PY, "--suite", "conversations", "--budget", "0.2s", "--count", "300")
    assert run.ended.status == 0
    assert not any(run.red.values())
    assert not run.said("cases: the 0.2 s of --budget were over") & {"terminal", "page", "summary"}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("words", [["-q"], ["--strict"]])
def test_a_terminal_of_another_encoding(
    project: Project, reference: MakeImplementation, report: Path, encoding: str, words: list[str]
) -> None:
    """
    What it cannot show is told by what it can; the run ends as everywhere.
    """
    wrong = reference("wrong", "drops_the_last_message")
    chosen = ["--implementation", wrong, "--client", "py", "--suite", "calls", "-k", "GetStream/ten", *words, "--report", report]
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    command = ["run", *map(str, chosen)]
    ended = subprocess.run([*INTEROP, *command], cwd=project.folder, env=env, capture_output=True, timeout=SECONDS, check=False)
    out = ended.stdout.decode(encoding)
    assert ended.returncode == 1, ended.stderr
    assert b"Traceback" not in ended.stderr
    assert "x py:wrong  Greeter/GetStream  ten" in out
    assert "FAILED, exit 1" in out


def test_every_command_prints_whatever_the_encoding(project: Project, tmp_path: Path) -> None:
    """
    Errors that quote what was typed, lists, what is installed, comparisons.
    """
    env = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    for line, status in (
        ("list --suite calls -k SayHello/one", 0),
        ("plan --suite calls -k SayHello", 0),
        ("doctor", 0),
        ("run --client größe", 2),
        ("replay größe", 2),
        ("build größe", 2),
        ("report größe", 2),
        ("compat --base größe", 2),
        ("serve größe", 2),
        ("compat accept größe --reason größe", 2),
        ("größe", 2),
        ("run --größe", 2),
        ("--help", 0),
    ):
        command = [*INTEROP, *shlex.split(line)]
        ended = subprocess.run(command, cwd=project.folder, env=env, capture_output=True, timeout=SECONDS, check=False)
        assert (line, ended.returncode, b"Traceback" in ended.stderr) == (line, status, False), ended.stderr


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM, signal.SIGINT]])
def test_files_agree_however_often_a_run_is_told_to_stop(
    project: Project, buildable: MakeImplementation, report: Path, signals: list[signal.Signals]
) -> None:
    """
    CI systems send one signal after the other: cases.jsonl, the totals, JUnit and the page tell of the same cases.
    """
    slow = buildable("slow", "import time\ntime.sleep(600)")
    with project.start("run", "--implementation", slow, "--server", "py", "--suite", "calls", "--report", report) as process:
        assert process.stdout is not None
        told = list(itertools.takewhile(lambda line: not line.startswith("py:py  "), process.stdout))
        assert process.poll() is None, told
        for number in signals:
            process.send_signal(number)
        assert process.wait(timeout=SECONDS) == 130
    total = sum(results(report)["totals"].values())
    lines = (report / "cases.jsonl").read_text().splitlines()
    root = ElementTree.parse(report / "junit.xml").getroot()
    cases = [case for case in root[0] if not (case.get("classname") or "").startswith("interop.")]
    assert (len(lines), len(cases)) == (total, total)
    assert total > 0
    assert "FAILED, exit 130" in (report / "report.html").read_text(encoding="utf-8")
