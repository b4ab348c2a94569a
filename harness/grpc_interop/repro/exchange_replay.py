"""`interop replay` of an exchange between two versions of the protos."""

from collections.abc import Iterable

from grpc_interop.compat.example import Illustrator
from grpc_interop.compat.judge.observe import GOOD
from grpc_interop.compat.play.building import build
from grpc_interop.compat.play.interpreter import ExchangeRecord
from grpc_interop.compat.play.plan_executor import PlanExecutor
from grpc_interop.compat.play.playing import Player
from grpc_interop.compat.probes.plan import AbsentRpcProbe, MessageProbe, Plan, PlannedProbe, RpcProbe
from grpc_interop.compat.version_pair import VersionPair
from grpc_interop.compat.vocabulary.observation import ObservedEffect
from grpc_interop.config import Options, choose, home
from grpc_interop.drivers.build import Builder
from grpc_interop.errors import BuildError
from grpc_interop.output.console import say
from grpc_interop.report.folder import LOGS
from grpc_interop.repro.exchange_text import decode


def replay_exchange(options: Options, text: str) -> int:
    """Play the exchange and its control, and show both transcripts. Return 0 if the element does not have its outcome any more
    (FIXED), else 1 (FAILED). Raise ReplayError, and BuildError where it cannot be played."""
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
    for subject, why in (executed.not_run | executed.refused).items():
        raise BuildError(f"{subject} cannot be played: {why}")
    _show(executed.observations, versions)
    effects = [observation.effect for observation in executed.observations]
    still = any((effect.element, effect.outcome) == (again.element, again.outcome) for effect in effects)
    say(f"{'FAILED' if still else 'FIXED'}: {again.element} is {'' if still else 'not '}{again.outcome}")
    return 1 if still else 0


def _alone(planned: PlannedProbe) -> Plan:
    rpc_probes = (planned,) if isinstance(planned, RpcProbe) else ()
    message_probes = (planned,) if isinstance(planned, MessageProbe) else ()
    absent_rpc_probes = (planned,) if isinstance(planned, AbsentRpcProbe) else ()
    return Plan(rpc_probes, message_probes, absent_rpc_probes, 0)


def _show(observations: Iterable[ObservedEffect], versions: VersionPair) -> None:
    """Print both sides' transcripts of each exchange, and each effect."""
    illustrator, shown = Illustrator(versions.shapes), set()
    for observation in sorted(observations, key=lambda observation: observation.effect.outcome in GOOD):
        record, effect = observation.example, observation.effect
        assert isinstance(record, ExchangeRecord)
        example = illustrator.example(record, "")
        if example.rows not in shown:
            shown.add(example.rows)
            say(f"{example.left}  ->  {example.right}")
            for row in example.rows:
                say(f"  {row.left}  {row.arrow}  {row.right}".rstrip())
        say(f"{effect.outcome}: {effect.element}" + (f": {effect.why}" if effect.why else ""))
