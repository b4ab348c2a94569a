"""What a CI system reads of a job's output as commands: nothing of it may come from names, messages or logs."""

import io
import re
import shlex
import unicodedata
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conversations import GO_PY, PY_GO, lost_end
from grpc_interop.core.case import Method
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import LOG, Attachment, Difference, Outcome, Pair, Verdict
from grpc_interop.output.console import say
from grpc_interop.output.plain_text import in_lines
from grpc_interop.report import Recorder, RunInfo
from grpc_interop.report.data import Finding
from grpc_interop.report.failure import plain_lines, replay_line
from grpc_interop.report.forms.github import GitHub
from grpc_interop.report.forms.junit import JUnit
from grpc_interop.report.forms.page import Page
from grpc_interop.report.forms.terminal import Terminal
from grpc_interop.report.record import record_of
from grpc_interop.values.coverage import Uncovered

HOSTILE = [
    "::warning::x",
    "x\n::stop-commands::token",
    "x\r::error::y",
    "x\r\n   ::add-mask::y",
    "\u00a0::set-output name=a::b",
    "\u200b::error::x",
    "##[error]x",
    "a ##[set-env name=x]y",
    "##vso[task.setvariable]x",
    "##teamcity[x]",
    "x%0A::error::y",
    "\x1b[2J\x1b]8;;http://x\x07",
    "\x9b31m\u202eabc\x85::error::x\u2028::error::y",
]


def is_command(line: str) -> bool:
    """As actions/runner has it, and alike Azure Pipelines and TeamCity."""
    return line.lstrip().startswith("::") or re.search(r"##\w*\[", line) is not None


def commands(text: str) -> list[str]:
    """Of text as a runner splits it."""
    return [line for line in re.split(r"\r\n|\r|\n", text) if is_command(line)]


def controls(text: str) -> set[str]:
    """Characters that do something to a terminal, but for what ends a line."""
    return {char for char in text if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} - set("\n\t")


def hostile_verdict(text: str, pair: Pair = PY_GO) -> Verdict:
    """All that a stranger may have a say in."""
    log = Attachment(LOG, f"{text} client", f"logs/{text}.log", f"{text}\n{text}")
    verdict = lost_end(pair, attachments=(log,))
    case = replace(verdict.case, name=text, why=text, method=Method(text, text, verdict.case.method.kind, text, text))
    return verdict._replace(case=case, difference=Difference(Side.CLIENT, text, text, text), notes=(text, f"more: {text}"))


def told(text: str, folder: Path) -> tuple[str, str]:
    """What the terminal and GitHub show of a run of which everything is hostile."""
    screen, github = io.StringIO(), io.StringIO()
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    reports = [Terminal(folder, screen, clock=lambda: 0.0), GitHub(folder, environment, github), JUnit(folder), Page(folder)]
    run = Recorder(folder, reports, describe=lambda _type, _data: text, replay_text=lambda _: text)
    pair = Pair(text, text)
    run.run_started(RunInfo(text, 1, (pair, PY_GO, GO_PY)))
    run.note_progress(text, lasting=True)
    run.add(hostile_verdict(text))
    run.add(hostile_verdict(text)._replace(pair=pair))
    run.add(hostile_verdict(text)._replace(outcome=Outcome.UNSUPPORTED))
    run.not_run(text, text)
    run.left_out(text, 3, text)
    run.add_finding(Finding(text, text))
    run.uncovered([Uncovered("py", "go", text, text, (text,))])
    run.run_finished(1.5)
    return screen.getvalue(), github.getvalue()


@pytest.mark.parametrize("text", HOSTILE)
def test_no_line_of_a_run_is_a_command_but_the_annotations(text: str, tmp_path: Path) -> None:
    """
    And none moves a cursor.
    """
    screen, github = told(text, tmp_path)
    assert commands(screen) == []
    assert controls(screen) == set()
    lines = github.splitlines()
    assert lines and len(lines) == len(github.split("\n")) - 1
    assert all(re.match(r"::(error|warning|notice) [^\x00-\x1f]*$", line) for line in lines)


@pytest.mark.parametrize("text", [*HOSTILE, "</pre><script>x</script>", "\ufffe\x00\x0b]]>", "```\n# x"])
def test_files_of_a_report_are_well_formed(text: str, tmp_path: Path) -> None:
    """
    Whatever a stranger says, it stays text in them, and text that can be seen.
    """
    told(text, tmp_path)
    ElementTree.parse(tmp_path / "junit.xml")
    for name in ("junit.xml", "report.html", "summary.md"):
        content = (tmp_path / name).read_text(encoding="utf-8")
        assert [line for line in content.split("\n") if controls(line)] == [], name
        assert "<script" not in content, name


@pytest.mark.parametrize("text", HOSTILE)
def test_no_line_of_a_replay_is_a_command(text: str, tmp_path: Path) -> None:
    """
    Nor of what the pytest plugin shows.
    """
    record = record_of(hostile_verdict(text), describe=lambda _type, _data: text, replay=text)
    assert commands("\n".join(plain_lines(record, tmp_path))) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_no_line_that_a_command_says_is_one(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    """
    Errors, notes of builds and their logs.
    """
    say(text)
    say(f"interop: {text}\n{text}", err=True)
    said = capfd.readouterr()
    assert commands(said.out) == commands(said.err) == []
    assert controls(said.out + said.err) == set()


def test_ordinary_lines_stay_as_they_are() -> None:
    text = "listening on [::1]:50051\n\ta::b ## c [d]\n  # x\nnötig ✗"
    assert in_lines(text) == text


def test_what_was_a_command_can_still_be_read() -> None:
    assert in_lines("::error::x") == r"\x3a:error::x"
    assert in_lines("##[error]x") == r"##\x5berror]x"


@pytest.mark.parametrize("text", ["$(touch x)", "a'b", "`x`", "a;b", "x\ny", "ic1:abc_-9", "a b[py:go]"])
def test_a_replay_line_is_one_word_in_a_shell(text: str, tmp_path: Path) -> None:
    """
    Reports of others may say anything of what is to be replayed.
    """
    words = shlex.split(replay_line(text, tmp_path))
    assert words[:2] == ["interop", "replay"]
    assert len(words) == 3


def test_verdicts_of_these_tests_are_shown(tmp_path: Path) -> None:
    """
    The hostile text stands in what is shown at all.
    """
    screen, github = told("hostile", tmp_path)
    assert screen.count("hostile") > 10
    assert "hostile" in github
