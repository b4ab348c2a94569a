"""What `interop replay --export` writes stands alone: the programs are built and run by the languages' own tools, far from
the harness, and print what the README promises."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from buildtool.toolchain import Toolchain

REPOSITORY = Path(__file__).parents[2]
GREETER = "greeter.v1.Greeter"

SECONDS = 300
"""What a first `go run` may take, which compiles gRPC, on a machine that builds other things as well: 120 were not enough
on two cores under a load of 20."""


def environment() -> dict[str, str]:
    """That of somebody who has both languages' tools: this Python, and the Go that a build would use, wherever it lies."""
    toolchain = Toolchain.find(REPOSITORY / ".interop" / "cache" / "go")
    tools = [str(Path(sys.executable).parent), str(toolchain.go.parent), os.environ["PATH"]]
    of_builds = toolchain.environment()
    # As the drivers are compiled: what they and these programs have in common is then compiled once.
    return of_builds | {"PATH": os.pathsep.join(tools), "GOFLAGS": f"{of_builds['GOFLAGS']} -trimpath"}


ENVIRONMENT = environment()


@dataclass
class Served:
    """A server: where it listens, and, when it is gone, what it printed since."""

    address: str = ""
    output: str = ""


@dataclass(frozen=True)
class Reproduction:
    """The folder, and the README's commands: those that prepare, then those that run, as they stand there."""

    folder: Path

    @property
    def readme(self) -> str:
        return (self.folder / "README.md").read_text()

    def commands(self) -> list[str]:
        block = self.readme.split("```sh\n")[1].split("```")[0]
        return [line.partition("    #")[0] for line in block.splitlines()]

    def expected(self, side: str) -> list[str]:
        """What a side is to print, without remarks."""
        told = self.readme.split(f"The {side} prints")[1].split("The client prints")[0].split("## Observed")[0]
        return [without_remark(line[4:]) for line in told.splitlines() if line.startswith("    ") and "(nothing)" not in line]

    def shell(self, command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def serving(self, command: str) -> Iterator[Served]:
        """The server of this command on a free port."""
        folder, _, run = command.strip("()").partition(" && ")
        argv = shlex.split(run)
        if argv[:2] == ["go", "run"]:
            # What `go run` starts would outlive it.
            self.shell(f"{folder} && go build -o program .")
            argv = ["./program"]
        process = subprocess.Popen(
            [*argv, "0"], cwd=self.folder / folder.removeprefix("cd "), env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
        )
        served = Served()
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening on 127.0.0.1:"), line
            served.address = line.split()[-1]
            yield served
        finally:
            process.kill()
            served.output, _ = process.communicate()


def without_remark(line: str) -> str:
    return line.partition("  # ")[0].rstrip()


def observed(output: str) -> list[str]:
    """What a program printed, without remarks, and without metadata and details, which the README does not repeat."""
    lines = [line for line in output.splitlines() if not line.startswith(("request ", "initial ", "trailers ", "details "))]
    return [without_remark(line) for line in lines]


def interop(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "grpc_interop.cli", *words]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=SECONDS, check=False)


def exported(case: str, folder: Path) -> Reproduction:
    """The reproduction of a case that a text, a file or an id names."""
    done = interop("replay", case, "--export", str(folder / "reproduction"), "--report", str(folder / "logs"))
    assert "exported: " in done.stdout, done.stdout + done.stderr
    return Reproduction(folder / "reproduction")


SIGNALLED = ("PutStream/one_at_a_time_10", "GetStream/one_at_a_time_10")
"""In the first one the server signals, in the second one the client."""

WITHOUT_RACES = ("AllStream/ping_pong_10", "GetStream/status_details", "SayHello/metadata", *SIGNALLED)
CASES = (*WITHOUT_RACES, "AllStream/early_error", "PutStream/early_error")
"""A grpc.aio client that still sends when the RPC ends may lose all (grpc/grpc#36066)."""


