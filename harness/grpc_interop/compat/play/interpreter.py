"""What was sent and what arrived, as the two sides of an exchange testify: meanings of the writer's and of the reader's
version, and what became of the elements between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from grpc_interop.compat.diff.match_fields import TypePair
from grpc_interop.compat.judge.observe import observe
from grpc_interop.compat.play.playing import Order, PlayedCall, PlayResult
from grpc_interop.compat.play.transcoding import Reading
from grpc_interop.compat.probes.plan import AbsentRpcProbe, MessageProbe, PlannedProbe, RpcProbe
from grpc_interop.compat.vocabulary.observation import Effect, ElementOutcome, Format, MessageRole, Refusal, Version
from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Refused, Written
from grpc_interop.core.transcript import View
from grpc_interop.core.verdict import CODES
from grpc_interop.wire.meaning import Meaning, meaning
from grpc_interop.wire.protojson import NotProtoJson, ProtoJson
from grpc_interop.wire.records import NotWireError
from grpc_interop.wire.shapes import Shape, Shapes
from grpc_interop.wire.view import NotAViewError, canonical_nans, read_view

OK = CODES.index("OK")


class ExchangeRecord(NamedTuple):
    """An exchange as it was played: what an observation rests on. `sent` is what the writer's version means by the message;
    None of a call that is not about one. `number` and `reading` are those of one message of a parcel."""

    planned: PlannedProbe
    order: Order
    played: PlayResult
    sent: Meaning | None = None
    received: Meaning | Refusal | None = None
    number: int = 0
    reading: Reading | None = None


class Interpretation(NamedTuple):
    """What an exchange shows of the elements."""

    effects: list[Effect]
    sent: Meaning
    received: Meaning | Refusal


class _Way(NamedTuple):
    """How a message goes: `content` is what was sent, as bytes or ProtoJSON."""

    root: TypePair
    writer: Version
    reader: Version
    format: Format
    content: bytes
    aimed: str
    only_zeros: bool = False


class Interpreter:
    """Hears it, in the words of two versions' protos. Implementations mostly write and read alike, and so what was told once
    is kept: the rule is asked but once for the same message and the same view of it."""

    def __init__(self, shapes: Mapping[Version, Shapes]) -> None:
        self._json = {version: ProtoJson(own) for version, own in shapes.items()}
        self._known: dict[_Way, list[Interpretation]] = {}

    def interpret_call(self, probe: RpcProbe, reader: Version, played: PlayedCall) -> Interpretation | None:
        """What a call shows to a reader of this version, in a control the writer's own; None where the message was not sent
        at all."""
        received = _arrived(probe, probe.root.of(reader), played)
        way = _Way(probe.root, probe.flow.writer, reader, Format.BINARY, probe.content, probe.aimed)
        return None if received is None else self._told(way, received)

    def interpret_reading(self, probe: MessageProbe, reader: Version, number: int, reading: Reading) -> Interpretation | None:
        """What one message of a parcel shows; None where its writer could not write it."""
        if reading.answer is None:
            return None
        way = _Way(
            probe.pair,
            probe.flow.writer,
            reader,
            probe.format,
            reading.sent,
            probe.aimed(number),
            reading.only_zeros,
        )
        return self._told(way, self._read(probe, probe.pair.of(reader), reader, reading))

    def _told(self, way: _Way, received: Meaning | Refusal) -> Interpretation | None:
        known = self._known.setdefault(way, [])
        for told in known:
            if told.received == received:
                return told
        sent = known[0].sent if known else self._sent(way)
        if sent is None:
            return None
        effects = observe(way.root, way.writer, way.reader, way.format, sent, received, way.aimed, only_zeros=way.only_zeros)
        known.append(Interpretation(effects, sent, received))
        return known[-1]

    def interpret_strict_reading(self, probe: MessageProbe, reader: Version, number: int, reading: Reading) -> list[Effect]:
        """Of JSON that is only taken where unknown fields are skipped, what a reader that does not skip them refuses."""
        if not isinstance(reading.strict, Refused):
            return []
        way = _Way(probe.pair, probe.flow.writer, reader, Format.STRICT_JSON, reading.sent, probe.aimed(number))
        told = self._told(way, Refusal(reading.strict.text))
        return told.effects if told is not None else []

    def _sent(self, way: _Way) -> Meaning | None:
        """What the writer's version means by the message; None for what is none."""
        shape = way.root.of(way.writer)
        try:
            if way.format is Format.BINARY:
                return canonical_nans(shape, meaning(shape, way.content))
            return self._json[way.writer].read(shape, way.content.decode())
        except (NotWireError, NotProtoJson):
            return None

    def _read(self, probe: MessageProbe, shape: Shape, reader: Version, reading: Reading) -> Meaning | Refusal:
        if isinstance(reading.answer, Refused):
            return Refusal(reading.answer.text)
        assert isinstance(reading.answer, Written) and reading.answer.view is not None
        received = _viewed(shape, reading.answer.view)
        if probe.format is Format.BINARY or isinstance(received, Refusal):
            return received
        return self._json[reader].kept(shape, received)


