"""Translate between the core's data and the contract's messages: endpoints, plays and asks there, transcripts and answers back."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from grpc_interop.core.case import (
    OK,
    Cancel,
    Case,
    Entry,
    Finish,
    HalfClose,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Script,
    Send,
    SendHeaders,
    Signal,
    Status,
    Step,
    WaitFor,
    WaitForTermination,
    steps,
)
from grpc_interop.core.endpoint import PLAIN, Endpoint
from grpc_interop.core.model import by_key
from grpc_interop.core.transcoding import Ask, Written
from grpc_interop.core.transcript import END, TERMINATED, ClientTranscript, Observation, Observed, ServerTranscript, View
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.connection import ContractBroken

Read = TypeVar("Read", ClientTranscript, ServerTranscript)

PAYLOAD_ID_BASE = 1 << 40
"""The first id of a payload. Other commands begin at 1: neither counter can reach the other's range in a run."""


class Payloads:
    """Gives each message (type and bytes) an id for the whole run, so that a play's bytes are the same for every driver.
    Each driver's `Resources` know which payloads it has."""

    def __init__(self) -> None:
        self.bytes = 0  # of all messages
        self._ids: dict[tuple[str, bytes], int] = {}
        self._next = PAYLOAD_ID_BASE

    def id(self, type_name: str, message: bytes) -> int:
        key = (type_name, message)
        known = self._ids.get(key)
        if known is None:
            known = self._ids[key] = self._next
            self._next += 1
            self.bytes += len(message)
        return known

    def forget_all(self) -> int:
        """Forget all messages, so that memory stays flat over any number of cases. Return the first of the new ids."""
        self._ids.clear()
        self.bytes = 0
        return self._next

    def __len__(self) -> int:
        return len(self._ids)


def options(endpoint: Endpoint) -> pb.Options | None:
    """Return the options of a channel or a server; None for the runtime's defaults."""
    return None if endpoint == PLAIN else pb.Options(max_receive_bytes=endpoint.max_receive_bytes)


def play_message(case: Case, script: Script, payloads: Payloads, *, client: bool, view: bool = False) -> pb.Play:
    """Return one side of a case as the contract's Play. With `view`, the side reports its messages as reflection shows them."""
    type_name = case.method.request if client else case.method.response
    play = pb.Play(method=case.method.path, report_view=view, report_metadata=case.own_keys())
    for lane in script:
        play.lanes.add().steps.extend(_step(step, type_name, payloads) for step in lane)
    if client:
        play.metadata.extend(_entries(case.metadata))
        play.compression = case.compression
        if case.timeout_us is not None:
            play.timeout_us = case.timeout_us
    return play


