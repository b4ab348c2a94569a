"""What one side observed in one RPC. Immutable data; the counterpart of message Transcript in the driver contract."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from grpc_interop.core.case import Entry, Status


class Token(Enum):
    """An observation that is not a message."""

    END = "end"
    """No more messages. At a client: the status is known. At a server: the client half-closed."""
    TERMINATED = "terminated"
    """At a server: the RPC was ended from outside (cancel, deadline, lost connection)."""


END = Token.END
TERMINATED = Token.TERMINATED

Observation = bytes | Token
"""A message, as the receiver's runtime writes it again; or a token."""

Observed = tuple[Observation, ...]
"""What one lane observed, in order."""


class View(NamedTuple):
    """A message through its language's reflection: what a program there sees, by field number. Numbers as int,
    floating-point ones as the bits of a double, text as bytes; keys and values of a map alternate. `unknown` holds the
    fields that its type does not declare."""

    fields: Mapping[int, tuple[int | bytes | View, ...]]
    unknown: bytes = b""


class ClientTranscript(NamedTuple):
    """`status` is None only when the play was stopped before the RPC ended; `elapsed_us` is its duration in
    microseconds. Only programs played by hand (Case.player) measure `early`, the messages that came before the client
    had half-closed though its script receives none there, and `spread_us`, the time between the first message and the
    last. `views` shows the messages in their order. Where that was asked for, `done_us` tells of each lane when its steps
    were done, in microseconds from the start, and `began_us` when that was, by the machine's clock."""

    lanes: tuple[Observed, ...]
    initial: tuple[Entry, ...]
    status: Status | None
    elapsed_us: int = 0
    aborted: bool = False
    early: int = 0
    spread_us: int = 0
    views: tuple[View, ...] = ()
    done_us: tuple[tuple[int, ...], ...] = ()
    began_us: int = 0


class ServerTranscript(NamedTuple):
    """`arrived`: the call reached the handler. `remaining_us`: time left until the deadline when the handler began, in
    microseconds, None without a deadline. `views`, `done_us`, `began_us` and `elapsed_us` as at
    the client; of a call that never arrived, `began_us` is when its script came, and `elapsed_us` the time until that was
    told."""

    arrived: bool
    lanes: tuple[Observed, ...]
    request: tuple[Entry, ...]
    remaining_us: int | None = None
    aborted: bool = False
    views: tuple[View, ...] = ()
    done_us: tuple[tuple[int, ...], ...] = ()
    began_us: int = 0
    elapsed_us: int = 0
