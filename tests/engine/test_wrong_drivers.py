"""Servers and clients that do something other than their script says: each fault turns the right cases red, with words
that say what went wrong, and no others."""

import pytest

from grpc_interop.check_driver.greeter import ALL_STREAM, GET_STREAM, PUT_STREAM, SAY_HELLO, case, exchange, text
from grpc_interop.core.case import Entry, Finish, HalfClose, Receive, ReceiveToEnd, Send, Status

ANOTHER_ORDER = "the client received the server's messages in another order, from message 1 on"
STILL_WAITS = "the client did not receive message 1 of 2 and still waits for it"


def ping_pong():
    client = (Send(text("ping 1")), Receive(), Send(text("ping 2")), Receive(), HalfClose(), ReceiveToEnd())
    server = (Receive(), Send(text("pong 1")), Receive(), Send(text("pong 2")), ReceiveToEnd(), Finish())
    return case("ping_pong", ALL_STREAM, client, server)


CASES = [
    exchange("hello", SAY_HELLO),
    exchange("stream", GET_STREAM, answers=4),
    exchange("collect", PUT_STREAM, requests=4),
    exchange("both", ALL_STREAM, requests=4, answers=4),
    ping_pong(),
    exchange("trailers", GET_STREAM, answers=0, status=Status(9, "no", trailers=(Entry("x-interop-t", b"v"),))),
    exchange("metadata", SAY_HELLO, metadata=(Entry("x-interop-m", b"v"),)),
    exchange("deadline", ALL_STREAM, requests=0, answers=0, timeout_us=50_000_000),
]

FAULTS_OF_SERVERS = {
    "drops_the_last_message": {
        "hello": "the RPC ended with INTERNAL at the client after 0 of 1 messages",
        "metadata": "the RPC ended with INTERNAL at the client after 0 of 1 messages",
        "collect": "the RPC ended with INTERNAL at the client after 0 of 1 messages",
        "stream": "the client saw the end after 3 of 4 messages",
        "both": "the client saw the end after 3 of 4 messages",
        "ping_pong": STILL_WAITS,
    },
    "answers_before_the_end": {
        "collect": "the server saw the end after 1 of 4 messages",
        "both": "the server saw the end after 1 of 4 messages",
        "ping_pong": "the server saw the end after 1 of 2 messages",
    },
    "buffers": {"ping_pong": STILL_WAITS},
    "swaps_two_messages": {"stream": ANOTHER_ORDER, "both": ANOTHER_ORDER, "ping_pong": STILL_WAITS},
    "changes_a_trailer": {"trailers": "the client got another value of the trailing metadata x-interop-t"},
    "ends_with_another_code": {
        "hello": "the RPC ended with INTERNAL at the client after 0 of 1 messages",
        "collect": "the RPC ended with INTERNAL at the client after 0 of 1 messages",
        "stream": "the client's status is INTERNAL instead of OK",
        "both": "the client's status is INTERNAL instead of OK",
        "ping_pong": "the client's status is INTERNAL instead of OK",
        "trailers": "the client's status is INTERNAL instead of FAILED_PRECONDITION",
        "metadata": "the RPC ended with INTERNAL at the client after 0 of 1 messages",
        "deadline": "the client's status is INTERNAL instead of OK",
    },
    "hides_the_deadline": {"deadline": "the server saw no deadline"},
}

SERVER_STILL_WAITS = "the server did not receive message 1 of 2 and still waits for it"
ANOTHER_ORDER_AT_THE_SERVER = "the server received the client's messages in another order, from message 1 on"

FAULTS_OF_CLIENTS = {
    "drops_the_last_request": {
        "collect": "the server saw the end after 3 of 4 messages",
        "both": "the server saw the end after 3 of 4 messages",
        "ping_pong": SERVER_STILL_WAITS,
    },
    "half_closes_after_the_first": {
        "collect": "the server saw the end after 1 of 4 messages",
        "both": "the server saw the end after 1 of 4 messages",
        "ping_pong": "the server saw the end after 1 of 2 messages",
    },
    "buffers_requests": {"ping_pong": SERVER_STILL_WAITS},
    "swaps_two_requests": {
        "collect": ANOTHER_ORDER_AT_THE_SERVER,
        "both": ANOTHER_ORDER_AT_THE_SERVER,
        "ping_pong": SERVER_STILL_WAITS,
    },
    "sends_no_deadline": {"deadline": "the server saw no deadline"},
    "loses_its_metadata": {"metadata": "the server did not get the request metadata x-interop-m"},
    "tells_another_code": {
        case.name: "the client's status is INTERNAL instead of " + ("FAILED_PRECONDITION" if case.name == "trailers" else "OK")
        for case in CASES
    },
}

WRONG = [("good:bad", fault, red) for fault, red in FAULTS_OF_SERVERS.items()] + [
    ("bad:good", fault, red) for fault, red in FAULTS_OF_CLIENTS.items()
]


@pytest.mark.parametrize(("pair", "fault", "red"), WRONG, ids=[fault for _, fault, _ in WRONG])
def test_fault_turns_the_right_cases_red(play, pair, fault, red):
    play.add("bad", fault=fault)
    verdicts = play.run(pair, CASES)
    assert {name: verdict.difference.what for name, verdict in verdicts.items() if verdict.difference} == red
    assert {verdict.outcome.value for verdict in verdicts.values() if verdict.difference} == {"failed"}
