"""Capabilities beyond the core. Each is checked only if Hello names it."""

import json

from grpc_interop.check_driver.bench import FINISH, HALF_CLOSE, NOTHING, RECEIVE, TO_END, Bench, Duo, kinds_of
from grpc_interop.check_driver.greeter import ALL_STREAM, GET_STREAM, METHODS, SAY_HELLO, case, exchange, text
from grpc_interop.check_driver.lanes import lanes
from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.check_driver.plain_client import plain_call
from grpc_interop.check_driver.promises import Chapter
from grpc_interop.check_driver.silent_server import SilentServer
from grpc_interop.check_driver.talk import ANSWER_SECONDS
from grpc_interop.core.case import (
    Cancel,
    Entry,
    Finish,
    HalfClose,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Send,
    SendHeaders,
    Status,
    WaitForTermination,
)
from grpc_interop.core.model import DEADLINE_EXCEEDED
from grpc_interop.core.side import Side
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.connection import varint

metadata = Chapter("10.1 Metadata, trailers, details")
endings = Chapter("10.2 Deadline, cancel, termination")
callers = Chapter("10.4 Other callers")
messages = Chapter("10.5 Messages without an RPC")

CHAPTERS = (metadata, endings, lanes, callers, messages)

ENTRIES = (
    Entry("x-interop-one", b"first"),
    Entry("x-interop-one", b"second, with a comma"),
    Entry("x-interop-raw-bin", bytes(range(256))),
    Entry("x-interop-raw-bin", b"\x00"),
    Entry("x-interop-empty", b""),
    Entry("x-interop-empty-bin", b""),
)
"""Repeated keys, whose order counts, bytes that only a `-bin` key may hold, and empty values."""

DEADLINE_US = 1_000_000
"""Short enough to wait for. On loaded machines shorter deadlines passed even before the steps that come first."""

YEARS_US = 2 * 365 * 24 * 3600 * 1_000_000
"""Some runtimes know "no deadline" only as a very long one."""

UNKNOWN_FIELD = b"\xc2\x3e\x04kept"
"""Field 1000, which no message of the greeter has."""

_ANY = b"\x0a\x1cexample.test/interop.Nothing\x12\x02\x08\x01"
DETAILS = b"\x08\x05\x12\x0bsee details\x1a" + varint(len(_ANY)) + _ANY
"""A google.rpc.Status with code 5, the message `see details` and one detail. Code and message are those of the status
itself, and there is a detail: grpc-go makes the status from this message, and sends no message without a detail."""


# -- metadata ----------------------------------------------------------------------------------------------------------


@metadata.check("carries request metadata", needs="metadata")
def carries_request_metadata(bench: Bench) -> None:
    """The server reports the client's metadata, repeated keys in their order and `-bin` values as they were."""
    bench.play(*[exchange("request_metadata", method, metadata=ENTRIES) for method in METHODS])


@metadata.check("carries initial metadata", needs="metadata")
def carries_initial_metadata(bench: Bench) -> None:
    """`send_headers` sends at once, before any message; `receive_headers` waits for it."""
    at_once = case(
        "headers_first",
        ALL_STREAM,
        (ReceiveHeaders(), Send(text("seen")), HalfClose(), ReceiveToEnd()),
        (SendHeaders(ENTRIES), ReceiveToEnd(), Finish()),
    )
    with_answer = case(
        "headers_unary", SAY_HELLO, (Send(text("a")), ReceiveToEnd()), (Receive(), SendHeaders(ENTRIES), Send(text("b")), Finish())
    )
    bench.play(at_once, with_answer)


@metadata.check("waits for the initial metadata", needs="metadata signals")
def waits_for_initial_metadata(bench: Bench) -> None:
    """`receive_headers` does not end before the server has sent its initial metadata."""
    duo = bench.duo
    play = duo.new_play()
    duo.expect(play, ALL_STREAM, pb.Step(wait_for="proceed"), pb.Step(send_headers=pb.Headers()), TO_END, FINISH, requires=["signals"])
    arrived = (pb.Step(receive_headers=NOTHING), pb.Step(signal="have"), HALF_CLOSE, TO_END)
    duo.call(play, ALL_STREAM, *arrived, requires=["metadata", "signals"])
    duo.client.stays_quiet(play, "a call whose server has sent no initial metadata")
    duo.server.order(pb.Command(signal=pb.Signal(play=play, name="proceed")))
    duo.client.answer(play, "signal")
    for talk in (duo.client, duo.server):
        talk.transcript(play)