def messages_sent(case: Case, script: Script, *, client: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the payloads of a script in order, with repetitions."""
    type_name = case.method.request if client else case.method.response
    for step in steps(script):
        if isinstance(step, Send):
            yield type_name, step.message


_NOTHING = pb.Nothing()


def _step(step: Step, type_name: str, payloads: Payloads) -> pb.Step:
    match step:
        case Send(message):
            return pb.Step(send=payloads.id(type_name, message))
        case Receive():
            return pb.Step(receive=_NOTHING)
        case ReceiveToEnd():
            return pb.Step(receive_to_end=_NOTHING)
        case HalfClose():
            return pb.Step(half_close=_NOTHING)
        case Cancel():
            return pb.Step(cancel=_NOTHING)
        case SendHeaders(entries):
            return pb.Step(send_headers=pb.Headers(entries=_entries(entries)))
        case ReceiveHeaders():
            return pb.Step(receive_headers=_NOTHING)
        case Finish(status):
            return pb.Step(finish=_status(status))
        case Signal(name):
            return pb.Step(signal=name)
        case WaitFor(name):
            return pb.Step(wait_for=name)
        case WaitForTermination():
            return pb.Step(wait_for_termination=_NOTHING)


def _status(status: Status) -> pb.Status:
    return pb.Status(code=status.code, message=status.message or "", details=status.details, trailers=_entries(status.trailers))


def _entries(entries: tuple[Entry, ...]) -> list[pb.Entry]:
    return [pb.Entry(key=entry.key, value=entry.value) for entry in entries]


MOST_LOOKED_UP = 64 * 1024
"""Bytes of the largest transcript that is memoised. A larger transcript holds few messages: reading it takes less time than
hashing and comparing its bytes."""


class Transcripts:
    """Reads the transcripts of a case's plays, and memoises them: most are equal in all pairs, and looking one up takes a
    fifth of the time."""

    def __init__(self) -> None:
        self._clients: dict[bytes, ClientTranscript] = {}
        self._servers: dict[bytes, ServerTranscript] = {}

    def client(self, seen: pb.Transcript) -> ClientTranscript:
        """Return the client's transcript. Raises ContractBroken for an observation without content."""
        elapsed_us = seen.elapsed_ns // 1000
        known = _looked_up(seen, self._clients, client_transcript)
        return ClientTranscript(known.lanes, known.initial, known.status, elapsed_us, known.aborted)

    def server(self, seen: pb.Transcript) -> ServerTranscript:
        """Return the client's transcript. Raises ContractBroken for an observation without content."""
        return _looked_up(seen, self._servers, server_transcript)


def _looked_up(seen: pb.Transcript, known: dict[bytes, Read], read: Callable[[pb.Transcript], Read]) -> Read:
    for field in ("elapsed_ns", "began_us"):
        seen.ClearField(field)
    for lane in seen.lanes:
        del lane.done_us[:]
    key = seen.SerializeToString()
    if len(key) > MOST_LOOKED_UP:
        return read(seen)
    transcript = known.get(key)
    if transcript is None:
        transcript = known[key] = read(seen)
    return transcript


def client_transcript(seen: pb.Transcript) -> ClientTranscript:
    """Return the client's transcript. Raises ContractBroken for an observation without content."""
    status = _read_status(seen.status) if seen.HasField("status") else None
    initial = by_key(_read_entries(seen.initial)) if seen.initial else ()
    return ClientTranscript(_lanes(seen), initial, status, seen.elapsed_ns // 1000, seen.aborted)


def _read_status(status: pb.Status) -> Status:
    if not status.ByteSize():
        return OK
    trailers = _read_entries(status.trailers) if status.trailers else ()
    return Status(status.code, status.message, status.details, by_key(trailers))


def server_transcript(seen: pb.Transcript) -> ServerTranscript:
    """Return the server's transcript. Raises ContractBroken for an observation without content."""
    remaining = seen.remaining_us if seen.HasField("remaining_us") else None
    request = by_key(_read_entries(seen.request)) if seen.request else ()
    return ServerTranscript(seen.arrived, _lanes(seen), request, remaining, seen.aborted)


def _lanes(seen: pb.Transcript) -> tuple[Observed, ...]:
    return tuple([tuple([_observation(observed) for observed in lane.observed]) for lane in seen.lanes])


def _observation(observed: pb.Observation) -> Observation:
    kind = observed.WhichOneof("kind")
    if kind == "message":
        return observed.message.binary
    if kind == "end":
        return END
    if kind == "terminated":
        return TERMINATED
    raise ContractBroken("sent a transcript with an observation that is neither message nor end nor termination")


def step_times(seen: pb.Transcript) -> tuple[tuple[int, ...], ...]:
    """Return, per lane, when each step completed, in microseconds since the start of the play."""
    return tuple(tuple(lane.done_us) for lane in seen.lanes)


def views(seen: pb.Transcript) -> tuple[View, ...]:
    """Return a side's messages as its language's reflection shows them, in their order. Raises ContractBroken."""
    messages = [observed.message for lane in seen.lanes for observed in lane.observed if observed.HasField("message")]
    if not all(message.HasField("view") for message in messages):
        raise ContractBroken("sent a transcript with a message that lacks the view it was asked for")
    return tuple([_view(message.view) for message in messages])


def _read_entries(entries: object) -> tuple[Entry, ...]:
    return tuple(Entry(entry.key, entry.value) for entry in entries)  # type: ignore[attr-defined]


def transcodes(type_name: str, ask: Ask) -> Iterator[bytes]:
    """Yield an ask about messages as serialised Commands without ids, a command per message."""
    requires = ["transcode"]
    if ask.from_json or ask.to_json:
        requires.append("json")
    if ask.to_view:
        requires.append("view")
    order = pb.Transcode(
        type=ask.type_name or type_name,
        from_json=ask.from_json,
        to_json=ask.to_json,
        to_view=ask.to_view,
        ignore_unknown=ask.ignore_unknown,
        emit_zero=ask.emit_zero,
    )
    command = pb.Command(requires=requires, transcode=order)
    for data in ask.data:
        command.transcode.data = data
        yield command.SerializeToString()


def written(message: pb.Message, known: dict[bytes, View]) -> Written:
    """Return the answer to an ask. `known` memoises views by their bytes, so that equal views are a single object: most drivers
    show most messages alike. Raises ContractBroken for a value without content."""
    if not message.HasField("view"):
        return Written(message.binary, message.json)
    shown = message.view.SerializeToString()
    view = known.get(shown)
    if view is None:
        view = known[shown] = _view(message.view)
    return Written(message.binary, message.json, view)


def _view(view: pb.View) -> View:
    return View({field.number: tuple([_view_value(value) for value in field.values]) for field in view.fields}, view.unknown)


def _view_value(value: pb.Value) -> int | bytes | View:
    kind = value.WhichOneof("kind")
    if kind is None:
        raise ContractBroken("sent a view with a value that says nothing")
    if kind == "message":
        return _view(value.message)
    return getattr(value, kind)  # type: ignore[no-any-return]
