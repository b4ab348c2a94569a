"""One exchange between two versions as text, and played again. A text holds the protos of both versions as far as the
exchange needs them, and so works on another machine.

    iv1:eJyrVkrOz0nV...
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from grpc_interop.compat.diff.changes import no_lines
from grpc_interop.compat.diff.match_types import MatchedSchemas, MethodPair
from grpc_interop.compat.example import Illustrator
from grpc_interop.compat.judge.observe import GOOD
from grpc_interop.compat.play.building import build, language
from grpc_interop.compat.play.interpreter import ExchangeRecord
from grpc_interop.compat.play.plan_executor import PlanExecutor
from grpc_interop.compat.play.playing import Player
from grpc_interop.compat.probes.plan import AbsentRpcProbe, MessageProbe, Plan, PlannedProbe, RpcProbe
from grpc_interop.compat.probes.prober import Probe
from grpc_interop.compat.sides import Sources
from grpc_interop.compat.version_pair import VersionPair
from grpc_interop.compat.vocabulary.observation import ElementOutcome, Flow, Format, MessageRole, ObservedEffect, Version
from grpc_interop.compat.vocabulary.result import ComparedSide
from grpc_interop.config import Options, choose, home
from grpc_interop.core.verdict import Pair
from grpc_interop.drivers.build import Builder
from grpc_interop.drivers.driver import CONTRACT
from grpc_interop.errors import BuildError
from grpc_interop.output.console import say
from grpc_interop.report.folder import LOGS
from grpc_interop.repro.case_text import ANOTHER_HARNESS, BETWEEN_VERSIONS, let_in
from grpc_interop.repro.packing import ReplayError, pack, unpack, without_blanks
from grpc_interop.schema import gate
from grpc_interop.schema.catalog import Catalog

PREFIX = BETWEEN_VERSIONS
"""`interop versions`, form 1. Another form gets another number."""


class Again(NamedTuple):
    """What a text holds: the two versions, what to play on which pair of languages, and what was seen of which element."""

    versions: VersionPair
    planned: PlannedProbe
    pair: Pair
    element: str
    outcome: ElementOutcome


# ----------------------------------------------------------------------------------------------------------------------
# As text
# ----------------------------------------------------------------------------------------------------------------------


def encode(observation: ObservedEffect, versions: VersionPair) -> str:
    """The text for `interop replay` of an observation that was heard."""
    record, effect = observation.example, observation.effect
    assert isinstance(record, ExchangeRecord)
    pair = record.order.pair
    value: dict[str, Any] = {
        "contract": CONTRACT,
        "pair": f"{language(pair.client)}:{language(pair.server)}",
        "element": effect.element,
        "outcome": effect.outcome,
        **_of_planned(record),
    }
    for version, catalog in versions.catalogs.items():
        files = _files(record, version, catalog)
        names = [catalog.sent_names.get(name, name) for name in files]
        value[version] = {"files": names, "protos": _text(catalog.sent_set(files))}
    return PREFIX + pack(value)


def _of_planned(record: ExchangeRecord) -> dict[str, Any]:
    match record.planned:
        case RpcProbe(method, role, flow, _, content, filler, aimed, what):
            told = {"method": method.element, "role": role, "flow": flow, "content": _text(content), "filler": _text(filler)}
            return {"delivery": {**told, "aimed": aimed, "what": what}}
        case MessageProbe(pair, roles, _, flow, format_, probes):
            probe = probes[record.number]
            told = {"base": pair.base.name, "head": pair.head.name, "flow": flow, "format": format_}
            return {"parcel": {**told, "roles": [*roles], "content": _text(probe.data), "field": probe.field, "what": probe.what}}
        case AbsentRpcProbe(method, client, requests, responses):
            told = {"method": method.element, "client": client}
            return {"knock": {**told, "requests": [*map(_text, requests)], "responses": [*map(_text, responses)]}}


def _files(record: ExchangeRecord, version: Version, catalog: Catalog) -> list[str]:
    """Those that the exchange needs of a version. Of an RPC that it lacks, whatever else it has: its server has to run."""
    planned = record.planned
    methods = planned.methods if isinstance(planned, MessageProbe) else (planned.method,)
    files = [catalog.file_of_service(method.service) for one in methods if (method := one.of(version))]
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
    """What `encode` was given. Raises ReplayError."""
    value = unpack(without_blanks(text).removeprefix(PREFIX))
    if value.get("contract") != CONTRACT:
        raise ReplayError(
            f"the replay text is of version {gate.shown(repr(value.get('contract')))} of the driver contract", ANOTHER_HARNESS
        )
    try:
        base, head = (_sources(version, value[version], options) for version in Version)
        versions = VersionPair(base, head)
        client, _, server = value["pair"].partition(":")
        planned, element = _planned(value, versions.schemas), _word(value["element"])
        return Again(versions, planned, Pair(client, server), element, ElementOutcome(value["outcome"]))
    except gate.NotAdmitted as fault:
        raise ReplayError(f"the replay text {fault}") from None
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
        raise ReplayError(
            f"the replay text holds something that this version does not know: {gate.shown(repr(error))}", ANOTHER_HARNESS
        ) from error


def _sources(version: Version, told: dict[str, Any], options: Options) -> Sources:
    side = ComparedSide(version.value, "as the replay text has it")
    return Sources(side, Catalog(told["files"], let_in(told["protos"])), {}, no_lines, options.project.folder)


def _planned(value: dict[str, Any], schemas: MatchedSchemas) -> PlannedProbe:
    if told := value.get("delivery"):
        method, role = _method(schemas, told["method"]), MessageRole(told["role"])
        root = method.root(role)
        if root is None:
            raise ValueError(f"{told['method']} in one version only")
        content, filler = _bytes(told["content"]), _bytes(told["filler"])
        return RpcProbe(method, role, Flow(told["flow"]), root, content, filler, _word(told["aimed"]), _word(told["what"]))
    if told := value.get("parcel"):
        probe = Probe(_bytes(told["content"]), told["field"], _word(told["what"]))
        roles = tuple(map(MessageRole, told["roles"]))
        message_probe = MessageProbe(
            schemas.pair(told["base"], told["head"]), roles, (), Flow(told["flow"]), Format(told["format"]), (probe,)
        )
        message_probe.aimed(0)  # the field has to be one of the type
        return message_probe
    told = value["knock"]
    messages = (tuple(map(_bytes, told[name])) for name in ("requests", "responses"))
    return AbsentRpcProbe(_method(schemas, told["method"]), Version(told["client"]), *messages)


def _method(schemas: MatchedSchemas, element: str) -> MethodPair:
    return next(method for method in schemas.methods if method.element == element)


def _word(text: Any) -> str:
    """Raises TypeError for what is no text."""
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is no text")
    return text


def _text(content: bytes) -> str:
    """As in every replay text: a character per byte."""
    return content.decode("latin-1")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


# ----------------------------------------------------------------------------------------------------------------------
# Played again
# ----------------------------------------------------------------------------------------------------------------------


def replay(options: Options, text: str) -> int:
    """Plays the exchange and its control, and shows what was seen. Gives 0 if the outcome of the element is not seen any
    more (FIXED), 1 if it is (FAILED). Raises ReplayError, and BuildError where it cannot be played."""
    again = decode(text, options)
    names = (again.pair.client, again.pair.server)
    choose("implementation", names, [manifest.name for manifest in options.implementations])
    manifests = [manifest for manifest in options.implementations if manifest.name in names]
    builder = Builder(options.project.make_state_folder(), home() / "proto")
    versions, plan = again.versions, _alone(again.planned)
    builds = build(builder, manifests, versions.catalogs_by_label, lambda words: say(words, err=True))
    for name, why in builds.missing.items():
        raise BuildError(f"{again.pair} cannot be played: {name}: {why}")
    with Player(builds, options.report / LOGS) as player:
        executed = PlanExecutor(player, builds, versions.labels, versions.shapes).run(plan, [again.pair])
    for what, why in (executed.not_run | executed.refused).items():
        raise BuildError(f"{what} cannot be played: {why}")
    _show(executed.observations, versions)
    still = [one.effect for one in executed.observations if (one.effect.element, one.effect.outcome) == (again.element, again.outcome)]
    say(f"{'FAILED' if still else 'FIXED'}: {again.element} is {'' if still else 'not '}{again.outcome}")
    return 1 if still else 0


def _alone(planned: PlannedProbe) -> Plan:
    rpc_probes = (planned,) if isinstance(planned, RpcProbe) else ()
    message_probes = (planned,) if isinstance(planned, MessageProbe) else ()
    absent_rpc_probes = (planned,) if isinstance(planned, AbsentRpcProbe) else ()
    return Plan(rpc_probes, message_probes, absent_rpc_probes, 0)


def _show(observations: Iterable[ObservedEffect], versions: VersionPair) -> None:
    """Both sides' transcripts of each exchange, and what was seen in it."""
    illustrator, shown = Illustrator(versions.shapes), set()
    for observation in sorted(observations, key=lambda one: one.effect.outcome in GOOD):
        record, effect = observation.example, observation.effect
        assert isinstance(record, ExchangeRecord)
        example = illustrator.example(record, "")
        if example.rows not in shown:
            shown.add(example.rows)
            say(f"{example.left}  ->  {example.right}")
            for row in example.rows:
                say(f"  {row.left}  {row.arrow}  {row.right}".rstrip())
        say(f"{effect.outcome}: {effect.element}" + (f": {effect.why}" if effect.why else ""))