@metadata.check("carries trailers with an error", needs="metadata")
def carries_trailers_with_error(bench: Bench) -> None:
    """Trailing metadata arrives with an error."""
    status = Status(9, "not now", trailers=ENTRIES)
    bench.play(*[exchange("trailers_error", method, status=status) for method in METHODS])


@metadata.check("carries trailers with OK", needs="trailers_on_ok")
def carries_trailers_on_ok(bench: Bench) -> None:
    """Trailing metadata arrives with OK."""
    bench.play(*[exchange("trailers_ok", method, status=Status(0, trailers=ENTRIES)) for method in METHODS])


@metadata.check("carries details", needs="details")
def carries_details(bench: Bench) -> None:
    """The details of a status arrive byte by byte, and are not reported among the trailers."""
    bench.play(*[exchange("details", method, status=Status(5, "see details", DETAILS)) for method in METHODS])


# -- deadline, cancel, termination -------------------------------------------------------------------------------------


@endings.check("tells the deadline", needs="deadline")
def tells_the_deadline(bench: Bench) -> None:
    """The server reports how much time was left, be it years; without a deadline it reports none."""
    others = exchange("no_deadline", SAY_HELLO), exchange("deadline_of_years", SAY_HELLO, timeout_us=YEARS_US)
    bench.play(*[exchange("deadline", method, timeout_us=60_000_000) for method in METHODS], *others)


@endings.check("keeps the deadline", needs="deadline")
def keeps_the_deadline(bench: Bench) -> None:
    """A call that does not end by its deadline ends at the client with DEADLINE_EXCEEDED, and not earlier."""
    server = (Receive(), Receive(), Finish(Status(13, "never reached")))
    bench.play(case("expires", SAY_HELLO, (Send(text("a")), ReceiveToEnd()), server, timeout_us=DEADLINE_US))


@endings.check("keeps the deadline by itself", needs="deadline")
def keeps_the_deadline_alone(bench: Bench) -> None:
    """The client's own clock ends a call whose server never answers, with DEADLINE_EXCEEDED, without the server's clock."""
    duo = bench.duo
    with SilentServer() as server:
        duo.dial(target=server.address)
        play = duo.new_play()
        duo.call(play, SAY_HELLO, duo.request(SAY_HELLO, "anybody?"), TO_END, requires=["deadline"], timeout_us=DEADLINE_US)
        event = duo.client.await_event(play, DEADLINE_US / 1e6 + ANSWER_SECONDS)
    bench.clear_away()
    if event is None:
        raise NotKept(f"a call with {DEADLINE_US / 1e6:g} s to a server that never answers had not ended {ANSWER_SECONDS:g} s later")
    code = event.transcript.status.code
    if code != DEADLINE_EXCEEDED:
        raise NotKept(f"a call to a server that never answers ended with status {code}; expected DEADLINE_EXCEEDED ({DEADLINE_EXCEEDED})")


@endings.check("cancels", needs="cancel")
def cancels(bench: Bench) -> None:
    """The client cancels after a message: its status is CANCELLED, and the server learns that the call is over."""
    client = (Send(text("a")), Receive(), Cancel())
    bench.play(
        case("cancel", ALL_STREAM, client, (Receive(), Send(text("b")), Receive(), Finish())),
        case("cancel_stream", GET_STREAM, client, (Receive(), Send(text("b")), Receive(), Finish())),
    )


@endings.check("cancels without a half-close", needs="cancel signals")
def cancels_without_half_close(bench: Bench) -> None:
    """A cancel resets the call, and does not end the client's messages: a server could take that for their clean end."""
    duo = bench.duo
    with SilentServer() as server:
        duo.dial(target=server.address)
        play = duo.new_play()
        steps = (duo.request(ALL_STREAM, "a"), pb.Step(wait_for="sent"), pb.Step(cancel=NOTHING))
        duo.call(play, ALL_STREAM, *steps, requires=["cancel", "signals"])
        if not server.sees("message", seconds=ANSWER_SECONDS):
            raise NotKept("the message of a streaming call that sends and then waits did not reach the server")
        duo.client.order(pb.Command(signal=pb.Signal(play=play, name="sent")))
        duo.client.transcript(play)
        over = server.sees("reset", "gone", seconds=ANSWER_SECONDS)
        seen = tuple(server.seen)
    bench.clear_away()
    if "half-close" in seen:
        raise NotKept("the server saw the client half-close when it cancelled")
    if not over:
        raise NotKept(f"the call was cancelled, and the server did not learn of it for {ANSWER_SECONDS:g} s")


