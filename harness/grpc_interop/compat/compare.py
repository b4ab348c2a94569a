"""The way of `interop compat`: read the sides, find the changes, build both versions, play, observe, judge and report."""

import os
import re
import time
from collections import ChainMap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from pathlib import Path

from grpc_interop.compat import accepted, buf
from grpc_interop.compat.accepted import AcceptedBreaks
from grpc_interop.compat.buf_findings import with_alarms
from grpc_interop.compat.diff.changes import no_lines
from grpc_interop.compat.diff.declared import Declared
from grpc_interop.compat.diff.definitions import Definitions
from grpc_interop.compat.diff.synthetic_messages import is_synthetic
from grpc_interop.compat.example import Illustrator
from grpc_interop.compat.judge.guarantee import Guarantee, Judgement, judge, rollout
from grpc_interop.compat.play.building import Builds, build
from grpc_interop.compat.play.interpreter import ExchangeRecord
from grpc_interop.compat.play.plan_executor import Executed, PlanExecutor
from grpc_interop.compat.play.playing import Player
from grpc_interop.compat.probes.plan import Plan
from grpc_interop.compat.report import write
from grpc_interop.compat.sides import read_base, read_head
from grpc_interop.compat.unlisted import comparable
from grpc_interop.compat.version_pair import VersionPair
from grpc_interop.compat.vocabulary.observation import ObservedEffect, Version
from grpc_interop.compat.vocabulary.result import BaseComparison, ChangeFinding, ChangeVerdict, NotCompared, Result
from grpc_interop.config import Options, added_implementations, choose, home
from grpc_interop.core.verdict import Pair
from grpc_interop.drivers.build import Builder
from grpc_interop.drivers.manifest import Manifest
from grpc_interop.errors import UsageError
from grpc_interop.output.console import say
from grpc_interop.output.plain_text import counted
from grpc_interop.report.folder import LOGS, make_folder
from grpc_interop.report.record import REPLAYS
from grpc_interop.report.recorder import LONGEST_REPLAY

SUFFIX = ".iv1"
"""The suffix of files that hold a replay text."""


@dataclass(frozen=True, slots=True)
class Request:
    """The sides as the user spelled them, and the extent of the comparison."""

    replay_text: Callable[[ObservedEffect, VersionPair], str]  # makes the argument of `interop replay`
    bases: tuple[str, ...]
    head: str | None = None  # None for the working tree
    guarantee: Guarantee = Guarantee.BOTH
    everything: bool = False  # whether unchanged elements are run as well


def compat(options: Options, request: Request) -> int:
    """Compare, report, and return the exit status. Raise UsageError for sides that cannot be read."""
    started = time.monotonic()
    if not request.bases:
        raise UsageError("nothing to compare with: --base is missing", "such as: interop compat --base origin/main")
    make_folder(options.report)
    for path in (options.report / REPLAYS).glob(f"*{SUFFIX}"):
        path.unlink(missing_ok=True)  # from an earlier comparison, and no report refers to it now
    head = read_head(request.head, options)
    labels = ("base", *(f"base {number}" for number in range(2, len(request.bases) + 1)))
    bases = [read_base(spelling, label, options, request.head) for spelling, label in zip(request.bases, labels, strict=False)]
    bases, head = comparable(bases, head)
    version_pairs = [VersionPair(base, head) for base in bases]
    if request.everything or any(versions.changes.changes for versions in version_pairs):
        comparisons, exchanges, missing = _play(version_pairs, options, request)
    else:
        comparisons, exchanges, missing = [_unchanged(versions) for versions in version_pairs], 0, False
    result = Result(head.side, request.guarantee, tuple(comparisons), exchanges=exchanges)
    unread = any(versions.unread for versions in version_pairs)
    status = _status(result, strict=options.strict, failed=missing or unread)
    added = tuple(added_implementations(options, Path.cwd()))
    result = replace(result, seconds=time.monotonic() - started, exit_status=status, replay_options=added)
    write(result, options.report, options.project.folder, os.environ)
    return status


