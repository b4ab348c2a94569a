"""The driver plays every step of the contract, on both sides, and reports what it saw."""

import operator

import grpc
import pytest

from grpc_interop.drivers import driver_pb2 as pb
from plays import (
    BIDI,
    CANCEL,
    CLIENT_STREAM,
    HALF_CLOSE,
    RECEIVE,
    RECEIVE_HEADERS,
    SERVER_STREAM,
    TO_END,
    UNARY,
    UNTIL_TERMINATED,
    Stage,
    finish,
    headers,
    metadata,
    play,
    seen,
    signal,
    wait_for,
)

CANCELLED, UNKNOWN_CODE, DEADLINE_EXCEEDED, NOT_FOUND, UNIMPLEMENTED = 1, 2, 4, 5, 12


class TestKinds:
    def test_unary(self, stage: Stage) -> None:
        client, server = stage.play(
            UNARY, [[stage.send("World", "HelloRequest"), TO_END]], [[RECEIVE, stage.reply("hi", "HelloReply"), finish()]]
        )

        assert seen(client) == [["hi", "<end>"]]
        assert seen(server) == [["World"]]
        assert client.status.code == 0
        assert client.arrived
        assert server.arrived

    def test_server_streaming(self, stage: Stage) -> None:
        client, server = stage.play(SERVER_STREAM, [[stage.send("q"), RECEIVE, TO_END]], [[RECEIVE, *map(stage.reply, "abc"), finish()]])

        assert seen(client) == [["a", "b", "c", "<end>"]]
        assert seen(server) == [["q"]]

    def test_client_streaming(self, stage: Stage) -> None:
        client, server = stage.play(CLIENT_STREAM, [[*map(stage.send, "abc"), HALF_CLOSE, TO_END]], [[TO_END, stage.reply("3"), finish()]])

        assert seen(client) == [["3", "<end>"]]
        assert seen(server) == [["a", "b", "c", "<end>"]]

    def test_bidirectional_in_turns(self, stage: Stage) -> None:
        client, server = stage.play(
            BIDI,
            [[stage.send("a"), RECEIVE, stage.send("b"), RECEIVE, HALF_CLOSE, TO_END]],
            [[RECEIVE, stage.reply("A"), RECEIVE, stage.reply("B"), TO_END, finish()]],
        )

        assert seen(client) == [["A", "B", "<end>"]]
        assert seen(server) == [["a", "b", "<end>"]]

    def test_bidirectional_in_two_lanes(self, stage: Stage) -> None:
        """Each side sends in one lane and receives in the other; `finish` waits for both."""
        client, server = stage.play(
            BIDI,
            [[*map(stage.send, "abc"), HALF_CLOSE], [TO_END]],
            [[TO_END, finish()], [*map(stage.reply, "ABC")]],
        )

        assert seen(client) == [[], ["A", "B", "C", "<end>"]]
        assert seen(server) == [["a", "b", "c", "<end>"], []]

    def test_messages_without_content_are_messages(self, stage: Stage) -> None:
        client, server = stage.play(BIDI, [[stage.send(""), HALF_CLOSE, TO_END]], [[TO_END, stage.reply(""), finish()]])

        assert seen(client) == [["", "<end>"]]
        assert seen(server) == [["", "<end>"]]


