"""What is installed elsewhere has all that it needs, and nothing that was lying about; and it works there."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SHOP = """
syntax = "proto3";
package shop.v1;
message Order { string id = 1; }
service Shop {
  rpc Place(Order) returns (Order);
  rpc Chat(stream Order) returns (stream Order);
}
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """The names of the files in it."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("folder", ["proto", "py_impl", "go_impl"])
def test_the_wheel_carries_what_the_checkout_has(names: set[str], folder: str) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    expected = {f"grpc_interop/_bundled/{name}" for name in tracked.split("\0") if name and (ROOT / name).exists()}
    assert expected - names == set()


def test_the_wheel_carries_the_harness_and_says_that_it_is_typed(names: set[str]) -> None:
    assert {"grpc_interop/cli.py", "grpc_interop/py.typed", "grpc_interop/drivers/driver_pb2.pyi"} <= names


def test_the_wheel_carries_nothing_that_was_made(names: set[str]) -> None:
    made = ("__pycache__", ".interop", ".pyc")
    assert [name for name in names if any(part in name for part in made)] == []


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `interop` in an environment of its own, as uvx and pipx make them.

    What the harness depends on is not installed once more but found where it is installed for these tests: that needs
    no network.
    """
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [packages] = folder.glob("lib/python*/site-packages")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(packages), str(wheel)], check=True)
    [own] = (path for path in map(Path, sys.path) if (path / "grpc_tools").is_dir())
    for entry in own.iterdir():
        if "grpc_interop" not in entry.name and not (packages / entry.name).exists():
            (packages / entry.name).symlink_to(entry)
    # Its script starts the interpreter that ran pip; installers that make environments write this one.
    command = folder / "bin" / "interop"
    command.write_text(f"#!{folder}/bin/python\nfrom grpc_interop.cli import main\nmain()\n")
    command.chmod(0o755)
    return command


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Somebody's own, with a proto and nothing of ours."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    proto = tmp_path / "api/shop/v1/shop.proto"
    proto.parent.mkdir(parents=True)
    proto.write_text(SHOP)
    return tmp_path


def interop(installed: Path, repository: Path, *arguments: str, within: Sequence[str] = (), path: str = os.defpath) -> str:
    """What the command prints there, where nothing of this checkout or of the environment is on any path. `within`: a
    command that runs it."""
    environment = {"PATH": path, "HOME": os.environ.get("HOME", "/")}
    command = [*within, str(installed), *arguments]
    done = subprocess.run(
        command, cwd=repository, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_an_installed_wheel_runs_in_a_repository_of_its_own(installed: Path, repository: Path) -> None:
    """From nothing to a green pair by two commands, which leave only the configuration and what git does not see."""
    bundled = next(installed.parents[1].glob("lib/python*/site-packages/grpc_interop/_bundled"))
    before = {path: path.stat().st_mtime_ns for path in bundled.rglob("*")}

    assert "roots api" in interop(installed, repository, "init")
    interop(installed, repository, "run", "--client", "py", "--server", "py", "--suite", "calls", "-k", "chat or Place")

    results = json.loads((repository / ".interop/report/results.json").read_text())
    assert results["totals"]["passed"] > 0
    seen = subprocess.run(["git", "status", "--short", "-uall"], cwd=repository, check=True, capture_output=True, text=True).stdout
    assert seen.split() == ["??", "api/shop/v1/shop.proto", "??", "interop.toml"]
    assert {path: path.stat().st_mtime_ns for path in bundled.rglob("*")} == before


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
"""A shell command that runs another one with a folder that nobody can write to, not even root."""


@pytest.fixture
def read_only(installed: Path) -> Iterator[Sequence[str]]:
    """Makes the environment of the command read-only. Gives the command to run it within."""
    folder = installed.parents[1]
    if os.geteuid() == 0:
        within = ["unshare", "--mount", "sh", "-c", READ_ONLY, str(folder)]
        if subprocess.run([*within, "true"], capture_output=True, check=False).returncode:
            pytest.skip("root may write anywhere, and may not mount here")
        yield within
        return
    own = [folder, *(path for path in folder.rglob("*") if not path.is_symlink())]
    modes = {path: path.stat().st_mode for path in own}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    yield []
    for path, mode in modes.items():
        path.chmod(mode)


@pytest.mark.parametrize("language", ["py", pytest.param("go", marks=pytest.mark.slow)])  # grpc-go is compiled from nothing
def test_an_installed_wheel_may_lie_on_a_read_only_disk(language: str, installed: Path, read_only: Sequence[str], repository: Path) -> None:
    """What is made lies in the repository."""
    interop(installed, repository, "init", within=read_only)
    pair = ("--client", language, "--server", language)
    path = os.environ["PATH"] if language == "go" else os.defpath
    interop(installed, repository, "run", *pair, "--suite", "calls", "-k", "Place/one", within=read_only, path=path)
    results = json.loads((repository / ".interop/report/results.json").read_text())
    assert results["totals"]["passed"] == 1
