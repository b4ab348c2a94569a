"""A document's terminal: types what a console block shows after `$`, and gives back what the screen shows then.

    ```console            commands, each followed by its output, whose end is awaited
    ```console server     one command that goes on running; Ctrl-C is pressed when the next server starts, or at the end

A line that begins with `>` continues the command above it. All blocks of a document share one shell.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MARK = "--- the command has ended ---"

ADDRESS = "127.0.0.1:50051"
"""What documents show, since it is the programs' default. The test lets the system choose the port."""


class Command(NamedTuple):
    """What is typed, and what is shown thereupon."""

    typed: str
    shown: str


def commands(block: str) -> Iterator[Command]:
    """The commands of a console block."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        more = 1
        while more < len(lines) and lines[more].startswith(">"):
            more += 1
        typed = [lines[0], *(line[1:].removeprefix(" ") for line in lines[1:more])]
        yield Command("\n".join(typed), "".join(f"{line}\n" for line in lines[more:]))


def fits(shown: str, actual: str, *, any_number: bool = False) -> bool:
    """Whether the output is what a document shows. `…` alone on a line stands for any lines, or none; within a line for
    any text. How many blanks there are does not matter, nor, if so told, which numbers."""

    def line(text: str) -> str:
        pattern = re.escape(text).replace("…", ".*")
        pattern = re.sub(r"(\\ )+", " +", pattern)
        return re.sub(r"[\d,]*\d", r"[\\d,]+", pattern) if any_number else pattern

    pattern = "".join(r"(?:.*\n)*?" if text == "…" else line(text) + r" *\n" for text in shown.splitlines())
    return re.fullmatch(pattern, actual) is not None


class Terminal:
    """One shell, and at most one server beside it."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._env = env
        self._folder = folder
        self._server: subprocess.Popen[str] | None = None
        self._address = ""
        self._shell = self._start("bash", "--noprofile", "--norc")

    def _start(self, *argv: str) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(argv, cwd=self._folder, env=self._env, text=True, **pipes)

    def type(self, command: str) -> str:
        """What the command writes until it ends."""
        assert self._shell.stdin is not None and self._shell.stdout is not None
        here = re.sub(r"(\S+-greeter-client)", rf"\1 --target {self._address}", command)
        self._shell.stdin.write(f"{here}\nstatus=$?; printf '\\n{MARK}\\n'; (exit $status)\n")
        self._shell.stdin.flush()
        lines = list(iter(self._shell.stdout.readline, f"{MARK}\n"))
        assert "" not in lines, "the shell has ended"
        # The mark's own line break; output that does not end in one gets it, as every document shows it.
        output = "".join(lines).removesuffix("\n")
        return output if output.endswith("\n") or not output else output + "\n"

    def serve(self, command: str) -> str:
        """What the command writes first; it goes on running."""
        self.stop_server()
        self._server = self._start("bash", "-c", f"exec {command} --port 0")
        assert self._server.stdout is not None
        line = self._server.stdout.readline()
        self._address = line.split()[-1] if line else ""
        return line.replace(self._address, ADDRESS)

    def stop_server(self) -> None:
        """Presses Ctrl-C where the server runs."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            assert self._server.wait(60) == 0
            self._server.communicate()
            self._server = None

    def close(self) -> None:
        self.stop_server()
        self._shell.communicate()


def environment() -> dict[str, str]:
    """That of a person at a terminal: not of the CI job, or of the `make test`, in which the documents are tested."""
    ours = ("CI", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    return {name: value for name, value in os.environ.items() if name not in ours and not name.startswith(("GITHUB_", "PYTEST_"))}
