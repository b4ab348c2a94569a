"""Each rule of the grammar has a case that keeps everything else and breaks it."""

from dataclasses import replace

import pytest

from grpc_interop.core.case import Case, Entry, Finish, Kind, Script, SendHeaders, Status
from grpc_interop.core.script import NotACase, check_grammar
from grpc_interop.core.side import Side
from vocabulary import (
    CANCEL,
    ENDED,
    ERROR,
    HALF_CLOSE,
    HEADERS,
    METHODS,
    OK,
    RECEIVE,
    RECEIVE_HEADERS,
    TO_END,
    WAIT_TO_END,
    bidi,
    case,
    hear,
    tell,
    x,
    y,
)

UNARY, DOWN, UP = Kind.UNARY, Kind.SERVER_STREAMING, Kind.CLIENT_STREAMING


def with_metadata(key: str, value: bytes) -> Case:
    return bidi((TO_END,), (OK,), metadata=(Entry(key, value),))


BROKEN: dict[str, tuple[Case, str]] = {
    "no lane": (case(Kind.BIDI_STREAMING, (), ((OK,),)), "the client has 0 lanes"),
    "three lanes": (bidi((TO_END,), ((OK,), (RECEIVE,), ())), "the server has 3 lanes"),
    "a client that finishes": (bidi((OK, TO_END), (OK,)), "Finish is not a step of a client"),
    "a client that waits for its own end": (bidi((WAIT_TO_END, TO_END), (OK,)), "WaitForTermination is not a step of a client"),
    "a server that half-closes": (bidi((TO_END,), (HALF_CLOSE, OK)), "HalfClose is not a step of a server"),
    "a server that cancels": (bidi((TO_END,), (CANCEL, OK)), "Cancel is not a step of a server"),
    "two lanes that send": (bidi((x(1), (*x(1), TO_END)), (OK,)), "both lanes of the client have Send or HalfClose"),
    "a half-close in the other lane": (bidi((x(1), (HALF_CLOSE, TO_END)), (OK,)), "both lanes of the client have Send or HalfClose"),
    "headers in the other lane": (bidi((TO_END,), ((HEADERS,), (*y(1), OK))), "both lanes of the server have Send or SendHeaders"),
    "two lanes that receive": (bidi(((RECEIVE,), (TO_END,)), (OK,)), "both lanes of the client have Receive or ReceiveToEnd"),
    "a signal before a receive": (bidi((tell("a"), TO_END), (OK,)), "the client's lane signals before it has received"),
    "a signal after the other lane's receive": (bidi((TO_END,), ((RECEIVE,), (tell("a"), OK))), "the server's lane signals before"),
    "a name for which two lanes wait": (
        bidi(((hear("a"),), (hear("a"), TO_END)), (RECEIVE, tell("a"), tell("a"), OK)),
        "both lanes of the client have WaitFor 'a'",
    ),
    "a client without a status": (bidi((RECEIVE,), (OK,)), "neither receives to the end nor cancels"),
    "steps after the end": (bidi((TO_END, HALF_CLOSE), (OK,)), "neither receives to the end nor cancels"),
    "two cancels": (bidi(((CANCEL,), (CANCEL,)), ENDED), "cancels twice"),
    "reading after a cancel": (bidi((CANCEL, TO_END), ENDED), "a cancel ends its lane"),
    "a cancel and a deadline": (bidi((CANCEL,), ENDED, timeout_us=1_000_000), "race each other"),
    "no time at all": (bidi((TO_END,), (OK,), timeout_us=0), "shorter than every runtime can count"),
    "a deadline that C-core cannot send": (bidi((TO_END,), (OK,), timeout_us=97_000_000_000_001), "longer than every runtime can send"),
    "sending after the half-close": (bidi((HALF_CLOSE, *x(1), TO_END), (OK,)), "sends after its half-close"),
    "two half-closes": (bidi((HALF_CLOSE, HALF_CLOSE, TO_END), (OK,)), "sends after its half-close"),
    "a unary call with two requests": (case(UNARY, ((*x(2), TO_END),), ((RECEIVE, ERROR),)), "sends exactly one message"),
    "a unary call without a request": (case(UNARY, ((TO_END,),), ((RECEIVE, ERROR),)), "sends exactly one message"),
    "a unary call with two lanes": (case(UNARY, (x(1), (TO_END,)), ((RECEIVE, ERROR),)), "sends exactly one message, in one lane"),
    "a unary call that begins otherwise": (
        case(UNARY, ((RECEIVE_HEADERS, *x(1), TO_END),), ((RECEIVE, ERROR),)),
        "a unary call begins with its request",
    ),
    "a unary call that waits before it begins": (
        case(UNARY, ((hear("a"), *x(1), TO_END),), ((RECEIVE, ERROR),)),
        "a unary call begins with its request",
    ),
    "a unary half-close": (case(UNARY, ((*x(1), HALF_CLOSE, TO_END),), ((RECEIVE, ERROR),)), "has no half-close of its own"),
    "a unary server that receives to the end": (case(UNARY, ((*x(1), TO_END),), ((TO_END, ERROR),)), "sees no half-close"),
    "a stream's server that receives to the end": (case(DOWN, ((*x(1), TO_END),), ((TO_END, OK),)), "sees no half-close"),
    "a unary server with two responses": (
        case(UNARY, ((*x(1), TO_END),), ((RECEIVE, *y(2), OK),)),
        "sends 1 messages with status 0, not 2",
    ),
    "a unary server without a response": (case(UNARY, ((*x(1), TO_END),), ((RECEIVE, OK),)), "sends 1 messages with status 0, not 0"),
    "a response and an error": (case(UP, ((HALF_CLOSE, TO_END),), ((*y(1), ERROR),)), "sends 0 messages with status 9, not 1"),
    "steps between response and end": (
        case(UP, ((HALF_CLOSE, TO_END),), ((*y(1), RECEIVE, OK),)),
        "sends it right before it finishes",
    ),
    "asking for the response before the half-close": (
        case(UP, ((*x(1), RECEIVE, HALF_CLOSE, TO_END),), ((*y(1), OK),)),
        "receives only after its half-close",
    ),
    "asking for the response in another lane": (
        case(UP, ((*x(1), HALF_CLOSE), (TO_END,)), ((*y(1), OK),)),
        "receives only after its half-close",
    ),
    "a server that does not finish": (bidi((TO_END,), (RECEIVE,)), "a server finishes once"),
    "a server that finishes twice": (bidi((TO_END,), (OK, ERROR)), "a server finishes once"),
    "a server that goes on after its end": (bidi((TO_END,), (OK, RECEIVE)), "a server finishes once, as the last step"),
    "no such status code": (bidi((TO_END,), (Finish(Status(17)),)), "17 is not a gRPC status code"),
    "initial metadata twice": (bidi((TO_END,), (HEADERS, HEADERS, OK)), "goes out once, before any message"),
    "initial metadata after a message": (bidi((TO_END,), (*y(1), HEADERS, OK)), "goes out once, before any message"),
    "reading after the termination": (bidi((CANCEL,), (WAIT_TO_END, RECEIVE, OK)), "a lane only signals or finishes"),
    "sending after the termination": (bidi((CANCEL,), (WAIT_TO_END, *y(1), OK)), "a lane only signals or finishes"),
    "a key of somebody else": (with_metadata("user-agent", b"me"), "cannot be an application's: HTTP or gRPC itself sets it"),
    "a key of gRPC's": (with_metadata("grpc-trace-bin", b"me"), "all keys that begin with grpc- are gRPC's"),
    "a key of a connection": (with_metadata("connection", b"close"), "HTTP/2 has no use for it"),
    "a key that a runtime keeps": (with_metadata("x-envoy-peer-metadata", b"me"), "grpcio keeps it to itself"),
    "metadata of a size that passes by chance": (with_metadata("x-interop-a", b"x" * 8_000), "8,043 bytes of request metadata"),
    "bytes that are as many once they are encoded": (with_metadata("a-bin", b"x" * 6_000), "8,037 bytes of request metadata"),
    "initial metadata of such a size": (
        bidi((TO_END,), (SendHeaders((Entry("a", b"x" * 16_000),)), OK)),
        "16,033 bytes of initial metadata",
    ),
    "a status message of such a size, encoded": (
        bidi((TO_END,), (Finish(Status(9, "ü" * 1_500)),)),
        "bytes of trailing metadata with the status",
    ),
    "an ending alone": (with_metadata("-bin", b"me"), "it is only the ending that marks bytes"),
    "a key of one's own in upper case": (with_metadata("X-Request-Id", b"1"), "write 'x-request-id'"),
    "the harness' own key": (with_metadata("x-interop-case", b"1"), "is the harness' own"),
    "a key in upper case": (with_metadata("x-interop-A", b"1"), "is not in lower case"),
    "bytes under a text key": (with_metadata("x-interop-a", b"\xff"), "is not printable ASCII"),
    "spaces around a text value": (with_metadata("x-interop-a", b" a"), "without spaces around it"),
    "wrong initial metadata": (bidi((TO_END,), (SendHeaders((Entry("host", b""),)), OK)), "metadata key 'host'"),
    "wrong trailers": (bidi((TO_END,), (Finish(Status(0, trailers=(Entry("te", b""),))),)), "metadata key 'te'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_named(name: str) -> None:
    broken, words = BROKEN[name]
    with pytest.raises(NotACase) as refusal:
        check_grammar(broken)
    assert words in str(refusal.value)
    assert str(refusal.value).startswith("test/test.Service/Call/case: ")


KEPT: dict[str, tuple[Kind, Script, Script]] = {
    "a unary call": (UNARY, ((*x(1), TO_END),), ((RECEIVE, HEADERS, *y(1), OK),)),
    "a unary error without reading": (UNARY, ((*x(1), RECEIVE_HEADERS, TO_END),), ((ERROR,),)),
    "a server's stream": (DOWN, ((*x(1), RECEIVE, tell("a"), TO_END),), ((RECEIVE, *y(1), hear("a"), *y(1), ERROR),)),
    "a server's stream in two lanes": (DOWN, ((*x(1), TO_END),), ((RECEIVE,), (*y(2), OK))),
    "a client's stream": (UP, ((*x(2), HALF_CLOSE, RECEIVE, TO_END),), ((RECEIVE, *y(1), OK),)),
    "a client's stream cancelled": (UP, ((*x(2), CANCEL),), ((TO_END, *ENDED),)),
    "two lanes a side": (Kind.BIDI_STREAMING, ((*x(2), HALF_CLOSE), (TO_END,)), ((TO_END,), (HEADERS, *y(2), OK))),
    "a lane that only cancels": (Kind.BIDI_STREAMING, ((*x(1),), (RECEIVE, CANCEL)), ((RECEIVE, *y(1), *ENDED),)),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_keeps_the_rules_passes(name: str) -> None:
    kind, client, server = KEPT[name]
    check_grammar(case(kind, client, server))


LONE = "half \ud800 a character"

METHOD = METHODS[Kind.BIDI_STREAMING]

# Each text that a case holds, in a case that breaks nothing else.
UNWRITABLE: dict[str, Case] = {
    "the suite": replace(bidi((TO_END,), (OK,)), suite=LONE),
    "the name": replace(bidi((TO_END,), (OK,)), name=LONE),
    "the service": replace(bidi((TO_END,), (OK,)), method=replace(METHOD, service=LONE)),
    "the method": replace(bidi((TO_END,), (OK,)), method=replace(METHOD, name=LONE)),
    "the request's type": replace(bidi((TO_END,), (OK,)), method=replace(METHOD, request=LONE)),
    "the response's type": replace(bidi((TO_END,), (OK,)), method=replace(METHOD, response=LONE)),
    "the status message": bidi((TO_END,), (Finish(Status(9, LONE)),)),
    "a key of the trailers": bidi((TO_END,), (Finish(Status(9, trailers=(Entry(f"x-interop-{LONE}", b""),))),)),
    "a key of the initial metadata": bidi((TO_END,), (SendHeaders((Entry(f"x-interop-{LONE}", b""),)), OK)),
    "a key of the request": with_metadata(f"x-interop-{LONE}", b""),
    "a signal": bidi((RECEIVE, tell(LONE), TO_END), (*y(1), OK)),
    "a signal that is awaited": bidi((hear(LONE), TO_END), (RECEIVE, OK)),
    "the compression": bidi((TO_END,), (OK,), compression=LONE),
    "what it proves": bidi((TO_END,), (OK,), why=LONE),
    "a capability": bidi((TO_END,), (OK,), extra_requires=frozenset({LONE})),
    "who plays": bidi((TO_END,), (OK,), player=LONE),
}


@pytest.mark.parametrize("where", UNWRITABLE)
def test_a_text_that_cannot_be_sent_is_no_case(where: str) -> None:
    """
    A lone surrogate is a legal str of Python, and no text of gRPC's or protobuf's. The refusal itself can be printed.
    """
    with pytest.raises(NotACase, match="lone surrogate") as refusal:
        check_grammar(UNWRITABLE[where])
    str(refusal.value).encode()


@pytest.mark.parametrize("timeout_us", [1_000, 2 * 365 * 24 * 3600 * 1_000_000, 97_000_000 * 1_000_000])
def test_deadlines_that_every_runtime_can_send(timeout_us: int) -> None:
    check_grammar(bidi((TO_END,), (OK,), timeout_us=timeout_us))


def test_a_text_of_other_characters_than_ascii_may_be_sent() -> None:
    check_grammar(bidi((TO_END,), (Finish(Status(9, "schön, \U0001f600")),)))


@pytest.mark.parametrize(
    "entry",
    [
        Entry("x-interop-a-bin", bytes(range(256))),
        Entry("x-interop-a", b"two words, ~"),
        Entry("x-interop-a", b""),
        Entry("authorization", b"Bearer a.b"),
        Entry("x-request-id", b"1"),
        Entry("tenant-bin", b"\xff"),
        Entry("_", b""),
        Entry("1.a_b-c", b""),
        Entry("a", b"x" * 7_500),
        Entry("a", b"x" * 17_000),
    ],
)
def test_metadata_that_may_travel(entry: Entry) -> None:
    check_grammar(with_metadata(*entry))


def test_own_keys_are_those_of_all_metadata_that_is_not_the_harness_own() -> None:
    """
    Drivers are asked to report them, and must be able to, on both sides: a key may turn up where it does not belong.
    """
    finish = Finish(Status(0, trailers=(Entry("c", b""), Entry("x-interop-c", b""), Entry("a", b"2"))))
    told = replace(bidi((TO_END,), (SendHeaders((Entry("b", b""),)), finish)), metadata=(Entry("a", b"1"), Entry("x-interop-a", b"")))
    check_grammar(told)
    assert told.own_keys() == ("a", "b", "c")
    assert "report_metadata" in told.needs(Side.CLIENT)
    assert "report_metadata" in told.needs(Side.SERVER)
    assert "report_metadata" not in with_metadata("x-interop-a", b"").needs(Side.CLIENT)
