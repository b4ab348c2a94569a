"""The `calls` suite: what it yields is a case for every kind of method and every type of message."""

from collections import defaultdict
from pathlib import Path

import pytest

from grpc_interop.core.case import Case, Finish, Kind, Send, SendHeaders, steps
from grpc_interop.core.causality import CAPACITY, PREFIX
from grpc_interop.core.model import model
from grpc_interop.core.script import check_grammar
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites import SUITES, find
from grpc_interop.suites.calls import SHAPES
from grpc_interop.suites.calls.every_field import NAME
from grpc_interop.suites.calls.large_metadata import LIMITS
from grpc_interop.suites.protocol import SuiteOptions

ROOT = Path(__file__).parents[2]
NASTY = Path(__file__).parent / "nasty"


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """All cases of the quick-start service and of one whose messages are unpleasant."""
    catalog = Catalog.load([ROOT / "proto", NASTY], [], tmp_path_factory.mktemp("cache"))
    return list(SUITES["calls"].cases(catalog, SuiteOptions()))


def test_every_shape_of_every_rpc_is_a_case(cases: list[Case]) -> None:
    """
    Each RPC has each shape of its kind, under a name of its own, and the model promises an outcome for all of them. The limits
    of a runtime are asked about once.
    """
    limits = [shape.name for shape in LIMITS]
    by_method = defaultdict(list)
    for case in cases:
        assert model(case), case.id
        by_method[case.method].append(case.name)
    assert {method.kind for method in by_method} == set(Kind)
    for method, names in by_method.items():
        of_kind = [name for name in names if not name.startswith(NAME) and name not in limits]
        assert of_kind == [shape.name for shape in SHAPES[method.kind]]
        assert NAME in names
        assert len(set(names)) == len(names)
    (asked,) = (method for method, names in by_method.items() if set(limits) & set(names))
    assert asked.kind is Kind.UNARY and by_method[asked][-len(limits) :] == limits


def test_every_case_says_what_it_proves(cases: list[Case]) -> None:
    """
    A report can show a sentence for every case.
    """
    assert all(case.why.endswith((".", ":")) for case in cases)


def test_metadata_without_a_value_travels_in_every_place(cases: list[Case]) -> None:
    """
    Empty text and empty bytes, in the request, before the responses and after them, with OK and with an error.
    """
    places = 0
    for case in cases:
        if case.name not in ("metadata", "metadata_on_error"):
            continue
        sent = [step for lane in case.server for step in lane]
        initial = next(step.entries for step in sent if isinstance(step, SendHeaders))
        trailing = next(step.status.trailers for step in sent if isinstance(step, Finish))
        for entries in (case.metadata, initial, trailing):
            places += 1
            assert {entry.key.endswith("-bin") for entry in entries if not entry.value} == {True, False}, case.id
    assert places >= 2 * 3 * len(Kind)


def test_names_can_be_typed(cases: list[Case]) -> None:
    """
    A case's name needs no quoting in a shell or in `pytest -k`.
    """
    assert all(case.name.isidentifier() and case.name.islower() for case in cases)


def test_what_may_lie_unread_is_little(cases: list[Case]) -> None:
    """
    Only messages that are read at once, of cases about size or about every field, may exceed what runtimes buffer.
    """
    for case in cases:
        for script in (case.client, case.server):
            size = sum(len(step.message) + PREFIX for step in steps(script) if isinstance(step, Send))
            assert size <= CAPACITY or case.name == "large_message" or case.name.startswith(NAME), case.id


def test_messages_of_a_lane_differ(cases: list[Case]) -> None:
    """
    A lost or swapped message would be seen, except in the case that is about empty ones.
    """
    for case in cases:
        for script in (case.client, case.server):
            sent = [step.message for step in steps(script) if isinstance(step, Send)]
            assert len(set(sent)) == len(sent) or case.name == "empty_message", case.id


def test_unknown_fields_are_asked_for_only_where_needed(cases: list[Case]) -> None:
    """
    A driver that drops unknown fields still plays what needs none.
    """
    asking = {(case.method.name, case.name) for case in cases if "unknown_fields" in case.extra_requires}
    methods = {method for method, _ in asking}
    assert "SayHello" not in methods
    assert ("NothingBoth", "two") in asking
    assert ("NothingBoth", "none") not in asking


def test_large_messages_are_large(cases: list[Case]) -> None:
    """
    A large message is one of 1 MiB, give or take what a length prefix leaves over.
    """
    for case in cases:
        if case.name == "large_message":
            for script in (case.client, case.server):
                sizes = [len(step.message) for step in steps(script) if isinstance(step, Send)]
                assert (1 << 20) - 2 <= max(sizes) <= 1 << 20, case.id


def test_cases_are_the_same_each_time(tmp_path: Path) -> None:
    """
    Two catalogs of one tree give equal cases.
    """
    first, second = (list(SUITES["calls"].cases(Catalog.load([NASTY], [], tmp_path), SuiteOptions())) for _ in range(2))
    assert first == second


def test_the_most_telling_order_holds_the_same_cases(tmp_path: Path) -> None:
    """
    Every RPC is called once before any is called twice, plainly first, and no case is left out or doubled.
    """
    catalog = Catalog.load([ROOT / "proto", NASTY], [], tmp_path)
    suite = SUITES["calls"]
    assert suite.most_telling is not None
    telling = list(suite.most_telling(catalog, SuiteOptions()))
    assert sorted(case.id for case in telling) == sorted(case.id for case in suite.cases(catalog, SuiteOptions()))
    methods = list(catalog.methods())
    assert [(case.method, case.name) for case in telling[: len(methods)]] == [(method, "one") for method in methods]


def test_an_unknown_suite_names_the_nearest() -> None:
    """
    A misspelt suite is answered with the one that was probably meant.
    """
    with pytest.raises(Exception, match="did you mean calls") as raised:
        find("call")
    assert raised.value.exit_status == 2


def test_the_grammar_holds_without_the_model(cases: list[Case]) -> None:
    """
    Every case keeps the grammar of its kind on its own account.
    """
    for case in cases:
        check_grammar(case)
