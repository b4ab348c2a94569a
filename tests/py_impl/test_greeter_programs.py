"""The hand-written Greeter programs do what the tutorial says, when things go wrong, too."""

import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from queue import SimpleQueue

import grpc
import pytest

from driver_process import PATIENCE_S, DriverProcess
from plays import BIDI, SERVER_STREAM, UNARY
from py_builds import Built


@dataclass
class Program:
    """A running program whose output can be awaited line by line."""

    process: subprocess.Popen[str]

    def __post_init__(self) -> None:
        self.lines: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def line(self) -> str:
        """The next line; empty at the end."""
        return self.lines.get(timeout=PATIENCE_S)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put("")


@dataclass(frozen=True)
class Greeter:
    """The programs of a build."""

    built: Built
    running: ExitStack

    def start(self, side: str, *arguments: str, stderr: int | None = None) -> Program:
        process = subprocess.Popen(
            [*self._argv(side), *arguments],
            env=self.built.answer["programs"][f"greeter-{side}"]["env"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        self.running.enter_context(process)
        self.running.callback(process.kill)
        return Program(process)

    def serve(self, *arguments: str) -> tuple[Program, str]:
        server = self.start("server", "--port", "0", *arguments)
        return server, server.line().removeprefix("listening on ")

    def call(self, target: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._argv("client"), "--target", target, *arguments],
            env=self.built.answer["programs"]["greeter-client"]["env"],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def _argv(self, side: str) -> list[str]:
        return list(self.built.answer["programs"][f"greeter-{side}"]["argv"])


@pytest.fixture
def programs(greeter: Built) -> Iterator[Greeter]:
    with ExitStack() as running:
        yield Greeter(greeter, running)


class TestMethods:
    def test_say_hello(self, programs: Greeter) -> None:
        server, target = programs.serve()
        answer = programs.call(target, "say-hello", "World")

        assert (answer.stdout, answer.stderr, answer.returncode) == ("Hello, World\n", "", 0)
        assert server.line() == "SayHello World"

    def test_get_stream(self, programs: Greeter) -> None:
        server, target = programs.serve("--interval", "0.01")
        lines = programs.call(target, "get-stream", "ETH").stdout.splitlines()

        assert [line.split()[:2] for line in lines] == [["ETH", f"{tick}/10"] for tick in range(1, 11)]
        assert all(re.fullmatch(r"\d+\.\d\d", line.split()[2]) for line in lines)
        assert server.line() == "GetStream ETH"

    def test_ticks_come_one_by_one_the_first_at_once(self, programs: Greeter) -> None:
        _, target = programs.serve("--interval", "0.2")
        began = time.monotonic()
        client = programs.start("client", "--target", target, "get-stream", "ETH")
        times = []
        while client.line():
            times.append(time.monotonic() - began)

        assert times[-1] - times[0] > 9 * 0.2 * 0.9
        assert times[0] < times[-1] / 2

    @pytest.mark.parametrize(("items", "answer"), [([], "0 items"), (["a"], "1 items, last a"), (["a", "b"], "2 items, last b")])
    def test_put_stream(self, programs: Greeter, items: list[str], answer: str) -> None:
        _, target = programs.serve()

        assert programs.call(target, "put-stream", *items).stdout == f"{answer}\n"

    def test_put_stream_from_stdin(self, programs: Greeter) -> None:
        _, target = programs.serve()

        assert programs.call(target, "put-stream", stdin="a\nb c\n").stdout == "2 items, last b c\n"

    def test_all_stream(self, programs: Greeter) -> None:
        server, target = programs.serve()

        assert programs.call(target, "all-stream", "a", "b").stdout == "echo a\necho b\n"
        assert [server.line(), server.line()] == ["AllStream a", "AllStream b"]

    def test_all_stream_answers_while_the_client_still_talks(self, programs: Greeter) -> None:
        _, target = programs.serve()
        client = programs.start("client", "--target", target, "all-stream")
        assert client.process.stdin is not None
        for word in ("one", "two"):
            client.process.stdin.write(f"{word}\n")
            client.process.stdin.flush()
            assert client.line() == f"echo {word}"
        client.process.stdin.close()

        assert client.line() == ""
        assert client.process.wait(PATIENCE_S) == 0


class TestEnds:
    def test_a_failed_rpc_prints_its_code_and_fails(self, programs: Greeter) -> None:
        with socket.socket() as nobody_listens:
            nobody_listens.bind(("127.0.0.1", 0))
            answer = programs.call(f"127.0.0.1:{nobody_listens.getsockname()[1]}", "say-hello", "World")

        assert answer.stdout == ""
        assert answer.stderr.startswith("error: UNAVAILABLE: ")
        assert answer.returncode == 1

    def test_a_deadline(self, programs: Greeter) -> None:
        _, target = programs.serve("--interval", "30")
        answer = programs.call(target, "--timeout", "1", "get-stream", "ETH")

        assert answer.stdout.startswith("ETH 1/10 ")
        assert answer.stderr.startswith("error: DEADLINE_EXCEEDED: ")
        assert answer.returncode == 1

    def test_a_call_that_ended_does_not_wait_for_a_line(self, programs: Greeter) -> None:
        _, target = programs.serve()
        client = programs.start("client", "--target", target, "--timeout", "0.5", "all-stream")  # whose stdin stays open

        assert client.process.wait(PATIENCE_S) == 1

    def test_ctrl_c_ends_a_client_without_a_traceback(self, programs: Greeter) -> None:
        _, target = programs.serve()
        client = programs.start("client", "--target", target, "get-stream", "ETH")
        assert client.line().startswith("ETH 1/10 ")
        client.process.send_signal(signal.SIGINT)

        assert client.process.wait(PATIENCE_S) == 130

    def test_a_port_that_cannot_be(self, programs: Greeter) -> None:
        server = programs.start("server", "--port", "99999")

        assert server.line() == ""
        assert server.process.wait(PATIENCE_S) == 2

    def test_a_port_in_use(self, programs: Greeter) -> None:
        _, target = programs.serve()
        second = programs.start("server", "--port", target.rpartition(":")[2], stderr=subprocess.PIPE)

        assert second.line() == ""
        assert second.process.wait(PATIENCE_S) == 1
        said = f"error: cannot listen on {target}: address already in use; choose another port with --port\n"
        assert second.process.stderr.read() == said

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_call_in_flight_finishes_when_the_server_is_stopped(self, programs: Greeter, number: signal.Signals) -> None:
        server, target = programs.serve("--interval", "0.1")
        client = programs.start("client", "--target", target, "get-stream", "ETH")
        lines = [client.line()]
        server.process.send_signal(number)
        while line := client.line():
            lines.append(line)

        assert len(lines) == 10
        assert client.process.wait(PATIENCE_S) == 0
        assert server.process.wait(PATIENCE_S) == 0

    def test_a_cancelled_call_does_not_hold_up_the_stop(self, programs: Greeter) -> None:
        """The handler notices the cancel instead of sleeping through its interval."""
        server, target = programs.serve("--interval", "600")
        client = programs.start("client", "--target", target, "get-stream", "ETH")
        assert client.line().startswith("ETH 1/10 ")
        client.process.kill()
        client.process.wait(PATIENCE_S)
        server.process.terminate()

        assert server.process.wait(PATIENCE_S) == 0

    def test_an_idle_stream_holds_the_stop_only_as_long_as_its_client(self, programs: Greeter) -> None:
        server, target = programs.serve()
        client = programs.start("client", "--target", target, "all-stream", *[])
        assert client.process.stdin is not None
        client.process.stdin.write("a\n")
        client.process.stdin.flush()
        assert client.line() == "echo a"
        server.process.terminate()
        client.process.stdin.write("b\n")
        client.process.stdin.close()

        assert client.line() == "echo b"
        assert server.process.wait(PATIENCE_S) == 0


class TestAsApplication:
    def test_the_driver_serves_the_same_greeter_to_calls_without_a_case(
        self, greeter: Built, start: Callable[[Built], DriverProcess]
    ) -> None:
        driver = start(greeter)
        _, address = driver.serve(application=True)
        with grpc.insecure_channel(address) as channel:
            assert channel.unary_unary(UNARY)(b"\n\x01x") == b"\n\x08Hello, x"
            assert list(channel.stream_stream(BIDI)(iter([b"\n\x01x"]))) == [b"\n\x06echo x"]
            ticks = channel.unary_stream(SERVER_STREAM)(b"\n\x01x")
            assert next(ticks)[2:].startswith(b"x 1/10 ")
            ticks.cancel()
