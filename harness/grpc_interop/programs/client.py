"""A client program that plays a case: its input are the messages that the script sends, its output the messages received."""

import re
import subprocess
import threading
import time
from itertools import takewhile
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

from grpc_interop.core.case import Case, HalfClose, Receive, ReceiveToEnd, Send, Status, Step, steps
from grpc_interop.core.transcript import END, ClientTranscript, Observation
from grpc_interop.core.verdict import CODES
from grpc_interop.drivers.build import Launch
from grpc_interop.drivers.process import Process, ending, environment
from grpc_interop.net.relay import Relay
from grpc_interop.programs.templates import message, normalised, text

STEP_SECONDS = 15.0
"""Time until the next line of a client program, its start included: a second, and much more on a machine that builds other
languages at the same time."""

QUIET_SECONDS = 2.0
"""Time without output that must pass before a half-close which an answer has to wait for, since the client has sent its last
message (net/relay.py): a server that answers too early answers at once."""

MOST_LINES = 100
"""Lines after which an endless program is stopped."""

UNKNOWN = CODES.index("UNKNOWN")
_ERROR = re.compile(r"^error: ([A-Z_]+): ?(.*)$", re.MULTILINE)


class Client:
    """A run of a client program."""

    def __init__(self, case: Case, launch: Launch, target: str, folder: Path, log: Path) -> None:
        """Start the program, with its stderr in `log`."""
        self._case = case
        self._templates = [text(step.message) for step in steps(case.server) if isinstance(step, Send)]
        self._types = case.method.kind.client_streams
        self._relay = Relay(target) if _answer_waits_for_the_end(case) else None
        target = self._relay.target if self._relay else target
        self._started = time.monotonic()
        self._process = Process(
            [*launch.argv, *_arguments(case, target)], env=environment(launch.env), cwd=folder, log=log, pipe_stdout=True
        )
        self._printed = _Output(self._process)
        self._observed: list[Observation] = []
        self._times: list[float] = []
        self._early = 0

    def play(self, step_seconds: float = STEP_SECONDS) -> ClientTranscript:
        """Play the case's client script to its end, or until a step takes too long: then the transcript is aborted."""
        (lane,) = self._case.client
        status = None
        try:
            if not self._types:
                self._process.end_stdin()
            for step in lane:
                self._step(step, step_seconds)
            status = self._status(step_seconds)
        except (TimeoutError, subprocess.TimeoutExpired):
            pass  # said by a transcript without a status
        finally:
            elapsed = time.monotonic() - self._started
            self.kill()
        spread = self._times[-1] - self._times[0] if self._times else 0
        lanes = (tuple(self._observed),)
        return ClientTranscript(
            lanes, (), status, int(elapsed * 1e6), aborted=status is None, early=self._early, spread_us=int(spread * 1e6)
        )

    def kill(self) -> None:
        """End the program, if it has not ended."""
        self._process.kill()
        if self._relay:
            self._relay.close()

    def _step(self, step: Step, seconds: float) -> None:
        """Play a step. Raises TimeoutError."""
        if isinstance(step, Send):
            if self._types:
                self._type(text(step.message) + "\n")
        elif isinstance(step, HalfClose):
            if self._relay:
                sent = [text(step.message) for step in steps(self._case.client) if isinstance(step, Send)]
                self._relay.await_sent((sent or [""])[-1].encode(), seconds)
                time.sleep(QUIET_SECONDS)
                self._early = self._printed.count
            self._process.end_stdin()
        elif isinstance(step, Receive | ReceiveToEnd):
            while END not in self._observed:
                if len(self._observed) == MOST_LINES:
                    raise TimeoutError
                self._observe(self._printed.take(seconds))
                if isinstance(step, Receive):
                    break
        else:
            raise TypeError(f"{self._case.id}: a program cannot play {type(step).__name__}")

    def _type(self, line: str) -> None:
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the program has ended; its exit status tells why

    def _observe(self, line: "_PrintedLine") -> None:
        if line.text is None:
            self._observed.append(END)
            return
        at = len(self._observed)
        self._observed.append(message(normalised(line.text, self._templates, at)))
        self._times.append(line.at)

    def _status(self, seconds: float) -> Status:
        """Return the RPC's status by exit status and stderr. Raises subprocess.TimeoutExpired."""
        ended = self._process.wait(seconds)
        stderr = self._process.tail(50)
        errors = _ERROR.findall(stderr)
        if errors and ended == 1 and errors[-1][0] in CODES:
            name, words = errors[-1]
            return Status(CODES.index(name), words)
        if ended == 0 and not errors:
            return Status(0)
        last = stderr.splitlines()[-1:] or ["nothing"]
        return Status(UNKNOWN, f"the client program {ending(ended)} and said: {last[0]}")


class _PrintedLine(NamedTuple):
    text: str | None  # without its end; None at the end of the output
    at: float


class _Output:
    """The lines that a process prints, as they come."""

    def __init__(self, process: Process) -> None:
        self._lines: SimpleQueue[_PrintedLine] = SimpleQueue()
        self._stdout = process.take_stdout()
        self.count = 0  # lines so far
        threading.Thread(target=self._read, name="client program", daemon=True).start()

    def _read(self) -> None:
        with self._stdout as stdout:
            for line in stdout:
                self._lines.put(_PrintedLine(line.decode("utf-8", "replace").removesuffix("\n"), time.monotonic()))
                self.count += 1
        self._lines.put(_PrintedLine(None, time.monotonic()))

    def take(self, seconds: float) -> _PrintedLine:
        """Return the next line. Raises TimeoutError if no line comes in time."""
        try:
            return self._lines.get(timeout=seconds)
        except Empty:
            raise TimeoutError from None


def _arguments(case: Case, target: str) -> list[str]:
    """Return the arguments: `SayHello` is the command `say-hello`. A stream is typed in; a single request is an argument."""
    command = re.sub(r"(?<!^)(?=[A-Z])", "-", case.method.name).lower()
    timeout = [] if case.timeout_us is None else ["--timeout", str(case.timeout_us / 1e6)]
    given = [] if case.method.kind.client_streams else [text(step.message) for step in steps(case.client) if isinstance(step, Send)]
    return ["--target", target, *timeout, command, *given]


def _answer_waits_for_the_end(case: Case) -> bool:
    """Return whether the client half-closes before it has received anything."""
    (lane,) = case.client
    before = takewhile(lambda step: not isinstance(step, HalfClose), lane)
    return HalfClose() in lane and not any(isinstance(step, Receive | ReceiveToEnd) for step in before)
