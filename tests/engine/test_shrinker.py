"""Shrinking: a conversation that fails is replaced by the smallest that fails in the same way, at a bounded cost."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grpc_interop.core.case import OK, Case, Entry, Finish, Kind, ReceiveHeaders, ReceiveToEnd, Send, Signal, WaitFor, finishes, steps
from grpc_interop.core.model import model
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Difference, Outcome, Pair, Verdict
from grpc_interop.engine.shrink import shrinker as shrinking_module
from grpc_interop.engine.shrink.passes import size, smaller
from grpc_interop.engine.shrink.shrinker import PLAYS, Shrinker
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites import SUITES
from grpc_interop.suites.protocol import SuiteOptions

PAIR = Pair("a", "b")
FAILURE = Difference(Side.CLIENT, "the client did not receive message 3 of 4")

Fails = Callable[[Case], bool]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return Catalog.load([Path(__file__).parents[2] / "proto"], [], tmp_path_factory.mktemp("cache"))


class Conversations(list[Case]):
    """Cases that are named in few words: hypothesis shows what it called, and the warning that a megabyte of cases is too
    long to be shown would hide the failure itself."""

    def __repr__(self) -> str:
        return f"{len(self)} conversations"


@pytest.fixture(scope="module")
def conversations(catalog: Catalog) -> list[Case]:
    return Conversations(SUITES["conversations"].cases(catalog, SuiteOptions(count=300)))


def verdict(case: Case, difference: Difference | None) -> Verdict:
    return Verdict(case, PAIR, Outcome.FAILED if difference else Outcome.PASSED, difference=difference)


def no_smaller_messages(type_name: str, message: bytes) -> tuple[bytes, ...]:
    return ()


def shrink(case: Case, fails: Fails, *, messages=no_smaller_messages, difference: Difference = FAILURE) -> tuple[Verdict, list[Case]]:
    """What the search ends with, and all that it played, where a case fails if `fails` says so. It has all the time that it
    wants: how fast a loaded machine is must not decide what is found."""
    search = Shrinker(verdict(case, FAILURE), messages, clock=lambda: 0.0)
    played = []
    candidate = search.next()
    while candidate is not None:
        played.append(candidate)
        candidate = search.next(verdict(candidate, difference if fails(candidate) else None))
    return search.result, played


def messages_of(case: Case, *, of_client: bool) -> int:
    return sum(isinstance(step, Send) for step in steps(case.client if of_client else case.server))


def has(*kinds: type) -> Fails:
    return lambda case: set(kinds) <= {type(step) for step in (*steps(case.client), *steps(case.server))}


def is_plain(case: Case, catalog: Catalog) -> bool:
    """Whether its messages are written as every runtime writes them: this engine compares bytes."""
    sent = [(case.method.request, step) for step in steps(case.client)] + [(case.method.response, step) for step in steps(case.server)]
    return all(catalog.canonical(name, step.message) == step.message for name, step in sent if isinstance(step, Send))


def first(cases: list[Case], fails: Fails) -> Case:
    """The first conversation that is not small already, and in which anything may be left out."""
    return next(case for case in cases if fails(case) and size(case) > 20 and case.method.kind is Kind.BIDI_STREAMING)


REASONS: dict[str, tuple[Fails, int]] = {
    "three responses": (lambda case: messages_of(case, of_client=False) >= 3, 5),
    "three requests": (lambda case: messages_of(case, of_client=True) >= 3, 5),
    "a signal of the server": (lambda case: any(isinstance(step, Signal) for step in steps(case.server)), 5),
    "awaiting headers": (has(ReceiveHeaders), 3),
    "a wait and three responses": (lambda case: has(WaitFor)(case) and messages_of(case, of_client=False) >= 3, 9),
}
"""Why conversations fail, and how many steps the smallest such conversation has: at the least the client receives to the
end and the server finishes."""


@pytest.mark.parametrize("reason", REASONS)
def test_the_smallest_conversation_is_found(conversations: list[Case], reason: str) -> None:
    """
    Whatever a failure depends on, little else is left of the conversation, and it still fails.
    """
    fails, least = REASONS[reason]
    found = first(conversations, fails)
    result, _ = shrink(found, fails)
    assert fails(result.case)
    assert size(result.case) <= least
    assert result.shrunk
    assert any(note.startswith(f"shrunk from {size(found)} steps to {size(result.case)} in ") for note in result.notes)


def test_a_shrunk_case_keeps_its_name(conversations: list[Case]) -> None:
    """
    The verdict is still that of the case that was asked for; replaying it shrinks nothing again.
    """
    fails = REASONS["three responses"][0]
    found = first(conversations, fails)
    result, _ = shrink(found, fails)
    assert (result.case.id, result.pair) == (found.id, PAIR)
    assert found.generated and not result.case.generated


def test_what_does_not_matter_is_plain(conversations: list[Case]) -> None:
    """
    Metadata, an error, and the content of messages go where the failure does not need them.
    """
    entries = (Entry("x-interop-a", b"1"), Entry("x-interop-b", b"2"))
    found = next(
        case
        for case in conversations
        if case.method.kind is Kind.BIDI_STREAMING and messages_of(case, of_client=False) >= 3 and finishes(case.server)[0].code
    )
    found = replace(found, metadata=entries)
    result, _ = shrink(found, REASONS["three responses"][0], messages=lambda _, message: (b"",) if message else ())
    assert result.case.metadata == ()
    assert finishes(result.case.server) == [OK]
    assert {step.message for step in steps(result.case.server) if isinstance(step, Send)} == {b""}
    assert len(result.case.client) == len(result.case.server) == 1


def test_what_matters_is_kept(conversations: list[Case]) -> None:
    """
    Of several entries only the one that the failure needs is left.
    """
    needed = Entry("x-interop-b", b"2")
    found = replace(conversations[0], metadata=(Entry("x-interop-a", b"1"), needed, Entry("x-interop-c", b"3")))
    result, _ = shrink(found, lambda case: needed in case.metadata)
    assert result.case.metadata == (needed,)


@settings(deadline=None, derandomize=True)
@given(number=st.integers(0, 299), kept=st.integers(0, 40))
def test_everything_that_is_played_is_a_case(conversations: list[Case], number: int, kept: int) -> None:
    """
    Whatever fails, the model accepts each candidate, and the result fails and is no larger.
    """
    found = conversations[number]
    fails: Fails = lambda case: size(case) >= min(kept, size(found))  # noqa: E731
    result, played = shrink(found, fails)
    for case in played:
        assert len(model(case)) == 1
    assert fails(result.case)
    assert size(result.case) <= size(found)


@settings(deadline=None, derandomize=True)
@given(number=st.integers(0, 299))
def test_smaller_cases_are_other_cases(conversations: list[Case], number: int) -> None:
    """
    No candidate has more steps, and none says more: the search ends.
    """
    found = conversations[number]
    for case in smaller(found, no_smaller_messages):
        assert size(case) <= size(found)
        assert len(case.client) <= len(found.client) and len(case.server) <= len(found.server)


def test_a_failure_that_comes_and_goes_is_shrunk_too(conversations: list[Case]) -> None:
    """
    A case that fails in every third play counts as failing; the notes say how often.
    """
    turn = count()
    reason, least = REASONS["three responses"]
    result, _ = shrink(first(conversations, reason), lambda case: next(turn) % 3 == 0 and reason(case))
    assert size(result.case) <= least + 2
    assert any(note.startswith("alone it failed ") for note in result.notes)


def test_a_failure_that_company_brings_about_is_not_shrunk(conversations: list[Case]) -> None:
    """
    What passes alone as often as it is tried fails as it was found, and is called interference.
    """
    found = conversations[0]
    result, played = shrink(found, lambda case: False)
    assert result.case == found and result.difference == FAILURE and not result.shrunk
    assert result.notes == (f"interference: it fails beside other cases, and passed {len(played)} times alone",)


def test_another_failure_is_not_followed(conversations: list[Case]) -> None:
    """
    A search that came across another defect would show that one in the place of its own.
    """
    other = Difference(Side.SERVER, "the server did not see the end of the client's messages")
    result, _ = shrink(conversations[0], lambda case: True, difference=other)
    assert result.case == conversations[0]


def test_what_is_particular_to_a_failure_may_change(conversations: list[Case]) -> None:
    """
    "Message 3 of 4" and "message 1 of 2" are one failure, and so are two statuses in the place of which a third came,
    and two metadata keys.
    """
    for found, now in (
        ("the client did not receive message 3 of 4", "the client did not receive message 1 of 2"),
        ("the client's status is INTERNAL instead of NOT_FOUND", "the client's status is INTERNAL instead of OK"),
        ("the client did not get the initial metadata x-interop-a-bin", "the client did not get the initial metadata x-interop-b"),
    ):
        assert Difference(Side.CLIENT, found).fingerprint == Difference(Side.CLIENT, now).fingerprint


def test_a_search_costs_little(conversations: list[Case]) -> None:
    """
    However large the case and however rare its failure, plays are bounded.
    """
    large = max(conversations, key=size)
    turn = count()
    _, played = shrink(large, lambda case: next(turn) % 9 == 1)
    assert len(played) <= PLAYS + shrinking_module.SAMPLE


def test_a_search_ends_in_time(conversations: list[Case]) -> None:
    """
    Plays that hang use up the search's time; what it has found by then is its result.
    """
    now = count(step=2)
    search = Shrinker(verdict(max(conversations, key=size), FAILURE), no_smaller_messages, clock=lambda: next(now))
    case, plays = search.next(), 0
    while case is not None:
        plays += 1
        case = search.next(verdict(case, FAILURE))
    assert plays < 20
    assert search.result.shrunk


@pytest.mark.parametrize("fault", ["drops_the_last_message", "ends_with_another_code"])
def test_a_driver_with_a_fault_is_convicted_with_few_steps(play, catalog: Catalog, conversations: list[Case], fault: str) -> None:
    """
    In a run, each cause of a pair is shrunk once; the verdict brings the small case and both sides' transcripts.
    """
    play.add("bad", fault=fault)
    cases = list(islice((case for case in conversations if case.method.kind is Kind.SERVER_STREAMING and is_plain(case, catalog)), 30))
    verdicts = play.run("good:bad", cases)
    assert set(verdicts) == {case.name for case in cases}
    shrunk = [verdict for verdict in verdicts.values() if verdict.shrunk]
    causes = [verdict.difference.fingerprint for verdict in shrunk]
    assert causes and len(set(causes)) == len(causes)
    for verdict in shrunk:
        assert size(verdict.case) <= 6, verdict
        assert verdict.client and verdict.server and verdict.expected
        assert isinstance(verdict.case.client[-1][-1], ReceiveToEnd) and isinstance(verdict.case.server[-1][-1], Finish)
        assert any("shrunk from" in note for note in verdict.notes)
