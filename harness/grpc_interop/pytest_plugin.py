"""The pytest plugin: a named case on a pair is a test that a person can type, deselect, repeat and distribute. All
generated cases of a method on a pair are a test, too.

pytest is the interface, not the engine: the first test that needs a verdict hands all selected tests to the engine,
which keeps many cases in flight; each test then waits for its own verdict.

A user's own test asks for the fixture `interop_pair`, and runs once for each pair, or for `interop_case`, and runs once for
each case and pair:

    def test_ping_pong(interop_pair):
        verdict = interop_pair.play(case)
        assert verdict.passed, verdict.text

    def test_interop(interop_case):
        interop_case.check()

The options are those of `interop run`, with a prefix.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grpc_interop.errors import InteropError

if TYPE_CHECKING:
    from grpc_interop.testing.playground import Playground

PREFIX = "--interop-"
_FIXTURES = ("interop_case", "interop_pair")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("interop", "cross-language gRPC interoperability")
    for name, words in (
        ("proto-path", "a proto root (default: those of interop.toml)"),
        ("include", "where imports are looked for"),
        ("client", "only this client"),
        ("server", "only this server"),
        ("suite", "only this suite"),
        ("implementation", "another implementation: a folder with a manifest"),
    ):
        group.addoption(f"{PREFIX}{name}", action="append", default=[], metavar="X", help=f"{words}; may be repeated")
    group.addoption(f"{PREFIX}image", default=None, metavar="FILE", help="a descriptor set (protoc, buf build) instead of proto roots")
    group.addoption(f"{PREFIX}seed", type=int, default=None, metavar="N", help="seed of generated values and conversations")
    group.addoption(f"{PREFIX}count", type=int, default=0, metavar="N", help="how many generated cases; 0: each suite's own number")
    group.addoption(f"{PREFIX}report", default=None, metavar="DIR", help="where logs go (default: .interop/report)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "interop: a case of the interoperability matrix, or a test that plays cases")
    config.stash[_playground] = None


_playground: pytest.StashKey[Any] = pytest.StashKey()
_refusal: pytest.StashKey[InteropError] = pytest.StashKey()
"""An error in the options or the protos: raised once, when all is collected."""


def playground(config: pytest.Config) -> "Playground":
    """Return the playground of this pytest process, made at the first call. Raise InteropError."""
    if config.stash[_playground] is None:
        from grpc_interop.testing.playground import Playground

        config.stash[_playground] = Playground(_options(config), shared_out=hasattr(config, "workerinput"))
    return config.stash[_playground]  # type: ignore[no-any-return]


def _options(config: pytest.Config) -> Any:
    from grpc_interop.commands.options import read_options

    def given(name: str) -> Any:
        return config.getoption(f"interop_{name}")

    worker = getattr(config, "workerinput", {}).get("workerid", "")
    options = {
        "roots": tuple(given("proto_path")),
        "includes": tuple(given("include")),
        "image": Path(given("image")) if given("image") else None,
        "clients": tuple(given("client")),
        "servers": tuple(given("server")),
        "suites": tuple(given("suite")),
        "added": tuple(given("implementation")),
        "seed": given("seed"),
        "count": given("count"),
        "report": Path(given("report")) if given("report") else None,
    }
    read = read_options(options)
    return replace(read, report=read.report / worker)  # each worker of pytest-xdist has drivers of its own, and their logs


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    fixture = next((name for name in _FIXTURES if name in metafunc.fixturenames), None)
    if fixture is None:
        return
    config = metafunc.config
    values: list[Any] = []
    ids: list[str] = []
    if _refusal not in config.stash:
        try:
            if fixture == "interop_case":
                values = playground(config).planned()
                ids = [case.label for case in values]
            else:
                values = list(playground(config).session.pairs)
                ids = list(map(str, values))
        except InteropError as error:
            config.stash[_refusal] = error
            if hasattr(config, "workerinput"):
                # pytest-xdist turns an error that a worker raises elsewhere into a crash.
                raise pytest.Collector.CollectError(f"interop: {error}") from None
    metafunc.parametrize(fixture, values, indirect=True, ids=ids)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """Raise the error of options or protos, once for all files that ask for cases. Nothing has been played yet."""
    if _refusal in config.stash and not hasattr(config, "workerinput"):
        raise pytest.UsageError(f"interop: {config.stash[_refusal]}") from None


def pytest_itemcollected(item: pytest.Item) -> None:
    if set(_FIXTURES) & set(getattr(item, "fixturenames", ())):
        item.add_marker("interop")
    if _has(item, "interop_case"):
        planned = item.callspec.params["interop_case"]  # type: ignore[attr-defined]
        # The ids of `interop list` and of reports can be copied to -k.
        item.extra_keyword_matches.update(planned.ids)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the engine look ahead to the tests that are left after deselection, in their order."""
    chosen = [item.callspec.params["interop_case"] for item in session.items if _has(item, "interop_case")]  # type: ignore[attr-defined]
    if chosen:
        playground(session.config).choose(chosen)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give whole pairs to the same worker, so that it can look ahead and no driver is started twice."""
    if config.getoption("dist", "no") != "load":
        return None
    from grpc_interop.testing.xdist_scheduler import PairScheduling

    return PairScheduling(config, log)


@pytest.fixture
def interop_case(request: pytest.FixtureRequest) -> Any:
    """A case on a pair: `check()` plays it and fails the test, with both sides' view, unless it passes."""
    return playground(request.config).bound(request.param)


@pytest.fixture
def interop_pair(request: pytest.FixtureRequest) -> Any:
    """A pair: `play(case)` returns the verdict; `method` and `message` make the parts of cases."""
    return playground(request.config).pair(request.param)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Report a case's own duration: the time that the test waited says only when its turn came."""
    report = yield
    bound = getattr(item, "funcargs", {}).get("interop_case")
    if call.when == "call" and bound is not None and bound.seconds is not None:
        report.duration = bound.seconds  # type: ignore[attr-defined]
    return report


def _has(item: pytest.Item, fixture: str) -> bool:
    params = getattr(getattr(item, "callspec", None), "params", {})
    return fixture in params and _refusal not in item.config.stash  # else it was given no values


def pytest_unconfigure(config: pytest.Config) -> None:
    if (made := config.stash.get(_playground, None)) is not None:
        made.close()
