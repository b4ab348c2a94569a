"""The `limits` suite: messages of a side's limit, one byte less, one byte more, and many times as much.

A limit is the runtime's, whichever RPC it is asked of: the first RPC of each kind is enough. A message's size is made exact in
a text field of its type, or in a field that the type does not declare; a type in which neither fits yields no case.
"""

from collections.abc import Iterator

from grpc_interop.core.case import OK, Case, Finish, HalfClose, Kind, Lane, Method, Receive, ReceiveToEnd, Send
from grpc_interop.core.endpoint import PLAIN, Endpoint
from grpc_interop.core.side import Side
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites.protocol import Suite, SuiteOptions
from grpc_interop.values.samples import Sample, Values

NAME = "limits"

LIMIT = 1_000
"""Bytes that the receiving side accepts: few, so that a case costs nothing, and more than any sample has."""

LIMITED = Endpoint(max_receive_bytes=LIMIT)

SIZES = (LIMIT - 1, LIMIT, LIMIT + 1, 60 * LIMIT)
"""The last is nearly as large as the window that HTTP/2 grants at first, and larger than what the runtimes read at once."""

PLACES = ("first", "second_of_3", "after_a_round_trip")


def cases(catalog: Catalog, options: SuiteOptions) -> Iterator[Case]:  # noqa: ARG001  nothing here is random
    """Yield the cases of the first RPC of each kind, the server's limit before the client's."""
    values = Values(catalog)
    kinds: set[Kind] = set()
    for method in catalog.methods():
        if method.kind not in kinds:
            kinds.add(method.kind)
            for side in (Side.SERVER, Side.CLIENT):
                yield from _of(method, side, values)


def _of(method: Method, side: Side, values: Values) -> Iterator[Case]:
    """Yield the cases in which `side` has the limit."""
    serves = side is Side.SERVER
    type_name, streams = (method.request, method.kind.client_streams) if serves else (method.response, method.kind.server_streams)
    places = PLACES if method.kind is Kind.BIDI_STREAMING else PLACES[: 1 + streams]
    for place in places:
        for size in SIZES:
            sized = values.of_size(type_name, size)
            if len(sized.data) == size:
                yield _case(method, side, place, sized, values)


def _case(method: Method, side: Side, place: str, sized: Sample, values: Values) -> Case:
    samples = [sized, values.small(method.request, 1), values.small(method.response, 1)]
    large, request, answer = (Send(sample.data) for sample in samples)
    small = request if side is Side.SERVER else answer
    sent: Lane = (small, large, small) if place == "second_of_3" else (large,)
    requests, answers = (sent, (answer,)) if side is Side.SERVER else ((request,), sent)
    calling, serving = ((request, Receive()), (Receive(), answer)) if place == "after_a_round_trip" else ((), ())
    half_close, taking = ((HalfClose(),), ReceiveToEnd()) if method.kind.client_streams else ((), Receive())
    size = len(sized.data)
    return Case(
        suite=NAME,
        name=f"{side}_receives_{size}_{place}",
        method=method,
        client=((*calling, *requests, *half_close, ReceiveToEnd()),),
        server=((*serving, taking, *answers, Finish(OK)),),
        why=f"A {side} that accepts {LIMIT:,} bytes {'takes' if size <= LIMIT else 'ends the call at'} a message of {size:,}.",
        extra_requires=frozenset().union(*(sample.requires for sample in samples)),
        client_endpoint=LIMITED if side is Side.CLIENT else PLAIN,
        server_endpoint=LIMITED if side is Side.SERVER else PLAIN,
    )


SUITE = Suite(NAME, "messages around the size that a side accepts", cases)