class TestStatusAndMetadata:
    def test_error_with_details_and_trailers(self, stage: Stage) -> None:
        """A code is reported as the number that was sent: grpcio turns one that is set as a number into UNKNOWN."""
        trailers = metadata(x_interop_a=b"1", x_interop_b_bin=b"\x00\xff")
        failed = finish(NOT_FOUND, "no World: ü", details=b"\x08\x05", trailers=trailers)
        client, _ = stage.play(UNARY, [[stage.send("World", "HelloRequest"), TO_END]], [[RECEIVE, failed]])

        assert seen(client) == [["<end>"]]
        assert client.status == pb.Status(code=NOT_FOUND, message="no World: ü", details=b"\x08\x05", trailers=trailers)

    def test_error_after_messages(self, stage: Stage) -> None:
        client, _ = stage.play(SERVER_STREAM, [[stage.send("q"), TO_END]], [[RECEIVE, stage.reply("a"), finish(NOT_FOUND, "gone")]])

        assert seen(client) == [["a", "<end>"]]
        assert (client.status.code, client.status.message) == (NOT_FOUND, "gone")

    def test_metadata_in_all_places(self, stage: Stage) -> None:
        client, server = stage.play(
            BIDI,
            [[RECEIVE_HEADERS, HALF_CLOSE, TO_END]],
            [[headers(x_interop_first=b"1"), TO_END, finish(trailers=metadata(x_interop_last=b"2"))]],
            metadata=[*metadata(x_interop_request=b"0"), pb.Entry(key="other", value=b"not reported")],
        )

        assert list(server.request) == metadata(x_interop_request=b"0")
        assert list(client.initial) == metadata(x_interop_first=b"1")
        assert list(client.status.trailers) == metadata(x_interop_last=b"2")

    @pytest.mark.parametrize("parked", [False, True])
    def test_other_metadata_that_a_play_names(self, stage: Stage, parked: bool) -> None:
        """
        Wherever it was, and also when the call came before its script.
        """
        by_key = operator.attrgetter("key")  # runtimes put the keys in orders of their own
        entries = [*metadata(authorization=b"a"), pb.Entry(key="tenant-bin", value=b"\xff"), *metadata(traceparent=b"t")]
        sent = [*entries, pb.Entry(key="other", value=b"not reported")]
        told = {"report_metadata": [entry.key for entry in entries]}
        sends = pb.Step(send_headers=pb.Headers(entries=sent))
        serving = play(BIDI, [[sends, TO_END, finish(NOT_FOUND, trailers=sent)]], **told)
        calling = play(BIDI, [[HALF_CLOSE, TO_END]], metadata=sent, **told)
        if parked:
            case = stage.client.command(resource=stage.channel, call=calling)
            assert stage.server.silent(case)
            stage.server.command(case, resource=stage.served, expect=serving)
        else:
            case = stage.server.command(resource=stage.served, expect=serving)
            stage.client.command(case, resource=stage.channel, call=calling)
        client, server = stage.transcripts(case)

        assert sorted(server.request, key=by_key) == entries
        assert sorted(client.initial, key=by_key) == entries
        assert sorted(client.status.trailers, key=by_key) == entries

    def test_a_key_keeps_all_its_values_in_order(self, stage: Stage) -> None:
        entries = [pb.Entry(key="x-interop-k", value=value) for value in (b"b", b"a", b"b")]
        _, server = stage.play(
            UNARY,
            [[stage.send("World", "HelloRequest"), TO_END]],
            [[RECEIVE, stage.reply("hi", "HelloReply"), finish()]],
            metadata=entries,
        )

        assert list(server.request) == entries


