"""Which scripts are cases at all: the grammar of each kind of method, as the driver contract states it (message Step)."""

from __future__ import annotations

from grpc_interop.case import (
    Cancel,
    Case,
    Finish,
    HalfClose,
    Kind,
    Lane,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Script,
    Send,
    SendHeaders,
    Signal,
    WaitFor,
    WaitForTermination,
    steps,
)

CLIENT_STEPS = (Send, Receive, ReceiveToEnd, HalfClose, Cancel, ReceiveHeaders, Signal, WaitFor)
SERVER_STEPS = (Send, Receive, ReceiveToEnd, SendHeaders, Finish, Signal, WaitFor, WaitForTermination)
CODES = range(17)
"""gRPC's status codes. Others reach the application as something else, in each runtime its own way."""


class NotACase(ValueError):  # noqa: N818  a statement about the case, not a failure of the program
    """The scripts break the grammar, or gRPC promises no outcome for them."""


def check_grammar(case: Case) -> None:
    """Raises NotACase with the rule that is broken."""
    for side, script, allowed in (("client", case.client, CLIENT_STEPS), ("server", case.server, SERVER_STEPS)):
        _check_lanes(case, side, script, allowed)
    _check_client(case)
    _check_server(case)


def _check_lanes(case: Case, side: str, script: Script, allowed: tuple[type, ...]) -> None:
    if not 1 <= len(script) <= 2:
        raise NotACase(f"{case.id}: the {side} has {len(script)} lanes; one or two are possible")
    for step in steps(script):
        if not isinstance(step, allowed):
            raise NotACase(f"{case.id}: {type(step).__name__} is not a step of a {side}")
    for what in ((Send, HalfClose), (Receive, ReceiveToEnd)):
        if sum(any(isinstance(step, what) for step in lane) for lane in script) > 1:
            raise NotACase(f"{case.id}: both lanes of the {side} have {what[0].__name__}")
    for lane in script:
        _check_signals(case, lane)


def _check_signals(case: Case, lane: Lane) -> None:
    """A signal says what the lane has received; before a receive it would be a guess."""
    received = False
    for step in lane:
        received |= isinstance(step, Receive | ReceiveToEnd)
        if isinstance(step, Signal) and not received:
            raise NotACase(f"{case.id}: signal {step.name!r} comes before any receive of its lane")


def _check_client(case: Case) -> None:
    kind = case.method.kind
    script = case.client
    cancels = [step for step in steps(script) if isinstance(step, Cancel)]
    if not cancels and not any(lane and isinstance(lane[-1], ReceiveToEnd) for lane in script):
        raise NotACase(f"{case.id}: the client neither receives to the end nor cancels, so it sees no status")
    if cancels and case.timeout_us is not None:
        raise NotACase(f"{case.id}: a cancel and a deadline race each other")
    for lane in script:
        if any(isinstance(step, Cancel) for step in lane[:-1]):
            raise NotACase(f"{case.id}: a cancel ends its lane: what is read after one's own cancel is not promised")
        closed = False
        for step in lane:
            if closed and isinstance(step, Send | HalfClose):
                raise NotACase(f"{case.id}: the client sends after its half-close")
            closed |= isinstance(step, HalfClose)
    if not kind.client_streams:
        _check_single_request(case)


def _check_single_request(case: Case) -> None:
    sends = [step for step in steps(case.client) if isinstance(step, Send)]
    if len(sends) != 1 or len(case.client) != 1:
        raise NotACase(f"{case.id}: a {case.method.kind} client sends exactly one message, in one lane")
    first = next(step for step in case.client[0] if not isinstance(step, WaitFor))
    if not isinstance(first, Send):
        raise NotACase(f"{case.id}: a {case.method.kind} call begins with its request")
    if any(isinstance(step, HalfClose) for step in steps(case.client)):
        raise NotACase(f"{case.id}: a {case.method.kind} call has no half-close of its own")
    if any(isinstance(step, ReceiveToEnd) for step in steps(case.server)):
        raise NotACase(f"{case.id}: the server of a {case.method.kind} call sees no half-close")


def _check_server(case: Case) -> None:
    script = case.server
    ends = [step for step in steps(script) if isinstance(step, Finish)]
    if len(ends) != 1 or not any(lane and lane[-1] is ends[0] for lane in script):
        raise NotACase(f"{case.id}: a server finishes once, as the last step of a lane")
    if ends[0].status.code not in CODES:
        raise NotACase(f"{case.id}: {ends[0].status.code} is not a gRPC status code")
    _check_headers(case)
    sends = sum(isinstance(step, Send) for step in steps(script))
    kind: Kind = case.method.kind
    if not kind.server_streams:
        wanted = 1 if ends[0].status.code == 0 else 0
        if sends != wanted:
            raise NotACase(f"{case.id}: a {kind} server sends {wanted} messages with status {ends[0].status.code}, not {sends}")


def _check_headers(case: Case) -> None:
    sent = False
    headers = 0
    for lane in case.server:
        for step in lane:
            if isinstance(step, SendHeaders):
                headers += 1
                if sent or headers > 1:
                    raise NotACase(f"{case.id}: initial metadata goes out once, before any message")
            sent |= isinstance(step, Send) and case.method.kind.server_streams
