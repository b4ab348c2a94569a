"""The observations of a side in an RPC. Immutable data; the counterpart of message Transcript in the driver contract."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from grpc_interop.core.case import Entry, Status


class Token(Enum):
    """An observation that is not a message."""

    END = "end"  # no more messages. At a client: the status is known. At a server: the client half-closed.
    TERMINATED = "terminated"  # at a server: the RPC was ended from outside (cancel, deadline, lost connection)


END = Token.END
TERMINATED = Token.TERMINATED

Observation = bytes | Token
"""A message, as the receiver's runtime writes it again; or a token."""

Observed = tuple[Observation, ...]
"""The observations of a lane, in order."""


class View(NamedTuple):
    """A message as a program of the driver's language sees it, through reflection."""

    fields: "Mapping[int, tuple[int | bytes | View, ...]]"
    """By field number. A number is an int, a floating-point number the bits of a double, a text its bytes; the keys and values
    of a map alternate."""
    unknown: bytes = b""  # the fields that the message's type does not declare


class ClientTranscript(NamedTuple):
    """The client's observations."""

    lanes: tuple[Observed, ...]
    initial: tuple[Entry, ...]  # the initial metadata
    status: Status | None  # None only when the play was stopped before the RPC ended
    elapsed_us: int = 0  # the duration of the RPC
    aborted: bool = False  # the play was stopped
    early: int = 0  # messages that came before the half-close, where the script receives none; only programs (Case.player) measure it
    spread_us: int = 0  # the time between the first message and the last; only programs measure it
    views: tuple[View, ...] = ()  # views of the messages, in their order
    done_us: tuple[tuple[int, ...], ...] = ()
    """Per lane, when each step completed, since the start of the play. Empty unless times were asked for."""
    began_us: int = 0  # the start of the play, by the machine's clock. 0 unless times were asked for.


class ServerTranscript(NamedTuple):
    """The server's observations. A field without a comment is as in ClientTranscript."""

    arrived: bool  # the call reached the handler
    lanes: tuple[Observed, ...]
    request: tuple[Entry, ...]  # the request metadata
    remaining_us: int | None = None  # the time left until the deadline when the handler began; None without a deadline
    aborted: bool = False
    views: tuple[View, ...] = ()
    done_us: tuple[tuple[int, ...], ...] = ()
    began_us: int = 0  # for a call that never arrived: when its script came
    elapsed_us: int = 0  # for a call that never arrived: the time until the driver said so
