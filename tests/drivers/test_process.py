"""Processes and their supervisor: nothing outlives its owner, and how a command ended is told as it was."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grpc_interop.drivers.process import Process, ending, environment, tail

GONE_SECONDS = 5.0


@pytest.fixture
def start(tmp_path):
    """Starts a shell command; it is killed at the end."""
    started: list[Process] = []

    def run(command: str, **options: bool) -> Process:
        started.append(Process(["sh", "-c", command], env=environment(), cwd=tmp_path, log=tmp_path / "log", **options))
        return started[-1]

    yield run
    for process in started:
        process.kill()


def wait_for(path: Path) -> str:
    """The text of a file that a process writes."""
    limit = time.monotonic() + 10
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < limit, f"{path} was never written"
        time.sleep(0.01)
    return path.read_text()


def is_gone(pid: int) -> bool:
    """Whether no such process runs; a zombie that init has not buried yet counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        # The latter when it goes between the opening of the file and its reading.
        return True


def assert_gone(*pids: int) -> None:
    limit = time.monotonic() + GONE_SECONDS
    while left := [pid for pid in pids if not is_gone(pid)]:
        assert time.monotonic() < limit, f"still running: {left}"
        time.sleep(0.01)


class TestEnding:
    @pytest.mark.parametrize(
        ("command", "words"),
        [
            ("exit 0", "exited with status 0"),
            ("exit 3", "exited with status 3"),
            ("kill -SEGV $$", "was killed by SIGSEGV"),
            ("kill -KILL $$", "was killed by SIGKILL"),
            ("kill -TERM $$", "was killed by SIGTERM"),
        ],
    )
    def test_status_is_the_commands_own(self, start, command, words):
        assert ending(start(command).wait(10)) == words

    def test_command_that_does_not_exist(self, tmp_path):
        process = Process(["./no-such-thing"], env=environment(), cwd=tmp_path, log=tmp_path / "log")
        assert process.wait(10) == 127
        assert process.tail() == "cannot start ./no-such-thing: No such file or directory"
        process.close()


class TestSignals:
    def test_reach_the_command(self, start, tmp_path):
        process = start("trap 'echo dumped; exit 5' QUIT; echo ready > pid; while :; do sleep 0.05; done")
        wait_for(tmp_path / "pid")
        process.signal(signal.SIGQUIT)
        assert process.wait(10) == 5
        assert process.tail() == "dumped"

    def test_stop_asks_first(self, start):
        """The end of stdin comes first, then SIGTERM."""
        process = start("cat > /dev/null; echo in order")
        assert process.stop() in (0, -signal.SIGTERM)

    def test_stop_kills_what_does_not_listen(self, start, tmp_path):
        process = start("trap '' TERM; echo ready > pid; while :; do sleep 0.05; done")
        wait_for(tmp_path / "pid")
        began = time.monotonic()
        assert process.stop(0.3) == -signal.SIGKILL
        assert time.monotonic() - began < 3


class TestNothingIsLeft:
    def test_children_die_with_the_command(self, start, tmp_path):
        process = start("sleep 3600 & echo $! > pid; wait")
        child = int(wait_for(tmp_path / "pid"))
        process.kill()
        assert_gone(child)

    def test_children_die_when_the_command_ends_by_itself(self, start, tmp_path):
        process = start("sleep 3600 & echo $! > pid")
        child = int(wait_for(tmp_path / "pid"))
        assert process.wait(10) == 0
        assert_gone(child)

    def test_a_stopped_command_dies(self, start, tmp_path):
        process = start("echo $$ > pid; kill -STOP $$; sleep 3600")
        command = int(wait_for(tmp_path / "pid"))
        assert process.kill() == -signal.SIGKILL
        assert_gone(command)

    def test_a_command_dies_whose_supervisor_was_stopped(self, start, tmp_path, monkeypatch):
        monkeypatch.setattr("grpc_interop.drivers.process.GRACE_SECONDS", 0.3)
        process = start("echo $$ > pid; exec sleep 3600")
        command = int(wait_for(tmp_path / "pid"))
        # It tells the command's pid right after it has started it.
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGSTOP)
        process.kill()
        assert_gone(command)

    def test_a_process_that_was_only_just_started_dies(self, start, tmp_path):
        """Its supervisor finds the lifeline cut before it has started anything."""
        for _ in range(10):
            start("echo $$ >> pids; exec sleep 3600").kill()
        pids = (tmp_path / "pids").read_text().split() if (tmp_path / "pids").exists() else []
        assert_gone(*map(int, pids))

    def test_a_process_that_is_asked_to_stop_at_once_dies(self, start, tmp_path):
        for _ in range(10):
            start("echo $$ >> pids; exec sleep 3600").stop(2.0)
        pids = (tmp_path / "pids").read_text().split() if (tmp_path / "pids").exists() else []
        assert_gone(*map(int, pids))

    def test_commands_die_with_an_owner_that_is_killed(self, tmp_path):
        script = (
            "import sys, time; from pathlib import Path\n"
            "from grpc_interop.drivers.process import Process, environment\n"
            "folder = Path(sys.argv[1])\n"
            "command = ['sh', '-c', 'sleep 3600 & echo $$ $! > pids; wait']\n"
            "process = Process(command, env=environment(), cwd=folder, log=folder / 'log')\n"
            "time.sleep(3600)\n"
        )
        harness = str(Path(__file__).parents[2] / "harness")
        with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], env={**os.environ, "PYTHONPATH": harness}) as owner:
            try:
                pids = wait_for(tmp_path / "pids").split()
            finally:
                owner.kill()
        assert_gone(*map(int, pids))


class TestOutput:
    def test_stdout_and_stderr_go_to_the_log(self, start):
        process = start("echo one; echo two >&2")
        process.wait(10)
        assert process.tail().split() == ["one", "two"]

    def test_stdout_can_be_read(self, start):
        process = start("echo listening; echo noise >&2", pipe_stdout=True)
        assert process.stdout.readline() == b"listening\n"
        process.wait(10)
        assert process.tail() == "noise"

    def test_nothing_is_left_of_an_earlier_log(self, start, tmp_path):
        (tmp_path / "log").write_text("last words of another\n")
        process = start("echo one")
        process.wait(10)
        assert process.tail() == "one"

    def test_tail_of_a_huge_log_is_short(self, tmp_path):
        path = tmp_path / "log"
        path.write_bytes(b"a line that repeats\n" * 500_000 + b"the last\n")
        assert tail(path, 2).splitlines() == ["a line that repeats", "the last"]

    def test_tail_of_no_log_is_empty(self, tmp_path):
        assert tail(tmp_path / "log", 2) == ""


class TestEnvironment:
    def test_only_the_basics_and_what_is_named_pass(self, monkeypatch):
        for name in ("http_proxy", "GRPC_VERBOSITY", "GOFLAGS", "PYTHONPATH", "MINE"):
            monkeypatch.setenv(name, "x")
        found = environment({"EXTRA": "1"}, ["MINE", "NOT_SET"])
        assert {"http_proxy", "GRPC_VERBOSITY", "GOFLAGS", "PYTHONPATH", "NOT_SET"} & found.keys() == set()
        assert (found["MINE"], found["EXTRA"]) == ("x", "1")

    def test_path_begins_with_the_harness_own_interpreter(self):
        assert environment()["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