class TestTermination:
    def test_deadline(self, stage: Stage) -> None:
        client, server = stage.play(
            BIDI,
            [[stage.send("a"), RECEIVE, TO_END]],
            [[RECEIVE, stage.reply("A"), UNTIL_TERMINATED, finish()]],
            timeout_us=2_000_000,
        )

        assert seen(client) == [["A", "<end>"]]
        assert client.status.code in (DEADLINE_EXCEEDED, CANCELLED)
        assert seen(server) == [["a", "<terminated>"]]
        assert 0 < server.remaining_us <= 2_020_000

    def test_no_deadline_is_none(self, stage: Stage) -> None:
        _, server = stage.play(CLIENT_STREAM, [[HALF_CLOSE, TO_END]], [[TO_END, stage.reply("0"), finish()]])

        assert not server.HasField("remaining_us")

    @pytest.mark.parametrize("waiting", [RECEIVE, UNTIL_TERMINATED], ids=["receive", "wait_for_termination"])
    def test_cancel(self, stage: Stage, waiting: pb.Step) -> None:
        client, server = stage.play(BIDI, [[stage.send("a"), RECEIVE, CANCEL]], [[RECEIVE, stage.reply("A"), waiting, finish()]])

        assert client.status.code == CANCELLED
        assert seen(client) == [["A"]]
        assert seen(server) in ([["a", "<terminated>"]], [["a", "<end>"]])  # grpc/grpc#33038

    @pytest.mark.parametrize("cancelling", [0, 1], ids=["first lane", "second lane"])
    def test_a_cancel_at_once_ends_what_the_other_lane_sends(self, stage: Stage, cancelling: int) -> None:
        """Nothing waits for a call that has not even been sent."""
        lanes = [[stage.send("a"), stage.send("b"), TO_END]]
        lanes.insert(cancelling, [CANCEL])
        case = stage.expect(BIDI, [[TO_END, UNTIL_TERMINATED, finish(UNKNOWN_CODE)]])
        stage.call(case, BIDI, lanes)

        assert stage.client.event(case).transcript.status.code == CANCELLED
        stage.abort(stage.server, case, if_not_arrived=True)
        assert stage.server.event(case).HasField("transcript")

    def test_second_receive_of_a_single_request_waits_for_termination(self, stage: Stage) -> None:
        case = stage.expect(UNARY, [[RECEIVE, signal("received"), RECEIVE, finish(UNKNOWN_CODE)]])
        stage.call(case, UNARY, [[stage.send("World", "HelloRequest"), TO_END], [wait_for("received"), CANCEL]])
        stage.relay(case, stage.server, "received")
        client, server = stage.transcripts(case)

        assert client.status.code == CANCELLED
        assert seen(server) == [["World", "<terminated>"]]

    def test_both_lanes_notice_termination(self, stage: Stage) -> None:
        case = stage.expect(BIDI, [[RECEIVE, signal("received"), UNTIL_TERMINATED], [wait_for("never"), finish()]])
        stage.call(case, BIDI, [[stage.send("a"), wait_for("received"), CANCEL]])
        stage.relay(case, stage.server, "received")
        _, server = stage.transcripts(case)

        assert seen(server) == [["a", "<terminated>"], []]

    def test_a_handler_that_is_dropped_while_it_sends_reports(self, stage: Stage) -> None:
        """grpcio lets go of a generator at its `yield`; the transcript comes all the same."""
        big = stage.reply("x" * 100)
        case = stage.expect(SERVER_STREAM, [[RECEIVE, signal("received"), *[big] * 5_000, UNTIL_TERMINATED, finish()]])
        stage.call(case, SERVER_STREAM, [[stage.send("q"), wait_for("received"), CANCEL]])
        stage.relay(case, stage.server, "received")
        client, server = stage.transcripts(case)

        assert client.status.code == CANCELLED
        assert seen(server) == [["q", "<terminated>"]]


class TestSignals:
    def test_signals_arrive_before_they_are_waited_for_and_are_taken_once(self, stage: Stage) -> None:
        case = stage.expect(BIDI, [[signal("go"), wait_for("twice"), wait_for("twice"), finish()]])
        stage.client.command(signal=pb.Signal(play=case, name="lost: the play is not known yet"))
        for _ in range(2):
            stage.server.command(signal=pb.Signal(play=case, name="twice"))
        stage.call(case, BIDI, [[wait_for("go"), HALF_CLOSE, TO_END]])
        stage.relay(case, stage.server, "go")
        client, server = stage.transcripts(case)

        assert client.status.code == 0
        assert server.lanes[0].steps_done == 4

    def test_waiting_ends_with_the_rpc(self, stage: Stage) -> None:
        client, _ = stage.play(BIDI, [[wait_for("never"), TO_END]], [[finish(NOT_FOUND)]])

        assert client.status.code == NOT_FOUND

    def test_a_half_close_after_the_end_is_without_effect(self, stage: Stage) -> None:
        client = [stage.send("a"), wait_for("never"), HALF_CLOSE, TO_END]
        seen_by_client, _ = stage.play(CLIENT_STREAM, [client], [[RECEIVE, UNTIL_TERMINATED, finish()]], timeout_us=300_000)

        assert seen(seen_by_client) == [["<end>"]]
        assert seen_by_client.status.code in (DEADLINE_EXCEEDED, CANCELLED)

    def test_a_call_may_begin_with_waiting(self, stage: Stage) -> None:
        case = stage.expect(UNARY, [[RECEIVE, stage.reply("hi", "HelloReply"), finish()]])
        stage.call(case, UNARY, [[wait_for("begin"), stage.send("World", "HelloRequest"), TO_END]])
        assert stage.server.silent(case)
        stage.client.command(signal=pb.Signal(play=case, name="begin"))
        client, server = stage.transcripts(case)

        assert seen(client) == [["hi", "<end>"]]
        assert seen(server) == [["World"]]