def why_not_received(probe: RpcProbe, played: PlayedCall) -> str:
    """Why a call says nothing of its message, if that is worth telling: a writer that cannot write it is not."""
    writing = Side.CLIENT if probe.role is MessageRole.REQUEST else Side.SERVER
    if played.broken:
        return "" if played.culprit is writing else played.broken
    status = played.client.status if played.client is not None else None
    return f"its request is refused before: {CODES[status.code]} {status.message}" if status is not None else "its client saw no end"


def interpret_absent_rpc(probe: AbsentRpcProbe, played: PlayedCall) -> Effect:
    """What became of a call of an RPC that one version lacks or has in another kind."""
    status = played.client.status if played.client is not None else None
    code = CODES[status.code] if status is not None else played.broken
    mine, theirs = probe.method.of(probe.client), probe.method.of(probe.client.other)
    if mine is not None and theirs is not None:
        arrived = len(played.server.views) if played.server is not None else 0
        came = len(played.client.views) if played.client is not None else 0
        why = (
            f"{mine.kind} client, {theirs.kind} server: {arrived} of {len(probe.requests)} requests and {came} of"
            f" {len(probe.responses)} responses arrived, and the call ended with {code}"
        )
        return Effect(probe.method.element, ElementOutcome.KIND_CHANGED, why=why, received=code)
    if probe.client is Version.BASE:
        return Effect(probe.method.element, ElementOutcome.REMOVED, why=f"an old client at a new server: {code}", received=code)
    return Effect(probe.method.element, ElementOutcome.ADDED, why=f"a new client at an old server: {code}", received=code)


def _viewed(shape: Shape, view: View) -> Meaning | Refusal:
    """A view that is none is the driver's fault, and will be so in the control."""
    try:
        return read_view(shape, view)
    except NotAViewError as error:
        return Refusal(f"its driver shows what is no {shape.name}: {error}")


def _arrived(probe: RpcProbe, shape: Shape, played: PlayedCall) -> Meaning | Refusal | None:
    """What the side that the message was for saw of it; None where it was never sent."""
    client, server = played.client, played.server
    mine, side = (server, Side.SERVER) if probe.role is MessageRole.REQUEST else (client, Side.CLIENT)
    if mine is not None and mine.views:
        return _viewed(shape, mine.views[0])
    if played.broken:
        return Refusal(played.broken) if played.culprit is side else None
    if client is None or server is None or client.status is None:
        return None
    if probe.role is MessageRole.RESPONSE and not server.views:
        return None
    status = client.status
    if status.code == OK:
        return Refusal("no message arrived, and yet the call succeeded", CODES[OK])
    return Refusal(status.message or "", CODES[status.code])
