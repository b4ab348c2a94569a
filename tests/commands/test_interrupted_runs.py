"""However a run ends, no process is left behind and no half-written report."""

import itertools
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from project import SECONDS, MakeImplementation, Project, results

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found by their environment in /proc")


def processes(home: Path) -> list[str]:
    """Those that run with this home directory, by their command lines."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"HOME={home}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            # It ended while we looked, or is not ours.
            continue
    return found


def wait_until(happened, what: str) -> None:
    due = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < due, f"{what}: not within {SECONDS} s"
        time.sleep(0.05)


@pytest.fixture
def hanging(project: Project, reference: MakeImplementation, report: Path, tmp_path: Path):
    """Starts a run in which all of py:py passes, while every AllStream of another server hangs; waits until it does."""
    implementation = reference("hanging", "hangs", method="AllStream")
    started: list[subprocess.Popen[str]] = []

    def hangs() -> bool:
        return any("hangs" in log.read_text() for log in report.rglob("hanging-server-1.log"))

    def start(*words: object) -> subprocess.Popen[str]:
        suite = ["--suite", "calls", "-k", "AllStream/ping_pong or SayHello/one"]
        run = ["run", "--implementation", implementation, "--client", "py", *suite, "--report", report, *words]
        process = project.start(*run, env={"HOME": str(tmp_path)})
        started.append(process)
        wait_until(lambda: hangs() or process.poll() is not None, "the hanging driver")
        assert process.poll() is None, process.communicate()
        assert any("driver.py" in command for command in processes(tmp_path))
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_shows_what_was_done(hanging, report: Path, tmp_path: Path, number: signal.Signals) -> None:
    """
    Ctrl-C and SIGTERM print the matrix of what was done, write the report, and stop every process.
    """
    process = hanging()
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert "client \\ server" in out and "interrupted" in out and "Traceback" not in out + err
    assert results(report)["interrupted"] is True
    assert (report / "junit.xml").exists() and (report / "cases.jsonl").exists()
    wait_until(lambda: not processes(tmp_path), "the end of all processes")


def test_interrupted_workers_show_what_was_done(hanging, report: Path, tmp_path: Path) -> None:
    """
    So do the workers of -n, together.
    """
    process = hanging("-n", 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, out + err
    assert "client \\ server" in out and results(report)["interrupted"] is True
    wait_until(lambda: not processes(tmp_path), "the end of all processes")


def test_workers_interrupted_while_they_start_end_as_interrupted(project: Project, report: Path, tmp_path: Path) -> None:
    """
    A worker that was still starting leaves no report; the run is an interrupted one, not a broken one, all the same.
    """
    process = project.start("run", "-n", 2, "--report", report, env={"HOME": str(tmp_path)})
    wait_until((report / "shards" / "2.log").exists, "the second worker")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    wait_until(lambda: not processes(tmp_path), "the end of all processes")


@pytest.mark.parametrize("words", [[], ["-n", 2]], ids=["alone", "workers"])
def test_a_killed_run_leaves_nothing(hanging, report: Path, tmp_path: Path, words: list[object]) -> None:
    """
    SIGKILL leaves no process, and no report that could be taken for a whole one.
    """
    process = hanging(*words)
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not processes(tmp_path), "the end of all processes")
    assert [path.name for path in report.iterdir() if path.is_file()] == []


def test_an_interrupted_build_is_stopped(project: Project, buildable: MakeImplementation, report: Path, tmp_path: Path) -> None:
    """
    Ctrl-C while something is built ends the build, shows what was played meanwhile, and names what was not.
    """
    slow = buildable("slow", f"Path({str(tmp_path / 'building')!r}).touch()\nimport time\ntime.sleep(600)")
    words = ["--implementation", slow, "--server", "py", "-k", "SayHello/one", "--report", report]
    with project.start("run", *words, env={"HOME": str(tmp_path)}) as process:
        assert process.stdout is not None
        # Whichever build is begun first: the pair that needs no slow one is done before the signal.
        told = list(itertools.takewhile(lambda line: not line.startswith("py:py  1 passed"), process.stdout))
        assert process.poll() is None, told
        wait_until((tmp_path / "building").exists, "the slow build")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=SECONDS) == 130
        out = process.stdout.read()
    assert "slow:py  the run was stopped before its turn" in out and "Traceback" not in out
    assert "1 case: 1 passed" in out
    assert not processes(tmp_path)


def test_a_second_run_replaces_the_report_whole(hanging, project: Project, report: Path) -> None:
    """
    Once a run has started, the report of an earlier one is gone: a killed run cannot pass for it.
    """
    assert project.interop("run", "-k", "SayHello/one", "--report", report).status == 0
    process = hanging()
    assert not (report / "results.json").exists()
    process.kill()


def test_what_a_killed_run_left_is_removed_and_what_a_living_one_has_is_not(
    hanging, project: Project, report: Path, tmp_path: Path
) -> None:
    """
    Sockets and all that a run and its children make for a while lie below `.interop/tmp`, also on a second run beside it.
    """
    tmp = project.folder / ".interop/tmp"
    killed = hanging()
    of_the_killed = {path for path in tmp.iterdir() if path.name.startswith(f"{killed.pid}-")}
    assert len(of_the_killed) == 2
    killed.kill()
    killed.wait()
    shutil.rmtree(report)
    living = hanging()
    assert not set(tmp.iterdir()) & of_the_killed
    assert project.interop("list", "-k", "SayHello and one").status == 0
    assert project.interop("run", "--client", "py", "--server", "py", "-k", "SayHello/one", "--report", tmp_path / "third").status == 0
    mine = {path for path in tmp.iterdir() if path.name.startswith(f"{living.pid}-")}
    assert len(mine) == 2
    assert set(tmp.iterdir()) == mine
