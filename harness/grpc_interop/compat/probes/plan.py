"""The exchanges to play because of a change, in any language: probes of the types that differ, few messages for every other RPC
that they touch, and calls of the RPCs that a version lacks or has in another kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from grpc_interop.compat.diff.anys import Anys
from grpc_interop.compat.diff.match_fields import TypePair
from grpc_interop.compat.diff.match_types import Carrier, MatchedSchemas, MethodPair, minimal_message
from grpc_interop.compat.probes.covering import covering
from grpc_interop.compat.probes.json_texts import JsonText, json_texts
from grpc_interop.compat.probes.prober import Probe, Prober
from grpc_interop.compat.vocabulary.observation import Flow, Format, MessageRole, Version
from grpc_interop.wire.shapes import Shapes


class RpcProbe(NamedTuple):
    """A message of one version that an RPC carries to the other version."""

    method: MethodPair
    role: MessageRole
    flow: Flow
    root: TypePair  # the types of the message
    content: bytes
    filler: bytes  # the message in the other direction
    aimed: str = ""  # the element that it aims at, or empty
    what: str = ""  # a few words about the message

    @property
    def client(self) -> Version:
        """The version of the client in the call."""
        return self.flow.writer if self.role is MessageRole.REQUEST else self.flow.reader


class MessageProbe(NamedTuple):
    """Messages of a type that are carried without an RPC."""

    pair: TypePair
    roles: tuple[MessageRole, ...]  # the roles that the type has; its messages mean the same in each
    methods: tuple[MethodPair, ...]  # RPCs in which it has them
    flow: Flow
    format: Format
    probes: tuple[Probe, ...]

    def variants(self, text: str) -> list[JsonText]:
        """Return the texts that writers of its version may write in place of a ProtoJSON text, each with a word about it."""
        return json_texts(self.pair.of(self.flow.writer), text, by_proto_names=self.format is Format.PROTO_NAMES)

    def aimed(self, number: int) -> str:
        """Return the element that a probe aims at, or empty."""
        return aimed_element(self.pair, self.flow.writer, self.probes[number])


class AbsentRpcProbe(NamedTuple):
    """A call of an RPC that the server's version lacks or has in another kind."""

    method: MethodPair
    client: Version
    requests: tuple[bytes, ...]
    responses: tuple[bytes, ...]

    @property
    def flow(self) -> Flow:
        """The flow of its requests."""
        return Flow.OLD_TO_NEW if self.client is Version.BASE else Flow.NEW_TO_OLD


PlannedProbe = RpcProbe | MessageProbe | AbsentRpcProbe


@dataclass(frozen=True, slots=True)
class Plan:
    """The exchanges of a comparison."""

    rpc_probes: tuple[RpcProbe, ...]
    message_probes: tuple[MessageProbe, ...]
    absent_rpc_probes: tuple[AbsentRpcProbe, ...]
    cut: int  # how many probes the limits left out

    @property
    def empty(self) -> bool:
        return not (self.rpc_probes or self.message_probes or self.absent_rpc_probes)


def aimed_element(pair: TypePair, writer: Version, probe: Probe) -> str:
    return pair.field(writer, probe.field).element if probe.field else ""