@endings.check("waits for the termination", needs="wait_for_termination")
def waits_for_termination(bench: Bench) -> None:
    """`wait_for_termination` ends when the client cancels or its deadline passes, and observes `terminated`."""
    server = (Receive(), Send(text("b")), WaitForTermination(), Finish())
    if "cancel" in bench.capabilities:
        client = (Send(text("a")), Receive(), Cancel())
        bench.play(*[case("termination", method, client, server) for method in (GET_STREAM, ALL_STREAM)])
    if "deadline" in bench.capabilities:
        client_waits = (Send(text("a")), Receive(), ReceiveToEnd())
        bench.play(*[case("expiry", method, client_waits, server, timeout_us=DEADLINE_US) for method in (GET_STREAM, ALL_STREAM)])


@endings.check("tells a cancel from an end", needs="distinguishes_cancel cancel")
def distinguishes_cancel(bench: Bench) -> None:
    """A server that receives sees a cancel as `terminated`, never as the client's half-close."""
    duo, times = bench.duo, 20
    request = duo.request(ALL_STREAM, "a")
    answer = duo.answer(ALL_STREAM, "b")
    for _ in range(times):
        play = duo.new_play()
        duo.expect(play, ALL_STREAM, RECEIVE, answer, TO_END, FINISH)
        duo.call(play, ALL_STREAM, request, RECEIVE, pb.Step(cancel=NOTHING))
        duo.client.transcript(play)
        seen = duo.server.transcript(play)
        observed = kinds_of(seen)
        if observed != ["message", "terminated"]:
            raise NotKept(f"the server observed {observed} of a cancelled call; such a driver cannot offer distinguishes_cancel")


# -- other callers -----------------------------------------------------------------------------------------------------


@callers.check("serves any caller", needs="any_caller")
def serves_any_caller(bench: Bench) -> None:
    """A script with `any_caller` is played for the next call of its method that carries no case id, and only for that call."""
    duo = bench.duo
    play = duo.new_play()
    answer = duo.answer(SAY_HELLO, "whoever you are")
    duo.expect(play, SAY_HELLO, RECEIVE, answer, FINISH, requires=["any_caller"], any_caller=True)
    # The answer to any later command shows that the script was read: nothing else orders it before the call.
    duo.server.is_alive()
    got = plain_call(duo.address, SAY_HELLO, [text("World")], ANSWER_SECONDS)
    if got.messages != (text("whoever you are"),):
        raise NotKept(f"an ordinary client got {got.messages} and {got.status.name}; expected the script's answer")
    seen = duo.server.transcript(play)
    if [observed.message.binary for lane in seen.lanes for observed in lane.observed] != [text("World")]:
        raise NotKept("the transcript does not hold the message of the ordinary client")
    again = plain_call(duo.address, SAY_HELLO, [text("World")], ANSWER_SECONDS)
    if again.status.name != "UNIMPLEMENTED":
        raise NotKept(f"the second caller got {again.status.name}; expected UNIMPLEMENTED, since the script was used up")


@callers.check("serves its application", needs="application")
def serves_its_application(bench: Bench) -> None:
    """With `application` the hand-written Greeter answers calls without a case id, while scripts serve calls with a case id."""
    duo = bench.duo
    duo.serve(requires=["application"], application=True)
    got = plain_call(duo.address, SAY_HELLO, [text("World")], ANSWER_SECONDS)
    if got.messages != (text("Hello, World"),):
        raise NotKept(f"SayHello of World gave {got.messages} and {got.status.name}; expected `Hello, World`")
    bench.clear_away()


@callers.check("repeats", needs="repeat")
def repeats(bench: Bench) -> None:
    """A play with `repeat` is played that often and reported once, `completed` counting the plays that went like the first."""
    duo, times = bench.duo, 100
    play = duo.new_play()
    duo.expect(play, SAY_HELLO, RECEIVE, duo.answer(SAY_HELLO, "and again"), FINISH, requires=["repeat"], repeat=times)
    duo.call(play, SAY_HELLO, duo.request(SAY_HELLO, "again"), TO_END, requires=["repeat"], repeat=times, concurrency=4)
    for who, talk in ((Side.CLIENT, duo.client), (Side.SERVER, duo.server)):
        seen = talk.transcript(play)
        if seen.completed != times:
            raise NotKept(f"the {who} reported {seen.completed} completed plays of {times}")
        if not any(lane.observed for lane in seen.lanes):
            raise NotKept(f"the {who} did not report the observations of its first play")
        talk.stays_quiet(play, "a play that it has reported")


# -- messages ----------------------------------------------------------------------------------------------------------


@messages.check("keeps unknown fields", needs="unknown_fields")
def keeps_unknown_fields(bench: Bench) -> None:
    """A field that the message's type does not declare comes back in the binary form."""
    message = Send(text("known") + UNKNOWN_FIELD)
    bench.play(case("unknown_field", SAY_HELLO, (message, ReceiveToEnd()), (Receive(), message, Finish())))


