"""`interop serve`: an implementation as an ordinary server, for any client."""

import queue
import signal
import subprocess
from collections.abc import Iterator

import grpc
import pytest

from project import SECONDS, Project

WORLD, HELLO_WORLD = b"\n\x05World", b"\n\x0cHello, World"


@pytest.fixture
def serving(project: Project) -> Iterator[subprocess.Popen[str]]:
    """`interop serve py`, on a port of the system's choice."""
    with project.start("serve", "py") as process:
        yield process
        process.kill()


@pytest.fixture
def channel(serving: subprocess.Popen[str]) -> Iterator[grpc.Channel]:
    """To the address that the first line names."""
    line = serving.stdout.readline()
    assert line.startswith("listening on 127.0.0.1:")
    with grpc.insecure_channel(line.split()[-1]) as channel:
        yield channel


def test_any_client_is_served(channel: grpc.Channel) -> None:
    """
    The first line of stdout says where it listens, and there the hand-written Greeter answers.
    """
    assert channel.unary_unary("/greeter.v1.Greeter/SayHello")(WORLD, timeout=SECONDS) == HELLO_WORLD


def test_a_service_without_an_application(project: Project, channel: grpc.Channel) -> None:
    """
    A method that nobody has written is UNIMPLEMENTED.
    """
    with pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary("/greeter.v1.Greeter/SayGoodbye")(WORLD, timeout=SECONDS)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_calls_in_flight_finish(serving: subprocess.Popen[str], channel: grpc.Channel, number: signal.Signals) -> None:
    """
    After Ctrl-C or SIGTERM a conversation that has begun goes on to its end; then the command ends with status 0.
    """
    said: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    answers = channel.stream_stream("/greeter.v1.Greeter/AllStream")(iter(said.get, None), timeout=SECONDS)
    said.put(b"\n\x05first")
    assert b"first" in next(answers)
    serving.send_signal(number)
    said.put(b"\n\x06second")
    assert b"second" in next(answers)
    said.put(None)
    assert list(answers) == [] and answers.code() is grpc.StatusCode.OK
    assert serving.wait(SECONDS) == 0
    assert "Traceback" not in serving.stderr.read()
