"""Processes that never outlive the harness, not even when it is killed: each runs under a supervisor (supervisor.py)."""

from __future__ import annotations

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
"""What an implementation sees of the user's environment. All else could change what is tested: `http_proxy` makes
grpcio fail on 127.0.0.1, and GRPC_*, GOFLAGS or PYTHONPATH would leak in."""

GRACE_SECONDS = 5.0
"""How long a process may take to end after it was asked to: a loaded machine needs seconds, a hang needs an end."""


def environment(extra: Mapping[str, str] | None = None, names: Sequence[str] = ()) -> dict[str, str]:
    """The scrubbed environment, with `names` of the user's handed through and `extra` added. PATH begins with the
    folder of the harness' own interpreter, so that a manifest's `python3` is the one that runs the harness."""
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
        """Starts it, with a pipe as stdin. Raises OSError when not even the supervisor starts."""
        self.argv = tuple(argv)
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)  # its tail is shown as this process' last words, not those of an earlier run's
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
        """The supervisor's process id; signals sent to it reach the command."""
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
        """Its stdout for a thread that reads on, and closes it at the end: what another thread closes under a reader fails
        it half-way."""
        taken, self._supervisor.stdout = self.stdout, None
        return taken

    def poll(self) -> int | None:
        """The exit status (negative: the signal's number), or None while it runs."""
        return self._supervisor.poll()

    def wait(self, seconds: float | None = None) -> int:
        """The exit status; raises subprocess.TimeoutExpired."""
        return self._supervisor.wait(seconds)

    def signal(self, number: int) -> None:
        """Sends a signal to the command; nothing if it has ended."""
        if self.poll() is None:
            self._supervisor.send_signal(number)

    def stop(self, seconds: float = GRACE_SECONDS) -> int:
        """Asks it to end (end of stdin, then SIGTERM), kills it after `seconds`, and gives the exit status."""
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
        """Kills the command with all its children, and gives the exit status."""
        self.end_stdin()
        command = self._command_pid()
        self._lifeline.close()
        try:
            status = self.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            # Somebody stopped the supervisor itself.
            for group in (self.pid, command):
                if group:
                    os.killpg(group, signal.SIGKILL)
            status = self.wait()
        self.close()
        return status

    def _command_pid(self) -> int:
        """The command's own process id, as the supervisor tells it; 0 if it has not."""
        try:
            return int(self._lifeline.recv(32, socket.MSG_DONTWAIT) or 0)
        except OSError:
            return 0

    def close(self) -> None:
        """Lets go of the pipes of a process that has ended."""
        self._lifeline.close()
        self.end_stdin()
        if self._supervisor.stdout is not None:
            self._supervisor.stdout.close()

    def tail(self, lines: int = 12) -> str:
        """The log's last lines."""
        return tail(self.log, lines)


def ending(status: int) -> str:
    """An exit status in words: `exited with status 3`, `was killed by SIGSEGV`."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


TAIL_BYTES = 16 * 1024
"""How much of a log is read for its last lines: a driver may have written gigabytes."""


def tail(log: Path, lines: int) -> str:
    """The last lines of a file, or an empty text when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - TAIL_BYTES))
        text = file.read().decode("utf-8", "replace")
    return "\n".join(text.splitlines()[-lines:])
