"""Cases, verdicts and a describer for the tests of the reports."""

from grpc_interop.core.case import Case, Finish, HalfClose, Kind, Lane, Method, Receive, ReceiveToEnd, Send, Status
from grpc_interop.core.model import model
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import END, ClientTranscript, ServerTranscript
from grpc_interop.core.verdict import Attachment, Difference, Outcome, Pair, Verdict, compare

ALL_STREAM = Method("greeter.v1.Greeter", "AllStream", Kind.BIDI_STREAMING, "greeter.v1.StreamReqData", "greeter.v1.StreamResData")
SAY_HELLO = Method("greeter.v1.Greeter", "SayHello", Kind.UNARY, "greeter.v1.HelloRequest", "greeter.v1.HelloReply")
PY_GO, GO_PY, PY_PY, GO_GO = Pair("py", "go"), Pair("go", "py"), Pair("py", "py"), Pair("go", "go")


def describe(type_name: str, message: bytes) -> str:
    """Text format of the greeter's messages, as far as the tests go: one short string field."""
    return f'{type_name.rpartition(".")[2]} "{message.decode()}"'


def ping_pong(count: int, *, suite: str = "calls", name: str = "") -> Case:
    """`count` messages, each answered before the next is sent."""
    client: Lane = ()
    server: Lane = ()
    for number in range(1, count + 1):
        client += (Send(f"x{number}".encode()), Receive())
        server += (Receive(), Send(f"y{number}".encode()))
    return Case(
        suite,
        name or f"ping_pong_{count}",
        ALL_STREAM,
        ((*client, HalfClose(), ReceiveToEnd()),),
        ((*server, ReceiveToEnd(), Finish()),),
        why="each message is answered before the next is sent",
    )


def hello(name: str = "one", status: Status | None = None) -> Case:
    """A unary call."""
    server = (Receive(), Send(b"Hello, World"), Finish()) if status is None else (Receive(), Finish(status))
    return Case("calls", name, SAY_HELLO, ((Send(b"World"), ReceiveToEnd()),), (server,))


def passed(case: Case, pair: Pair = PY_GO) -> Verdict:
    """The case as the model wants it, in 2 ms."""
    return Verdict(case, pair, Outcome.PASSED, 0.0021)


def observed(
    case: Case, pair: Pair, client: ClientTranscript | None = None, server: ServerTranscript | None = None, **more: object
) -> Verdict:
    """The verdict when the sides saw this; what is left out is what the model wants."""
    allowed = model(case)
    wanted = allowed[0]
    client = client or ClientTranscript(wanted.client.lanes, wanted.client.initial, wanted.client.status)
    server = server or ServerTranscript(wanted.server.arrived, wanted.server.lanes, wanted.server.request)
    difference, expected = compare(case, allowed, client, server)
    assert difference is not None, "the tests' own verdict should have failed"
    return Verdict(case, pair, Outcome.FAILED, 5.0, difference, expected, client, server, **more)  # type: ignore[arg-type]


def lost_end(pair: Pair = PY_GO, count: int = 1, *, name: str = "", attachments: tuple[Attachment, ...] = ()) -> Verdict:
    """The server never sees the client's half-close, and the deadline ends the call."""
    case = ping_pong(count, name=name)
    got = tuple(f"x{number}".encode() for number in range(1, count + 1))
    answers = tuple(f"y{number}".encode() for number in range(1, count + 1))
    return observed(
        case,
        pair,
        ClientTranscript(((*answers, END),), (), Status(4, "Deadline Exceeded")),
        ServerTranscript(True, (got,), (), aborted=True),
        attachments=attachments,
    )


def wrong_greeting(pair: Pair = PY_GO, greeting: bytes = b"Hello, Bob", *, name: str = "one") -> Verdict:
    """The client gets another answer than the server gave."""
    return observed(hello(name), pair, ClientTranscript(((greeting, END),), (), Status(0)))


def cannot(pair: Pair = PY_GO) -> Verdict:
    """A driver lacks a capability."""
    difference = Difference(Side.CLIENT, f"the {pair.client} client does not offer compression:deflate")
    return Verdict(hello("deflate"), pair, Outcome.UNSUPPORTED, difference=difference)
