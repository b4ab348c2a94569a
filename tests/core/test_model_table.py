"""The table of docs/model.md, row by row, with what each side sees written out."""

import pytest

from grpc_interop.core.case import Case, Entry, Finish, Kind, Send, Status
from grpc_interop.core.causality import CAPACITY, PREFIX
from grpc_interop.core.endpoint import Endpoint
from grpc_interop.core.model import EARLY_US, Expected, model
from grpc_interop.core.script import NotACase
from grpc_interop.core.transcript import END, TERMINATED, Observed
from vocabulary import (
    CANCEL,
    DEADLINE_US,
    ENDED,
    ERROR,
    HALF_CLOSE,
    HEADERS,
    OK,
    RECEIVE,
    RECEIVE_HEADERS,
    TO_END,
    H,
    bidi,
    case,
    hear,
    tell,
    x,
    xs,
    y,
    ys,
)

CANCELLED, LATE, EXHAUSTED = Status(1, None), Status(4, None), Status(8, None)
LIMIT = Endpoint(max_receive_bytes=10)
FITS, OVER = Send(bytes(10)), Send(bytes(11))


def only(one: Case) -> Expected:
    """The single allowed pair."""
    (pair,) = model(one)
    return pair


def client_views(one: Case) -> set[tuple[tuple[Observed, ...], Status]]:
    return {(pair.client.lanes, pair.client.status) for pair in model(one)}


def server_views(one: Case) -> set[tuple[Observed, ...] | None]:
    """The server's lanes; None where the call never arrives."""
    return {pair.server.lanes if pair.server.arrived else None for pair in model(one)}


class TestNothingTerminates:
    def test_both_sides_see_everything(self) -> None:
        pair = only(bidi((*x(3), HALF_CLOSE, TO_END), (TO_END, *y(3), OK)))
        assert pair.client.lanes == ((*ys(3), END),)
        assert pair.client.status == Status(0)
        assert pair.server.lanes == ((*xs(3), END),)

    def test_the_server_goes_on_after_the_half_close(self) -> None:
        pair = only(bidi((HALF_CLOSE, TO_END), (TO_END, *y(10), OK)))
        assert pair.client.lanes == ((*ys(10), END),)

    def test_two_lanes_a_side_with_200_messages_each_way(self) -> None:
        pair = only(bidi(((*x(200), HALF_CLOSE), (TO_END,)), ((TO_END,), (*y(200), OK))))
        assert pair.client.lanes == ((), (*ys(200), END))
        assert pair.server.lanes == ((*xs(200), END), ())

    def test_metadata_is_sorted_by_key_and_keeps_the_order_within_a_key(self) -> None:
        request = (Entry("x-interop-b", b"2"), Entry("x-interop-a", b"1"), Entry("x-interop-b", b"1"))
        trailers = (Entry("x-interop-d", b""), Entry("x-interop-c", b""))
        server = (HEADERS, TO_END, Finish(Status(5, "gone", b"details", trailers)))
        pair = only(bidi((HALF_CLOSE, TO_END), server, metadata=request))
        assert pair.server.request == (request[1], request[0], request[2])
        assert pair.client.initial == H
        assert pair.client.status == Status(5, "gone", b"details", trailers[::-1])

    def test_the_message_of_an_ok_status_is_not_sent(self) -> None:
        assert only(bidi((TO_END,), (Finish(Status(0, "fine")),))).client.status.message == ""


class TestTheServerFinishesEarly:
    @pytest.mark.parametrize("end", [OK, ERROR])
    def test_the_client_sees_all_and_the_server_what_it_received(self, end: Finish) -> None:
        pair = only(bidi((*x(10), HALF_CLOSE, TO_END), (HEADERS, RECEIVE, *y(2), end)))
        assert pair.client.lanes == ((*ys(2), END),)
        assert (pair.client.initial, pair.client.status) == (H, end.status)
        assert pair.server.lanes == (xs(1),)

    def test_messages_over_the_flow_window_are_dropped(self) -> None:
        big = Send(bytes(CAPACITY))
        pair = only(bidi((big, big, HALF_CLOSE, TO_END), (*y(1), ERROR)))
        assert pair.client.lanes == ((*ys(1), END),)
        assert pair.server.lanes == ((),)

    def test_a_client_streaming_answer_before_the_end(self) -> None:
        pair = only(case(Kind.CLIENT_STREAMING, ((*x(3), HALF_CLOSE, TO_END),), ((RECEIVE, *y(1), OK),)))
        assert pair.client.lanes == ((*ys(1), END),)
        assert pair.server.lanes == (xs(1),)


