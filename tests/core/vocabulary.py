"""Words in which the tests of the core write their cases."""

from grpc_interop.core.case import (
    Cancel,
    Case,
    Entry,
    Finish,
    HalfClose,
    Kind,
    Lane,
    Method,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Script,
    Send,
    SendHeaders,
    Signal,
    Status,
    WaitFor,
    WaitForTermination,
)
from grpc_interop.core.model import LEAST_DEADLINE_US, Expected
from grpc_interop.core.transcript import ClientTranscript, Observed, ServerTranscript

METHODS = {kind: Method("test.Service", "Call", kind, "test.Request", "test.Response") for kind in Kind}

RECEIVE, TO_END, HALF_CLOSE, CANCEL = Receive(), ReceiveToEnd(), HalfClose(), Cancel()
WAIT_TO_END, RECEIVE_HEADERS = WaitForTermination(), ReceiveHeaders()
OK, ERROR = Finish(), Finish(Status(9, "no"))
ENDED = (WAIT_TO_END, Finish(Status(1, "ended from outside")))
DEADLINE_US = LEAST_DEADLINE_US
H = (Entry("x-interop-h", b"1"),)
HEADERS = SendHeaders(H)


def x(count: int, text: str = "x") -> Lane:
    """Sends `x1`, `x2`..."""
    return tuple(Send(message) for message in xs(count, text))


def y(count: int) -> Lane:
    return x(count, "y")


def xs(count: int, text: str = "x") -> Observed:
    """The messages of `x(count)`."""
    return tuple(f"{text}{number}".encode() for number in range(1, count + 1))


def ys(count: int) -> Observed:
    return xs(count, "y")


def tell(name: str) -> Signal:
    return Signal(name)


def hear(name: str) -> WaitFor:
    return WaitFor(name)


def case(kind: Kind, client: Script, server: Script, **options: object) -> Case:
    return Case("test", "case", METHODS[kind], client, server, **options)  # type: ignore[arg-type]


def bidi(client: Lane | Script, server: Lane | Script, **options: object) -> Case:
    """Either side is a lane, or a tuple of lanes."""
    return case(Kind.BIDI_STREAMING, _script(client), _script(server), **options)


def _script(lanes: Lane | Script) -> Script:
    return lanes if not lanes or isinstance(lanes[0], tuple) else (lanes,)  # type: ignore[return-value]


def as_seen(pair: Expected, **more: object) -> tuple[ClientTranscript, ServerTranscript]:
    """Transcripts as two perfect drivers would report them."""
    client, server = pair.client, pair.server
    elapsed = max(client.least_elapsed_us, 1_000)
    status = client.status if client.status.message is not None else client.status._replace(message="a runtime's own words")
    return (
        ClientTranscript(client.lanes, client.initial, status, elapsed),
        ServerTranscript(server.arrived, server.lanes, server.request, server.deadline_us),
    )
