"""Methods, steps, scripts and cases. Immutable data, no code of any language, no I/O.

The steps are the steps of the driver contract (proto/interop/driver/v1/driver.proto, message Step), with the messages in
place of references.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple, Protocol

from grpc_interop.core.endpoint import PLAIN, Endpoint
from grpc_interop.core.side import Side


class Kind(StrEnum):
    """The four kinds of gRPC method."""

    UNARY = "unary"
    SERVER_STREAMING = "server_streaming"
    CLIENT_STREAMING = "client_streaming"
    BIDI_STREAMING = "bidi_streaming"

    @property
    def client_streams(self) -> bool:
        return self in (Kind.CLIENT_STREAMING, Kind.BIDI_STREAMING)

    @property
    def server_streams(self) -> bool:
        return self in (Kind.SERVER_STREAMING, Kind.BIDI_STREAMING)


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC: `service` and the message types are full names without a leading dot."""

    service: str
    name: str
    kind: Kind
    request: str
    response: str

    @property
    def path(self) -> str:
        """Return `/greeter.v1.Greeter/SayHello`, as it travels."""
        return f"/{self.service}/{self.name}"


KEY_PREFIX, CASE_KEY = "x-interop-", "x-interop-case"
"""The beginning of the harness' own metadata keys, which drivers report unasked, and the key that drivers add."""


class Entry(NamedTuple):
    """A metadata entry; the key is in lower case."""

    key: str
    value: bytes


class Status(NamedTuple):
    """How an RPC ends."""

    code: int
    message: str | None = ""  # None where the runtime chooses the words itself, which nobody promises
    details: bytes = b""  # a serialised google.rpc.Status, or empty
    trailers: tuple[Entry, ...] = ()


OK = Status(0)


@dataclass(frozen=True, slots=True)
class Send:
    """Sends a message: its bytes, of the method's request type (client) or response type (server)."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Receive:
    """Takes the other side's next message, or the end."""


@dataclass(frozen=True, slots=True)
class ReceiveToEnd:
    """Takes all messages that are still to come, and the end."""


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Client: there will be no more messages."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Client: cancels the RPC. The last step of its lane."""


@dataclass(frozen=True, slots=True)
class SendHeaders:
    """Server: sends the initial metadata now; before any message, at most once."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ReceiveHeaders:
    """Client: waits for the initial metadata, or for the end."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Server: ends the RPC, once the other lane is done. The last step of its lane."""

    status: Status = OK