class Planner:
    """Plans a comparison of two catalogs."""

    def __init__(self, schemas: MatchedSchemas, base: Shapes, head: Shapes, *, by_proto_names: bool = False) -> None:
        """With `by_proto_names`, plan JSON with proto field names as well."""
        self._schemas = schemas
        self._shapes = {Version.BASE: base, Version.HEAD: head}
        self._probers = {flow: Prober(self._shapes[flow.writer], self._shapes[flow.reader]) for flow in Flow}
        self._cut = 0
        self._jsons = (Format.JSON, *((Format.PROTO_NAMES,) if by_proto_names else ()))

    def plan(self, *, everything: bool = False) -> Plan:
        """Return the plan; with `everything`, also for unchanged elements."""
        self._cut = 0
        pairs = self._schemas.types if everything else self._schemas.differing()
        anys = Anys(self._schemas)
        rpc_probes: list[RpcProbe] = []
        message_probes: list[MessageProbe] = []
        probed: set[tuple[str, MessageRole]] = set()
        for pair in pairs:
            carriers = self._carriers(pair)
            probed |= {(carrier.method.element, carrier.role) for carrier in carriers}
            for flow in Flow:
                held = anys.held(pair, flow.writer)
                probes, cut = self._probers[flow].probes(pair, flow.writer, held, everything=everything)
                self._cut += cut
                rpc_probes += [probe for carrier in carriers for probe in self._rpc_probes(carrier, pair, flow, probes)]
                message_probes += self._message_probes(pair, carriers, flow, probes)
        message_probes += self._any_probes(anys, pairs)
        methods = self._schemas.methods if everything else self._schemas.touched()
        rpc_probes += [probe for method in methods for probe in self._covered(method, probed, everything)]
        absent_rpc_probes = [absent_rpc_probe for method in self._schemas.methods for absent_rpc_probe in self._absent_rpc_probes(method)]
        return Plan(tuple(rpc_probes), tuple(message_probes), tuple(absent_rpc_probes), self._cut)

    def _any_probes(self, anys: Anys, besides: Sequence[TypePair]) -> Iterator[MessageProbe]:
        """Yield probes of types that a version alone can put into an Any, in types that do not differ. To an RPC the content is
        bytes: so the probes go as JSON, and in binary only where there is no RPC."""
        done = {id(pair) for pair in besides}
        for pair in anys.pairs:
            for flow in Flow if id(pair) not in done else ():
                probes = tuple(self._probers[flow].any_probes(pair, flow.writer, anys.held(pair, flow.writer)))
                yield from self._message_probes(pair, self._carriers(pair), flow, probes)

    def _carriers(self, pair: TypePair) -> list[Carrier]:
        return [carrier for role in (MessageRole.REQUEST, MessageRole.RESPONSE) if (carrier := self._schemas.carrier(pair, role))]

    def _rpc_probes(self, carrier: Carrier, pair: TypePair, flow: Flow, probes: tuple[Probe, ...]) -> Iterator[RpcProbe]:
        method, role = carrier.method, carrier.role
        filler = self._filler(method, role, flow)
        for probe in probes:
            content = carrier.wrap(probe.data, flow.writer)
            yield RpcProbe(method, role, flow, carrier.root, content, filler, aimed_element(pair, flow.writer, probe), probe.what)

    def _message_probes(self, pair: TypePair, carriers: list[Carrier], flow: Flow, probes: tuple[Probe, ...]) -> Iterator[MessageProbe]:
        if not probes:
            return
        roles = tuple(carrier.role for carrier in carriers) or (MessageRole.MESSAGE,)
        methods = tuple(carrier.method for carrier in carriers)
        yield from (MessageProbe(pair, roles, methods, flow, format_, probes) for format_ in self._jsons)
        if not carriers:
            yield MessageProbe(pair, roles, methods, flow, Format.BINARY, probes)

    def _covered(self, method: MethodPair, probed: set[tuple[str, MessageRole]], everything: bool) -> Iterator[RpcProbe]:
        """Yield few messages for a role of an RPC that carries no probe; with `everything`, a message also where nothing differs."""
        for role, root in ((MessageRole.REQUEST, method.request), (MessageRole.RESPONSE, method.response)):
            if root is None or (method.element, role) in probed:
                continue
            for flow in Flow:
                shapes, filler = self._shapes[flow.writer], self._filler(method, role, flow)
                contents = covering(shapes, root, flow.writer)
                for content in contents:
                    yield RpcProbe(method, role, flow, root, content, filler, what="every changed field set")
                if everything and not contents:
                    yield RpcProbe(method, role, flow, root, minimal_message(root.of(flow.writer)), filler, what="only the required fields")

    def _absent_rpc_probes(self, method: MethodPair) -> Iterator[AbsentRpcProbe]:
        for client in Version:
            called, served = method.of(client), method.of(client.other)
            if called is None or (served is not None and served.kind is called.kind):
                continue
            # A stream with a single message looks like a single message.
            requests = (self._empty(client, called.request),) * (2 if called.kind.client_streams else 1)
            responses = (self._empty(client.other, served.response),) * (2 if served.kind.server_streams else 1) if served else ()
            yield AbsentRpcProbe(method, client, requests, responses)

    def _filler(self, method: MethodPair, role: MessageRole, flow: Flow) -> bytes:
        """Return the message in the other direction: the fields that its writer's version requires, and the fields that the
        reader's version requires, which a writer may not know and still pass on."""
        wanted = [method.of(version) for version in (flow.reader, flow.writer)]
        names = [rpc.response if role is MessageRole.REQUEST else rpc.request for rpc in wanted if rpc is not None]
        return b"".join(dict.fromkeys(self._empty(version, name) for version, name in zip((flow.reader, flow.writer), names, strict=True)))

    def _empty(self, version: Version, type_name: str) -> bytes:
        return minimal_message(self._shapes[version].of(type_name))
