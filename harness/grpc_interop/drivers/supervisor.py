"""Run a command that must not outlive the harness. process.py starts this file in an interpreter of its own; it imports the
standard library only.

    python -I -S supervisor.py LIFELINE_FD COMMAND [ARG...]

LIFELINE_FD is an end of a socket whose other end only the harness holds; the command's pid is written to it. When the
harness ends, in any way, the socket ends, and the command is killed with all its children. When the command ends, the
rest of its process group is killed too, and the supervisor ends in the same way as the command.
"""

import os
import select
import signal
import socket
import sys

FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGABRT)


def main() -> None:
    lifeline = socket.socket(fileno=int(sys.argv[1]))
    lifeline.set_inheritable(False)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # A signal that comes before the handlers stand would end the supervisor alone, and leave the command behind.
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    command = sys.argv[2:]
    try:
        child = os.posix_spawnp(command[0], command, os.environ, setpgroup=0, setsigmask=())
    except OSError as error:
        print(f"cannot start {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127)
    for number in FORWARDED:
        signal.signal(number, lambda received, _: _send(child, received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    try:
        lifeline.sendall(b"%d\n" % child)
    except BrokenPipeError:
        # The harness has gone already; _wait will see it.
        pass
    status = _wait(child, lifeline.fileno(), woken)
    _send_group(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code not in (signal.SIGKILL, signal.SIGSTOP) else None
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


def _wait(child: int, lifeline: int, woken: int) -> int:
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        for fd, _ in poll.poll():
            if fd == woken:
                os.read(woken, 512)
            else:
                _send_group(child, signal.SIGKILL)
                return os.waitpid(child, 0)[1]


def _send(child: int, number: int) -> None:
    try:
        os.kill(child, number)
    except ProcessLookupError:
        pass


def _send_group(child: int, number: int) -> None:
    try:
        os.killpg(child, number)
    except (ProcessLookupError, PermissionError):
        pass


if __name__ == "__main__":
    main()
