"""Connection, Hello, frames, errors, and the two ways to end."""

import time

from grpc_interop.check_driver.bench import Bench
from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.check_driver.promises import Chapter
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.connection import frame

KNOWN_CAPABILITIES = frozenset(
    "metadata trailers_on_ok details deadline cancel lanes signals wait_for_termination any_caller repeat application "
    "unknown_fields distinguishes_cancel transcode json view max_receive_bytes compression:gzip compression:deflate tls "
    "keepalive service_config times report_metadata joins_metadata".split()
)
"""The names that message Hello of the contract lists. Any other name is most likely misspelt, and would never be used."""

MADE_UP = "check-driver:no-such-thing"
UNKNOWN_OP = b"\xfa\x07\x00"
"""Field 127, empty: an op of a contract that is not written yet."""

END_SECONDS = 2.0
"""How long a driver may take to end: the harness waits so long for all drivers at the end of a run."""

first = Chapter("1. Connection and Hello")
errors = Chapter("2. Errors")


@first.check("connects", vital=True)
def connects(bench: Bench) -> None:
    """The driver connects to the address in INTEROP_DRIVER_ADDRESS."""
    with bench.process() as talk:
        talk.connect()


@first.check("says Hello", vital=True)
def says_hello(bench: Bench) -> None:
    """The first event is Hello, with id 0 and version 1 of the contract, sent before anything is read, and only once."""
    with bench.process() as talk:
        bench.greeted(talk.begin())
        talk.stays_quiet(0, "its own Hello")


@first.check("reports its versions")
def reports_versions(bench: Bench) -> None:
    """Hello names the versions of the language and of the gRPC runtime."""
    with bench.process() as talk:
        versions = talk.begin().versions
    missing = [name for name in ("language", "grpc") if not versions.get(name)]
    if missing:
        raise NotKept(f"Hello.versions lacks {' and '.join(missing)}; it has {dict(versions)}")


@first.check("knows the capabilities' names")
def names_known_capabilities(bench: Bench) -> None:
    """The contract knows every capability in Hello."""
    unknown = sorted(bench.capabilities - KNOWN_CAPABILITIES)
    if unknown:
        raise NotKept(f"Hello.capabilities has {', '.join(unknown)}; known are {', '.join(sorted(KNOWN_CAPABILITIES))}")


@first.check("ends with its stdin")
def ends_with_stdin(bench: Bench) -> None:
    """The driver exits with status 0 within 2 s when its stdin ends."""
    with bench.process() as talk:
        talk.begin()
        talk.driver.process.end_stdin()
        _ended(talk.exit_status(END_SECONDS), "its stdin ended")


@first.check("ends with its connection")
def ends_with_connection(bench: Bench) -> None:
    """The driver exits with status 0 within 2 s when the harness closes the connection."""
    with bench.process() as talk:
        talk.begin()
        talk.hang_up()
        _ended(talk.exit_status(END_SECONDS), "the connection was closed")


def _ended(status: int | None, after: str) -> None:
    if status is None:
        raise NotKept(f"it still runs {END_SECONDS:g} s after {after}")
    if status != 0:
        raise NotKept(f"it ended with status {status} after {after}")


@errors.check("answers unknown commands", vital=True)
def answers_unknown_commands(bench: Bench) -> None:
    """A command whose op it does not know is answered with KIND_UNKNOWN_COMMAND and the command's id."""
    talk = bench.talk
    command_id = talk.new_id()
    talk.write(frame(pb.Command(id=command_id).SerializeToString() + UNKNOWN_OP))
    talk.refusal(command_id, pb.Error.KIND_UNKNOWN_COMMAND)


@errors.check("reads frames however they come")
def reads_frames(bench: Bench) -> None:
    """Frames are read whether their bytes come singly or several frames come at once."""
    talk = bench.talk
    ids = [talk.new_id() for _ in range(4)]
    # Long enough for a length of two bytes.
    frames = [frame(pb.Command(id=command_id, requires=[f"{MADE_UP} {'x' * 200}"]).SerializeToString() + UNKNOWN_OP) for command_id in ids]
    for byte in frames[0]:
        talk.write(bytes([byte]))
        time.sleep(0.0002)
    talk.write(b"".join(frames[1:]))
    for command_id in ids:
        talk.refusal(command_id, pb.Error.KIND_UNKNOWN_COMMAND, pb.Error.KIND_UNSUPPORTED)


@errors.check("refuses capabilities that it lacks", vital=True)
def refuses_missing_capabilities(bench: Bench) -> None:
    """A command that requires a capability which Hello did not name is answered with KIND_UNSUPPORTED, which names it;
    nothing else is done."""
    talk = bench.talk
    command_id = talk.order(pb.Command(requires=[MADE_UP], serve=pb.Serve()))
    text = talk.refusal(command_id, pb.Error.KIND_UNSUPPORTED)
    if MADE_UP not in text:
        raise NotKept(f"the error's text does not name {MADE_UP!r}: {text!r}")
    talk.stays_quiet(command_id, "the refused command a second time")
    nowhere = talk.order(pb.Command(close=pb.Close(resource=command_id)))
    talk.refusal(nowhere, pb.Error.KIND_UNKNOWN_REFERENCE)


@errors.check("refuses unknown references")
def refuses_unknown_references(bench: Bench) -> None:
    """A command that names a resource which does not exist is answered with KIND_UNKNOWN_REFERENCE."""
    talk = bench.talk
    play = pb.Play(method="/greeter.v1.Greeter/SayHello", lanes=[pb.Lane()])
    missing = talk.new_id()
    for command in (
        pb.Command(close=pb.Close(resource=missing)),
        pb.Command(resource=missing, expect=play),
        pb.Command(resource=missing, call=play),
    ):
        talk.refusal(talk.order(command), pb.Error.KIND_UNKNOWN_REFERENCE)
