"""A built Python implementation, and drivers of it that run."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from driver_process import DriverProcess
from plays import Stage
from py_builds import GREETER, Built, build_in

Build = Callable[[dict[str, str]], Built]
Start = Callable[[Built], DriverProcess]


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
