"""The driver keeps the contract beside the plays: frames, errors, resources, its own beginning and end."""

import signal
import socket
import time
from collections.abc import Callable

import pytest

from driver_process import PATIENCE_S, DriverProcess, varint
from grpc_interop.drivers import driver_pb2 as pb
from plays import BIDI, HALF_CLOSE, RECEIVE, TO_END, UNARY, Stage, finish, play, seen
from plays import signal as signal_step
from py_builds import Built

MIB = 1 << 20
REQUEST = "greeter.v1.HelloRequest"


def error_of(driver: DriverProcess, command: int) -> tuple[str, str]:
    """Kind and words of the error that answers a command."""
    error = driver.event(command).error
    return pb.Error.Kind.Name(error.kind).removeprefix("KIND_"), error.text


def name_of(size: int) -> bytes:
    """A HelloRequest with a name of this many bytes (at least 16 Ki, less than 256 Mi)."""
    return b"\n" + varint(size) + b"x" * size


class TestHello:
    def test_tells_versions_and_brings_the_token(self, pair: tuple[DriverProcess, DriverProcess]) -> None:
        hello = pair[0].hello

        assert hello.contract == 1
        assert hello.token == "secret"
        assert hello.versions["language"].startswith("python 3.")
        assert {"grpc", "protobuf"} <= set(hello.versions)
        assert {"lanes", "signals", "view", "compression:gzip"} <= set(hello.capabilities)
        assert "distinguishes_cancel" not in hello.capabilities


