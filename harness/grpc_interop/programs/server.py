"""A server program: its start, its address and its end."""

import re
import threading
from pathlib import Path
from queue import Empty, SimpleQueue

from grpc_interop.drivers.build import Launch
from grpc_interop.drivers.process import Process, ending, environment
from grpc_interop.programs.templates import INTERVAL_SECONDS

START_SECONDS = 15.0
"""Time in which a server program must listen: interpreters start slowly on a loaded machine."""

_LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)")


class ServerProgramError(Exception):
    """A server program does not serve, as the message describes; `log` is the path of its log."""

    def __init__(self, what: str, log: Path) -> None:
        super().__init__(what)
        self.log = log


class Server:
    """A running server program. `target` is its `host:port`."""

    def __init__(self, launch: Launch, folder: Path, log: Path) -> None:
        """Start the program and wait until it listens. Raises ServerProgramError."""
        argv = [*launch.argv, "--port", "0", "--interval", str(INTERVAL_SECONDS)]
        self.log = log
        self._process = Process(argv, env=environment(launch.env), cwd=folder, log=log, pipe_stdout=True)
        self._stdout = self._process.take_stdout()
        self._first: SimpleQueue[str] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="server program", daemon=True)
        self._reader.start()
        try:
            self.target = self._await_target()
        except ServerProgramError:
            self.stop()
            raise

    def _await_target(self) -> str:
        try:
            line = self._first.get(timeout=START_SECONDS)
        except Empty:
            raise ServerProgramError(f"the server program said nothing for {START_SECONDS:.0f} s", self.log) from None
        if listening := _LISTENING.fullmatch(line):
            return listening[1]
        if not line:
            raise ServerProgramError(f"the server program {ending(self._process.wait(START_SECONDS))} before it listened", self.log)
        said = f"the server program's first line is {line[:80]!r} instead of `listening on 127.0.0.1:PORT`"
        raise ServerProgramError(said, self.log)

    def _read(self) -> None:
        """Pass on the first line, and read all others so that the program never waits for a reader."""
        with self._stdout as stdout, self.log.open("ab") as log:
            self._first.put(stdout.readline().decode("utf-8", "replace").strip())
            for line in stdout:
                log.write(line)
                log.flush()

    @property
    def died(self) -> str:
        """A description of the program's own end; empty while it runs."""
        status = self._process.poll()
        return "" if status is None else ending(status)

    def stop(self) -> None:
        self._process.stop()
        self._reader.join(1)
        self._process.close()
