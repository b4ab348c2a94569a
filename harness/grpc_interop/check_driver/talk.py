"""A conversation with one driver process, a command at a time. Everything has a limit; nothing hangs."""

import select
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import TracebackType

from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.core.side import Side
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.build import Built
from grpc_interop.drivers.connection import Connection, ContractBroken
from grpc_interop.drivers.driver import CONTRACT, START_SECONDS, Driver
from grpc_interop.drivers.process import ending

ANSWER_SECONDS = 5.0
"""How long an answer may take. Drivers answer in milliseconds; a loaded machine has been seen to need a second."""

QUIET_SECONDS = 0.3
"""How long to listen for an event that must not come. Too short a time may miss a fault, but never invents any."""


PATIENCE_SECONDS = 1.0
"""How long to wait for a process to begin before a message: interpreters with large protos take that long."""


class Talk:
    """A process of the driver. `note` receives messages about long waits."""

    def __init__(
        self,
        built: Built,
        log: Path,
        ids: Iterator[int] | None = None,
        side: Side = Side.CLIENT,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._note = note
        self._ids = ids or count(1)
        self.driver = Driver(built, side, log, self._ids)
        self.log = log
        self._heard: list[pb.Event] = []

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self.driver.stop()

    # -- beginning -----------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Wait until the driver has connected."""
        begun = time.monotonic()
        noted = False
        while not select.select([self.driver.listener], [], [], 0.05)[0]:
            waited = time.monotonic() - begun
            if (status := self.driver.process.poll()) is not None:
                raise NotKept(f"it {ending(status)} before it connected; its last words:\n{self.driver.tail()}")
            if waited > START_SECONDS:
                raise NotKept(
                    f"it runs, but did not connect to the address in INTEROP_DRIVER_ADDRESS within {START_SECONDS:g} s{self._said()}"
                )
            if waited > PATIENCE_SECONDS and not noted:
                noted = True
                self._note(f"waiting for the driver to connect to the address in INTEROP_DRIVER_ADDRESS, for at most {START_SECONDS:g} s")
        self.driver.accept()

    def greet(self) -> pb.Hello:
        """Wait for Hello, and return it."""
        if not self._heard and not self._listen(PATIENCE_SECONDS):
            self._note(f"waiting for Hello on the connection, for at most {ANSWER_SECONDS:g} s")
            if not self._listen(ANSWER_SECONDS - PATIENCE_SECONDS):
                raise NotKept(
                    f"it connected and said nothing for {ANSWER_SECONDS:g} s; send Hello as a frame before anything is read, "
                    f"and flush it{self._said()}"
                )
        event = self._heard.pop(0)
        kind = event.WhichOneof("kind")
        if kind != "hello":
            raise NotKept(f"it said {kind or 'an event without content'} before Hello")
        if event.id != 0:
            raise NotKept(f"Hello has the id {event.id}; it answers nothing, so its id is 0")
        if event.hello.contract != CONTRACT:
            raise NotKept(f"it speaks version {event.hello.contract} of the contract; this harness speaks {CONTRACT}")
        return event.hello

    def begin(self) -> pb.Hello:
        """Wait for the connection and for Hello, and return Hello."""
        self.connect()
        return self.greet()

    # -- commands and answers ------------------------------------------------------------------------------------------

    def new_id(self) -> int:
        return next(self._ids)

    def order(self, command: pb.Command) -> int:
        """Send a command, with a new id unless it has an id, and return the id."""
        command_id = command.id or self.new_id()
        command.ClearField("id")
        self.driver.send(command.SerializeToString(), command_id)
        self._flush()
        return command_id

    def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._flush()
        self._connection.socket.send(data)

    def ask(self, command: pb.Command, kind: str, seconds: float = ANSWER_SECONDS) -> pb.Event:
        """Send a command, and return its answer. Raise NotKept for an answer of another kind."""
        return self.answer(self.order(command), kind, seconds)

    def answer(self, command_id: int, kind: str, seconds: float = ANSWER_SECONDS) -> pb.Event:
        """Return the answer to a command. Raise NotKept for an answer of another kind."""
        event = self.await_event(command_id, seconds)
        if event is None:
            raise NotKept(f"it did not answer command {command_id} for {seconds:g} s; expected {_article(kind)}")
        actual = event.WhichOneof("kind")
        if actual != kind:
            words = f" ({pb.Error.Kind.Name(event.error.kind)}: {event.error.text})" if actual == "error" else ""
            raise NotKept(f"it answered with {_article(actual or 'event without content')}{words}; expected {_article(kind)}")
        return event

    def transcript(self, play: int) -> pb.Transcript:
        """Wait until the play is reported, and return its transcript."""
        return self.answer(play, "transcript").transcript

    def refusal(self, command_id: int, *kinds: pb.Error.Kind) -> str:
        """Return the text of the error that answers a command. Raise NotKept for an error of another kind."""
        error = self.answer(command_id, "error").error
        if error.kind not in kinds:
            wanted = " or ".join(pb.Error.Kind.Name(kind) for kind in kinds)
            raise NotKept(f"it answered with {pb.Error.Kind.Name(error.kind)} ({error.text}); expected {wanted}")
        return error.text

    def await_event(self, command_id: int, seconds: float) -> pb.Event | None:
        """Return the next event with the id, or None after so many seconds."""
        limit = time.monotonic() + seconds
        while True:
            for event in self._heard:
                if event.id == command_id:
                    self._heard.remove(event)
                    return event
            if not self._listen(limit - time.monotonic()):
                return None

    def stays_quiet(self, command_id: int, command: str) -> None:
        """Raise NotKept if an event comes for the command, which `command` describes."""
        event = self.await_event(command_id, QUIET_SECONDS)
        if event is not None:
            raise NotKept(f"it answered {command} with {_article(event.WhichOneof('kind') or 'event without content')}; expected no answer")

    def is_alive(self) -> None:
        """Raise NotKept unless the driver still reads and answers."""
        nowhere = self.order(pb.Command(close=pb.Close(resource=self.new_id())))
        self.refusal(nowhere, pb.Error.KIND_UNKNOWN_REFERENCE)

    # -- the end -------------------------------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """Close the connection. The process notices by itself."""
        self._connection.close()

    def exit_status(self, seconds: float) -> int | None:
        """Return the exit status of the process, or None if it still runs after so many seconds."""
        limit = time.monotonic() + seconds
        while (status := self.driver.process.poll()) is None and time.monotonic() < limit:
            time.sleep(0.01)
        return status

    # -- the socket ----------------------------------------------------------------------------------------------------

    @property
    def _connection(self) -> Connection:
        if self.driver.connection is None:
            raise NotKept("it has not connected")
        return self.driver.connection

    def _listen(self, seconds: float) -> bool:
        """Read at least one event more. Return False when none comes in time."""
        limit = time.monotonic() + seconds
        events: list[pb.Event] = []
        while not events:
            if not select.select([self._connection.socket], [], [], max(0.0, limit - time.monotonic()))[0]:
                return False
            try:
                events = self._connection.readable()
            except ContractBroken as broken:
                raise NotKept(f"it {broken}") from None
            if self._connection.closed:
                raise NotKept(self._lost())
        self._heard.extend(events)
        return True

    def _flush(self) -> None:
        limit = time.monotonic() + ANSWER_SECONDS
        connection = self._connection
        while connection.wants_to_write:
            if not select.select([], [connection.socket], [], max(0.0, limit - time.monotonic()))[1]:
                raise NotKept(f"it has not read its connection for {ANSWER_SECONDS:g} s")
            connection.writable()

    def _said(self) -> str:
        """Return the process' last words, as the end of a sentence."""
        words = self.driver.tail()
        return f"; its last words:\n{words}" if words else f"; it printed nothing ({self.log})"

    def _lost(self) -> str:
        status = self.exit_status(1.0)
        how = ending(status) if status is not None else "closed its connection"
        return f"it {how}; its last words:\n{self.driver.tail()}"


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
