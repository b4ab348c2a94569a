"""The model against the reference, on every script small enough to try them all."""

from collections.abc import Iterator
from itertools import combinations_with_replacement, islice, product
from typing import NamedTuple

import pytest

from grpc_interop.core.case import (
    Cancel,
    Case,
    Entry,
    Finish,
    HalfClose,
    Kind,
    Method,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Script,
    Send,
    SendHeaders,
    Signal,
    Status,
    Step,
    WaitFor,
    WaitForTermination,
)
from grpc_interop.core.endpoint import PLAIN, Endpoint
from grpc_interop.core.model import LEAST_DEADLINE_US, Expected, model
from grpc_interop.core.script import NotACase, check_grammar
from model_reference import Client, Deadlock, Server, outcomes

X, R, E, H, C = Send(b""), Receive(), ReceiveToEnd(), HalfClose(), Cancel()
GET_HEADERS, PUT_HEADERS = ReceiveHeaders(), SendHeaders((Entry("x-interop-h", b"1"),))
TELL_SERVER, HEAR_CLIENT = Signal("c"), WaitFor("c")
TELL_CLIENT, HEAR_SERVER = Signal("s"), WaitFor("s")
OK, ERROR, WAIT = Finish(), Finish(Status(9, "no")), WaitForTermination()

CLIENT, SERVER = (X, R, H, C, GET_HEADERS, TELL_SERVER, HEAR_SERVER), (X, R, E, WAIT, PUT_HEADERS, TELL_CLIENT, HEAR_CLIENT)
PLAIN_CLIENT, PLAIN_SERVER = (X, R, H), (X, R, E, WAIT)

REFUSED = (
    "nothing keeps the server from finishing",
    "a lane may read after the RPC was terminated",
    "the server may notice the deadline before",
    "nobody takes a message that is over its reader's limit",
    "both sides refuse a message",
    "races the cancel",
)
"""Where the model promises nothing though the reference has outcomes: what happens there depends on the runtime."""

NEVER = "wait for what never comes"
"""Where the reference must find a deadlock too."""


class Family(NamedTuple):
    """All scripts of one lane, from `client` and `server` steps, of at most so many steps; and of two lanes of at most
    two steps where `lanes` says so, of which every `stride`th pair is taken. `least` of them must have outcomes."""

    kind: Kind
    least: int
    client: tuple[Step, ...] = CLIENT
    server: tuple[Step, ...] = SERVER
    longest: int = 3
    lanes: tuple[int, int] = (1, 1)
    stride: int = 1
    timeout_us: int | None = None
    # Of client and server: all messages but the first step's are over that side's limit.
    limited: tuple[bool, bool] = (False, False)


