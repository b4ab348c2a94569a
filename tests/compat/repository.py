"""A git repository with protos, made commit by commit."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from grpc_interop.commands.options import read_options
from grpc_interop.config import Options

SECONDS = 300
"""How long one command may take on a loaded machine. None of them needs ten."""


class Repository:
    """A project of the bundled implementations whose protos lie in `protos/`, unless an interop.toml says otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.write("interop.toml", '[protos]\nroots = ["protos"]\n')

    def git(self, *words: str) -> str:
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        settings = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "protocol.file.allow=always"]
        done = subprocess.run(["git", "-C", self.folder, *settings, *words], check=True, capture_output=True, text=True, env=env)
        return done.stdout.strip()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def proto(self, name: str, body: str) -> Path:
        return self.write(name, f'syntax = "proto3";\npackage t;\n{body}\n')

    def link(self, name: str, target: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def commit(self, message: str = "edit") -> str:
        """Commits everything; gives the commit."""
        self.git("add", ".")
        self.git("commit", "-qm", message, "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def options(self, **given: object) -> Options:
        """As a command in its folder, which must be the current one, gets them."""
        return read_options(dict(given))

    def interop(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Runs the command in its folder, as outside of any CI."""
        env = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith(("GIT_", "GITHUB_"))}
        command = [sys.executable, "-m", "grpc_interop.cli", *map(str, words)]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)

    @property
    def compared(self) -> dict[str, Any]:
        """What the last comparison wrote."""
        found: dict[str, Any] = json.loads((self.folder / ".interop/report/compat.json").read_text())
        return found