class TestTheClientCancels:
    def test_after_its_own_receive(self) -> None:
        one = bidi((*x(1), RECEIVE, *x(1, "z"), CANCEL), (RECEIVE, *y(1), TO_END, *ENDED))
        assert client_views(one) == {((ys(1),), CANCELLED)}
        # The second message may still get through, and the cancel may look like a half-close.
        assert server_views(one) == {((*xs(1), *more, *seen),) for more in ((), (b"z1",)) for seen in ((TERMINATED,), (END, TERMINATED))}

    def test_after_a_signal(self) -> None:
        client, server = (*x(3), hear("got"), CANCEL), (RECEIVE, RECEIVE, RECEIVE, tell("got"), *ENDED)
        pair = only(case(Kind.CLIENT_STREAMING, (client,), (server,)))
        assert (pair.client.lanes, pair.client.status) == (((),), CANCELLED)
        assert pair.server.lanes == ((*xs(3), TERMINATED),)

    def test_with_nothing_ordered_before(self) -> None:
        one = bidi((*x(1), CANCEL), (TO_END, *ENDED))
        assert client_views(one) == {(((),), CANCELLED)}
        assert server_views(one) == {
            None,
            ((TERMINATED,),),
            ((END, TERMINATED),),
            ((*xs(1), TERMINATED),),
            ((*xs(1), END, TERMINATED),),
        }

    def test_a_unary_call_with_nothing_ordered_before(self) -> None:
        one = case(Kind.UNARY, ((*x(1), CANCEL),), ((RECEIVE, *y(1), OK),))
        assert client_views(one) == {(((),), CANCELLED), (((),), Status(0))}
        assert server_views(one) == {None, ((TERMINATED,),), (xs(1),)}

    def test_while_the_server_may_finish(self) -> None:
        trailers = (Entry("x-interop-t", b"1"),)
        one = bidi((*x(1), RECEIVE, CANCEL), (RECEIVE, *y(1), Finish(Status(9, "no", b"", trailers))))
        assert client_views(one) == {((ys(1),), CANCELLED), ((ys(1),), Status(9, "no", b"", trailers))}
        assert server_views(one) == {(xs(1),)}

    def test_after_the_end_it_changes_nothing(self) -> None:
        pair = only(bidi((TO_END, CANCEL), (ERROR,)))
        assert (pair.client.lanes, pair.client.status) == (((END,),), ERROR.status)

    def test_a_lane_that_reads_meanwhile_sees_a_prefix(self) -> None:
        one = bidi(((*x(1), hear("got"), CANCEL), (TO_END,)), (RECEIVE, *y(2), tell("got"), *ENDED))
        assert client_views(one) == {(((), (*ys(count), END)), CANCELLED) for count in range(3)}

    def test_what_is_seen_on_one_side_was_sent_on_the_other(self) -> None:
        one = bidi(((*x(1), CANCEL), (TO_END,)), (RECEIVE, *y(1), *ENDED))
        answered = [pair for pair in model(one) if pair.client.lanes[1] == (*ys(1), END)]
        assert {pair.server.lanes for pair in answered} == {((*xs(1), TERMINATED),)}

    def test_a_signal_may_overtake_the_initial_metadata(self) -> None:
        one = bidi((*x(1), hear("got"), CANCEL), (RECEIVE, HEADERS, tell("got"), *ENDED))
        assert {pair.client.initial for pair in model(one)} == {(), H}

    def test_initial_metadata_that_was_waited_for_is_there(self) -> None:
        one = bidi((*x(1), RECEIVE_HEADERS, CANCEL), (RECEIVE, HEADERS, *ENDED))
        assert {pair.client.initial for pair in model(one)} == {H}


