"""The `conversations` suite: whatever the seed, what it makes up is a case, and it makes up everything."""

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grpc_interop.core.case import (
    Case,
    Finish,
    HalfClose,
    Kind,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Send,
    SendHeaders,
    Signal,
    WaitFor,
    finishes,
    steps,
)
from grpc_interop.core.causality import CAPACITY, PREFIX
from grpc_interop.core.model import model
from grpc_interop.core.script import STATUS_CODES
from grpc_interop.core.verdict import Pair
from grpc_interop.repro.case_text import decode, encode
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites import SUITES
from grpc_interop.suites.conversations.dice import Dice
from grpc_interop.suites.conversations.suite import conversation
from grpc_interop.suites.conversations.words import Vocabulary
from grpc_interop.suites.protocol import SuiteOptions

ROOT = Path(__file__).parents[2]
NASTY = Path(__file__).parent / "nasty"
SUITE = SUITES["conversations"]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The quick-start service and one whose messages are unpleasant."""
    return Catalog.load([ROOT / "proto", NASTY], [], tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def vocabulary(catalog: Catalog) -> Vocabulary:
    return Vocabulary(catalog)


@pytest.fixture(scope="module")
def many(catalog: Catalog) -> list[Case]:
    """As many as a longer run plays."""
    return list(SUITE.cases(catalog, SuiteOptions(seed=1, count=2000)))


@settings(deadline=None, derandomize=True)
@given(seed=st.integers(0, 1 << 64), number=st.integers(1, 100_000))
def test_every_conversation_is_a_case_with_one_outcome(catalog: Catalog, vocabulary: Vocabulary, seed: int, number: int) -> None:
    """
    None is rejected: scripts fit each other by the way in which they are made, and nothing races.
    """
    methods = [[method for method in catalog.methods() if method.kind is kind] for kind in Kind]
    assert len(model(conversation(seed, number, methods, vocabulary))) == 1


def test_one_seed_gives_the_same_cases(catalog: Catalog) -> None:
    """
    A second look yields equal cases, and another seed yields others.
    """
    first, again, other = (list(SUITE.cases(catalog, SuiteOptions(seed=seed, count=50))) for seed in (7, 7, 8))
    assert first == again
    assert {case.client for case in first} != {case.client for case in other}


def test_a_conversation_does_not_depend_on_how_many_are_made(catalog: Catalog) -> None:
    """
    Conversation 42 stays what it is in a run of a hundred or a thousand.
    """
    few, more = (list(islice(SUITE.cases(catalog, SuiteOptions(seed=3, count=count)), 100)) for count in (100, 1000))
    assert few == more


def test_names_can_be_typed_and_are_unique(many: list[Case]) -> None:
    """
    A name needs no quoting in a shell or in `pytest -k`.
    """
    assert all(case.name.isidentifier() and case.name.islower() for case in many)
    assert len({case.id for case in many}) == len(many)


def test_dice_fall_alike_everywhere() -> None:
    """
    What a text decides is the same on every machine and in every version: these numbers never change.
    """
    dice = Dice("s1_00042")
    assert [dice.below(1000) for _ in range(5)] == [771, 667, 767, 135, 445]


def test_every_step_and_lane_comes_about(many: list[Case]) -> None:
    """
    Nothing that the grammar has (cancels and deadlines apart) is left out, and each side splits into lanes.
    """
    client = Counter(type(step) for case in many for step in steps(case.client))
    server = Counter(type(step) for case in many for step in steps(case.server))
    assert set(client) == {Send, Receive, ReceiveToEnd, HalfClose, ReceiveHeaders, Signal, WaitFor}
    assert set(server) == {Send, Receive, ReceiveToEnd, SendHeaders, Finish, Signal, WaitFor}
    assert min(*client.values(), *server.values()) >= len(many) // 100
    shapes = Counter((case.method.kind, len(case.client), len(case.server)) for case in many)
    assert all(shapes[Kind.BIDI_STREAMING, mine, theirs] >= 10 for mine in (1, 2) for theirs in (1, 2))
    assert all(shapes[kind, 1, 2] >= 10 for kind in Kind)


def test_every_end_comes_about(many: list[Case]) -> None:
    """
    Every code, with and without details and trailers; and OK is about as frequent as all errors together.
    """
    ends = [finishes(case.server)[0] for case in many]
    codes = Counter(end.code for end in ends)
    assert set(codes) == set(STATUS_CODES)
    assert 0.4 < codes[0] / len(ends) < 0.6
    assert any(end.details and end.trailers for end in ends)
    assert any(end.trailers and not end.code for end in ends)


def test_little_lies_unread(many: list[Case]) -> None:
    """
    Messages that together exceed what every runtime buffers are rare, and do occur.
    """
    large = 0
    for case in many:
        sizes = [[len(step.message) + PREFIX for step in steps(script) if isinstance(step, Send)] for script in (case.client, case.server)]
        large += max(map(sum, sizes)) > CAPACITY
    assert 0 < large < len(many) // 20


def test_every_method_takes_part(catalog: Catalog, many: list[Case]) -> None:
    """
    Every RPC of the tree is driven.
    """
    assert {case.method for case in many} == set(catalog.methods())


def test_a_conversation_can_be_replayed(catalog: Catalog, many: list[Case]) -> None:
    """
    The replay text gives back the same case.
    """
    case = many[41]
    assert decode(encode(case, Pair("a", "b"), catalog.descriptor_set([catalog.file_of(case)]))).case == case


def test_a_tree_without_methods_has_no_conversations() -> None:
    """
    There is nothing to talk through.
    """
    assert list(SUITE.cases(Catalog([], b""), SuiteOptions())) == []