@messages.check("transcodes", needs="transcode")
def transcodes(bench: Bench) -> None:
    """`transcode` parses a message and writes it again, or answers with KIND_UNREADABLE_PAYLOAD."""
    # The field stands there twice: the last value counts, and only it is written.
    if (binary := _transcode(bench, data=text("first") + text("last")).binary) != text("last"):
        raise NotKept(f"the name given twice came back as {binary!r}; expected {text('last')!r}")
    command = pb.Command(requires=["transcode"], transcode=pb.Transcode(type=SAY_HELLO.request, data=b"\x0a\x7f"))
    bench.talk.refusal(bench.talk.order(command), pb.Error.KIND_UNREADABLE_PAYLOAD)


@messages.check("reads and writes ProtoJSON", needs="json transcode")
def speaks_json(bench: Bench) -> None:
    """ProtoJSON is read and written: unknown fields are refused unless `ignore_unknown` is set, zero values are written
    only with `emit_zero`, and plays report it where asked."""
    name = "Grüße 🎉"
    from_json = json.dumps({"name": name}).encode()
    if (binary := _transcode(bench, "json", data=from_json, from_json=True).binary) != text(name):
        raise NotKept(f"{from_json!r} was read as {binary!r}; expected {text(name)!r}")
    unknown = pb.Transcode(type=SAY_HELLO.request, data=b'{"name": "x", "nickname": "y"}', from_json=True)
    command = pb.Command(requires=["json", "transcode"], transcode=unknown)
    bench.talk.refusal(bench.talk.order(command), pb.Error.KIND_UNREADABLE_PAYLOAD)
    if (binary := _transcode(bench, "json", data=unknown.data, from_json=True, ignore_unknown=True).binary) != text("x"):
        raise NotKept(f"with ignore_unknown {unknown.data!r} was read as {binary!r}; expected {text('x')!r}")
    for how, wanted in (({}, {}), ({"emit_zero": True}, {"name": ""})):
        _same_json(_transcode(bench, "json", data=b"", to_json=True, **how).json, wanted)
    seen = _reported(bench.duo, ["json"], report_json=True)
    _same_json(seen.json, {"name": name})


@messages.check("shows the view", needs="view transcode")
def shows_the_view(bench: Bench) -> None:
    """The view holds the present and the unknown fields, through `transcode` and in plays."""
    shown = _transcode(bench, "view", data=text("a") + UNKNOWN_FIELD, to_view=True).view
    _same_view(shown, b"a", UNKNOWN_FIELD if "unknown_fields" in bench.capabilities else shown.unknown)
    if _transcode(bench, "view", data=b"", to_view=True).view.fields:
        raise NotKept("an empty message has fields in its view; empty fields without presence must be left out")
    _same_view(_reported(bench.duo, ["view"], report_view=True).view, "Grüße 🎉".encode(), b"")


def _transcode(bench: Bench, *needs: str, **wanted: object) -> pb.Message:
    command = pb.Command(requires=["transcode", *needs], transcode=pb.Transcode(type=SAY_HELLO.request, **wanted))  # type: ignore[arg-type]
    return bench.talk.ask(command, "transcoded").transcoded


def _reported(duo: Duo, requires: list[str], **how: bool) -> pb.Message:
    """Play a unary call, and return the message that the server reports."""
    play = duo.new_play()
    duo.expect(play, SAY_HELLO, RECEIVE, pb.Step(finish=pb.Status(code=5)), requires=requires, **how)
    duo.call(play, SAY_HELLO, duo.request(SAY_HELLO, "Grüße 🎉"), TO_END)
    duo.client.transcript(play)
    seen = duo.server.transcript(play)
    reported = [observed.message for lane in seen.lanes for observed in lane.observed if observed.HasField("message")]
    if len(reported) != 1:
        raise NotKept(f"the server reported {len(reported)} messages of a unary call")
    return reported[0]


def _same_json(text: str, wanted: object) -> None:
    try:
        value = json.loads(text)
    except ValueError:
        raise NotKept(f"expected ProtoJSON, and it wrote {text!r}") from None
    if value != wanted:
        raise NotKept(f"the ProtoJSON says {value}; expected {wanted}")


def _same_view(view: pb.View, name: bytes, unknown: bytes) -> None:
    wanted = pb.View(fields=[pb.Field(number=1, values=[pb.Value(text=name)])], unknown=unknown)
    if view != wanted:
        raise NotKept(f"the view is\n{view}expected:\n{wanted}")