class TestTheDeadlinePasses:
    def test_after_a_round_trip(self) -> None:
        one = bidi((*x(1), RECEIVE, TO_END), (RECEIVE, *y(1), *ENDED), timeout_us=DEADLINE_US)
        assert client_views(one) == {(((*ys(1), END),), LATE), (((*ys(1), END),), CANCELLED)}
        assert server_views(one) == {((*xs(1), TERMINATED),)}
        assert {pair.client.least_elapsed_us for pair in model(one)} == {DEADLINE_US - EARLY_US}
        assert {pair.server.deadline_us for pair in model(one)} == {DEADLINE_US}

    def test_with_nothing_ordered_before(self) -> None:
        one = case(Kind.UNARY, ((*x(1), TO_END),), ((RECEIVE, *ENDED),), timeout_us=250_000)
        assert client_views(one) == {(((END,),), LATE), (((END,),), CANCELLED)}
        assert server_views(one) == {None, ((TERMINATED,),), ((*xs(1), TERMINATED),)}

    def test_a_deadline_that_is_kept_changes_nothing_but_is_known(self) -> None:
        pair = only(bidi((*x(1), HALF_CLOSE, TO_END), (TO_END, OK), timeout_us=60_000_000))
        assert pair.client.status == Status(0)
        assert (pair.client.least_elapsed_us, pair.server.deadline_us) == (0, 60_000_000)


class TestAMessageIsOverTheLimit:
    def test_one_that_is_as_large_as_the_limit_is_ordinary(self) -> None:
        one = bidi((FITS, HALF_CLOSE, TO_END), (TO_END, FITS, OK), client_endpoint=LIMIT, server_endpoint=LIMIT)
        assert only(one).client.status == Status(0)

    @pytest.mark.parametrize("kind", [Kind.UNARY, Kind.SERVER_STREAMING])
    def test_a_single_request_never_arrives(self, kind: Kind) -> None:
        one = case(kind, ((OVER, TO_END),), ((RECEIVE, *y(1), OK),), server_endpoint=LIMIT)
        assert (client_views(one), server_views(one)) == ({(((END,),), EXHAUSTED)}, {None})

    def test_a_request_of_a_stream_ends_it_where_it_is_received(self) -> None:
        client, server = (*x(1), RECEIVE, OVER, *x(1), HALF_CLOSE, TO_END), (RECEIVE, *y(1), TO_END, OK)
        one = bidi(client, server, server_endpoint=LIMIT)
        assert client_views(one) == {(((*ys(1), END),), EXHAUSTED)}
        # The server's runtime may show it like a half-close.
        assert server_views(one) == {((*xs(1), TERMINATED),), ((*xs(1), END),)}

    def test_a_response_may_be_answered_by_a_server_that_has_finished(self) -> None:
        one = case(Kind.SERVER_STREAMING, ((*x(1), TO_END),), ((RECEIVE, *y(1), OVER, *y(1), OK),), client_endpoint=LIMIT)
        assert client_views(one) == {(((*ys(1), END),), EXHAUSTED)}
        assert server_views(one) == {(xs(1),)}

    def test_a_response_ends_the_call_of_a_server_that_goes_on(self) -> None:
        one = bidi((*x(1), RECEIVE, HALF_CLOSE, TO_END), (RECEIVE, OVER, TO_END, OK), client_endpoint=LIMIT)
        assert client_views(one) == {(((END,),), EXHAUSTED)}
        assert server_views(one) == {((*xs(1), TERMINATED),), ((*xs(1), END),)}


