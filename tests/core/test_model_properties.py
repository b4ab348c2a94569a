"""Properties of the model on conversations larger than can be tried exhaustively."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from grpc_interop.core.case import Case, Finish, Lane, Receive, Send, Status, Step, steps
from grpc_interop.core.causality import CAPACITY, Simulation
from grpc_interop.core.model import Expected, model
from grpc_interop.core.script import NotACase
from grpc_interop.core.transcript import END, TERMINATED, Observed
from vocabulary import CANCEL, DEADLINE_US, ENDED, HALF_CLOSE, OK, RECEIVE, TO_END, bidi, x, y

STABLE = settings(deadline=None, derandomize=True, max_examples=150, suppress_health_check=[HealthCheck.filter_too_much])
"""The same examples on every machine: a property that breaks must break for everybody."""


# ----------------------------------------------------------------------------------------------------------------------
# Conversations that cannot deadlock: one story, told from both sides
# ----------------------------------------------------------------------------------------------------------------------

BOTH = st.sampled_from("><")
"""Who sends next: the client or the server. The other one receives it, now or later."""


def told(story: str, client_end: Lane, server_end: Lane, *, split: bool) -> Case:
    """A case in which the messages of the story travel in its order, or on both ways at once when `split`."""
    client: list[Step] = []
    server: list[Step] = []
    for number, way in enumerate(story):
        if way == ">":
            client.append(Send(b"x%d" % number))
            server.append(Receive())
        else:
            server.append(Send(b"y%d" % number))
            client.append(Receive())
    if not split:
        return bidi((*client, *client_end), (*server, *server_end))
    return bidi(
        (tuple(step for step in client if isinstance(step, Send)), (*of(client, Receive), *client_end)),
        (of(server, Receive), (*of(server, Send), *server_end)),
    )


def of(lane: list[Step], what: type) -> Lane:
    return tuple(step for step in lane if isinstance(step, what))


stories = st.text(BOTH, max_size=60)
undisturbed = st.builds(told, stories, st.just((TO_END,)), st.sampled_from([(OK,), (Finish(Status(9, "no")),)]), split=st.booleans())
# Only one lane of a side moves freely here: two long ones have more outcomes than are worth listing.
cancelled = st.builds(told, stories, st.just((CANCEL,)), st.sampled_from([ENDED, (OK,), (TO_END, *ENDED)]), split=st.just(False))
late = st.builds(told, stories, st.just((TO_END,)), st.sampled_from([ENDED]), split=st.booleans()).map(
    lambda one: replace(one, timeout_us=DEADLINE_US)
)
any_case = st.one_of(undisturbed, cancelled, late)

SOME_STEPS = {
    "client": st.sampled_from([*x(1), *x(1, "z"), RECEIVE, HALF_CLOSE]),
    "server": st.sampled_from([*y(1), RECEIVE, TO_END]),
}


@st.composite
def wild(draw: st.DrawFn) -> Case:
    """Any steps in any order: most of these wait for each other."""
    client = tuple(draw(st.lists(SOME_STEPS["client"], max_size=6)))
    server = tuple(draw(st.lists(SOME_STEPS["server"], max_size=6)))
    ends = draw(st.sampled_from([((TO_END,), (OK,)), ((CANCEL,), ENDED)]))
    return bidi((*client, *ends[0]), (*server, *ends[1]))


def allowed(one: Case) -> tuple[Expected, ...]:
    try:
        return model(one)
    except NotACase:
        assume(False)
        raise


def sent(one: Case, *, client: bool) -> list[bytes]:
    return [step.message for step in steps(one.client if client else one.server) if isinstance(step, Send)]


def messages(lanes: tuple[Observed, ...]) -> list[bytes]:
    return [seen for lane in lanes for seen in lane if isinstance(seen, bytes)]


# ----------------------------------------------------------------------------------------------------------------------
# Properties
# ----------------------------------------------------------------------------------------------------------------------


@STABLE
@given(undisturbed)
def test_without_a_termination_there_is_one_outcome_and_everything_arrives(one: Case) -> None:
    (pair,) = model(one)
    assert messages(pair.client.lanes) == sent(one, client=False)
    assert messages(pair.server.lanes) == sent(one, client=True)
    assert pair.client.lanes[-1][-1] is END
    assert not any(TERMINATED in lane for lane in pair.server.lanes)


@STABLE
@given(st.one_of(any_case, wild()))
def test_what_is_observed_is_a_prefix_of_what_was_sent(one: Case) -> None:
    for pair in allowed(one):
        for seen, from_client in ((pair.client.lanes, False), (pair.server.lanes, True)):
            got = messages(seen)
            assert got == sent(one, client=from_client)[: len(got)]


@STABLE
@given(st.one_of(any_case, wild()))
def test_tokens_come_last_and_once(one: Case) -> None:
    for pair in allowed(one):
        for lane in (*pair.client.lanes, *pair.server.lanes):
            tokens = [seen for seen in lane if not isinstance(seen, bytes)]
            assert tokens in ([], [END], [TERMINATED], [END, TERMINATED])
            assert list(lane[len(lane) - len(tokens) :]) == tokens
        assert not any(TERMINATED in lane for lane in pair.client.lanes)


@STABLE
@given(st.one_of(any_case, wild()))
def test_the_model_is_a_function_and_names_no_pair_twice(one: Case) -> None:
    pairs = allowed(one)
    assert pairs == model(one)
    assert len({(pair.client, pair.server) for pair in pairs}) == len(pairs)


@STABLE
@given(st.one_of(any_case, wild()), st.data())
def test_the_order_in_which_lanes_are_played_does_not_matter(one: Case, data: st.DataObject) -> None:
    """Another schedule of the same lanes leaves every lane where the first one did."""
    shuffled = data.draw(st.sampled_from(list(permutations(range(len(one.client) + len(one.server))))))

    class Shuffled(Simulation):
        def _play(self) -> None:
            self.lanes = [self.lanes[index] for index in shuffled]
            super()._play()

    try:
        first, second = Simulation(one), Shuffled(one)
    except NotACase:
        return
    for mine, other in zip(first.lanes, sorted(second.lanes, key=lambda lane: lane.index), strict=True):
        assert (mine.at, mine.seen) == (other.at, other.seen)


@STABLE
@given(st.one_of(undisturbed, late))
def test_swapping_the_lanes_of_a_side_swaps_what_they_see(one: Case) -> None:
    mirrored = replace(one, client=one.client[::-1], server=one.server[::-1])

    def views(of: Case, turn: int) -> set[object]:
        return {
            (pair.client.lanes[::turn], pair.client.initial, pair.client.status, pair.server.arrived, pair.server.lanes[::turn])
            for pair in model(of)
        }

    assert views(one, 1) == views(mirrored, -1)


@STABLE
@given(cancelled)
def test_more_is_allowed_the_less_comes_before_the_cancel(one: Case) -> None:
    """Without the client's last receive the server's part of the story is not surely over: whatever the server may have
    seen before, it still may."""
    receives = [at for at, step in enumerate(one.client[0]) if isinstance(step, Receive)]
    assume(receives)
    fewer = replace(one, client=((*one.client[0][: receives[-1]], *one.client[0][receives[-1] + 1 :]),))
    assert {pair.server for pair in model(one)} <= {pair.server for pair in model(fewer)}


@STABLE
@given(stories, stories)
def test_more_conversation_before_the_end_keeps_what_was_seen_before(story: str, more: str) -> None:
    (short,) = model(told(story, (TO_END,), (OK,), split=False))
    (longer,) = model(told(story + more, (TO_END,), (OK,), split=False))
    for lane, longer_lane in zip(short.client.lanes + short.server.lanes, longer.client.lanes + longer.server.lanes, strict=True):
        seen = messages((lane,))
        assert messages((longer_lane,))[: len(seen)] == seen


@STABLE
@given(st.one_of(any_case, wild()))
def test_events_are_ordered_within_each_lane(one: Case) -> None:
    for pair in allowed(one):
        for places in pair.order:
            assert list(places) == sorted(set(places))


@STABLE
@given(st.lists(st.integers(1, CAPACITY), min_size=1, max_size=6))
def test_what_lies_unread_is_bounded(sizes: list[int]) -> None:
    """More than 32 KiB in a direction whose receiver does not receive is not a case; while it receives, it is."""
    sends = tuple(Send(bytes(size)) for size in sizes)
    fits = sum(size + 5 for size in sizes) <= CAPACITY
    crossing = bidi((*sends, HALF_CLOSE, TO_END), (*sends, TO_END, OK))
    if fits:
        assert len(model(crossing)) == 1
    else:
        with pytest.raises(NotACase, match="Send"):
            model(crossing)
    one_way = bidi((*sends, HALF_CLOSE, TO_END), (TO_END, *sends, OK))
    two_lanes = bidi(((*sends, HALF_CLOSE), (TO_END,)), ((TO_END,), (*sends, OK)))
    for one in (one_way, two_lanes):
        (pair,) = model(one)
        assert messages(pair.client.lanes) == messages(pair.server.lanes) == [bytes(size) for size in sizes]


def cases_of_thousand() -> Iterator[Case]:
    sends = x(1000)
    yield bidi(((*sends, HALF_CLOSE), (TO_END,)), ((TO_END,), (*y(1000), OK)))
    yield told("><" * 1000, (TO_END,), (OK,), split=False)
    yield bidi((*sends, CANCEL), (TO_END, *ENDED))


def test_a_thousand_messages_each_way_are_nothing_special() -> None:
    counts = [len(model(one)) for one in cases_of_thousand()]
    # Nothing precedes the last one's cancel: never arrived, or 0 to 1,000 messages and one of two tokens.
    assert counts == [1, 1, 1 + 2 * 1001]
