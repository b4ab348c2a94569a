"""A service's own versions of a runtime, apart from the harness' own environment, against the current ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def run(folder: Path, name: str, configuration: str) -> dict[str, Any]:
    """Runs an implementation of the folder's interop.toml against the one that it was made from, both ways, and gives
    results.json."""
    (folder / "interop.toml").write_text(f"[protos]\nroots = [{json.dumps(str(ROOT / 'proto'))}]\n{configuration}")
    of_ours = ROOT / ".interop" / "cache"  # a cold build of grpc-go takes minutes
    if of_ours.is_dir():
        (folder / ".interop").mkdir()
        (folder / ".interop" / "cache").symlink_to(of_ours)
    command = [sys.executable, "-m", "grpc_interop.cli", "run", "--suite", "calls", "-k", "Greeter"]
    base = name.split("-", maxsplit=1)[0]
    sides = [word for side in ("--client", "--server") for each in (base, name) for word in (side, each)]
    done = subprocess.run([*command, *sides], cwd=folder, capture_output=True, text=True, check=False, env=os.environ | {"CI": "true"})
    assert done.returncode == 0, done.stdout + done.stderr
    results: dict[str, Any] = json.loads((folder / ".interop/report/results.json").read_text())
    assert {(cell["client"], cell["server"]) for cell in results["cells"]} == {(a, b) for a in (base, name) for b in (base, name)}
    assert results["totals"]["passed"] > 0
    return results


def versions(results: dict[str, Any], name: str) -> tuple[str, str]:
    [found] = [one for one in results["implementations"] if one["name"] == name]
    return found["grpc"], found["protobuf"]


def test_older_grpcio_and_protobuf_from_a_requirements_file(tmp_path: Path) -> None:
    """Such as cannot be installed beside the harness' own grpcio-tools. The file names no grpcio-tools: those are found."""
    (tmp_path / "requirements.txt").write_text("grpcio==1.66.2\nprotobuf==5.29.5\n")
    results = run(tmp_path, "py-old", '[[implementation]]\nname = "py-old"\nfrom = "py"\nsettings.requirements = "requirements.txt"\n')
    assert versions(results, "py-old") == ("1.66.2", "5.29.5")
    command = [sys.executable, "-m", "grpc_interop.cli", "replay", "calls/greeter.v1.Greeter/SayHello/one[py:py-old]"]
    subprocess.run([*command, "--export", "out"], cwd=tmp_path, check=True)
    assert "grpcio==1.66.2\n" in (tmp_path / "out/server/requirements.txt").read_text()
    assert "grpcio==1.66.2\n" not in (tmp_path / "out/client/requirements.txt").read_text()


@pytest.mark.slow  # grpc-go is compiled once more
def test_older_grpc_go_and_protobuf_from_a_go_mod(tmp_path: Path) -> None:
    """Though our own tools would require newer ones."""
    (tmp_path / "go.mod").write_text(
        "module example.com/service\n\ngo 1.22\n\nrequire (\n\tgoogle.golang.org/grpc v1.66.3\n\tgoogle.golang.org/protobuf v1.36.6\n)\n"
    )
    results = run(tmp_path, "go-old", '[[implementation]]\nname = "go-old"\nfrom = "go"\nsettings.go_mod = "go.mod"\n')
    assert versions(results, "go-old") == ("1.66.3", "1.36.6")
    command = [sys.executable, "-m", "grpc_interop.cli", "replay", "calls/greeter.v1.Greeter/SayHello/one[go:go-old]"]
    subprocess.run([*command, "--export", "out"], cwd=tmp_path, check=True)
    assert "google.golang.org/grpc v1.66.3\n" in (tmp_path / "out/server/go.mod").read_text()
    assert "v1.66.3" not in (tmp_path / "out/client/go.mod").read_text()
    for side in ("client", "server"):
        subprocess.run(["go", "vet", "."], cwd=tmp_path / "out" / side, check=True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('settings.python = "python-that-is-nowhere"', "the interpreter python-that-is-nowhere is missing"),
        ('settings.python = "bare/bin/python"', "grpcio for"),
    ],
)
def test_what_cannot_be_had_is_named_with_its_remedy(tmp_path: Path, settings: str, words: str) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    text = f'[protos]\nroots = ["{ROOT / "proto"}"]\n[[implementation]]\nname = "mine"\nfrom = "py"\n{settings}\n'
    (tmp_path / "interop.toml").write_text(text)
    command = [sys.executable, "-m", "grpc_interop.cli", "build", "mine"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr
    assert "settings." in done.stderr