FAMILIES = {
    "unary": Family(Kind.UNARY, 67),
    "unary_deadline": Family(Kind.UNARY, 48, timeout_us=LEAST_DEADLINE_US),
    "server_streaming": Family(Kind.SERVER_STREAMING, 174),
    "server_streaming_deadline": Family(Kind.SERVER_STREAMING, 114, timeout_us=LEAST_DEADLINE_US),
    "client_streaming": Family(Kind.CLIENT_STREAMING, 315),
    "client_streaming_deadline": Family(Kind.CLIENT_STREAMING, 115, timeout_us=LEAST_DEADLINE_US),
    "bidi": Family(Kind.BIDI_STREAMING, 1140),
    "bidi_deadline": Family(Kind.BIDI_STREAMING, 746, timeout_us=LEAST_DEADLINE_US),
    "bidi_longer": Family(Kind.BIDI_STREAMING, 554, PLAIN_CLIENT, PLAIN_SERVER, 4, stride=2),
    "bidi_longer_deadline": Family(Kind.BIDI_STREAMING, 377, PLAIN_CLIENT, PLAIN_SERVER, 4, stride=2, timeout_us=LEAST_DEADLINE_US),
    "client_lanes": Family(Kind.BIDI_STREAMING, 794, server=PLAIN_SERVER, lanes=(2, 1), stride=5),
    "client_lanes_deadline": Family(Kind.BIDI_STREAMING, 206, server=PLAIN_SERVER, lanes=(2, 1), stride=7, timeout_us=LEAST_DEADLINE_US),
    "server_lanes": Family(Kind.BIDI_STREAMING, 638, PLAIN_CLIENT, lanes=(1, 2), stride=2),
    "server_lanes_deadline": Family(Kind.BIDI_STREAMING, 170, PLAIN_CLIENT, lanes=(1, 2), stride=5, timeout_us=LEAST_DEADLINE_US),
    "server_lanes_client_streaming": Family(Kind.CLIENT_STREAMING, 67, lanes=(1, 2), stride=2),
    "all_lanes": Family(Kind.BIDI_STREAMING, 578, lanes=(2, 2), stride=31),
    "all_lanes_deadline": Family(Kind.BIDI_STREAMING, 162, lanes=(2, 2), stride=41, timeout_us=LEAST_DEADLINE_US),
    "unary_client_limit": Family(Kind.UNARY, 61, limited=(True, False)),
    "unary_server_limit": Family(Kind.UNARY, 32, limited=(False, True)),
    "server_streaming_client_limit": Family(Kind.SERVER_STREAMING, 63, PLAIN_CLIENT, PLAIN_SERVER, 4, limited=(True, False)),
    "server_streaming_server_limit": Family(Kind.SERVER_STREAMING, 72, limited=(False, True)),
    "client_streaming_limits": Family(Kind.CLIENT_STREAMING, 260, limited=(True, True)),
    "bidi_client_limit": Family(Kind.BIDI_STREAMING, 1038, limited=(True, False)),
    "bidi_server_limit": Family(Kind.BIDI_STREAMING, 1052, limited=(False, True)),
    "bidi_limits": Family(Kind.BIDI_STREAMING, 389, PLAIN_CLIENT, PLAIN_SERVER, 4, stride=2, limited=(True, True)),
    "all_lanes_limits": Family(Kind.BIDI_STREAMING, 761, lanes=(2, 2), stride=23, limited=(True, True)),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_model_equals_the_reference(name: str) -> None:
    """For every small script the model allows exactly the pairs that some schedule of the reference leads to."""
    compared = 0
    for case in cases(FAMILIES[name]):
        allowed, refusal = judged(case)
        if NEVER in refusal:
            with pytest.raises(Deadlock):
                outcomes(case)
        elif refusal:
            assert any(reason in refusal for reason in REFUSED), refusal
        else:
            assert allowed == outcomes(case), f"client {case.client}, server {case.server}"
            compared += 1
    assert compared >= FAMILIES[name].least


def judged(case: Case) -> tuple[set[tuple[Client, Server]], str]:
    """What the model allows, or why it allows nothing."""
    try:
        return {views(pair) for pair in model(case)}, ""
    except NotACase as refusal:
        return set(), str(refusal)


def views(pair: Expected) -> tuple[Client, Server]:
    return (
        Client(pair.client.lanes, pair.client.initial, pair.client.status),
        Server(pair.server.arrived, pair.server.lanes),
    )


def cases(family: Family) -> Iterator[Case]:
    """The family's scripts, each client with each server, as far as they keep the grammar."""
    clients = list(scripts(family.client, (E, C), family.longest, family.lanes[0]))
    servers = list(scripts(family.server, (OK, ERROR)[: 1 if family.longest > 3 else 2], family.longest, family.lanes[1]))
    method = Method("test.Service", "Call", family.kind, "test.Request", "test.Response")
    any_client, any_server = some_partner(family)
    clients = [one for one in clients if is_case(Case("", "", method, numbered(one, b"x"), any_server, timeout_us=family.timeout_us))]
    servers = [one for one in servers if is_case(Case("", "", method, any_client, numbered(one, b"y")))]
    for client, server in islice(product(clients, servers), 0, None, family.stride):
        ends = [Endpoint(max_receive_bytes=2) if limited else PLAIN for limited in family.limited]
        # A request has to be the first step, and may be the one that is over the limit.
        over = (0 if not family.kind.client_streams else 1, 1)
        x, y = (numbered(script, text, at) for script, text, at in zip((client, server), (b"x", b"y"), over, strict=True))
        yield Case("", "", method, x, y, timeout_us=family.timeout_us, client_endpoint=ends[0], server_endpoint=ends[1])


def some_partner(family: Family) -> tuple[Script, Script]:
    """Scripts that keep the grammar of the kind."""
    client = ((H, E),) if family.kind.client_streams else ((X, E),)
    return client, ((OK,),) if family.kind.server_streams else ((ERROR,),)


def is_case(case: Case) -> bool:
    try:
        check_grammar(case)
    except NotACase:
        return False
    return True


def scripts(alphabet: tuple[Step, ...], ends: tuple[Step, ...], longest: int, lanes: int) -> Iterator[Script]:
    """Every script of one lane that ends in one of `ends`; or of two lanes of one or two steps each."""
    if lanes == 1:
        for length in range(longest):
            for steps in product(alphabet, repeat=length):
                for end in ends:
                    yield ((*steps, end),)
        return
    single = [lane for length in (1, 2) for lane in product((*alphabet, ends[0]), repeat=length)]
    yield from combinations_with_replacement(single, 2)


def numbered(script: Script, text: bytes, over: int = 1) -> Script:
    """With messages that can be told apart; those of step `over` (from 0) and later have three bytes, those before two."""
    return tuple(
        tuple(Send(b"%s%d%s" % (text, at, text * (at >= over))) if isinstance(step, Send) else step for at, step in enumerate(lane))
        for lane in script
    )
