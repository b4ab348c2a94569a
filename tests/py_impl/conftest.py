"""Builds of the Python implementation, made by its own build.py as the harness makes them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc_tools
import pytest

from driver_process import DriverProcess
from plays import Stage

REPOSITORY = Path(__file__).parents[2]
GREETER = (REPOSITORY / "proto" / "greeter" / "v1" / "greeter.proto").read_text()

Build = Callable[[dict[str, str]], "Built"]
Start = Callable[["Built"], DriverProcess]


@dataclass(frozen=True)
class Built:
    """What a build answered."""

    answer: dict[str, Any]

    @property
    def argv(self) -> list[str]:
        return list(self.answer["driver"]["argv"])

    @property
    def errors(self) -> dict[str, str]:
        return {error["file"]: error["text"] for error in self.answer["errors"]}


def build_in(folder: Path, protos: dict[str, str], api: str = "sync") -> Built:
    """Builds a tree of proto texts by their file names, for one of grpcio's APIs."""
    roots, out, answer = folder / "protos", folder / "out", folder / "answer.json"
    for name, text in protos.items():
        path = roots / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    out.mkdir()
    common = Path(grpc_tools.__file__).parent / "_proto"
    described = [f"-I{roots}", f"-I{common}", "--include_imports", f"--descriptor_set_out={folder / 'tree.binpb'}"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *described, *protos], check=True)
    request = {
        "schema": 1,
        "action": "build",
        "contract": {"include": str(REPOSITORY / "proto"), "file": "interop/driver/v1/driver.proto"},
        "descriptor_set": str(folder / "tree.binpb"),
        "files": list(protos),
        "out": str(out),
        "cache": str(folder),
        "answer": str(answer),
    }
    return Built(run_build(folder, request, api))


def run_build(folder: Path, request: dict[str, Any], api: str = "sync") -> dict[str, Any]:
    """Hands a request to build.py."""
    path = folder / "request.json"
    path.write_text(json.dumps(request))
    subprocess.run([sys.executable, "build.py", "--api", api, str(path)], cwd=REPOSITORY / "py_impl", check=True)
    answer: dict[str, Any] = json.loads(Path(request["answer"]).read_text())
    return answer


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Builds a tree of one's own."""
    return lambda protos: build_in(tmp_path, protos)


@pytest.fixture(scope="session", params=["sync", "aio"])
def greeter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The build of the quick-start service, for each of grpcio's APIs: whatever uses it is tested with both."""
    return build_in(tmp_path_factory.mktemp("greeter"), {"greeter/v1/greeter.proto": GREETER}, request.param)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the driver of a build; it is ended with the test."""
    with ExitStack() as running:
        yield lambda built: running.enter_context(DriverProcess(built.argv))


@pytest.fixture
def driver(greeter: Built, start: Start) -> DriverProcess:
    """A driver of the quick-start service, for this test alone."""
    return start(greeter)


@pytest.fixture(scope="session")
def pair(greeter: Built) -> Iterator[tuple[DriverProcess, DriverProcess]]:
    """Two drivers of the quick-start service, for tests that do no harm."""
    with DriverProcess(greeter.argv) as client, DriverProcess(greeter.argv) as server:
        yield client, server


@pytest.fixture
def stage(pair: tuple[DriverProcess, DriverProcess]) -> Stage:
    """A server and a channel to it, new for each test."""
    return Stage(*pair)
