"""Generated conversations find grpc/grpc#36066 in grpc.aio by themselves: where a send of the client races the end of the
RPC, messages that the server has sent are lost, and INTERNAL takes the place of its status.

The day this test fails because nothing is found, the entries for it in py_impl/known_failures.toml are out of date, too.
"""

import time
from pathlib import Path

import pytest

from grpc_interop.core.tags import tags_of
from grpc_interop.core.verdict import Outcome, Pair, Verdict
from grpc_interop.drivers.build import Built, Launch
from grpc_interop.drivers.manifest import Manifest
from grpc_interop.engine import Engine, Job
from grpc_interop.engine.shrink.passes import size
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites import SUITES
from grpc_interop.suites.protocol import SuiteOptions
from py_builds import GREETER, REPOSITORY, build_in

CONVERSATIONS = 300
"""In which it shows: one in twenty fails, or more."""

SIGN = "'Internal error from Core'"
"""What grpc.aio says in the place of the server's status; nothing else makes it say so."""

HANDFUL = 6
"""Steps that are left of both sides: a send, a finish, the client's wait for the end, and what makes the race likely."""

RUN_SECONDS = 100.0
"""What the run may take on a busy machine, with its searches for the smallest conversations."""


@pytest.fixture(scope="module")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> list[Built]:
    """`py-aio` and `py`, for the quick-start service."""
    built = []
    for name, api in (("py-aio", "aio"), ("py", "sync")):
        answer = build_in(tmp_path_factory.mktemp(api), {"greeter/v1/greeter.proto": GREETER}, api)
        built.append(Built(Manifest(name, REPOSITORY / "py_impl" / "interop.toml"), Launch(tuple(answer.argv), {})))
    return built


@pytest.mark.parametrize("seed", [1, 2, 36066])
def test_whatever_the_seed_it_is_found_and_shrunk_to_a_handful_of_steps(drivers: list[Built], seed: int, tmp_path: Path) -> None:
    """
    No known failures are given to the engine here, so that it searches for the smallest conversation that shows it.
    """
    found = [
        verdict for verdict in _played(drivers, seed, tmp_path) if verdict.outcome is Outcome.FAILED and SIGN in str(verdict.difference)
    ]

    assert found
    assert all("unread_at_end" in tags_of(verdict.case) for verdict in found)
    assert all(verdict.rpc_case.method.kind.client_streams for verdict in found)
    assert min(size(verdict.rpc_case) for verdict in found) <= HANDFUL


def _played(drivers: list[Built], seed: int, folder: Path) -> list[Verdict]:
    catalog = Catalog.load([REPOSITORY / "proto"], [], folder / "cache")
    engine = Engine(folder / "logs", smaller_messages=lambda _type, _message: [b""])
    try:
        for built in drivers:
            engine.add(built)
        cases = SUITES["conversations"].cases(catalog, SuiteOptions(seed=seed, count=CONVERSATIONS))
        engine.enqueue(Job(engine.prepare(case), Pair("py-aio", "py")) for case in cases)
        limit = time.monotonic() + RUN_SECONDS
        verdicts: list[Verdict] = []
        while engine.busy:
            assert time.monotonic() < limit, f"the run does not end; so far {len(verdicts)} verdicts"
            verdicts += engine.poll(0.05)
        return verdicts
    finally:
        engine.close()
