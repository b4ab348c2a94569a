"""Processes that never outlive the harness, not even when it is killed: each runs under a supervisor (supervisor.py)."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

SUPERVISOR = Path(__file__).with_name("supervisor.py")

PASSED_THROUGH = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ", "USER", "LOGNAME")
"""The variables of the user's environment that an implementation sees. Others could change the test: `http_proxy` makes grpcio
fail on 127.0.0.1, and GRPC_*, GOFLAGS or PYTHONPATH would leak in."""

GRACE_SECONDS = 5.0
"""How long a process may take to end when asked: a loaded machine needs seconds, and a hang must not last."""


def environment(extra: Mapping[str, str] | None = None, names: Sequence[str] = ()) -> dict[str, str]:
    """Return the reduced environment, with the user's variables `names` passed through and `extra` added. PATH begins with the
    folder of the harness' interpreter, so that a manifest's `python3` is this interpreter."""
    kept = {name: os.environ[name] for name in (*PASSED_THROUGH, *names) if name in os.environ}
    own = str(Path(sys.executable).parent)
    kept["PATH"] = own + os.pathsep + kept.get("PATH", os.defpath)
    return kept | dict(extra or {})


class Process:
    """A running command. Its stderr, and stdout unless piped, go to the log file: an orphan that holds a pipe would
    block its reader."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        pipe_stdout: bool = False,
    ) -> None:
        """Start it, with a pipe as stdin. Raises OSError when not even the supervisor starts."""
        self.argv = tuple(argv)
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)  # the tail must be this process' last words, not an earlier run's
        self._lifeline, theirs = socket.socketpair()
        command = [sys.executable, "-I", "-S", str(SUPERVISOR), str(theirs.fileno()), *argv]
        with theirs, log.open("ab") as output:
            self._supervisor = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if pipe_stdout else output,
                stderr=output,
                env=dict(env),
                cwd=cwd,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return the supervisor's process id; signals to it reach the command."""
        return self._supervisor.pid

    @property
    def stdin(self) -> IO[bytes]:
        assert self._supervisor.stdin is not None
        return self._supervisor.stdin

    @property
    def stdout(self) -> IO[bytes]:
        if self._supervisor.stdout is None:
            raise ValueError("stdout goes to the log; start the process with pipe_stdout")
        return self._supervisor.stdout

    def take_stdout(self) -> IO[bytes]:
        """Return its stdout for a thread that reads it and closes it at the end: a stream that another thread closes fails its
        reader half-way."""
        taken, self._supervisor.stdout = self.stdout, None
        return taken

    def poll(self) -> int | None:
        """Return the exit status (negative: the signal's number), or None while it runs."""
        return self._supervisor.poll()

    def wait(self, seconds: float | None = None) -> int:
        """Return the exit status. Raises subprocess.TimeoutExpired."""
        return self._supervisor.wait(seconds)

    def signal(self, number: int) -> None:
        """Send a signal to the command, unless it has ended."""
        if self.poll() is None:
            self._supervisor.send_signal(number)

    def stop(self, seconds: float = GRACE_SECONDS) -> int:
        """Ask it to end (end of stdin, then SIGTERM), kill it after `seconds`, and return the exit status."""
        self.end_stdin()
        self.signal(signal.SIGTERM)
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def end_stdin(self) -> None:
        try:
            self.stdin.close()
        except BrokenPipeError:
            pass

    def kill(self) -> int:
        """Kill the command with all its children, and return the exit status."""
        self.end_stdin()
        command = self._command_pid()
        self._lifeline.close()
        try:
            status = self.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            # The supervisor itself was stopped.
            for group in (self.pid, command):
                if group:
                    os.killpg(group, signal.SIGKILL)
            status = self.wait()
        self.close()
        return status

    def _command_pid(self) -> int:
        """Return the command's own process id, or 0 if the supervisor has not told it."""
        try:
            return int(self._lifeline.recv(32, socket.MSG_DONTWAIT) or 0)
        except OSError:
            return 0

    def close(self) -> None:
        """Close the pipes of a process that has ended."""
        self._lifeline.close()
        self.end_stdin()
        if self._supervisor.stdout is not None:
            self._supervisor.stdout.close()

    def tail(self, lines: int = 12) -> str:
        """Return the log's last lines."""
        return tail(self.log, lines)


def ending(status: int) -> str:
    """Return an exit status in words: `exited with status 3`, `was killed by SIGSEGV`."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


TAIL_BYTES = 16 * 1024
"""Bytes of a log that are read for its last lines: a driver may have written gigabytes."""


def tail(log: Path, lines: int) -> str:
    """Return the last lines of a file, or an empty text when it does not exist."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - TAIL_BYTES))
        text = file.read().decode("utf-8", "replace")
    return "\n".join(text.splitlines()[-lines:])
