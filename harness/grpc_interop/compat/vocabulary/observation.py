"""Effects on the elements of a message when a version of the protos writes and another version reads."""

from enum import StrEnum
from typing import NamedTuple


class Version(StrEnum):
    """A version in a comparison."""

    BASE = "base"
    HEAD = "head"

    @property
    def other(self) -> "Version":
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
    """The role of the message in an RPC."""

    REQUEST = "request"
    RESPONSE = "response"
    MESSAGE = "message"  # no RPC: a program wrote the message and another read it, without a network


class Format(StrEnum):
    """How the message was encoded."""

    BINARY = "binary"
    JSON = "json"
    STRICT_JSON = "strict json"  # JSON whose reader refuses unknown fields
    PROTO_NAMES = "json by proto names"  # JSON whose writer calls fields by their proto names


class Deployment(StrEnum):
    """The side that is rolled out first. Readers and writers exchange messages without an RPC."""

    SERVERS_FIRST = "servers first"  # an old client calls a new server
    CLIENTS_FIRST = "clients first"  # a new client calls an old server
    READERS_FIRST = "readers first"  # head reads messages that base wrote
    WRITERS_FIRST = "writers first"  # base reads messages that head wrote


class ElementOutcome(StrEnum):
    """The outcome for an element, the worst last. REMOVED and the members after it describe RPCs."""

    PRESERVED = "preserved"
    RENAMED = "renamed"  # the value arrived, under another name
    IGNORED = "ignored"  # the reader does not have the element
    LOST = "lost"  # the reader has the element, but its value did not get there
    ALTERED = "altered"  # the reader has the element, with another value; or it has a value that was never sent
    REJECTED = "rejected"  # the reader refused the whole message
    ADDED = "added"
    REMOVED = "removed"
    KIND_CHANGED = "kind changed"


class OutcomeCause(StrEnum):
    """Why an outcome occurred, as far as the guarantee depends on it."""

    VALUE = "value"  # the types have no common value for it, or it differs for a reason without a rule
    PRESENCE = "presence"  # it was set to zero, and reads zero, but not as set
    DEFAULT = "default"  # it was not set, and reads as another default
    MISDELIVERED = "misdelivered"  # it arrived in another element
    NUMBER_REUSED = "number reused"  # its number belongs to a field of another family now
    UNSENT = "unsent"  # it arrived though nothing was sent
    ONEOF = "oneof"  # another member of its oneof was set after it
    UNKNOWN = "unknown"  # the reader does not know it
    KEPT = "kept"  # the reader does not know it but keeps it: an unknown field that would be written again, or an enum's number
    UNDECLARED = "undeclared"  # the number of an enum that neither version declares
    REQUIRED = "required"  # it is required by the reader and was missing
    UTF8 = "utf8"  # it is not UTF-8, which the reader demands
    NONE = ""  # nothing to explain


class Effect(NamedTuple):
    """The effect of an exchange on an element."""

    element: str
    outcome: ElementOutcome
    cause: OutcomeCause = OutcomeCause.NONE
    why: str = ""  # a clause for people: `the value does not fit into int32`
    sent: str = ""
    received: str = ""  # the value as text, or the reader's words where it was rejected


class Exchange(NamedTuple):
    """Which version wrote a message for which other version, and how."""

    flow: Flow
    role: MessageRole
    format: Format
    pair: str  # implementations as `writer:reader`; for an effect on an RPC as a whole `client:server`


class ObservedEffect(NamedTuple):
    """An effect, and the exchange in which it was observed."""

    exchange: Exchange
    effect: Effect
    example: object = None  # a record from which the player of the exchange can show and replay it


class Refusal(NamedTuple):
    """The reader refused the whole message."""

    words: str  # the runtime's words
    status: str = ""  # a gRPC code's name (`INTERNAL`), empty where no RPC was played

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
    """Return the order of deployment in which a message of this role flows this way. An effect on an RPC as a whole has the
    role and the flow of its requests."""
    return _RPC_DEPLOYMENTS[flow, role]
