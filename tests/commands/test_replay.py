"""`interop replay`: a case again, by its text, by a file, or by its id."""

import json
import re
from pathlib import Path

import pytest

from project import MakeImplementation, Project

FAILED = "calls/greeter.v1.Greeter/GetStream/ten[py:subject]"
BROKEN, MENDED = "drops_the_last_message", ""


@pytest.fixture
def subject(reference: MakeImplementation) -> Path:
    """An implementation that a fix may still reach."""
    return reference("subject", BROKEN)


@pytest.fixture
def failed(project: Project, subject: Path, report: Path) -> str:
    """The replay text of a case that failed on py:subject, as the terminal shows it."""
    chosen = ["--implementation", subject, "--client", "py", "--server", "subject", "-k", "GetStream/ten", "--suite", "calls"]
    ended = project.interop("run", *chosen, "--report", report)
    assert ended.status == 1
    found = re.search(r"interop replay .*?(ic1:\S+)", ended.out)
    assert found
    return found.group(1)


def test_by_text_file_and_id(project: Project, subject: Path, report: Path, failed: str, tmp_path: Path) -> None:
    """
    The text, a file with the text, and the case's id in the report play the same case, which fails still.
    """
    file = project.write("case.ic1", failed + "\n")
    for what in (failed, file, FAILED):
        ended = project.interop("replay", "--implementation", subject, "--report", report, what)
        assert ended.status == 1, what
        assert "the client saw the end after 9 of 10 messages" in ended.out
        assert ended.out.endswith("FAILED: 0 of 1 passed\n")
        assert re.search(r"^ *t ms  client \(py\)", ended.out, re.MULTILINE)
        assert re.search(r"^ *\d+\.\d  send data: ", ended.out, re.MULTILINE)


def test_a_text_needs_neither_protos_nor_report(project: Project, subject: Path, failed: str, tmp_path: Path) -> None:
    """
    The text holds all that the case needs: it plays in an empty folder.
    """
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert project.interop("replay", "--implementation", subject, failed, cwd=elsewhere).status == 1


def test_fixed(project: Project, subject: Path, failed: str) -> None:
    """
    Once the fault is gone the case passes, as often as asked.
    """
    manifest = subject / "interop.toml"
    manifest.write_text(manifest.read_text().replace(BROKEN, MENDED))
    ended = project.interop("replay", "--implementation", subject, "--times", 5, failed)
    assert ended.status == 0
    assert ended.out.endswith("FIXED: 5 of 5 passed\n")


def test_a_replay_that_cannot_be_played(project: Project, subject: Path, failed: str) -> None:
    """
    A driver that does not start is an error, not a failure of the case.
    """
    manifest = subject / "interop.toml"
    manifest.write_text(manifest.read_text().replace(BROKEN, "dies_at_start"))
    ended = project.interop("replay", "--implementation", subject, failed)
    assert ended.status == 3
    assert "no such library: libreference.so" in ended.err and "Traceback" not in ended.err


def test_a_case_that_never_failed(project: Project, report: Path) -> None:
    """
    Any id that `interop list` shows can be played, too.
    """
    listed = project.interop("list", "-k", "SayHello/one").out.strip()
    ended = project.interop("replay", "--report", report, listed)
    assert (ended.status, ended.out.splitlines()[-1]) == (0, "FIXED: 1 of 1 passed")


@pytest.mark.parametrize(("times", "plays"), [((), 50), (("--times", 3), 3)])
def test_a_race_that_is_known_is_not_fixed_by_passing(project: Project, tmp_path: Path, times: tuple[object, ...], plays: int) -> None:
    """
    It is played often, and however often it passes, it may fail yet.
    """
    entry = 'cases = "calls/*/one[[]py:py]"\nmessage = "."\nreason = "a race"\nlink = "x"\nsometimes = true\n'
    project.write("race/known.toml", "[[known]]\n" + entry.replace("[[]", "["))
    toml = (project.folder / "interop.toml").read_text()
    project.write("race/interop.toml", f'known_failures = ["known.toml"]\n{toml}')
    listed = "calls/greeter.v1.Greeter/SayHello/one[py:py]"
    ended = project.interop("replay", "--report", tmp_path / "report", *times, listed, cwd=project.folder / "race")
    last = f"PASSED: none of {plays} plays failed; it comes and goes, so it may fail yet"
    assert (ended.status, ended.out.splitlines()[-1]) == (0, last), ended.err


def test_a_race_that_is_known_and_seen_says_how_often(project: Project, subject: Path, failed: str, tmp_path: Path) -> None:
    """
    With the reason and the link that are written down.
    """
    entry = 'cases = "calls/*/ten[py:subject]"\nmessage = "9 of 10"\nreason = "a race"\nlink = "example.test/1"\nsometimes = true\n'
    project.write("seen/known.toml", "[[known]]\n" + entry)
    toml = (project.folder / "interop.toml").read_text()
    project.write("seen/interop.toml", f'known_failures = ["known.toml"]\n{toml}')
    where = project.folder / "seen"
    ended = project.interop("replay", "--implementation", subject, "--report", tmp_path / "report", failed, cwd=where)
    assert (ended.status, ended.out.splitlines()[-1]) == (1, "FAILED: 0 of 50 passed; it comes and goes, so it was played several times")
    assert "known: a race (example.test/1" in " ".join(ended.out.split())


def test_every_failure_has_a_replay(project: Project, subject: Path, report: Path, failed: str) -> None:
    """
    The record of a failed case holds what `interop replay` takes.
    """
    records = [json.loads(line) for line in (report / "cases.jsonl").read_text().splitlines()]
    assert {record["id"]: record["replay"] for record in records if record["outcome"] == "failed"}[FAILED].startswith("ic1:")
