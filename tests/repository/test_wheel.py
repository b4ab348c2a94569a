"""What is installed elsewhere has all that it needs, and nothing that was lying about."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("folder", ["proto", "py_impl", "go_impl"])
def test_the_wheel_carries_what_the_checkout_has(wheel: set[str], folder: str) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    expected = {f"grpc_interop/_bundled/{name}" for name in tracked.split("\0") if name}
    assert expected - wheel == set()


def test_the_wheel_carries_the_harness_and_says_that_it_is_typed(wheel: set[str]) -> None:
    assert {"grpc_interop/cli.py", "grpc_interop/py.typed", "grpc_interop/drivers/driver_pb2.pyi"} <= wheel


def test_the_wheel_carries_nothing_that_was_made(wheel: set[str]) -> None:
    made = ("__pycache__", ".interop", ".pyc")
    assert [name for name in wheel if any(part in name for part in made)] == []
