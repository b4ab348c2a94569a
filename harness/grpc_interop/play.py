"""`interop run` and `interop report`: a run, its reports, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from grpc_interop.config import Options, in_continuous_integration
from grpc_interop.listing import selected
from grpc_interop.replaying import replay_text
from grpc_interop.report import Implementation, Recorder, RunInfo, merge, standard_reports
from grpc_interop.report.merge import LOST
from grpc_interop.report.plain_text import counted
from grpc_interop.report.results import RESULTS
from grpc_interop.run import Run
from grpc_interop.session import Session
from grpc_interop.verdict import Pair
from grpc_interop.workers import run_in_workers

INTERRUPTED = 130
"""The exit status that shells give a command ended by Ctrl-C."""


def run(options: Options, *, workers: int = 1, quiet: bool = False) -> int:
    """Plays and reports; gives the exit status. Raises UsageError before anything was played."""
    if options.changed and next(selected(options), None) is None:
        click.echo(f"nothing to run: of what the options select, no RPC or message has changed since {options.changed}")
        return 0
    if workers > 1:
        return run_in_workers(options, workers)
    with Session(options) as session:
        recorder = _recorder(session, quiet=quiet)
        session.note = recorder.note_progress
        played = Run(session, recorder.add, partial(recorder.note_progress, lasting=True))
        plan = played.narrow()
        recorder.run_started(_info(session, plan))
        interrupted = False
        try:
            played.play()
        except KeyboardInterrupt:
            interrupted = True
        for name, versions in session.engine.crew.versions.items():
            told = (versions.get(key, "") for key in ("language", "grpc", "protobuf"))
            recorder.know(Implementation(name, *told))
        for what, why in played.not_run.items():
            recorder.not_run(what, why)
        for suite, number in played.left_out.items():
            recorder.left_out(suite, number, f"the {options.budget:g} s of --budget were over")
        if options.changed:
            recorder.left_out(session.untouched(), 0, f"nothing that they depend on has changed since {options.changed}")
        if played.uncovered is not None:
            recorder.uncovered(played.uncovered)
        for finding in played.findings:
            recorder.found(finding)
        for line in session.known.told():
            recorder.note_progress(line)
        if session.engine.stretched:
            recorder.note_progress(f"{counted(session.engine.stretched, 'deadline')} missed on a busy machine: played again with more time")
    recorder.run_finished(played.seconds, interrupted=interrupted)
    return INTERRUPTED if interrupted else played.exit_status(options)


def suggest_known(report: Path) -> None:
    """Prints entries for a file of known failures, ready but for reason and link, for all that failed in the run whose
    report this is."""
    causes = json.loads((report / RESULTS).read_text(encoding="utf-8"))["causes"]
    entries = [entry for cause in causes for entry in cause["known"]]
    click.echo("\n" + "\n".join(entries) if entries else "\nno failure that is not known yet")


def _recorder(session: Session, *, quiet: bool) -> Recorder:
    directory, catalog = session.options.report, session.catalog
    reports = standard_reports(directory, quiet=quiet)
    return Recorder(directory, reports, describe=catalog.describe, replay_text=lambda verdict: replay_text(verdict, catalog))


def _info(session: Session, plan: tuple[Pair, ...]) -> RunInfo:
    options = session.options
    chosen = {name for pair in session.pairs for name in (pair.client, pair.server)}
    implementations = tuple(Implementation(manifest.name) for manifest in options.implementations if manifest.name in chosen)
    return RunInfo("interop run", options.seed, session.pairs, implementations, plan, options.shard)


def merge_reports(folders: Sequence[Path], directory: Path) -> int:
    """Merges the folders of shards into one, renders it, and gives the exit status: 0 as expected, 1 a finding, 2 where
    what was not run must be there (CI=true), 3 for a shard that is missing; the largest that applies. Raises
    ReportError for folders that cannot be merged."""
    summary = merge(folders, Recorder(directory, standard_reports(directory)))
    if not summary.cases or any(entry.what.startswith(LOST) for entry in summary.not_run):
        return 3
    if summary.not_run and in_continuous_integration():
        return 2
    return 1 if summary.failed else 0
