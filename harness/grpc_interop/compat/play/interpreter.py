"""The interpretation of both transcripts of an exchange: the message as sent and as received, and the effects on the
elements."""

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
    """An exchange as it was played: the evidence of an observation."""

    planned: PlannedProbe
    order: Order
    played: PlayResult
    sent: Meaning | None = None  # the meaning of the message in the writer's version; None for a call that is not about a message
    received: Meaning | Refusal | None = None
    number: int = 0  # the position of the message in a batch
    reading: Reading | None = None  # the reading of the message in a batch


class Interpretation(NamedTuple):
    """The effects of an exchange, with the message as sent and as received."""

    effects: list[Effect]
    sent: Meaning
    received: Meaning | Refusal


class _Way(NamedTuple):
    """How a message was sent."""

    root: TypePair
    writer: Version
    reader: Version
    format: Format
    content: bytes  # bytes or ProtoJSON
    aimed: str
    only_zeros: bool = False


class Interpreter:
    """Interprets transcripts by the protos of two versions. Implementations mostly write and read alike, so interpretations
    are cached: the rule is applied once for the same message and the same view of it."""

    def __init__(self, shapes: Mapping[Version, Shapes]) -> None:
        self._json = {version: ProtoJson(own) for version, own in shapes.items()}
        self._known: dict[_Way, list[Interpretation]] = {}

    def interpret_call(self, probe: RpcProbe, reader: Version, played: PlayedCall) -> Interpretation | None:
        """Interpret a call for a reader of this version, in a control the writer's own. Return None where the message was not
        sent at all."""
        received = _arrived(probe, probe.root.of(reader), played)
        way = _Way(probe.root, probe.flow.writer, reader, Format.BINARY, probe.content, probe.aimed)
        return None if received is None else self._interpretation(way, received)

    def interpret_reading(self, probe: MessageProbe, reader: Version, number: int, reading: Reading) -> Interpretation | None:
        """Interpret the reading of a message of a batch. Return None where its writer could not write it."""
        if reading.answer is None:
            return None
        way = _Way(probe.pair, probe.flow.writer, reader, probe.format, reading.sent, probe.aimed(number), reading.only_zeros)
        return self._interpretation(way, self._read(probe, probe.pair.of(reader), reader, reading))

    def _interpretation(self, way: _Way, received: Meaning | Refusal) -> Interpretation | None:
        known = self._known.setdefault(way, [])
        for interpretation in known:
            if interpretation.received == received:
                return interpretation
        sent = known[0].sent if known else self._sent(way)
        if sent is None:
            return None
        effects = observe(way.root, way.writer, way.reader, way.format, sent, received, way.aimed, only_zeros=way.only_zeros)
        known.append(Interpretation(effects, sent, received))
        return known[-1]

    def interpret_strict_reading(self, probe: MessageProbe, reader: Version, number: int, reading: Reading) -> list[Effect]:
        """Return the effects of JSON that a reader takes only while it skips unknown fields, on a reader that refuses them."""
        if not isinstance(reading.strict, Refused):
            return []
        way = _Way(probe.pair, probe.flow.writer, reader, Format.STRICT_JSON, reading.sent, probe.aimed(number))
        interpretation = self._interpretation(way, Refusal(reading.strict.text))
        return interpretation.effects if interpretation is not None else []

    def _sent(self, way: _Way) -> Meaning | None:
        """Return the meaning of the message in the writer's version; None where it does not parse."""
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
    """Return why a call does not show its message; empty where the writer could not write it, which is not worth telling."""
    writing = Side.CLIENT if probe.role is MessageRole.REQUEST else Side.SERVER
    if played.broken:
        return "" if played.culprit is writing else played.broken
    status = played.client.status if played.client is not None else None
    return f"its request is refused before: {CODES[status.code]} {status.message}" if status is not None else "its client saw no end"


def interpret_absent_rpc(probe: AbsentRpcProbe, played: PlayedCall) -> Effect:
    """Return the effect of a call of an RPC that a version lacks or has in another kind."""
    status = played.client.status if played.client is not None else None
    code = CODES[status.code] if status is not None else played.broken
    client_method, server_method = probe.method.of(probe.client), probe.method.of(probe.client.other)
    if client_method is not None and server_method is not None:
        arrived = len(played.server.views) if played.server is not None else 0
        came = len(played.client.views) if played.client is not None else 0
        why = (
            f"{client_method.kind} client, {server_method.kind} server: {arrived} of {len(probe.requests)} requests and {came} of"
            f" {len(probe.responses)} responses arrived, and the call ended with {code}"
        )
        return Effect(probe.method.element, ElementOutcome.KIND_CHANGED, why=why, received=code)
    if probe.client is Version.BASE:
        return Effect(probe.method.element, ElementOutcome.REMOVED, why=f"an old client at a new server: {code}", received=code)
    return Effect(probe.method.element, ElementOutcome.ADDED, why=f"a new client at an old server: {code}", received=code)


def _viewed(shape: Shape, view: View) -> Meaning | Refusal:
    """Return the meaning of a view. An invalid view is the driver's fault, so the control will show it as well."""
    try:
        return read_view(shape, view)
    except NotAViewError as error:
        return Refusal(f"its driver shows a view that is not a valid {shape.name}: {error}")


def _arrived(probe: RpcProbe, shape: Shape, played: PlayedCall) -> Meaning | Refusal | None:
    """Return the message as the receiving side saw it; None where it was never sent."""
    client, server = played.client, played.server
    transcript, side = (server, Side.SERVER) if probe.role is MessageRole.REQUEST else (client, Side.CLIENT)
    if transcript is not None and transcript.views:
        return _viewed(shape, transcript.views[0])
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
