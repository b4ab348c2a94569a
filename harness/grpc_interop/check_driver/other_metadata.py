"""Metadata with keys that are not the harness' own."""

from grpc_interop.check_driver.bench import RECEIVE, TO_END, Bench
from grpc_interop.check_driver.greeter import METHODS, SAY_HELLO, case, exchange, text
from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.check_driver.promises import Chapter
from grpc_interop.core.case import Entry, Finish, Receive, ReceiveToEnd, Send, SendHeaders, Status
from grpc_interop.core.side import Side
from grpc_interop.drivers import driver_pb2 as pb

other_metadata = Chapter("10.8 Other metadata")

TRACE = "traceparent"
ENTRIES = (
    Entry("authorization", b"Bearer abc.def"),
    Entry(TRACE, b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    Entry("tenant-bin", bytes(range(256))),
    Entry("tenant-bin", b""),
)
"""Metadata as teams send it, with bytes and a repeated key."""


@other_metadata.check("reports other metadata", needs="report_metadata metadata")
def reports_other_metadata(bench: Bench) -> None:
    """Keys that `report_metadata` names are reported as they were sent, wherever they were; other keys are not."""
    headers = case(
        "other_headers", SAY_HELLO, (Send(text("a")), ReceiveToEnd()), (Receive(), SendHeaders(ENTRIES), Send(text("b")), Finish())
    )
    failing = Status(9, "not now", trailers=ENTRIES)
    bench.play(headers, *[exchange("other_metadata", method, status=failing, metadata=ENTRIES) for method in METHODS])
    _reports_nothing_unasked(bench)


def _reports_nothing_unasked(bench: Bench) -> None:
    duo = bench.duo
    play = duo.new_play()
    entry = pb.Entry(key=TRACE, value=b"1")
    ending = pb.Step(finish=pb.Status(code=9, trailers=[entry]))
    duo.expect(play, SAY_HELLO, RECEIVE, ending, requires=["metadata"])
    duo.call(play, SAY_HELLO, duo.request(SAY_HELLO, "a"), TO_END, requires=["metadata"], metadata=[entry])
    for who, talk in ((Side.SERVER, duo.server), (Side.CLIENT, duo.client)):
        seen = talk.transcript(play)
        if reported := [entry.key for entry in (*seen.request, *seen.initial, *seen.status.trailers)]:
            raise NotKept(f"the {who} reported {reported[0]}, which it was not asked for")
