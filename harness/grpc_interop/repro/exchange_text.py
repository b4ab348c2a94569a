"""An exchange between two versions as text that works on another machine: the message or RPC, the pair, and the protos of both
versions as far as the exchange needs them.

    iv1:eJyrVkrOz0nV...
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from grpc_interop.compat.diff.changes import no_lines
from grpc_interop.compat.diff.match_types import MatchedSchemas, MethodPair
from grpc_interop.compat.play.building import language
from grpc_interop.compat.play.interpreter import ExchangeRecord
from grpc_interop.compat.probes.plan import AbsentRpcProbe, MessageProbe, PlannedProbe, RpcProbe
from grpc_interop.compat.probes.prober import Probe
from grpc_interop.compat.sides import Sources
from grpc_interop.compat.version_pair import VersionPair
from grpc_interop.compat.vocabulary.observation import ElementOutcome, Flow, Format, MessageRole, ObservedEffect, Version
from grpc_interop.compat.vocabulary.result import ComparedSide
from grpc_interop.config import Options
from grpc_interop.core.verdict import Pair
from grpc_interop.repro.packing import EXCHANGE, descriptors, pack, reading, to_bytes, to_text, unpack
from grpc_interop.schema.catalog import Catalog


class Again(NamedTuple):
    """An exchange, to be played once more."""

    versions: VersionPair
    planned: PlannedProbe
    pair: Pair  # the languages of the client and of the server
    element: str  # the element of the protos that the exchange was about
    outcome: ElementOutcome  # what happened to the element


def encode(observation: ObservedEffect, versions: VersionPair) -> str:
    """Return the text for `interop replay` of an observation that was played."""
    record, effect = observation.example, observation.effect
    assert isinstance(record, ExchangeRecord)
    pair = record.order.pair
    value: dict[str, Any] = {
        "pair": f"{language(pair.client)}:{language(pair.server)}",
        "element": effect.element,
        "outcome": effect.outcome,
        **_plain(record),
    }
    for version, catalog in versions.catalogs.items():
        files = _files(record, version, catalog)
        names = [catalog.sent_names.get(name, name) for name in files]
        value[version] = {"files": names, "protos": to_text(catalog.sent_set(files))}
    return pack(EXCHANGE, value)


def _plain(record: ExchangeRecord) -> dict[str, Any]:
    match record.planned:
        case RpcProbe(method, role, flow, _, content, filler, aimed, what):
            plain = {"method": method.element, "role": role, "flow": flow, "content": to_text(content), "filler": to_text(filler)}
            return {"delivery": {**plain, "aimed": aimed, "what": what}}
        case MessageProbe(pair, roles, _, flow, format_, probes):
            probe = probes[record.number]
            plain = {"base": pair.base.name, "head": pair.head.name, "flow": flow, "format": format_}
            return {"parcel": {**plain, "roles": [*roles], "content": to_text(probe.data), "field": probe.field, "what": probe.what}}
        case AbsentRpcProbe(method, client, requests, responses):
            plain = {"method": method.element, "client": client}
            return {"knock": {**plain, "requests": [*map(to_text, requests)], "responses": [*map(to_text, responses)]}}


def _files(record: ExchangeRecord, version: Version, catalog: Catalog) -> list[str]:
    """Return the files of a version that the exchange needs. A version without the RPC gives any file: its server has to run."""
    planned = record.planned
    methods = planned.methods if isinstance(planned, MessageProbe) else (planned.method,)
    files = [catalog.file_of_service(method.service) for pair in methods if (method := pair.of(version))]
    contents: Iterable[bytes] = ()
    if isinstance(planned, MessageProbe):
        files.append(catalog.message(planned.pair.of(version).name).file.name)
        contents = (planned.probes[record.number].data,)
    elif isinstance(planned, RpcProbe):
        contents = (planned.content,)
    # Types that an Any may name.
    files += [catalog.message(name).file.name for name in catalog.messages() if any(name.encode() in content for content in contents)]
    return sorted(set(files)) or list(catalog.files[:1])


def decode(text: str, options: Options) -> Again:
    """Return the exchange in a text that `encode` made. Raise ReplayError."""
    value = unpack(EXCHANGE, text)
    with reading():
        base, head = (_sources(version, value[version], options) for version in Version)
        versions = VersionPair(base, head)
        client, _, server = value["pair"].partition(":")
        planned, element = _planned(value, versions.schemas), _word(value["element"])
        return Again(versions, planned, Pair(client, server), element, ElementOutcome(value["outcome"]))


def _sources(version: Version, plain: dict[str, Any], options: Options) -> Sources:
    side = ComparedSide(version.value, "as the replay text has it")
    return Sources(side, Catalog(plain["files"], descriptors(plain["protos"])), {}, no_lines, options.project.folder)


def _planned(value: dict[str, Any], schemas: MatchedSchemas) -> PlannedProbe:
    if plain := value.get("delivery"):
        method, role = _method(schemas, plain["method"]), MessageRole(plain["role"])
        root = method.root(role)
        if root is None:
            raise ValueError(f"{plain['method']} in one version only")
        content, filler = to_bytes(plain["content"]), to_bytes(plain["filler"])
        return RpcProbe(method, role, Flow(plain["flow"]), root, content, filler, _word(plain["aimed"]), _word(plain["what"]))
    if plain := value.get("parcel"):
        types, roles = schemas.pair(plain["base"], plain["head"]), tuple(map(MessageRole, plain["roles"]))
        probe = Probe(to_bytes(plain["content"]), plain["field"], _word(plain["what"]))
        message_probe = MessageProbe(types, roles, (), Flow(plain["flow"]), Format(plain["format"]), (probe,))
        message_probe.aimed(0)  # raises for a field that the type does not have
        return message_probe
    plain = value["knock"]
    messages = (tuple(map(to_bytes, plain[name])) for name in ("requests", "responses"))
    return AbsentRpcProbe(_method(schemas, plain["method"]), Version(plain["client"]), *messages)


def _method(schemas: MatchedSchemas, element: str) -> MethodPair:
    for method in schemas.methods:
        if method.element == element:
            return method
    raise KeyError(element)


def _word(text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not text")
    return text
