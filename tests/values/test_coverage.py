"""What counts as carried: a field with a value, in a message that the other side surely received."""

from pathlib import Path

import pytest

from grpc_interop.core.case import Cancel, Case, Finish, HalfClose, Method, Receive, ReceiveToEnd, Send
from grpc_interop.core.verdict import Pair
from grpc_interop.schema.catalog import Catalog
from grpc_interop.values.coverage import Coverage

ROOT = Path(__file__).parents[2]
PAIR, OTHER = Pair("a", "b"), Pair("b", "a")
CHAT = "greeter.v1.Greeter/AllStream"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return Catalog.load([ROOT / "proto"], [], tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def method(catalog: Catalog) -> Method:
    return next(method for method in catalog.methods() if method.path.endswith(CHAT))


def case(method: Method, client: tuple, server: tuple) -> Case:
    return Case("calls", "x", method, (client,), (server,))


def missing(coverage: Coverage, method: Method, pair: Pair = PAIR) -> set[str]:
    return {entry.direction for entry in coverage.uncovered([pair], [method])}


def test_a_pair_s_case_counts_for_that_pair(catalog: Catalog, method: Method) -> None:
    """
    What one pair carried says nothing of another.
    """
    coverage = Coverage(catalog)
    text = Send(b"\n\x01x")
    coverage.add(case(method, (text, HalfClose(), ReceiveToEnd()), (ReceiveToEnd(), text, Finish())), PAIR)
    assert missing(coverage, method) == set()
    assert missing(coverage, method, OTHER) == {"request", "response"}


def test_what_was_not_received_was_not_carried(catalog: Catalog, method: Method) -> None:
    """
    A message after the last one that the server takes counts for nothing, and so does a default value.
    """
    coverage = Coverage(catalog)
    text, empty = Send(b"\n\x01x"), Send(b"")
    coverage.add(case(method, (empty, text, ReceiveToEnd()), (Receive(), empty, Finish())), PAIR)
    assert missing(coverage, method) == {"request", "response"}


def test_what_a_cancel_may_cut_off_was_not_carried(catalog: Catalog, method: Method) -> None:
    """
    Only conversations that end by themselves count.
    """
    coverage = Coverage(catalog)
    coverage.add(case(method, (Send(b"\n\x01x"), Cancel()), (ReceiveToEnd(), Finish())), PAIR)
    assert "request" in missing(coverage, method)


def test_names_are_full(catalog: Catalog, method: Method) -> None:
    """
    What is missing is named so that a person finds it.
    """
    (request, response) = Coverage(catalog).uncovered([PAIR], [method])
    assert (request.method, request.client, request.server) == (f"/{CHAT}", "a", "b")
    assert request.fields
    assert all(name.startswith("greeter.v1.") for name in (*request.fields, *response.fields))