NOT_CASES = {
    "a message over the limit that nobody takes": (
        bidi((OVER, HALF_CLOSE, TO_END), (*y(1), OK), server_endpoint=LIMIT),
        "nobody takes a message that is over its reader's limit",
    ),
    "both sides refuse": (
        bidi((OVER, HALF_CLOSE, TO_END), (OVER, TO_END, OK), client_endpoint=LIMIT, server_endpoint=LIMIT),
        "both sides refuse a message",
    ),
    "a message over the limit before a cancel": (
        bidi((OVER, CANCEL), (TO_END, *ENDED), server_endpoint=LIMIT),
        "races the cancel or the deadline",
    ),
    "a short deadline after a round trip": (
        bidi((*x(1), RECEIVE, TO_END), (RECEIVE, *y(1), *ENDED), timeout_us=DEADLINE_US - 1),
        "too short for what comes before it",
    ),
    "a short deadline that should be kept": (bidi((TO_END,), (OK,), timeout_us=DEADLINE_US - 1), "too short to be sure"),
    "a server that may finish when it sees the deadline": (
        bidi((TO_END,), (TO_END, OK), timeout_us=DEADLINE_US),
        "wait_for_termination",
    ),
    "a server that sends once the deadline frees it": (
        bidi((TO_END,), (RECEIVE, *y(1), *ENDED), timeout_us=DEADLINE_US),
        "may notice the deadline before the client does",
    ),
    "initial metadata of a unary call that is not over": (
        case(Kind.UNARY, ((*x(1), RECEIVE_HEADERS, CANCEL),), ((HEADERS, *ENDED),)),
        "the client's lane 1 at step 2 (ReceiveHeaders)",
    ),
    "reading after the deadline": (
        bidi((hear("never"), TO_END), (*y(1), *ENDED), timeout_us=DEADLINE_US),
        "may read after the RPC was terminated",
    ),
    "a server reading after the cancel": (
        bidi((*x(1), CANCEL), (hear("never"), RECEIVE, *ENDED)),
        "may read after the RPC was terminated",
    ),
    "a server that reads when the cancel frees it from a signal": (
        bidi(((*x(2), CANCEL), (RECEIVE, tell("a"))), (*y(1), hear("a"), RECEIVE, *ENDED)),
        "when that ends its WaitFor",
    ),
    "both wait": (
        bidi((RECEIVE, *x(1), TO_END), (RECEIVE, *y(1), OK)),
        "client's lane 1 at step 1 (Receive), the server's lane 1 at step 1",
    ),
    "a signal that never comes": (bidi((hear("never"), TO_END), (OK,)), "the client's lane 1 at step 1 (WaitFor)"),
    "a server that nobody terminates": (bidi((TO_END,), ENDED), "(WaitForTermination)"),
    "both send too much before they receive": (
        bidi((Send(bytes(CAPACITY)), HALF_CLOSE, TO_END), (Send(bytes(CAPACITY)), TO_END, OK)),
        "(Send)",
    ),
    "too many outcomes": (
        bidi(((*x(200), CANCEL), (TO_END,)), ((TO_END,), (*y(200), *ENDED))),
        "more than 10000 outcomes",
    ),
}


@pytest.mark.parametrize("name", NOT_CASES)
def test_where_nothing_is_promised_there_is_no_case(name: str) -> None:
    one, why = NOT_CASES[name]
    with pytest.raises(NotACase) as refusal:
        model(one)
    assert why in str(refusal.value)


class TestTheWindow:
    """32 KiB may lie unread in each direction, 5 bytes more for each message than its own."""

    def test_what_fits_is_sent(self) -> None:
        full = Send(bytes(CAPACITY - PREFIX))
        assert len(model(bidi((full, HALF_CLOSE, TO_END), (full, TO_END, OK)))) == 1

    @pytest.mark.parametrize("messages", [(CAPACITY - PREFIX + 1,), (CAPACITY // 2, CAPACITY // 2)])
    def test_what_does_not_fit_waits_for_its_receiver(self, messages: tuple[int, ...]) -> None:
        sends = tuple(Send(bytes(size)) for size in messages)
        with pytest.raises(NotACase, match=r"\(Send\)"):
            model(bidi((*sends, HALF_CLOSE, TO_END), (*sends, TO_END, OK)))
        assert len(model(bidi(((*sends, HALF_CLOSE), (TO_END,)), (*sends, TO_END, OK)))) == 1
