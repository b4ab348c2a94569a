"""Short ways to write plays and to read what was observed."""

from typing import Any

from driver_process import DriverProcess
from grpc_interop.drivers import driver_pb2 as pb

GREETER = "/greeter.v1.Greeter/"
UNARY, SERVER_STREAM, CLIENT_STREAM, BIDI = (GREETER + name for name in ("SayHello", "GetStream", "PutStream", "AllStream"))

RECEIVE = pb.Step(receive=pb.Nothing())
TO_END = pb.Step(receive_to_end=pb.Nothing())
HALF_CLOSE = pb.Step(half_close=pb.Nothing())
CANCEL = pb.Step(cancel=pb.Nothing())
RECEIVE_HEADERS = pb.Step(receive_headers=pb.Nothing())
UNTIL_TERMINATED = pb.Step(wait_for_termination=pb.Nothing())

Lanes = list[list[pb.Step]]


def finish(code: int = 0, message: str = "", **fields: Any) -> pb.Step:
    return pb.Step(finish=pb.Status(code=code, message=message, **fields))


def headers(**entries: bytes) -> pb.Step:
    return pb.Step(send_headers=pb.Headers(entries=metadata(**entries)))


def signal(name: str) -> pb.Step:
    return pb.Step(signal=name)


def wait_for(name: str) -> pb.Step:
    return pb.Step(wait_for=name)


def metadata(**entries: bytes) -> list[pb.Entry]:
    """`x_interop_a=b"1"` is the entry `x-interop-a: 1`."""
    return [pb.Entry(key=key.replace("_", "-"), value=value) for key, value in entries.items()]


def play(method: str, lanes: Lanes, **fields: Any) -> pb.Play:
    return pb.Play(method=method, lanes=[pb.Lane(steps=steps) for steps in lanes], **fields)


def seen(transcript: pb.Transcript) -> list[list[str]]:
    """What each lane observed: the texts of messages, `end`, `terminated`."""
    return [[_observation(one) for one in lane.observed] for lane in transcript.lanes]


def _observation(one: pb.Observation) -> str:
    kind = one.WhichOneof("kind")
    # Every message of the Greeter has a single field: a tag, a length below 128, a text.
    return one.message.binary[2:].decode() if kind == "message" else f"<{kind}>"


class Stage:
    """Two drivers, one with a server and one with a channel to it."""

    def __init__(self, client: DriverProcess, server: DriverProcess, options: pb.Options | None = None) -> None:
        self.client, self.server = client, server
        self.served, self.address = server.serve(options=options)
        self.channel = client.dial(self.address, options)

    def send(self, text: str, type_name: str = "StreamReqData") -> pb.Step:
        """A client's step that sends this text."""
        return self._send(self.client, text, type_name)

    def reply(self, text: str, type_name: str = "StreamResData") -> pb.Step:
        """A server's step that sends this text."""
        return self._send(self.server, text, type_name)

    def _send(self, driver: DriverProcess, text: str, type_name: str) -> pb.Step:
        data = text.encode()
        binary = b"\n" + bytes([len(data)]) + data if data else b""
        return pb.Step(send=driver.payload(f"greeter.v1.{type_name}", binary))

    def expect(self, method: str, lanes: Lanes, **fields: Any) -> int:
        """Gives the server's side; the id of the case."""
        return self.server.command(resource=self.served, expect=play(method, lanes, **fields))

    def call(self, case: int, method: str, lanes: Lanes, **fields: Any) -> None:
        """Gives the client's side of a case."""
        self.client.command(case, resource=self.channel, call=play(method, lanes, **fields))

    def play(self, method: str, client: Lanes, server: Lanes, **fields: Any) -> tuple[pb.Transcript, pb.Transcript]:
        """Plays a case: what the client observed, and the server."""
        case = self.expect(method, server)
        self.call(case, method, client, **fields)
        return self.transcripts(case)

    def transcripts(self, case: int) -> tuple[pb.Transcript, pb.Transcript]:
        """What the client and the server report of a case."""
        return self.client.event(case).transcript, self.server.event(case).transcript

    def abort(self, driver: DriverProcess, case: int, **fields: Any) -> None:
        """Sends an Abort."""
        driver.command(abort=pb.Abort(play=case, **fields))

    def relay(self, case: int, sender: DriverProcess, name: str) -> None:
        """Waits for a signal of one side, and passes it on to the other, as the harness does."""
        assert sender.event(case).signal == pb.Signal(play=case, name=name)
        other = self.client if sender is self.server else self.server
        other.command(signal=pb.Signal(play=case, name=name))