@dataclass(frozen=True, slots=True)
class Signal:
    """Tells the other side something outside the RPC; only after a receive in the same lane."""

    name: str


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Waits for a signal of that name that no earlier step took."""

    name: str


@dataclass(frozen=True, slots=True)
class WaitForTermination:
    """Server: waits until the RPC is ended from outside."""


Step = Send | Receive | ReceiveToEnd | HalfClose | Cancel | SendHeaders | ReceiveHeaders | Finish | Signal | WaitFor | WaitForTermination
Lane = tuple[Step, ...]
Script = tuple[Lane, ...]

PLAYERS = ("drivers", "programs")
"""The values of Case.player."""

MOST_EXAMPLES = 100_000
"""Random messages that a case may ask for: some seconds."""


class Declarations(Protocol):
    """The names that a proto tree declares. Each method raises KeyError for a name that the tree does not declare."""

    def method(self, service: str, name: str) -> Method: ...
    def file_of_service(self, service: str) -> str: ...
    def file_of_message(self, type_name: str) -> str: ...


@dataclass(frozen=True, slots=True)
class AnyCase(ABC):
    """A case of any kind. A kind is a subclass that answers these questions about itself, and an executor that plays it
    (engine/executors/)."""

    suite: str
    name: str

    @property
    @abstractmethod
    def executor(self) -> str:
        """The name of the executor that plays cases of this kind."""

    @property
    @abstractmethod
    def path(self) -> str:
        """The subject of the case, as reports name it: a path that begins with a slash."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """The kind of the subject, as reports name it."""

    @property
    def id(self) -> str:
        """`calls/greeter.v1.Greeter/AllStream/ping_pong_10`, `messages/greeter.v1.HelloRequest/values`."""
        return f"{self.suite}{self.path}/{self.name}"

    @property
    def why(self) -> str:
        """A sentence about what the case proves, for the reader of a report."""
        return ""

    @property
    def generated(self) -> bool:
        """Whether the case was made up by chance, so that a smaller case that fails in the same way says more."""
        return False

    @property
    def server_reports(self) -> bool:
        """Whether the server's side reports what it saw."""
        return True

    @property
    def covers_fields(self) -> bool:
        """Whether the messages of a passed case count as carried by its RPC."""
        return False

    @property
    def examples(self) -> tuple[bytes, ...]:
        """The messages that the case is about, if they are few."""
        return ()

    @property
    def rpc(self) -> "Case | None":
        """The case itself, if it is about an RPC."""
        return None

    @abstractmethod
    def type_seen_by(self, side: Side) -> str:
        """Return the full name of the message type that a side receives."""

    @abstractmethod
    def needs(self, side: Side) -> frozenset[str]:
        """Return the capabilities that the driver of a side needs."""

    @abstractmethod
    def file(self, protos: Declarations) -> str:
        """Return the name of the file that declares the subject. Raises KeyError."""

    @abstractmethod
    def is_declared_by(self, protos: Declarations) -> bool:
        """Return whether the protos declare the subject as the case knows it. Raises KeyError."""

    def endpoint(self, side: Side) -> Endpoint:
        """Return what the side's channel or server is made with."""
        return PLAIN

    def names(self) -> tuple[str, ...]:
        """Return all names in the case, which are shown to people."""
        return (self.suite, self.name)

    def flaw(self) -> str:
        """Return the value that no suite would give the case, if there is one."""
        return ""

    def as_it_is(self) -> "AnyCase":
        """Return the same case, not to be replaced by a smaller case if it fails."""
        return self


@dataclass(frozen=True, slots=True)
class Case(AnyCase):
    """A whole conversation: the method, the steps of each side, and the options of the call."""

    method: Method
    client: Script
    server: Script
    metadata: tuple[Entry, ...] = ()  # the request metadata
    timeout_us: int | None = None  # the client's deadline
    own_connection: bool = False  # the case may harm its connection, and shares it with no other case
    compression: str = ""
    why: str = ""
    extra_requires: frozenset[str] = field(default=frozenset())
    player: str = "drivers"  # or "programs": an implementation's hand-written programs
    spread_us: int = 0  # for programs: the least time between the first message and the last that the client may measure
    generated: bool = False
    client_endpoint: Endpoint = PLAIN  # the options that the channel and the server of this case are made with
    server_endpoint: Endpoint = PLAIN

    @property
    def executor(self) -> str:
        return "program" if self.player == "programs" else "rpc"

    @property
    def path(self) -> str:
        return self.method.path

    @property
    def kind(self) -> str:
        return self.method.kind.value

    @property
    def server_reports(self) -> bool:
        return self.player == "drivers"

    @property
    def covers_fields(self) -> bool:
        return self.player == "drivers"

    @property
    def rpc(self) -> "Case":
        return self

    def endpoint(self, side: Side) -> Endpoint:
        return self.client_endpoint if side is Side.CLIENT else self.server_endpoint

    def type_seen_by(self, side: Side) -> str:
        return self.method.request if side is Side.SERVER else self.method.response

    def file(self, protos: Declarations) -> str:
        return protos.file_of_service(self.method.service)

    def is_declared_by(self, protos: Declarations) -> bool:
        return protos.method(self.method.service, self.method.name) == self.method

    def names(self) -> tuple[str, ...]:
        method = self.method
        return (self.suite, self.name, method.service, method.name, method.request, method.response, self.compression)

    def flaw(self) -> str:
        return "" if self.player in PLAYERS else f"player = {self.player!r}"

    def as_it_is(self) -> "Case":
        return replace(self, generated=False)

    def own_keys(self) -> tuple[str, ...]:
        """Return the metadata keys, of either side, that drivers report only when they are asked to, sorted."""
        headers = (step.entries for step in steps(self.server) if isinstance(step, SendHeaders))
        trailers = (status.trailers for status in finishes(self.server))
        entries = (entry for sent in (self.metadata, *headers, *trailers) for entry in sent)
        return tuple(sorted({entry.key for entry in entries if not entry.key.startswith(KEY_PREFIX)}))

    def needs(self, side: Side) -> frozenset[str]:
        script = self.client if side is Side.CLIENT else self.server
        needs = set(self.extra_requires) | set(_step_needs(script)) | self.endpoint(side).requires()
        if self.own_keys():
            needs.add("report_metadata")
        if self.metadata:
            needs.add("metadata")
        if self.timeout_us is not None:
            needs.add("deadline")
        if self.compression:
            needs.add(f"compression:{self.compression}")
        if side is Side.CLIENT:
            for status in finishes(self.server):
                needs |= _status_needs(status)
            if any(isinstance(step, SendHeaders) for step in steps(self.server)):
                needs.add("metadata")
        return frozenset(needs)


