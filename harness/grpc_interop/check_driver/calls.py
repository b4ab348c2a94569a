"""Plays of the core: the four kinds, statuses, parked calls, many at once, large messages."""

import grpc

from grpc_interop.check_driver.bench import FINISH, RECEIVE, TO_END, Bench
from grpc_interop.check_driver.greeter import ALL_STREAM, GET_STREAM, METHODS, PUT_STREAM, SAY_HELLO, case, exchange, text
from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.check_driver.plain_client import plain_call
from grpc_interop.check_driver.promises import Chapter
from grpc_interop.check_driver.talk import ANSWER_SECONDS
from grpc_interop.core.case import Finish, HalfClose, Receive, ReceiveToEnd, Send, Status
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.engine.admission import WINDOW

unary = Chapter("4. The first call")
kinds = Chapter("5. The other kinds")
statuses = Chapter("6. Statuses")
concurrency = Chapter("7. Concurrent calls")
parts = Chapter("9. Large messages")

LARGE = 3 * 1024 * 1024
"""Three frames and more, and below gRPC's own limit of 4 MiB for one message."""

NOT_ASCII = "30 % of Grüße, 日本語 🎉\nsecond line"
"""gRPC percent-encodes all characters but printable ASCII, and the percent sign itself."""


@unary.check("plays a unary call", vital=True)
def plays_unary(bench: Bench) -> None:
    """A unary call: both sides report what they received, the client with the end and the status."""
    bench.play(exchange("unary", SAY_HELLO))


@unary.check("finishes early")
def finishes_without_answer(bench: Bench) -> None:
    """A unary call that ends with an error: the client observes the end and no message."""
    bench.play(exchange("unary_error", SAY_HELLO, status=Status(5, "no such greeting")))


@kinds.check("plays a server stream", vital=True)
def plays_server_stream(bench: Bench) -> None:
    """A server stream of 0, 1 and 10 messages, in order."""
    bench.play(*[exchange(f"{count}_answers", GET_STREAM, answers=count) for count in (0, 1, 10)])


@kinds.check("plays a client stream", vital=True)
def plays_client_stream(bench: Bench) -> None:
    """A client stream of 0, 1 and 10 messages, in order, with the client's half-close as their end."""
    bench.play(*[exchange(f"{count}_requests", PUT_STREAM, requests=count) for count in (0, 1, 10)])


@kinds.check("plays both ways", vital=True)
def plays_bidi(bench: Bench) -> None:
    """A conversation in turns: each side sends only after it received."""
    turns = range(10)
    client = tuple(step for turn in turns for step in (Send(text(f"ping {turn}")), Receive()))
    server = tuple(step for turn in turns for step in (Receive(), Send(text(f"pong {turn}"))))
    ping_pong = case("ping_pong", ALL_STREAM, (*client, HalfClose(), ReceiveToEnd()), (*server, ReceiveToEnd(), Finish()))
    bench.play(ping_pong, exchange("all_in_all_out", ALL_STREAM, requests=10, answers=10))


@kinds.check("lets the server speak first")
def server_speaks_first(bench: Bench) -> None:
    """A streaming call begins when its play begins, before the client sends anything."""
    client = (Receive(), Send(text("answer")), HalfClose(), ReceiveToEnd())
    bench.play(case("server_first", ALL_STREAM, client, (Send(text("question")), ReceiveToEnd(), Finish())))


@kinds.check("receives once and to the end")
def receives_to_the_end(bench: Bench) -> None:
    """The end is observed once, however often it is received."""
    client = (Send(text("a")), HalfClose(), Receive(), Receive(), ReceiveToEnd())
    server = (Receive(), Receive(), ReceiveToEnd(), Send(text("b")), Finish())
    bench.play(case("end_once", ALL_STREAM, client, server))


@kinds.check("carries empty messages")
def carries_empty_messages(bench: Bench) -> None:
    """A message without content is a message."""
    empty = Send(b"")
    bench.play(
        case("empty", SAY_HELLO, (empty, ReceiveToEnd()), (Receive(), empty, Finish())),
        case("empty_stream", ALL_STREAM, (empty, empty, HalfClose(), ReceiveToEnd()), (ReceiveToEnd(), empty, empty, Finish())),
    )


@kinds.check("lets the server end early")
def server_ends_early(bench: Bench) -> None:
    """The server may finish, well or not, without having read everything: the client gets all it sent, and the status."""
    client = (Send(text("read")), Send(text("unread")), ReceiveToEnd())
    for status in (Status(0), Status(9, "enough")):
        bench.play(case(f"early_{status.code}", ALL_STREAM, client, (Receive(), Send(text("one")), Finish(status))))
    half_closes = (*client[:-1], HalfClose(), ReceiveToEnd())
    bench.play(case("early_answer", PUT_STREAM, half_closes, (Receive(), Send(text("one")), Finish())))