class TestAbort:
    def test_the_first_freezes_and_the_second_ends_the_rpc(self, stage: Stage) -> None:
        """Both sides wait for each other: each reports what it has, and neither sees the other's abort."""
        case = stage.expect(BIDI, [[RECEIVE, RECEIVE, finish()]])
        stage.call(case, BIDI, [[stage.send("a"), RECEIVE, HALF_CLOSE, TO_END]])
        assert stage.client.silent(case)
        stage.abort(stage.client, case)
        client = stage.client.event(case).transcript
        assert stage.server.silent(case), "the RPC stays open"
        stage.abort(stage.server, case)
        server = stage.server.event(case).transcript

        assert (client.aborted, client.HasField("status"), seen(client)) == (True, False, [[]])
        assert (server.aborted, server.arrived, seen(server)) == (True, True, [["a"]])
        for driver in (stage.client, stage.server):
            stage.abort(driver, case)
            assert driver.silent(case)

    @pytest.mark.parametrize("method", [UNARY, SERVER_STREAM, CLIENT_STREAM, BIDI])
    def test_the_second_abort_of_a_client_cancels(self, stage: Stage, method: str) -> None:
        single = method in (UNARY, SERVER_STREAM)
        request = stage.send("a", "HelloRequest" if method == UNARY else "StreamReqData")
        case = stage.expect(method, [[RECEIVE, signal("received"), UNTIL_TERMINATED, finish()]])
        stage.call(case, method, [[request, *([] if single else [HALF_CLOSE]), TO_END]])
        assert stage.server.event(case).signal.name == "received"
        for _ in range(2):
            stage.abort(stage.client, case)

        assert stage.client.event(case).transcript.aborted
        assert seen(stage.server.event(case).transcript) == [["a", "<terminated>"]]

    @pytest.mark.parametrize("method", [UNARY, SERVER_STREAM, CLIENT_STREAM, BIDI])
    def test_the_second_abort_of_a_server_ends_the_call(self, stage: Stage, method: str) -> None:
        request = stage.send("a", "HelloRequest" if method == UNARY else "StreamReqData")
        case = stage.expect(method, [[RECEIVE, signal("received"), RECEIVE, finish()]])
        stage.call(case, method, [[request, TO_END]])
        assert stage.server.event(case).signal.name == "received"
        for _ in range(2):
            stage.abort(stage.server, case)

        assert stage.server.event(case).transcript.aborted
        client = stage.client.event(case).transcript
        assert seen(client) == [["<end>"]]
        assert client.status.code != 0

    def test_a_call_that_never_came(self, stage: Stage) -> None:
        case = stage.expect(UNARY, [[RECEIVE, finish(NOT_FOUND)]])
        stage.abort(stage.server, case)
        transcript = stage.server.event(case).transcript

        assert (transcript.arrived, transcript.aborted, seen(transcript)) == (False, True, [[]])

    def test_if_not_arrived(self, stage: Stage) -> None:
        """A play whose call has come goes on; one without a call is forgotten, and reported as not arrived."""
        waiting = stage.expect(UNARY, [[RECEIVE, finish(NOT_FOUND)]])
        stage.abort(stage.server, waiting, if_not_arrived=True)
        assert not stage.server.event(waiting).transcript.arrived

        case = stage.expect(BIDI, [[signal("arrived"), wait_for("go"), finish()]])
        stage.call(case, BIDI, [[HALF_CLOSE, TO_END]])
        assert stage.server.event(case).signal.name == "arrived"
        stage.abort(stage.server, case, if_not_arrived=True)
        assert stage.server.silent(case)
        stage.server.command(signal=pb.Signal(play=case, name="go"))
        client, server = stage.transcripts(case)
        assert client.status.code == 0
        assert server.arrived

    def test_abort_of_what_is_not_there_is_ignored(self, stage: Stage) -> None:
        stage.abort(stage.client, 1 << 40)
        client, _ = stage.play(CLIENT_STREAM, [[HALF_CLOSE, TO_END]], [[TO_END, stage.reply("0"), finish()]])

        assert client.status.code == 0


