"""What compare finds, and in which words."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from grpc_interop.core.case import Case, Entry, Finish, Kind, Status
from grpc_interop.core.model import Expected, model
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import END, TERMINATED, ClientTranscript, Observed, ServerTranscript
from grpc_interop.core.verdict import Difference, compare
from vocabulary import CANCEL, DEADLINE_US, ENDED, HALF_CLOSE, HEADERS, OK, RECEIVE, TO_END, as_seen, bidi, case, hear, tell, x, xs, y, ys

REQUEST = (Entry("x-interop-a", b"1"), Entry("x-interop-a", b"2"))
FAILS = Finish(Status(9, "no", b"details", (Entry("x-interop-t", b"1"),)))

PING_PONG = bidi(
    (*x(1), RECEIVE, *x(1, "z"), RECEIVE, HALF_CLOSE, TO_END),
    (HEADERS, RECEIVE, *y(1), RECEIVE, *y(1), TO_END, FAILS),
    metadata=REQUEST,
)
ALL_IN_ALL_OUT = bidi((*x(3), HALF_CLOSE, TO_END), (TO_END, *y(3), OK), timeout_us=60_000_000)
LANES = bidi(((*x(3), HALF_CLOSE), (TO_END,)), ((TO_END,), (*y(3), OK)))
CANCELLED = bidi((*x(1), RECEIVE, CANCEL), (RECEIVE, *y(1), TO_END, *ENDED))
CANCELLED_AT_ONCE = case(Kind.CLIENT_STREAMING, ((*x(2), CANCEL),), ((TO_END, *ENDED),))
CANCELLED_BY_SIGNAL = case(Kind.CLIENT_STREAMING, ((*x(2), hear("a"), CANCEL),), ((RECEIVE, tell("a"), TO_END, *ENDED),))
LATE = bidi((*x(1), RECEIVE, TO_END), (RECEIVE, *y(1), *ENDED), timeout_us=DEADLINE_US)
UNARY = case(Kind.UNARY, ((*x(1), TO_END),), ((RECEIVE, *y(1), OK),))

CASES = {
    "ping_pong": PING_PONG,
    "all_in_all_out": ALL_IN_ALL_OUT,
    "lanes": LANES,
    "cancelled": CANCELLED,
    "cancelled_at_once": CANCELLED_AT_ONCE,
    "cancelled_by_signal": CANCELLED_BY_SIGNAL,
    "late": LATE,
    "unary": UNARY,
}

Seen = tuple[ClientTranscript, ServerTranscript]


def perfect(one: Case) -> Seen:
    return as_seen(model(one)[0])


def difference(one: Case, client: ClientTranscript, server: ServerTranscript | None) -> Difference:
    found, _ = compare(one, model(one), client, server)
    assert found is not None
    return found


# ----------------------------------------------------------------------------------------------------------------------
# Whatever is changed in an allowed pair is found
# ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_every_allowed_pair_passes(name: str) -> None:
    allowed = model(CASES[name])
    for pair in allowed:
        assert compare(CASES[name], allowed, *as_seen(pair)) == (None, pair)


@pytest.mark.parametrize("name", CASES)
def test_every_change_is_found(name: str) -> None:
    """Unless it makes another allowed pair: then it must not be."""
    one = CASES[name]
    allowed = model(one)
    fine = {as_seen(pair) for pair in allowed}
    changes = 0
    for pair in allowed:
        for seen in changed(one, as_seen(pair)):
            found, _ = compare(one, allowed, *seen)
            assert (found is None) == (seen in fine), seen
            changes += 1
    assert changes >= 30 * len(allowed)


def changed(one: Case, seen: Seen) -> Iterator[Seen]:
    """The pair with any one thing changed."""
    client, server = seen
    for lanes in changed_lanes(client.lanes):
        yield client._replace(lanes=lanes), server
    for lanes in changed_lanes(server.lanes):
        yield client, server._replace(lanes=lanes)
    yield client._replace(lanes=(*client.lanes, ())), server
    yield client._replace(lanes=client.lanes[:-1]), server
    for initial in changed_entries(client.initial):
        yield client._replace(initial=initial), server
    yield client._replace(status=None), server
    yield client._replace(status=None, aborted=True), server
    yield client._replace(aborted=True), server
    yield client._replace(early=1), server
    assert client.status is not None
    for status in changed_statuses(one, client.status):
        yield client._replace(status=status), server
    yield client, server._replace(arrived=not server.arrived)
    if server.arrived:
        yield client, server._replace(lanes=(*server.lanes, ()))
        yield client, server._replace(lanes=server.lanes[:-1])
        for request in changed_entries(server.request):
            yield client, server._replace(request=request)
        yield client, server._replace(aborted=True)
        for remaining in {None, -1, 1, 61_000_000} - {server.remaining_us}:
            if not (remaining == 1 and one.timeout_us == DEADLINE_US):  # the call may have been that late
                yield client, server._replace(remaining_us=remaining)
    if one.timeout_us == DEADLINE_US:
        yield client._replace(elapsed_us=DEADLINE_US // 2), server


def changed_lanes(lanes: tuple[Observed, ...]) -> Iterator[tuple[Observed, ...]]:
    for at, lane in enumerate(lanes):
        for other in changed_lane(lane):
            yield (*lanes[:at], other, *lanes[at + 1 :])


def changed_lane(lane: Observed) -> Iterator[Observed]:
    for at, what in enumerate(lane):
        before, after = lane[:at], lane[at + 1 :]
        yield (*before, *after)
        yield (*before, what, *lane[at:])
        for other in (b"", b"altered", END, TERMINATED):
            if other != what:
                yield (*before, other, *after)
        if after and after[0] != what:
            yield (*before, after[0], what, *after[1:])
    for more in (b"more", END, TERMINATED):
        yield (*lane, more)


def changed_entries(entries: tuple[Entry, ...]) -> Iterator[tuple[Entry, ...]]:
    yield (*entries, Entry("x-interop-more", b""))
    for at, entry in enumerate(entries):
        before, after = entries[:at], entries[at + 1 :]
        yield (*before, *after)
        yield (*before, entry, *entries[at:])
        yield (*before, entry._replace(value=b"altered"), *after)
        yield (*before, entry._replace(key="x-interop-altered"), *after)
        if after and after[0].key == entry.key:
            yield (*before, after[0], entry, *after[1:])


def changed_statuses(one: Case, status: Status) -> Iterator[Status]:
    for code in range(17):
        if code != status.code:
            yield status._replace(code=code)
    for trailers in changed_entries(status.trailers):
        yield status._replace(trailers=trailers)
    if status.message != "a runtime's own words":
        yield status._replace(details=status.details + b"altered")
        if status.code:
            yield status._replace(message=status.message + "altered")


# ----------------------------------------------------------------------------------------------------------------------
# The words
# ----------------------------------------------------------------------------------------------------------------------

BIDI_CLIENT = {
    "the client did not receive message 2 of 3": (b"y1", b"y3", END),
    "the client received the server's messages in another order, from message 1 on": (b"y2", b"y1", b"y3", END),
    "the client received another message 2 than the server sent": (b"y1", b"other", b"y3", END),
    "the client saw the end after 1 of 3 messages": (b"y1", END),
    "the client received a message that the server did not send, after 3 messages": (*ys(3), b"y3", END),
    "the client did not see the end of the server's messages": ys(3),
    "the client saw the end where nothing was to come": (*ys(3), END, END),
}


@pytest.mark.parametrize("words", BIDI_CLIENT)
def test_a_difference_in_a_lane_is_a_sentence(words: str) -> None:
    client, server = perfect(ALL_IN_ALL_OUT)
    assert difference(ALL_IN_ALL_OUT, client._replace(lanes=(BIDI_CLIENT[words],)), server).what == words


CANCELLED_SERVER = {
    "the server did not learn that the RPC was over": xs(1),
    "the server was terminated after 0 of 1 messages": (TERMINATED,),
}


@pytest.mark.parametrize("words", CANCELLED_SERVER)
def test_a_difference_at_a_cancel_is_a_sentence(words: str) -> None:
    client, server = perfect(CANCELLED)
    assert difference(CANCELLED, client, server._replace(lanes=(CANCELLED_SERVER[words],))).what == words


def test_a_termination_that_nobody_caused() -> None:
    client, server = perfect(LANES)
    found = difference(LANES, client, server._replace(lanes=((*xs(3), TERMINATED), ())))
    assert found.what == "the server's RPC was terminated where the client half-closed"


def test_a_side_that_still_waits_says_so() -> None:
    client, server = perfect(LANES)
    found = difference(LANES, client, server._replace(lanes=(xs(2), ()), aborted=True))
    assert found == Difference(Side.SERVER, "the server did not receive message 3 of 3 and still waits for it", b"x3", "nothing")


def test_a_side_that_saw_everything_and_yet_hung() -> None:
    client, server = perfect(LANES)
    assert difference(LANES, client, server._replace(aborted=True)).what == "the server did not end its play and was stopped"


def test_a_server_that_reported_nothing() -> None:
    client, _ = perfect(LANES)
    assert difference(LANES, client, None).what == "the server reported nothing"
    assert compare(replace(LANES, player="programs"), model(LANES), client, None)[0] is None


def test_missing_and_surplus_lanes_are_found_even_when_nothing_is_in_them() -> None:
    client, server = perfect(LANES)
    for lanes in (((*xs(3), END),), ((*xs(3), END), (), ())):
        found = difference(LANES, client, server._replace(lanes=lanes))
        assert found == Difference(Side.SERVER, "the server reported another number of lanes than its script has", "2", str(len(lanes)))


def test_a_call_that_did_not_arrive_says_what_the_client_got() -> None:
    client, _ = perfect(UNARY)
    client = client._replace(lanes=((END,),), status=Status(12, "unknown method"))
    found = difference(UNARY, client, ServerTranscript(False, (), ()))
    assert found == Difference(
        Side.SERVER, "the call did not reach the server", "arrives", "never arrives; the client got UNIMPLEMENTED 'unknown method'"
    )


def test_a_call_that_did_not_arrive_may_be_reported_without_lanes() -> None:
    never = next(pair for pair in model(CANCELLED_AT_ONCE) if not pair.server.arrived)
    client, _ = as_seen(never)
    assert compare(CANCELLED_AT_ONCE, model(CANCELLED_AT_ONCE), client, ServerTranscript(False, (), (), aborted=True))[0] is None
    found = difference(CANCELLED_AT_ONCE, client, ServerTranscript(False, (xs(1),), ()))
    assert found.what == "the server reported more of a call that did not reach it"


ENDS = {
    "the RPC did not end at the client": lambda client: client._replace(status=None),
    "the client's status is UNKNOWN instead of FAILED_PRECONDITION": lambda client: client._replace(status=Status(2)),
    "the client got another status message": lambda client: client._replace(status=FAILS.status._replace(message="yes")),
    "the client got other status details": lambda client: client._replace(status=FAILS.status._replace(details=b"")),
    "the client did not get the trailing metadata x-interop-t": lambda client: client._replace(status=FAILS.status._replace(trailers=())),
    "the client did not get the initial metadata x-interop-h": lambda client: client._replace(initial=()),
    "the client got another value of the initial metadata x-interop-h": lambda client: client._replace(
        initial=(Entry("x-interop-h", b"2"),)
    ),
    "the client got unexpected initial metadata x-interop-g": lambda client: client._replace(
        initial=(Entry("x-interop-g", b""), *client.initial)
    ),
    "the server answered before the client had half-closed": lambda client: client._replace(early=1),
}


@pytest.mark.parametrize("words", ENDS)
def test_a_difference_at_the_end_is_a_sentence(words: str) -> None:
    client, server = perfect(PING_PONG)
    assert difference(PING_PONG, ENDS[words](client), server).what == words


def test_headers_that_are_lost_where_no_message_follows_are_told_apart() -> None:
    """A runtime may lose them only there, where they and the status arrive together."""
    silent = bidi((HALF_CLOSE, TO_END), (HEADERS, TO_END, FAILS))
    client, server = perfect(silent)
    found = difference(silent, client._replace(initial=()), server)
    assert found.what == "the client did not get the initial metadata x-interop-h, which no message follows"


@pytest.mark.parametrize("ended", [Status(13, "core"), FAILS.status._replace(message="core")], ids=["code", "message"])
def test_what_is_lost_before_another_status_is_put_down_to_that(ended: Status) -> None:
    one = bidi((*x(1), TO_END), (RECEIVE, *y(1), FAILS))
    client, server = perfect(one)
    found = difference(one, client._replace(lanes=((END,),), status=ended), server)
    assert (
        found.what == f"the RPC ended with {'INTERNAL' if ended.code == 13 else 'FAILED_PRECONDITION'} at the client after 0 of 1 messages"
    )
    assert "'core'" in str(found.got)


def test_entries_of_different_keys_may_come_in_any_order() -> None:
    one = replace(UNARY, metadata=(Entry("x-interop-b", b""), Entry("x-interop-a", b"")))
    client, server = perfect(one)
    assert compare(one, model(one), client, server._replace(request=server.request[::-1]))[0] is None


STARTS = {
    "the server did not get the request metadata x-interop-a": {"request": ()},
    "the server got another value of the request metadata x-interop-a": {"request": REQUEST[::-1]},
    "the server saw a deadline that no one set": {"remaining_us": 5},
}


@pytest.mark.parametrize("words", STARTS)
def test_a_difference_at_the_start_is_a_sentence(words: str) -> None:
    client, server = perfect(PING_PONG)
    assert difference(PING_PONG, client, server._replace(**STARTS[words])).what == words


class TestTheDeadline:
    def test_that_is_not_passed_on(self) -> None:
        client, server = perfect(ALL_IN_ALL_OUT)
        assert difference(ALL_IN_ALL_OUT, client, server._replace(remaining_us=None)).what == "the server saw no deadline"

    @pytest.mark.parametrize("remaining", [-1, 30_000_000, 60_700_000])
    def test_that_is_another_one(self, remaining: int) -> None:
        client, server = perfect(ALL_IN_ALL_OUT)
        found = difference(ALL_IN_ALL_OUT, client, server._replace(remaining_us=remaining))
        assert found.what == "the server saw another deadline than the client set"

    @pytest.mark.parametrize("remaining", [59_998_000, 60_600_000])
    def test_may_be_rounded_up_and_be_as_much_less_as_the_call_took(self, remaining: int) -> None:
        client, server = perfect(ALL_IN_ALL_OUT)
        assert compare(ALL_IN_ALL_OUT, model(ALL_IN_ALL_OUT), client, server._replace(remaining_us=remaining))[0] is None

    def test_that_strikes_too_early(self) -> None:
        client, server = perfect(LATE)
        found = difference(LATE, client._replace(elapsed_us=DEADLINE_US - 5_001), server)
        assert found.what == "the RPC ended at the client before its deadline"


def test_messages_that_come_all_at_once() -> None:
    one = replace(UNARY, player="programs", spread_us=1_000)
    client, _ = perfect(one)
    found, _ = compare(one, model(one), client._replace(spread_us=999), None)
    assert found is not None
    assert found.what == "the server's messages came all at once instead of one by one"
    assert compare(one, model(one), client._replace(spread_us=1_000), None)[0] is None


# ----------------------------------------------------------------------------------------------------------------------
# The cause, not its consequences
# ----------------------------------------------------------------------------------------------------------------------


class TestTheFirstDifferenceIsTheCause:
    def test_a_message_lost_on_the_way_there_is_why_its_answer_is_missing(self) -> None:
        client, server = perfect(PING_PONG)
        found = difference(
            PING_PONG,
            client._replace(lanes=((b"y1", END),), status=Status(4, "late")),
            server._replace(lanes=((b"x1", TERMINATED),)),
        )
        assert (found.side, found.what) == ("server", "the server was terminated after 1 of 2 messages")

    def test_an_answer_lost_is_why_the_next_message_was_never_sent(self) -> None:
        client, server = perfect(PING_PONG)
        found = difference(
            PING_PONG,
            client._replace(lanes=((),), status=None, aborted=True),
            server._replace(lanes=((b"x1",),), aborted=True),
        )
        assert (found.side, found.what) == ("client", "the client did not receive message 1 of 2 and still waits for it")

    def test_a_message_delivered_twice_is_why_the_last_answer_is_another(self) -> None:
        one = bidi((*x(1), RECEIVE, TO_END), (RECEIVE, *y(1), OK))
        client, server = perfect(one)
        found = difference(one, client._replace(lanes=((b"y1", b"y1", END),)), server._replace(lanes=((b"x1", b"x1"),)))
        assert (found.side, found.what) == ("server", "the server received a message that the client did not send, after 1 messages")

    def test_another_status_is_why_messages_are_missing(self) -> None:
        client, server = perfect(ALL_IN_ALL_OUT)
        found = difference(ALL_IN_ALL_OUT, client._replace(lanes=((b"y1", END),), status=Status(13, "Internal error from Core")), server)
        assert found == Difference(
            Side.CLIENT, "the RPC ended with INTERNAL at the client after 1 of 3 messages", b"y2", "INTERNAL 'Internal error from Core'"
        )

    def test_lost_metadata_is_why_the_server_answers_otherwise(self) -> None:
        client, server = perfect(PING_PONG)
        found = difference(PING_PONG, client._replace(status=Status(16, "who?"), lanes=((END,),)), server._replace(request=()))
        assert found.what == "the server did not get the request metadata x-interop-a"

    def test_of_several_allowed_pairs_the_nearest_is_taken(self) -> None:
        allowed = model(CANCELLED)
        client, server = as_seen(allowed[-1])
        found, nearest = compare(CANCELLED, allowed, client._replace(status=Status(2)), server)
        assert found is not None
        assert found.what == "the client's status is UNKNOWN instead of CANCELLED"
        assert nearest.server.lanes == server.lanes


def test_differences_of_one_cause_have_one_fingerprint() -> None:
    client, server = perfect(ALL_IN_ALL_OUT)
    first = difference(ALL_IN_ALL_OUT, client._replace(lanes=((b"y1", b"y3", END),)), server)
    other = difference(ALL_IN_ALL_OUT, client._replace(lanes=((b"y2", b"y3", END),)), server)
    assert first.what != other.what
    assert first.fingerprint == other.fingerprint == "client: the client did not receive message # of #"


def test_a_case_for_which_the_model_allows_nothing_cannot_pass() -> None:
    nothing: tuple[Expected, ...] = ()
    with pytest.raises(ValueError, match="cannot be judged"):
        compare(UNARY, nothing, *perfect(UNARY))
