"""A play's script, prepared to be played: its names are looked up, and it is checked and taken out of protobuf only once."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import grpc

from driver.contract import pb
from driver.metadata import Pairs, to_grpc

# The kinds of step, by their names in the contract.
SEND: Final = "send"
RECEIVE: Final = "receive"
RECEIVE_TO_END: Final = "receive_to_end"
HALF_CLOSE: Final = "half_close"
CANCEL: Final = "cancel"
SEND_HEADERS: Final = "send_headers"
RECEIVE_HEADERS: Final = "receive_headers"
FINISH: Final = "finish"
SIGNAL: Final = "signal"
WAIT_FOR: Final = "wait_for"
WAIT_FOR_TERMINATION: Final = "wait_for_termination"

# One object per name, so that steps can be told apart by identity.
_KINDS = {
    kind: kind
    for kind in (
        SEND,
        RECEIVE,
        RECEIVE_TO_END,
        HALF_CLOSE,
        CANCEL,
        SEND_HEADERS,
        RECEIVE_HEADERS,
        FINISH,
        SIGNAL,
        WAIT_FOR,
        WAIT_FOR_TERMINATION,
    )
}

# grpcio silently turns a code that is given as a number into UNKNOWN.
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}

# The argument of a step, by its kind: a payload's id, a signal's name, metadata, a Finish, or nothing.
Step = tuple[str, Any]

# A suite has few scripts, which come again for every pair and value; a larger cache would only keep payloads alive.
REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Finish:
    """How a server ends an RPC. `trailers` has the details in it."""

    code: grpc.StatusCode
    message: str
    trailers: Pairs


@dataclass(frozen=True, slots=True)
class Script:
    """One side of one RPC."""

    method: str
    lanes: tuple[tuple[Step, ...], ...]
    payloads: frozenset[int]  # the ids of the payloads that it sends
    metadata: Pairs
    timeout: float | None  # seconds
    any_caller: bool
    repeat: int
    concurrency: int
    report_json: bool
    report_view: bool
    report_times: bool
    report_metadata: frozenset[str]
    compression: str
    sending_lane: int  # the first if none sends
    waits: bool  # whether a step waits for a signal


def script_of(play: pb.Play) -> Script:
    """Return the script of a Play command. Raise ValueError with an explanation if it cannot be played."""
    return _script(play.SerializeToString())


@lru_cache(maxsize=REMEMBERED)
def _script(play_bytes: bytes) -> Script:
    play = pb.Play.FromString(play_bytes)
    lanes = tuple(tuple(map(_step, lane.steps)) for lane in play.lanes)
    steps = [step for lane in lanes for step in lane]
    return Script(
        method=play.method,
        lanes=lanes,
        payloads=frozenset(argument for kind, argument in steps if kind is SEND),
        metadata=to_grpc(play.metadata),
        timeout=play.timeout_us / 1e6 if play.HasField("timeout_us") else None,
        any_caller=play.any_caller,
        repeat=max(1, play.repeat),
        concurrency=max(1, play.concurrency),
        report_json=play.report_json,
        report_view=play.report_view,
        report_times=play.report_times,
        report_metadata=frozenset(play.report_metadata),
        compression=play.compression,
        sending_lane=next((at for at, lane in enumerate(lanes) if any(kind is SEND for kind, _ in lane)), 0),
        waits=any(kind is WAIT_FOR for kind, _ in steps),
    )


def _step(step: Any) -> Step:
    kind = _KINDS.get(step.WhichOneof("kind"))
    if kind is None:
        raise ValueError("a step is of a kind that this driver does not know")
    argument = getattr(step, kind)
    if kind is SEND_HEADERS:
        return kind, to_grpc(argument.entries)
    if kind is FINISH:
        details = (("grpc-status-details-bin", argument.details),) if argument.details else ()
        return kind, Finish(_CODES[argument.code], argument.message, (*to_grpc(argument.trailers), *details))
    return kind, argument if kind in (SEND, SIGNAL, WAIT_FOR) else None