@statuses.check("carries every code")
def carries_every_code(bench: Bench) -> None:
    """Each of gRPC's status codes reaches the client, of every kind of method."""
    bench.play(*[exchange(f"code_{code}", method, status=Status(code, f"code {code}")) for method in METHODS for code in range(1, 17)])


@statuses.check("carries status messages")
def carries_status_messages(bench: Bench) -> None:
    """A status message arrives as it was, whatever its characters; an empty one as an empty one."""
    for words in (NOT_ASCII, "", "x" * 1000):
        bench.play(*[exchange("status_message", method, status=Status(10, words)) for method in METHODS])


@statuses.check("ends after messages")
def ends_after_messages(bench: Bench) -> None:
    """An error after messages: the client gets all of them, then the status."""
    bench.play(*[exchange("late_error", method, 3, 3, Status(15, "lost")) for method in (GET_STREAM, ALL_STREAM)])


@concurrency.check("parks calls")
def parks_calls(bench: Bench) -> None:
    """A call that arrives before its script waits for it."""
    duo = bench.duo
    play = duo.new_play()
    duo.call(play, SAY_HELLO, duo.request(SAY_HELLO, "early"), TO_END)
    duo.client.stays_quiet(play, "a call whose server has no script yet")
    duo.expect(play, SAY_HELLO, RECEIVE, duo.answer(SAY_HELLO, "late"), FINISH)
    duo.server.transcript(play)
    seen = duo.client.transcript(play)
    if seen.status.code != 0:
        raise NotKept(f"the parked call ended with status {seen.status.code} ({seen.status.message})")


@concurrency.check("reads on while it plays")
def reads_on(bench: Bench) -> None:
    """A play that waits does not keep another from being played."""
    duo = bench.duo
    waiting = duo.new_play()
    duo.expect(waiting, ALL_STREAM, TO_END, FINISH)
    duo.call(waiting, ALL_STREAM, TO_END)
    quick = duo.new_play()
    duo.expect(quick, SAY_HELLO, RECEIVE, pb.Step(finish=pb.Status(code=5)))
    duo.call(quick, SAY_HELLO, duo.request(SAY_HELLO, "meanwhile"), TO_END)
    duo.client.transcript(quick)
    duo.server.transcript(quick)
    for talk in (duo.client, duo.server):
        for _ in range(2):
            talk.order(pb.Command(abort=pb.Abort(play=waiting)))
        talk.transcript(waiting)


@concurrency.check("plays many at once")
def plays_many_at_once(bench: Bench) -> None:
    """As many calls as Hello.max_plays allows, at most 128, are in flight at once and do not mix."""
    cases = []
    for number in range(4 * WINDOW):
        words = (text(f"{number} first"), text(f"{number} second"))
        client = (Send(words[0]), Receive(), Send(words[1]), HalfClose(), ReceiveToEnd())
        server = (Receive(), Send(words[0]), Receive(), Send(words[1]), ReceiveToEnd(), Finish())
        cases.append(case(f"one_of_many_{number}", ALL_STREAM, client, server))
    bench.play(*cases)


@concurrency.check("refuses calls without a case id")
def refuses_calls_without_case_id(bench: Bench) -> None:
    """A call without a case id, for which no script was registered, gets UNIMPLEMENTED."""
    status = plain_call(bench.duo.address, SAY_HELLO, [text("World")], ANSWER_SECONDS).status
    if status != grpc.StatusCode.UNIMPLEMENTED:
        raise NotKept(f"a client that sent no case id got {status.name}; expected UNIMPLEMENTED")


@parts.check("puts parts together")
def puts_parts_together(bench: Bench) -> None:
    """Commands and events of more than 1 MiB travel in parts: a message of 3 MiB goes both ways."""
    large = Send(text("x" * LARGE))
    bench.play(
        case("large_unary", SAY_HELLO, (large, ReceiveToEnd()), (Receive(), large, Finish())),
        case("large_stream", ALL_STREAM, (large, Receive(), HalfClose(), ReceiveToEnd()), (Receive(), large, ReceiveToEnd(), Finish())),
    )


@parts.check("carries long streams")
def carries_long_streams(bench: Bench) -> None:
    """A thousand messages each way arrive, in order."""
    bench.play(*[exchange("thousand", method, 1000, 1000) for method in (GET_STREAM, PUT_STREAM, ALL_STREAM)])
