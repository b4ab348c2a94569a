"""A user's repository, and the command `interop` run in it as a person would."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
REFERENCE_DRIVER = REPOSITORY / "tests" / "drivers" / "reference" / "driver.py"
INTEROP = (sys.executable, "-m", "grpc_interop.cli")

MakeImplementation = Callable[..., Path]
"""Makes an implementation of that name, and gives the folder of its manifest (see conftest.py for the rest)."""

SECONDS = 120
"""How long one command may take on a loaded machine. None of them needs five."""


@dataclass(frozen=True)
class Ended:
    """What a command left: exit status, and what it wrote."""

    status: int
    out: str
    err: str


class Project:
    """A folder with an `interop.toml` that names the repository's protos and, of the implementations, `py` alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("interop.toml", f'implementations = ["py"]\n\n[protos]\nroots = ["{REPOSITORY / "proto"}"]\n')

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def interop(self, *words: object, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ended:
        """Runs the command and waits for its end."""
        process = self.start(*words, env=env, cwd=cwd)
        try:
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Ended(process.returncode, out, err)

    def start(self, *words: object, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> subprocess.Popen[str]:
        command = [*INTEROP, *map(str, words)]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=cwd or self.folder, env=environment(env), text=True, **pipes)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """That of these tests, without what says that they run in CI or on GitHub: both change what is shown."""
    kept = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith(("GITHUB_", "PYTEST_"))}
    return kept | dict(extra or {})


def results(report: Path) -> dict[str, Any]:
    """The results.json of a report folder."""
    value: dict[str, Any] = json.loads((report / "results.json").read_text())
    return value
