"""The execution of a plan on pairs of implementations, which yields the effects on each element.

An exchange with a bad effect is played once more between two sides of the writer's version, as its control: the change caused
only effects that the control does not show. Every probe that could not be played is reported.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from grpc_interop.compat.diff.match_fields import TypePair
from grpc_interop.compat.judge.observe import GOOD, attributed
from grpc_interop.compat.play.building import Builds, at, language
from grpc_interop.compat.play.interpreter import ExchangeRecord, Interpreter, interpret_absent_rpc, why_not_received
from grpc_interop.compat.play.playing import Call, NotPlayed, Order, PlayedBatch, PlayedCall, Player, PlayResult
from grpc_interop.compat.play.transcoding import Reading, TranscodeBatch
from grpc_interop.compat.probes.plan import AbsentRpcProbe, MessageProbe, Plan, PlannedProbe, RpcProbe
from grpc_interop.compat.vocabulary.observation import (
    Effect,
    ElementOutcome,
    Exchange,
    Format,
    MessageRole,
    ObservedEffect,
    OutcomeCause,
    Version,
)
from grpc_interop.core.case import Method
from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Refused
from grpc_interop.core.verdict import Pair
from grpc_interop.wire.shapes import Shapes

ABSENT_RPC_US = 2_000_000
"""The deadline, in microseconds, of a call whose server has the RPC in another kind or not at all. Between two kinds gRPC
promises no end: grpcio's sync client waits for ever where a server answers a unary call with two messages. Under a load of ten
processes a core, calls that do end took more than a second."""

Rank = tuple[int, int, str]
"""A position in the plan: the number of the probe, the number of its message, the pair."""


class _Suspect(NamedTuple):
    """Bad effects of an exchange, before its control is played."""

    rank: Rank
    exchange: Exchange
    effects: tuple[Effect, ...]
    record: ExchangeRecord


class _Tag(NamedTuple):
    """The origin of an order."""

    planned: PlannedProbe
    place: int  # the position of the probe in the plan
    suspects: tuple[_Suspect, ...] = ()  # in a control, the suspects that it may explain
    numbers: tuple[int, ...] = ()  # in a control, the messages of the batch that it is about


@dataclass(slots=True)
class Executed:
    """The result of a plan."""

    observations: list[ObservedEffect] = field(default_factory=list)  # in the order of the plan, in which smaller messages come first
    not_run: dict[str, str] = field(default_factory=dict)  # why a probe could not be played
    refused: dict[str, str] = field(default_factory=dict)
    """Why a language has no code for an element: it refuses the file, which is a finding by itself, or was refused before."""


class PlanExecutor:
    """Plays plans on pairs of languages, and interprets the transcripts."""

    def __init__(self, player: Player, builds: Builds, labels: Mapping[Version, str], shapes: Mapping[Version, Shapes]) -> None:
        """`labels` are the suffixes of the implementations of each version: `base`, `head`."""
        self._player = player
        self._builds = builds
        self._labels = labels
        self._shapes = shapes
        self._interpreter = Interpreter(shapes)
        self._executed = Executed()
        self._found: list[tuple[Rank, ObservedEffect]] = []

    def run(self, plan: Plan, pairs: Sequence[Pair]) -> Executed:
        """Play the whole plan on each of the pairs, which are named without versions (`py:go`)."""
        self._executed, self._found = Executed(), []
        suspects: list[_Suspect] = []
        for order, played in self._player.play(self._orders(plan, pairs)):
            suspects += self._interpret(order, played)
        for order, played in self._player.play(self._controls(suspects)):
            self._apply_control(order, played)
        self._executed.observations += [observation for _, observation in sorted(self._found, key=lambda entry: entry[0])]
        return self._executed

    # -- orders --------------------------------------------------------------------------------------------------------

    def _orders(self, plan: Plan, pairs: Sequence[Pair]) -> Iterator[Order]:
        every: list[PlannedProbe] = [*plan.rpc_probes, *plan.message_probes, *plan.absent_rpc_probes]
        for pair in pairs:
            for place, planned in enumerate(every):
                tag = _Tag(planned, place)
                if isinstance(planned, RpcProbe):
                    yield from self._rpc_orders(planned, pair, planned.client, planned.client.other, tag)
                elif isinstance(planned, MessageProbe):
                    yield from self._message_orders(planned, pair, planned.flow.reader, tag)
                else:
                    yield from self._absent_rpc_orders(planned, pair, tag)

    def _controls(self, suspects: Iterable[_Suspect]) -> Iterator[Order]:
        """Yield the controls: the same probes between two sides of the writer's version, once for all suspects of a probe."""
        together: dict[tuple[int, Pair], list[_Suspect]] = {}
        for suspect in suspects:
            pair = suspect.record.order.pair
            together.setdefault((suspect.rank[0], Pair(language(pair.client), language(pair.server))), []).append(suspect)
        for (place, pair), explained in together.items():
            orders = list(self._control_of(pair, _Tag(explained[0].record.planned, place, tuple(explained))))
            yield from orders
            if not orders:
                # Without a control no suspect is explained.
                self._judge(explained, lambda _: [])

    def _control_of(self, pair: Pair, tag: _Tag) -> Iterator[Order]:
        planned = tag.planned
        if isinstance(planned, RpcProbe):
            yield from self._rpc_orders(planned, pair, planned.flow.writer, planned.flow.writer, tag)
        elif isinstance(planned, MessageProbe):
            numbers = sorted({suspect.rank[1] for suspect in tag.suspects})
            yield from self._message_orders(planned, pair, planned.flow.writer, tag._replace(numbers=tuple(numbers)))

    def _rpc_orders(self, probe: RpcProbe, pair: Pair, client: Version, server: Version, tag: _Tag) -> Iterator[Order]:
        client_method, server_method = probe.method.of(client), probe.method.of(server)
        assert client_method is not None and server_method is not None
        if self._serves(pair.client, client, client_method) and self._serves(pair.server, server, server_method):
            request, response = probe.content, probe.filler
            if probe.role is MessageRole.RESPONSE:
                request, response = response, request
            yield Order(self._parties(pair, client, server), Call(client_method, server_method, (request,), (response,)), tag)

    def _message_orders(self, probe: MessageProbe, pair: Pair, reader: Version, tag: _Tag) -> Iterator[Order]:
        """Yield the order for a batch that the pair's client writes and its server reads."""
        writer = probe.flow.writer
        if self._has(pair.client, writer, probe.pair) and self._has(pair.server, reader, probe.pair):
            names = probe.pair.of(writer).name, probe.pair.of(reader).name
            probes = [probe.probes[number] for number in tag.numbers] if tag.numbers else probe.probes
            batch = TranscodeBatch(*names, tuple(aimed.data for aimed in probes), probe.format is not Format.BINARY, probe.variants)
            yield Order(self._parties(pair, writer, reader), batch, tag)

    def _absent_rpc_orders(self, probe: AbsentRpcProbe, pair: Pair, tag: _Tag) -> Iterator[Order]:
        client, server = probe.client, probe.client.other
        client_method, server_method = probe.method.of(client), probe.method.of(server)
        assert client_method is not None
        if self._serves(pair.client, client, client_method) and (server_method is None or self._serves(pair.server, server, server_method)):
            yield Order(
                self._parties(pair, client, server), Call(client_method, server_method, probe.requests, probe.responses, ABSENT_RPC_US), tag
            )

    def _serves(self, name: str, version: Version, method: Method) -> bool:
        """Tell whether a language has code for an RPC, and record it otherwise."""
        return self._generated(name, version, self._shapes[version].catalog.file_of_service(method.service), method.path)

    def _has(self, name: str, version: Version, pair: TypePair) -> bool:
        """Tell whether a language has code for a type, and record it otherwise."""
        type_name = pair.of(version).name
        return self._generated(name, version, self._shapes[version].catalog.message(type_name).file.name, type_name)

    def _generated(self, name: str, version: Version, file: str, subject: str) -> bool:
        refused = next((entry for entry in self._builds.refused(name, self._labels[version]) if entry.file == file), None)
        if refused is not None:
            self._executed.refused[f"{subject} with {at(name, self._labels[version])}"] = f"it refuses {file}: {refused.text}"
        return refused is None

    def _parties(self, pair: Pair, client: Version, server: Version) -> Pair:
        return Pair(at(pair.client, self._labels[client]), at(pair.server, self._labels[server]))

    # -- interpretation ------------------------------------------------------------------------------------------------

    def _interpret(self, order: Order, played: PlayResult) -> Iterator[_Suspect]:
        """Keep good effects, and yield suspects, which need a control."""
        assert isinstance(order.tag, _Tag)
        planned, place = order.tag.planned, order.tag.place
        if isinstance(played, NotPlayed):
            self._executed.not_run[str(order.pair)] = played.why
        elif isinstance(planned, AbsentRpcProbe):
            assert isinstance(played, PlayedCall)
            exchange = Exchange(planned.flow, MessageRole.REQUEST, Format.BINARY, str(_languages(order)))
            self._keep((place, 0, str(order.pair)), exchange, interpret_absent_rpc(planned, played), ExchangeRecord(planned, order, played))
        elif isinstance(planned, RpcProbe):
            assert isinstance(played, PlayedCall)
            yield from self._interpret_call(planned, order, played, place)
        else:
            assert isinstance(played, PlayedBatch)
            yield from self._interpret_readings(planned, order, played, place)

    def _interpret_call(self, probe: RpcProbe, order: Order, played: PlayedCall, place: int) -> Iterator[_Suspect]:
        interpretation = self._interpreter.interpret_call(probe, probe.flow.reader, played)
        if interpretation is None:
            if why := why_not_received(probe, played):
                self._executed.not_run.setdefault(f"{probe.method.element} {probe.role}, {probe.flow}, {order.pair}", why)
            return
        pair = _languages(order)
        if probe.role is MessageRole.RESPONSE:
            pair = Pair(pair.server, pair.client)
        exchange = Exchange(probe.flow, probe.role, Format.BINARY, str(pair))
        record = ExchangeRecord(probe, order, played, interpretation.sent, interpretation.received)
        yield from self._sort((place, 0, str(order.pair)), [exchange], interpretation.effects, record)

    def _interpret_readings(self, probe: MessageProbe, order: Order, played: PlayedBatch, place: int) -> Iterator[_Suspect]:
        exchanges = [Exchange(probe.flow, role, probe.format, str(_languages(order))) for role in probe.roles]
        for number in range(len(probe.probes)):
            if _killed_by(played, number):
                record = ExchangeRecord(probe, order, played, number=number, reading=Reading(b"", answer=Refused(played.broken)))
                effect = Effect(probe.aimed(number) or probe.pair.name, ElementOutcome.REJECTED, why=played.broken)
                yield from self._sort((place, number, str(order.pair)), exchanges, [effect], record)
            elif number not in played.transcoding.readings:
                self._executed.not_run.setdefault(f"{probe.pair.name}, {probe.flow}, {probe.format}, {order.pair}", played.broken)
            for reading in played.transcoding.readings.get(number, ()):
                interpretation = self._interpreter.interpret_reading(probe, probe.flow.reader, number, reading)
                if interpretation is not None:
                    record = ExchangeRecord(probe, order, played, interpretation.sent, interpretation.received, number, reading)
                    rank = place, number, str(order.pair)
                    yield from self._sort(rank, exchanges, interpretation.effects, record)
                    if probe.format is Format.JSON and (
                        strict := self._interpreter.interpret_strict_reading(probe, probe.flow.reader, number, reading)
                    ):
                        strict_exchanges = [exchange._replace(format=Format.STRICT_JSON) for exchange in exchanges]
                        yield from self._sort(rank, strict_exchanges, strict, record)

    def _sort(self, rank: Rank, exchanges: Sequence[Exchange], effects: Sequence[Effect], record: ExchangeRecord) -> Iterator[_Suspect]:
        bad = tuple(effect for effect in effects if _needs_control(effect))
        for exchange in exchanges:
            for effect in effects:
                if not _needs_control(effect):
                    self._keep(rank, exchange, effect, record)
            if bad:
                yield _Suspect(rank, exchange, bad, record)

    def _keep(self, rank: Rank, exchange: Exchange, effect: Effect, record: ExchangeRecord) -> None:
        self._found.append((rank, ObservedEffect(exchange, effect, record)))

    # -- controls ------------------------------------------------------------------------------------------------------

    def _apply_control(self, order: Order, played: PlayResult) -> None:
        """Keep the effects of suspects that the control does not show: the change caused them."""
        assert isinstance(order.tag, _Tag)
        if isinstance(played, NotPlayed):
            self._executed.not_run[f"the control {order.pair}"] = played.why
        numbers = order.tag.numbers
        self._judge(order.tag.suspects, lambda suspect: self._control(suspect, played, numbers))

    def _judge(self, suspects: Iterable[_Suspect], control: Callable[[_Suspect], list[Effect]]) -> None:
        for suspect in suspects:
            for effect in attributed(suspect.effects, control(suspect)):
                self._keep(suspect.rank, suspect.exchange, effect, suspect.record)

    def _control(self, suspect: _Suspect, played: PlayResult, numbers: Sequence[int]) -> list[Effect]:
        """Return the effects in a control; none where it could not be played, so that it explains no suspect."""
        planned = suspect.record.planned
        if isinstance(planned, RpcProbe) and isinstance(played, PlayedCall):
            interpretation = self._interpreter.interpret_call(planned, planned.flow.writer, played)
            return interpretation.effects if interpretation is not None else []
        if isinstance(planned, MessageProbe) and isinstance(played, PlayedBatch):
            number = numbers.index(suspect.rank[1])
            if _killed_by(played, number):
                return list(suspect.effects)
            return self._control_reading(planned, suspect, played.transcoding.readings.get(number, []))
        return []

    def _control_reading(self, probe: MessageProbe, suspect: _Suspect, readings: Sequence[Reading]) -> list[Effect]:
        number, first = suspect.rank[1], suspect.record.reading
        for reading in readings:
            if first is not None and reading.sent == first.sent:
                if suspect.exchange.format is Format.STRICT_JSON:
                    return self._interpreter.interpret_strict_reading(probe, probe.flow.writer, number, reading)
                interpretation = self._interpreter.interpret_reading(probe, probe.flow.writer, number, reading)
                return interpretation.effects if interpretation is not None else []
        return []


def _needs_control(effect: Effect) -> bool:
    """Tell whether an effect needs a control. Good effects do not, and neither do elements that the reader does not declare,
    which the control cannot show."""
    return effect.outcome not in GOOD and (effect.outcome is not ElementOutcome.IGNORED or effect.cause is OutcomeCause.UNDECLARED)


def _killed_by(played: PlayedBatch, number: int) -> bool:
    """Tell whether the reader died or hung while it read this message, although another message may be the cause."""
    return number in played.transcoding.pending and played.culprit is Side.SERVER


def _languages(order: Order) -> Pair:
    return Pair(language(order.pair.client), language(order.pair.server))
