"""A running driver: its process, connection, capabilities and resources."""

import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

from grpc_interop.core.endpoint import PLAIN
from grpc_interop.core.side import Side
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.build import Built
from grpc_interop.drivers.connection import Connection, ContractBroken, varint
from grpc_interop.drivers.process import GRACE_SECONDS, Process, ending, environment, tail
from grpc_interop.drivers.resources import Resource, Resources
from grpc_interop.errors import BuildError
from grpc_interop.files import temporary
from grpc_interop.net.poller import Poller

CONTRACT = 1
"""The version of the driver contract that the harness speaks."""

START_SECONDS = 60.0
"""How long a driver may take until it is ready. Interpreters with large protos take seconds on a loaded machine."""

END_SECONDS = 1.0
"""How long a process may live on after its connection has ended, before it is killed."""

DUMP_SECONDS = 1.0
"""How long a driver gets to print its stacks before it is killed."""

MOST_DUMPS = 3
"""Stack dumps per driver: further dumps repeat the first ones and hide the rest of the log."""


class CannotServe(ContractBroken):
    """The driver refused to serve, in its own words; `kind` says why."""

    def __init__(self, error: pb.Error) -> None:
        super().__init__(f"cannot serve: {error.text}")
        self.kind = error.kind


class Driver:
    """One process. It is ready when it has said Hello and, as a server, listens."""

    def __init__(self, built: Built, side: Side, log: Path, ids: Iterator[int] | None = None, *, serve: pb.Serve | None = None) -> None:
        """Start the process. A server is then told to `serve`. Raises BuildError when there is nothing to start."""
        if built.driver is None:
            raise BuildError(f"{built.manifest.name}: neither its manifest nor its build names a driver")
        self.name = built.manifest.name
        self.side = side
        self.who = f"{self.name} {side}"  # in messages: "go server"
        self.log = log
        self.hello: pb.Hello | None = None
        self.capabilities: frozenset[str] = frozenset()
        self.most_in_flight = 0  # plays that it takes at once; 0: any number
        self.server: Resource | None = None
        self.gone = ""  # how it ended, once it has
        self.died = False  # whether it ended by itself
        self.incompatible = False  # whether it speaks another version of the contract, so that it was never meant for this harness
        self.started = time.monotonic()
        self.connection: Connection | None = None
        self.in_flight = 0  # number of plays under way
        self.load = 0  # their total weight
        self.examined = 0  # number of message cases that wait for its answers
        self.has_reported = False
        self.dumps = 0
        self._poller: Poller | None = None
        self._ids = ids or count(1)
        self._serve = serve or pb.Serve()
        self.debugged = built.manifest.debugged
        self.resources = Resources(self.order, self.send)
        self._dump_signal = built.manifest.stack_dump_signal
        self._folder = temporary.socket_folder()
        self.listener, address, token = _listen(self._folder)
        self._token = token
        env = {**built.driver.env, "INTEROP_DRIVER_ADDRESS": address}
        if token:
            env["INTEROP_DRIVER_TOKEN"] = token
        try:
            self.process = Process(built.driver.argv, env=environment(env), cwd=built.manifest.folder, log=log)
        except OSError as error:
            self._stop_listening()
            raise BuildError(f"{self.who}: cannot be started: {error}") from None

    @property
    def ready(self) -> bool:
        return self.hello is not None and not self.gone and (self.side is Side.CLIENT or bool(self.address))

    @property
    def address(self) -> str:
        """Return where its first server listens; empty until it does."""
        return self.server.address if self.server else ""

    @property
    def missing(self) -> str:
        """Return the step that a driver which is not ready has not done yet."""
        if self.connection is None:
            return "did not connect to the address in INTEROP_DRIVER_ADDRESS"
        return "connected, and did not say Hello" if self.hello is None else "said Hello, and did not serve"

    # -- talking -------------------------------------------------------------------------------------------------------

    def watch(self, poller: Poller, on_readable: "Callable[[Driver], None]") -> None:
        """Let the poller accept the connection, write queued commands, and report when the driver has something to say."""
        self._poller = poller
        poller.register(self.listener, partial(self._connect, poller, on_readable))

    def _connect(self, poller: Poller, on_readable: "Callable[[Driver], None]") -> None:
        connection = self.accept()
        poller.register(connection.socket, partial(on_readable, self), connection.writable)

    def accept(self) -> Connection:
        """Accept the driver's connection, and close the listener."""
        sock, _ = self.listener.accept()
        self._stop_listening()
        self.connection = Connection(sock)
        return self.connection

    def send(self, body: bytes, command_id: int, resource: int = 0) -> None:
        """Send a serialised Command. Its id and resource are written before it: protobuf merges the two parts."""
        if self.connection is None or self.gone:
            return
        head = b"\x08" + varint(command_id)
        if resource:
            head += b"\x10" + varint(resource)
        self.connection.send(head + body, command_id)

    def order(self, command: pb.Command) -> int:
        """Send a command with a new id, and return the id."""
        command_id = next(self._ids)
        self.send(command.SerializeToString(), command_id)
        return command_id

    def abort(self, play: int, *, if_not_arrived: bool = False) -> None:
        self.order(pb.Command(abort=pb.Abort(play=play, if_not_arrived=if_not_arrived)))

    def take_on(self, weight: int) -> None:
        """Count a case of that weight as under way."""
        self.in_flight += 1
        self.load += weight

    def take_off(self, weight: int) -> None:
        """Count it no longer."""
        self.in_flight -= 1
        self.load -= weight

    # -- starting and ending -------------------------------------------------------------------------------------------

    def take_setup(self, event: pb.Event) -> bool:
        """Take Hello, and the answers about servers and channels; return whether the event was such an answer. Raises ContractBroken."""
        kind = event.WhichOneof("kind")
        if self.hello is None:
            if kind != "hello":
                raise ContractBroken(f"said {kind or 'nothing'} before Hello")
            self._greet(event.hello)
            return True
        if kind == "hello":
            raise ContractBroken("said Hello twice")
        made = self.resources.take(event)
        if made is not None and made is self.server and made.error:
            raise CannotServe(made.error)
        return made is not None

    def _greet(self, hello: pb.Hello) -> None:
        if hello.contract != CONTRACT:
            self.incompatible = True
            raise ContractBroken(f"speaks version {hello.contract} of the driver contract; this harness speaks {CONTRACT}")
        if self._token and hello.token != self._token:
            raise ContractBroken("does not know the token")
        self.hello = hello
        self.capabilities = frozenset(hello.capabilities)
        self.most_in_flight = hello.max_plays
        if self.side is Side.SERVER:
            self.server = self.resources.server(PLAIN, self._serve)

    def dump_stacks(self) -> bool:
        """Ask the process to print its stacks to its log. Return False when it cannot be asked, or was asked often enough."""
        number = getattr(signal, self._dump_signal, None)
        if number is None or self.dumps >= MOST_DUMPS:
            return False
        self.dumps += 1
        self.process.signal(number)
        return True

    def end(self, why: str = "") -> str:
        """End the process at once, and return how it ended: `why`, or the way in which it had ended by itself."""
        if self.gone:
            return self.gone
        self.died = not why
        if not why:
            try:
                why = ending(self.process.wait(END_SECONDS))
            except subprocess.TimeoutExpired:
                why = "closed its connection, and was then killed"
        self.gone = why
        self._let_go()
        self.process.kill()
        return why

    def stop(self, seconds: float = GRACE_SECONDS) -> None:
        """End the process in order: the end of its stdin asks it to end. Kill it after `seconds`."""
        if self.gone:
            return
        self.gone = "was stopped"
        self._let_go()
        self.process.stop(seconds)
        self.process.close()

    def ask_to_stop(self) -> None:
        """Do the first half of `stop`, so that several drivers can end at the same time."""
        if not self.gone:
            self.process.end_stdin()

    def tail(self, lines: int = 12) -> str:
        return tail(self.log, lines)

    def _let_go(self) -> None:
        self._stop_listening()
        if self.connection is not None:
            if self._poller:
                self._poller.unregister(self.connection.socket)
            self.connection.close()

    def _stop_listening(self) -> None:
        if self._poller:
            self._poller.unregister(self.listener)
        self.listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _listen(folder: Path) -> tuple[socket.socket, str, str]:
    """Return a listening socket, its address as the contract writes it, and the token that TCP needs."""
    if hasattr(socket, "AF_UNIX"):
        listener = socket.socket(socket.AF_UNIX)
        path = str(folder / "socket")
        listener.bind(path)
        address, token = f"unix:{path}", ""
    else:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        address, token = f"tcp:127.0.0.1:{listener.getsockname()[1]}", secrets.token_urlsafe(24)
    listener.listen(1)
    listener.setblocking(False)
    return listener, address, token