def _status(result: Result, *, strict: bool, failed: bool) -> int:
    """Return 0 where nothing breaks and 1 where something does; 2 where something could not run and that is a failure
    (`--strict`); 3 where a build failed, no pair can be played here, or a file that differs could not be read. The largest
    status that applies counts, as for every command."""
    if failed:
        return 3
    if strict and any(comparison.incomplete for comparison in result.comparisons):
        return 2
    return 1 if result.findings(ChangeVerdict.BREAK) else 0


def _unchanged(versions: VersionPair) -> BaseComparison:
    """Return the comparison of equal versions, for which nothing is built or played."""
    return BaseComparison(
        versions.base.side, untouched=versions.changes.untouched, not_run=tuple(_unread(versions)), warnings=versions.warnings
    )


@dataclass(frozen=True, slots=True)
class _CompareContext:
    """The data that all comparisons of a command share."""

    options: Options
    request: Request
    manifests: Sequence[Manifest]
    builds: Builds
    player: Player
    pairs: Sequence[Pair]  # the pairs that can be played here
    accepted: AcceptedBreaks

    def compare(self, versions: VersionPair, plan: Plan) -> BaseComparison:
        """Play the plan and judge the observations."""
        executed = PlanExecutor(self.player, self.builds, versions.labels, versions.shapes).run(plan, self.pairs)
        observations = [observation for observation in executed.observations if not is_synthetic(observation.effect.element)]
        judgements = judge(versions.changes.changes, observations, self.request.guarantee)
        refused = list(_refused(versions, self.builds, self.manifests))
        findings, buf_silence = _ask_buf(versions, [*refused, *_findings(versions, judgements, self)])
        findings, warnings = self.accepted.apply(findings, versions.base.catalog, versions.head.catalog, date.today())
        return BaseComparison(
            versions.base.side,
            tuple(findings),
            # A file that a language refuses can be rolled out in no order.
            {order: sound and not refused for order, sound in rollout(judgements).items()},
            versions.changes.untouched,
            (*_unread(versions), *_not_run(self.builds, executed)),
            (*versions.warnings, *warnings, *_left_out(plan)),
            buf_silence,
            everything=self.request.everything,
            incomplete=bool(self.builds.missing or executed.not_run),
        )


def _play(version_pairs: Sequence[VersionPair], options: Options, request: Request) -> tuple[list[BaseComparison], int, bool]:
    """Return the comparisons, the number of exchanges, and whether something could not be built or played though it should."""
    pairs = _pairs(options)
    unused = {enum for versions in version_pairs for enum in versions.unused_enums}
    for versions in version_pairs:
        versions.add_synthetic_messages(unused)
    plans = [versions.plan(everything=request.everything, by_proto_names=request.guarantee.by_proto_names) for versions in version_pairs]
    accepted_breaks = accepted.read(options.project.accepted_breaks)  # before the slow steps: the file may be wrong
    needed = {name for pair in pairs for name in (pair.client, pair.server)}
    manifests = [manifest for manifest in options.implementations if manifest.name in needed]
    builder = Builder(options.project.make_state_folder(), home() / "proto")
    builds = build(builder, manifests, dict(ChainMap(*(versions.catalogs_by_label for versions in version_pairs))), _note)
    playable = [pair for pair in pairs if pair.client not in builds.missing and pair.server not in builds.missing]
    with Player(builds, options.report / LOGS) as player:
        context = _CompareContext(options, request, manifests, builds, player, playable, accepted_breaks)
        comparisons = [context.compare(versions, plan) for versions, plan in zip(version_pairs, plans, strict=True)]
    silent = not player.exchanges and not all(plan.empty for plan in plans)
    return comparisons, player.exchanges, builds.failed or not playable or silent


