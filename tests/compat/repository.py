"""A git repository with protos, made commit by commit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from grpc_interop.cli import read_options
from grpc_interop.config import Options


class Repository:
    """A project of the bundled implementations whose protos lie in `protos/`, unless an interop.toml says otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.write("interop.toml", '[protos]\nroots = ["protos"]\n')

    def git(self, *words: str) -> str:
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        who = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
        done = subprocess.run(["git", "-C", self.folder, *who, *words], check=True, capture_output=True, text=True, env=env)
        return done.stdout.strip()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def proto(self, name: str, body: str) -> Path:
        return self.write(name, f'syntax = "proto3";\npackage t;\n{body}\n')

    def commit(self, message: str = "edit") -> str:
        """Commits everything; gives the commit."""
        self.git("add", ".")
        self.git("commit", "-qm", message, "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def options(self, **given: object) -> Options:
        """As a command in its folder, which must be the current one, gets them."""
        return read_options(dict(given))