class TestFrames:
    def test_commands_may_arrive_in_any_pieces(self, driver: DriverProcess) -> None:
        command = pb.Command(id=9000, transcode=pb.Transcode(type=REQUEST, data=b"\n\x01a")).SerializeToString()
        for byte in varint(len(command)) + command:
            driver.socket.sendall(bytes([byte]))

        assert driver.event(9000).transcoded.binary == b"\n\x01a"

    def test_large_messages_travel_in_parts_both_ways(self, driver: DriverProcess) -> None:
        data = name_of(3 * MIB)
        command = pb.Command(id=9000, transcode=pb.Transcode(type=REQUEST, data=data)).SerializeToString()
        for start in range(0, len(command), MIB // 2):
            more = start + MIB // 2 < len(command)
            driver.send(pb.Command(id=9000, part=command[start : start + MIB // 2], more=more).SerializeToString())

        assert driver.event(9000).transcoded.binary == data

    def test_a_last_part_may_be_empty(self, driver: DriverProcess) -> None:
        command = pb.Command(id=9000, transcode=pb.Transcode(type=REQUEST)).SerializeToString()
        driver.send(pb.Command(id=9000, part=command, more=True).SerializeToString())
        driver.send(pb.Command(id=9000).SerializeToString())

        assert driver.event(9000).HasField("transcoded")

    def test_reads_on_while_nobody_reads_what_it_writes(self, greeter: Built, start: Callable[[Built], DriverProcess]) -> None:
        """Answers pile up; still the driver takes every command, and sends all answers in the end."""
        driver = start(greeter)
        driver.pause_reading()
        data = name_of(MIB // 2)
        commands = [driver.command(transcode=pb.Transcode(type=REQUEST, data=data)) for _ in range(40)]
        driver.resume_reading()

        assert all(len(driver.event(command).transcoded.binary) == len(data) for command in commands)

    def test_garbage_ends_the_driver_with_words(self, driver: DriverProcess) -> None:
        driver.socket.sendall(varint(5) + b"\xff\xff\xff\xff\xff")

        assert driver.process.wait(PATIENCE_S) != 0
        assert "not a Command" in driver.log.read_text()

    def test_a_frame_that_is_too_long_ends_the_driver_with_words(self, driver: DriverProcess) -> None:
        driver.socket.sendall(varint(MIB + 1))

        assert driver.process.wait(PATIENCE_S) != 0
        assert "1048576 bytes" in driver.log.read_text()


class TestErrors:
    def test_what_it_lacks_it_refuses_by_name(self, stage: Stage) -> None:
        command = stage.client.command(requires=["metadata", "teleport"], dial=pb.Dial(target=stage.address))

        assert error_of(stage.client, command) == ("UNSUPPORTED", "this driver lacks: teleport")

    def test_an_op_that_it_does_not_know(self, stage: Stage) -> None:
        assert error_of(stage.client, stage.client.command())[0] == "UNKNOWN_COMMAND"

    def test_a_step_that_it_does_not_know(self, stage: Stage) -> None:
        assert "a step is of a kind" in error_of(stage.server, stage.expect(UNARY, [[pb.Step()]]))[1]

    def test_payloads_that_cannot_be_read(self, stage: Stage) -> None:
        truncated = stage.client.payload(REQUEST, b"\n\x05Wo")
        unknown = stage.client.payload("no.such.Message", b"")

        kind, text = error_of(stage.client, truncated)
        assert (kind, REQUEST in text) == ("UNREADABLE_PAYLOAD", True)
        kind, text = error_of(stage.client, unknown)
        assert (kind, "no.such.Message" in text) == ("UNREADABLE_PAYLOAD", True)

    def test_references_to_nothing(self, stage: Stage) -> None:
        nowhere = 1 << 40
        method = stage.expect("/greeter.v1.Greeter/Nope", [[finish()]])
        payload = stage.expect(BIDI, [[pb.Step(send=nowhere), finish()]])
        server = stage.server.command(resource=nowhere, expect=play(BIDI, [[finish()]]))
        channel = stage.client.command(resource=nowhere, call=play(BIDI, [[HALF_CLOSE, TO_END]]))
        closed = stage.client.command(close=pb.Close(resource=nowhere))

        assert error_of(stage.server, method)[0] == "UNKNOWN_REFERENCE"
        assert error_of(stage.server, payload) == ("UNKNOWN_REFERENCE", f"no payload {nowhere}")
        assert error_of(stage.server, server)[0] == "UNKNOWN_REFERENCE"
        assert error_of(stage.client, channel)[0] == "UNKNOWN_REFERENCE"
        assert error_of(stage.client, closed)[0] == "UNKNOWN_REFERENCE"

    def test_a_port_in_use_is_refused(self, stage: Stage) -> None:
        port = int(stage.address.rpartition(":")[2])
        command = stage.server.command(serve=pb.Serve(port=port))

        kind, text = error_of(stage.server, command)
        assert (kind, f"127.0.0.1:{port}" in text) == ("REFUSED", True)


class TestClose:
    def test_a_payload(self, stage: Stage) -> None:
        step = stage.reply("a")
        done = stage.server.command(close=pb.Close(resource=step.send))

        assert stage.server.event(done).HasField("done")
        assert error_of(stage.server, stage.expect(BIDI, [[step, finish()]]))[0] == "UNKNOWN_REFERENCE"

    def test_a_server_gracefully(self, stage: Stage) -> None:
        case = stage.expect(BIDI, [[RECEIVE, signal_step("received"), RECEIVE, finish()]])
        stage.call(case, BIDI, [[stage.send("a"), pb.Step(wait_for="go"), stage.send("b"), HALF_CLOSE, TO_END]])
        assert stage.server.event(case).signal.name == "received"
        close = stage.server.command(close=pb.Close(resource=stage.served, graceful=True))
        assert stage.server.silent(close)
        stage.client.command(signal=pb.Signal(play=case, name="go"))
        client, server = stage.transcripts(case)

        assert client.status.code == 0
        assert seen(server) == [["a", "b"]]
        assert stage.server.event(close).HasField("done")

    def test_a_server_at_once(self, stage: Stage) -> None:
        case = stage.expect(BIDI, [[RECEIVE, signal_step("received"), RECEIVE, finish()]])
        stage.call(case, BIDI, [[stage.send("a"), TO_END]])
        assert stage.server.event(case).signal.name == "received"
        close = stage.server.command(close=pb.Close(resource=stage.served))
        assert stage.server.event(close).HasField("done")
        client, server = stage.transcripts(case)

        assert client.status.code != 0
        # grpcio shows a handler the end of a call as the end of its messages, at times or always (grpc/grpc#33038).
        assert seen(server) in ([["a", "<terminated>"]], [["a", "<end>"]])

    @pytest.mark.parametrize("graceful", [True, False], ids=["graceful", "hard"])
    def test_a_channel(self, stage: Stage, graceful: bool) -> None:
        case = stage.expect(BIDI, [[signal_step("arrived"), pb.Step(wait_for="go"), finish()]])
        stage.call(case, BIDI, [[TO_END]])
        assert stage.server.event(case).signal.name == "arrived"
        close = stage.client.command(close=pb.Close(resource=stage.channel, graceful=graceful))
        assert stage.client.silent(close) == graceful
        stage.server.command(signal=pb.Signal(play=case, name="go"))
        client, _ = stage.transcripts(case)

        assert (client.status.code == 0) == graceful
        if graceful:
            assert stage.client.event(close).HasField("done")


class TestProcess:
    @pytest.fixture
    def busy(self, driver: DriverProcess) -> DriverProcess:
        """A driver with a call of its own that waits for a script that never comes."""
        _, address = driver.serve()
        driver.command(resource=driver.dial(address), call=play(BIDI, [[TO_END]]))
        time.sleep(0.2)
        return driver

    def test_ends_with_its_stdin(self, busy: DriverProcess) -> None:
        busy.stop()

    def test_ends_with_the_connection(self, busy: DriverProcess) -> None:
        busy.socket.shutdown(socket.SHUT_RDWR)

        assert busy.process.wait(PATIENCE_S) == 0

    def test_prints_its_stacks_when_asked(self, busy: DriverProcess) -> None:
        busy.process.send_signal(signal.SIGQUIT)
        deadline = time.monotonic() + PATIENCE_S
        while "client.py" not in busy.log.read_text():
            assert time.monotonic() < deadline, busy.log.read_text()
            time.sleep(0.05)

        assert busy.process.poll() is None