def _pairs(options: Options) -> list[Pair]:
    known = [manifest.name for manifest in options.implementations]
    clients, servers = choose("client", options.clients, known), choose("server", options.servers, known)
    return [Pair(client, server) for client in clients for server in servers]


def _findings(versions: VersionPair, judgements: Sequence[Judgement], context: _CompareContext) -> Iterator[ChangeFinding]:
    before, after = Definitions(versions.base.catalog), Definitions(versions.head.catalog)
    illustrator = Illustrator(versions.shapes)
    for judgement in judgements:
        change, observation, example = judgement.change, judgement.example, None
        if observation is not None and isinstance(observation.example, ExchangeRecord):
            replay = _replay(observation, versions, context) if judgement.verdict is ChangeVerdict.BREAK else ""
            example = illustrator.example(observation.example, replay)
        yield ChangeFinding(
            change.element,
            change.what,
            judgement.verdict,
            change.subject,
            change.now,
            change.base and versions.base.location(change.base.file, change.base.line),
            change.head and versions.head.location(change.head.file, change.head.line),
            before.text(change.element),
            after.text(change.now or change.element),
            judgement.observed,
            judgement.notes,
            example,
        )


def _replay(observation: ObservedEffect, versions: VersionPair, context: _CompareContext) -> str:
    """Return the argument of `interop replay`: the text, or the file that holds a text too long for a command line."""
    text = context.request.replay_text(observation, versions)
    if len(text) <= LONGEST_REPLAY:
        return text
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{observation.effect.element} {versions.base.side.label}").strip("_")[-200:]
    folder = context.options.report / REPLAYS
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}{SUFFIX}").write_text(text + "\n", encoding="ascii")
    return f"{REPLAYS}/{name}{SUFFIX}"


def _refused(versions: VersionPair, builds: Builds, manifests: Sequence[Manifest]) -> Iterator[ChangeFinding]:
    """Yield the files of head that a language refuses, and did not refuse in base. A file under a new name, or
    a part of a file, was refused before as well: the language has lost nothing."""
    base, head = (dict(Declared(side.catalog, no_lines).elements()) for side in (versions.base, versions.head))
    for manifest in manifests:
        before = {refused.file for refused in builds.refused(manifest.name, versions.labels[Version.BASE])}
        for refused in builds.refused(manifest.name, versions.labels[Version.HEAD]):
            origins = {base.get(name) for name, file in head.items() if file == refused.file} or {refused.file}
            if refused.file not in before and not origins <= before:
                line = versions.head.lines(refused.file).get(refused.element, 1) if refused.element else 1
                location = versions.head.location(refused.file, line)
                edit = f"{manifest.name} refuses it: {refused.text}"
                yield ChangeFinding(refused.file, (edit,), ChangeVerdict.BREAK, "file", head=location)


def _ask_buf(versions: VersionPair, findings: list[ChangeFinding]) -> tuple[list[ChangeFinding], str]:
    """Return the findings with buf's alarms, or why there are none."""
    try:
        alarms = buf.alarms(versions.base.catalog, versions.head.catalog)
    except buf.NoVerdictError as error:
        return findings, str(error)
    return with_alarms(findings, alarms, versions.base.catalog, versions.head.catalog), ""


def _unread(versions: VersionPair) -> Iterator[NotCompared]:
    yield from (NotCompared(file, f"its declarations are not compared: {why}") for file, why in versions.unread.items())


def _not_run(builds: Builds, executed: Executed) -> Iterator[NotCompared]:
    yield from (NotCompared(what, why) for what, why in chain(builds.missing.items(), executed.not_run.items(), executed.refused.items()))


def _left_out(plan: Plan) -> Iterator[str]:
    """Yield a warning for messages left out by design, which is no failure even under `--strict`."""
    if plan.cut:
        yield f"{counted(plan.cut, 'more message')} aimed at the changes were left out: each type has a limit of its own"


def _note(text: str) -> None:
    say(text, err=True)
