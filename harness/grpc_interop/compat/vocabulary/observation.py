"""What is observed when one version of the protos writes and another reads: the words that everything here shares."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Version(StrEnum):
    """One of the two versions that are compared."""

    BASE = "base"
    HEAD = "head"

    @property
    def other(self) -> Version:
        return Version.HEAD if self is Version.BASE else Version.BASE


class Flow(StrEnum):
    """Which version wrote, and which read."""

    OLD_TO_NEW = "old to new"
    NEW_TO_OLD = "new to old"

    @property
    def writer(self) -> Version:
        return Version.BASE if self is Flow.OLD_TO_NEW else Version.HEAD

    @property
    def reader(self) -> Version:
        return self.writer.other


class MessageRole(StrEnum):
    """What the exchanged message was to an RPC; MESSAGE without any: it was written and read beside the network."""

    REQUEST = "request"
    RESPONSE = "response"
    MESSAGE = "message"


class Format(StrEnum):
    """How the message travelled. STRICT_JSON is read without ignoring unknown fields. In PROTO_NAMES, which is JSON too, the
    writer was told to call fields by their own names."""

    BINARY = "binary"
    JSON = "json"
    STRICT_JSON = "strict json"
    PROTO_NAMES = "json by proto names"


class Deployment(StrEnum):
    """What is rolled out first. SERVERS_FIRST: an old client meets a new server. CLIENTS_FIRST: a new client meets an old
    server. Of messages without RPC, READERS_FIRST: head reads what base wrote; WRITERS_FIRST: base reads what head wrote.
    """

    SERVERS_FIRST = "servers first"
    CLIENTS_FIRST = "clients first"
    READERS_FIRST = "readers first"
    WRITERS_FIRST = "writers first"


class ElementOutcome(StrEnum):
    """What became of an element, the worst last. REMOVED and those after it are of RPCs."""

    PRESERVED = "preserved"
    RENAMED = "renamed"
    """The value arrived, under another name."""
    IGNORED = "ignored"
    """The reader does not have the element."""
    LOST = "lost"
    """The reader has the element, but its value did not get there."""
    ALTERED = "altered"
    """The reader has the element, with another value; or it has a value that was never sent."""
    REJECTED = "rejected"
    """The reader took nothing of the message."""
    ADDED = "added"
    REMOVED = "removed"
    KIND_CHANGED = "kind changed"


class OutcomeCause(StrEnum):
    """Why an outcome is what it is, as far as the guarantee depends on it."""

    VALUE = "value"
    """The types have no common value for it, or what arrived differs for a reason that nobody foresaw."""
    PRESENCE = "presence"
    """It was set to zero, and reads zero, but not as set."""
    DEFAULT = "default"
    """It was not set, and reads as another default."""
    MISDELIVERED = "misdelivered"
    """It arrived in another element."""
    NUMBER_REUSED = "number reused"
    """Its number belongs to a field of another family now."""
    NAME_REUSED = "name reused"
    """Its JSON name belongs to a field of another family now."""
    UNSENT = "unsent"
    """It arrived though nothing was sent."""
    ONEOF = "oneof"
    """Another member of its oneof was set after it."""
    UNKNOWN = "unknown"
    """The reader does not know it."""
    KEPT = "kept"
    """The reader does not know it but keeps it: an unknown field that would be written again, or an enum's number."""
    UNDECLARED = "undeclared"
    """The number of an enum that neither version declares."""
    REQUIRED = "required"
    """It is required by the reader and was missing."""
    UTF8 = "utf8"
    """It is not UTF-8, which the reader demands."""
    NONE = ""
    """Nothing to explain."""


class Effect(NamedTuple):
    """What one exchange showed of one element. `why` is a sentence for people (`the value does not fit into int32`);
    `sent` and `received` are its values as text, `received` in the reader's words where it was rejected."""

    element: str
    outcome: ElementOutcome
    cause: OutcomeCause = OutcomeCause.NONE
    why: str = ""
    sent: str = ""
    received: str = ""


class Exchange(NamedTuple):
    """Who wrote what for whom. `pair` are the names of the implementations, `writer:reader`; of what is seen of an RPC as
    a whole `client:server`."""

    flow: Flow
    role: MessageRole
    format: Format
    pair: str


class ObservedEffect(NamedTuple):
    """Something seen in an exchange. `example` is whatever tells whoever played it how to show and replay it."""

    exchange: Exchange
    effect: Effect
    example: object = None


class Refusal(NamedTuple):
    """The reader took nothing of the message. `status` is a gRPC code's name (`INTERNAL`), empty where no RPC was played;
    `words` are the runtime's."""

    words: str
    status: str = ""

    def __str__(self) -> str:
        return f"{self.status}: {self.words}" if self.status and self.words else self.status or self.words


_RPC_DEPLOYMENTS = {
    (Flow.OLD_TO_NEW, MessageRole.REQUEST): Deployment.SERVERS_FIRST,
    (Flow.NEW_TO_OLD, MessageRole.RESPONSE): Deployment.SERVERS_FIRST,
    (Flow.NEW_TO_OLD, MessageRole.REQUEST): Deployment.CLIENTS_FIRST,
    (Flow.OLD_TO_NEW, MessageRole.RESPONSE): Deployment.CLIENTS_FIRST,
    (Flow.OLD_TO_NEW, MessageRole.MESSAGE): Deployment.READERS_FIRST,
    (Flow.NEW_TO_OLD, MessageRole.MESSAGE): Deployment.WRITERS_FIRST,
}


def deployment(flow: Flow, role: MessageRole) -> Deployment:
    """The order of deployment in which a message of this role flows this way. What is seen of an RPC as a whole has the
    role and the flow of its requests."""
    return _RPC_DEPLOYMENTS[flow, role]