class TestCallsAndScripts:
    def test_a_call_that_comes_first_is_parked(self, stage: Stage) -> None:
        case = stage.client.command(resource=stage.channel, call=play(BIDI, [[stage.send("a"), HALF_CLOSE, TO_END]]))
        assert stage.client.silent(case)
        stage.server.command(case, resource=stage.served, expect=play(BIDI, [[TO_END, finish()]]))
        client, server = stage.transcripts(case)

        assert client.status.code == 0
        assert seen(server) == [["a", "<end>"]]

    def test_a_call_that_ends_while_it_is_parked_stays_known(self, stage: Stage) -> None:
        lanes = [[stage.send("a"), TO_END]]
        entries = metadata(tenant=b"t")
        case = stage.client.command(resource=stage.channel, call=play(BIDI, lanes, timeout_us=300_000, metadata=entries))
        assert stage.client.event(case).transcript.status.code == DEADLINE_EXCEEDED
        assert stage.server.silent(case)
        serving = play(BIDI, [[RECEIVE, TO_END], [wait_for("x"), finish()]], report_metadata=["tenant"])
        stage.server.command(case, resource=stage.served, expect=serving)
        server = stage.server.event(case).transcript

        assert list(server.request) == entries
        assert (server.arrived, seen(server)) == (True, [["<terminated>"], []])

    def test_any_caller_serves_calls_without_a_case_in_turn(self, stage: Stage) -> None:
        first = stage.expect(UNARY, [[RECEIVE, stage.reply("1", "HelloReply"), finish()]], any_caller=True)
        second = stage.expect(UNARY, [[RECEIVE, finish(NOT_FOUND)]], any_caller=True)
        with grpc.insecure_channel(stage.address) as channel:
            say_hello = channel.unary_unary(UNARY)
            assert say_hello(b"\n\x01a") == b"\n\x011"
            codes = []
            for _ in range(2):
                with pytest.raises(grpc.RpcError) as failure:
                    say_hello(b"")
                codes.append(failure.value.code().value[0])

        assert codes == [NOT_FOUND, UNIMPLEMENTED]
        assert seen(stage.server.event(first).transcript) == [["a"]]
        assert seen(stage.server.event(second).transcript) == [[""]]

    def test_repeat_reports_once_and_counts_what_was_equal(self, stage: Stage) -> None:
        lanes = [[RECEIVE, stage.reply("hi", "HelloReply"), finish()]]
        case = stage.expect(UNARY, lanes, repeat=20)
        stage.call(case, UNARY, [[stage.send("World", "HelloRequest"), TO_END]], repeat=20, concurrency=4)
        client, server = stage.transcripts(case)

        assert (client.completed, server.completed) == (20, 20)
        assert seen(client) == [["hi", "<end>"]]
        assert seen(server) == [["World"]]
        assert client.elapsed_ns > 0

    def test_more_plays_than_are_announced_do_not_deadlock(self, stage: Stage) -> None:
        """Calls that wait for their scripts hold a thread each; those of the scripts that come must find one."""
        count = stage.server.hello.max_plays
        lanes = [[stage.send("a"), RECEIVE, HALF_CLOSE, TO_END]]
        cases = [stage.client.command(resource=stage.channel, call=play(BIDI, lanes)) for _ in range(count)]
        server = play(BIDI, [[RECEIVE, stage.reply("A"), TO_END, finish()]])
        for case in reversed(cases):
            stage.server.command(case, resource=stage.served, expect=server)

        assert all(stage.transcripts(case)[0].status.code == 0 for case in cases)