@pytest.mark.parametrize(
    ("case", "pair"),
    [
        *((case, pair) for case in CASES for pair in ("py:go", "go:py")),
        *((case, "py-aio:py-aio") for case in WITHOUT_RACES),
    ],
)
def test_two_programs_print_what_the_readme_says(case: str, pair: str, tmp_path: Path) -> None:
    """
    The README's commands prepare and run both sides, and each prints what the model says that it sees.
    """
    reproduction = exported(f"calls/{GREETER}/{case}[{pair}]", tmp_path)
    *setup, server, client = reproduction.commands()
    for command in setup:
        reproduction.shell(command)
    with reproduction.serving(server) as served:
        said = reproduction.shell(f"{client.rstrip(')')} {served.address})")
    assert observed(said) == reproduction.expected("client")
    assert observed(served.output) == reproduction.expected("server")
    assert ("Beside the RPC the sides tell each other" in reproduction.readme) is (case in SIGNALLED)


def test_a_message_goes_from_one_program_to_the_other(tmp_path: Path) -> None:
    """
    A failure of the `messages` suite needs no RPC: what one program writes the other reads, and here refuses.
    """
    words = ["run", "--proto-path", "tests/suites/values", "--suite", "messages", "-k", "Scalars/json_float_max", "--client", "go"]
    interop(*words, "--server", "py", "--report", str(tmp_path / "report"))
    case = json.loads((tmp_path / "report" / "cases.jsonl").read_text())
    assert case["outcome"] == "known_failure"
    replay = case["replay"]
    reproduction = exported(replay if replay.startswith("ic1:") else str(tmp_path / "report" / replay), tmp_path)
    *setup, client, server = reproduction.commands()
    for command in (*setup, client):
        reproduction.shell(command)
    assert "3.4028235e+38" in (reproduction.folder / "message.txt").read_text()
    assert reproduction.shell(server).startswith("refused: ")


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("nasty.folders.typing.Place/Say", "typing.place_pb2 cannot be imported: Python has a typing of its own"),
        ("nasty.files.f2nd.File/Say", "imports files.2nd_pb2 by a statement that Python does not understand"),
        ("nasty.refused.space.Refused/Say", "one of its languages refuses refused/space/a b.proto"),
    ],
)
def test_what_no_small_program_can_do_is_said(method: str, words: str, tmp_path: Path) -> None:
    """
    Protos whose generated code needs help to be imported, or that a language refuses, have no reproduction.
    """
    case = f"calls/{method}/every_field[py:py]"
    tree = ("--proto-path", "tests/trees/nasty")
    ended = interop("replay", case, *tree, "--export", str(tmp_path / "x"), "--report", str(tmp_path / "report"))
    assert ended.returncode == 3
    assert words in ended.stderr and "Traceback" not in ended.stderr
    assert not (tmp_path / "x").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    """
    Nothing of anybody's is written over.
    """
    (tmp_path / "mine.txt").touch()
    ended = interop("replay", f"calls/{GREETER}/SayHello/one[py:py]", "--export", str(tmp_path), "--report", str(tmp_path / "report"))
    assert ended.returncode == 2
    assert "is not an empty folder" in ended.stderr


@pytest.mark.parametrize("pair", ["py:go", "go:py", "py-aio:py-aio"])
def test_a_wait_for_a_signal_ends_with_the_rpc(pair: str, tmp_path: Path) -> None:
    """
    A program whose other side never signals comes to its end all the same: here the server's signal is taken out, and the
    deadline passes.
    """
    reproduction = exported(f"calls/{GREETER}/PutStream/deadline[{pair}]", tmp_path)
    *setup, server, client = reproduction.commands()
    for command in setup:
        reproduction.shell(command)
    [program] = [path for path in (reproduction.folder / "server").glob("*") if path.name in ("server.py", "main.go")]
    text = program.read_text()
    assert text.count("signals.tell(") == 1
    program.write_text("\n".join(line for line in text.split("\n") if "signals.tell(" not in line))
    with reproduction.serving(server) as served:
        said = reproduction.shell(f"{client.rstrip(')')} {served.address})")
    assert observed(said)[-1].startswith("status DEADLINE_EXCEEDED ")