@dataclass(frozen=True, slots=True)
class MessageCase(AnyCase):
    """Messages of a type, each carried without an RPC: the client's implementation reads it and writes it again, and the
    server's reads the result. `name` says which messages (messages/examples.py)."""

    type_name: str
    json: bool = False  # carried as ProtoJSON
    alike: bool = False  # the runtimes decide whether a message is valid, as long as both decide alike
    seed: int = 1  # of random messages
    count: int = 0  # how many random messages; 0: as many as the name has by default
    examples: tuple[bytes, ...] = ()  # the messages themselves, where they are few: such as a shrunk message that failed
    why: str = ""
    requires: frozenset[str] = field(default=frozenset())

    @property
    def executor(self) -> str:
        return "message"

    @property
    def path(self) -> str:
        """The type, written like a method's path."""
        return f"/{self.type_name}"

    @property
    def kind(self) -> str:
        return "message"

    def type_seen_by(self, side: Side) -> str:
        return self.type_name

    def needs(self, side: Side) -> frozenset[str]:
        return self.requires

    def file(self, protos: Declarations) -> str:
        return protos.file_of_message(self.type_name)

    def is_declared_by(self, protos: Declarations) -> bool:
        return bool(protos.file_of_message(self.type_name))

    def names(self) -> tuple[str, ...]:
        return (self.suite, self.name, self.type_name)

    def flaw(self) -> str:
        return "" if 0 <= self.count <= MOST_EXAMPLES else f"count = {self.count}"


KINDS: tuple[type[AnyCase], ...] = (Case, MessageCase)
"""The kinds of case that a replay text may hold, each under the name of its class."""


def steps(script: Script) -> Iterator[Step]:
    """Yield all steps of all lanes."""
    for lane in script:
        yield from lane


def finishes(script: Script) -> list[Status]:
    """Return the statuses with which a server's script ends the RPC: exactly 1, if the script keeps the grammar."""
    return [step.status for step in steps(script) if isinstance(step, Finish)]


def _status_needs(status: Status) -> set[str]:
    needs = set()
    if status.trailers:
        needs.add("trailers_on_ok" if status.code == 0 else "metadata")
    if status.details:
        needs.add("details")
    return needs


_NEEDS = {
    Cancel: "cancel",
    SendHeaders: "metadata",
    ReceiveHeaders: "metadata",
    Signal: "signals",
    WaitFor: "signals",
    WaitForTermination: "wait_for_termination",
}


def _step_needs(script: Script) -> Iterator[str]:
    if len(script) > 1:
        yield "lanes"
    for step in steps(script):
        if type(step) in _NEEDS:
            yield _NEEDS[type(step)]
        if isinstance(step, Finish):
            yield from _status_needs(step.status)
