"""`interop run`: play the cases, report, and conclude."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from grpc_interop.commands.options import BUDGET, CHOICE, REPORT, TREE, with_options
from grpc_interop.commands.report import merge_reports
from grpc_interop.config import Options, added_implementations, chosen_tree
from grpc_interop.core.verdict import Pair
from grpc_interop.errors import InteropError
from grpc_interop.interruption import interruptible, undivided
from grpc_interop.output.console import say
from grpc_interop.output.plain_text import counted
from grpc_interop.report import Implementation, Recorder, ReportError, RunInfo, report_files, standard_reports
from grpc_interop.report.conclusion import BROKEN
from grpc_interop.report.forms.results import RESULTS
from grpc_interop.repro.replay import replay_text
from grpc_interop.session.listing import selected
from grpc_interop.session.run import Run
from grpc_interop.session.session import Session
from grpc_interop.session.workers import run_in_workers


@click.command()
@with_options(TREE, CHOICE)
@REPORT
@click.option("-n", "workers", type=click.IntRange(1), default=1, metavar="WORKERS", help="Run as many shards at the same time.")
@click.option("--shard", metavar="K/N", help="Only the K-th of N equal parts.")
@BUDGET
@click.option("--strict", is_flag=True, help="Anything that cannot run is a failure (as with CI=true).")
@click.option("-q", "--quiet", is_flag=True, help="Print only the matrix and the failures.")
@click.option("--suggest-known", "suggest", is_flag=True, help="Print an entry for each failure that is not known yet.")
def command(options: Options, workers: int, *, quiet: bool, suggest: bool, **_: Any) -> None:
    """Run every client x server pair, every RPC, every streaming mode."""
    interruptible()
    status = run(options, workers=workers, quiet=quiet)
    if suggest:
        suggest_known(options.report)
    sys.exit(status)


def run(options: Options, *, workers: int = 1, quiet: bool = False) -> int:
    """Play and report. Return the exit status. Raise UsageError, or KeyboardInterrupt, before any case was played; the report
    then says so, unless it would replace the report of an earlier run."""
    try:
        return _run(options, workers, quiet=quiet)
    except ReportError:
        raise
    except (InteropError, KeyboardInterrupt) as error:
        if not (options.report / RESULTS).exists():
            _report_error(options, error)
        raise


def _report_error(options: Options, error: InteropError | KeyboardInterrupt) -> None:
    """Write the error into the report's files. The command itself tells the terminal and GitHub."""
    options.project.make_state_folder()
    recorder = Recorder(options.report, report_files(options.report))
    recorder.run_started(RunInfo("interop run", options.seed, (), shard=options.shard, strict=options.strict))
    if isinstance(error, InteropError):
        recorder.stopped(error.exit_status, str(error))
    recorder.run_finished(0.0, interrupted=isinstance(error, KeyboardInterrupt))


def _run(options: Options, workers: int, *, quiet: bool) -> int:
    if options.changed and next(selected(options), None) is None:
        say(f"nothing to run: of what the options select, no RPC or message has changed since {options.changed}")
        return 0
    if workers > 1:
        folders, interrupted = run_in_workers(options, workers)
        return merge_reports(folders, options.report, interrupted=interrupted)
    with Session(options) as session:
        recorder = _recorder(session, quiet=quiet)
        session.note = recorder.note_progress
        played = Run(session, recorder.add, partial(recorder.note_progress, lasting=True))
        plan = played.narrow()
        recorder.run_started(_info(session, plan))
        interrupted = False
        try:
            played.play()
            undivided.no_more()
        except KeyboardInterrupt:
            interrupted = True
        except Exception as error:
            # The verdicts so far are kept though the harness fails, and the report of the rest must not be green.
            recorder.stopped(BROKEN, f"the harness failed: {type(error).__name__}: {error}")
            _report_beside_cases(recorder, played)
            recorder.run_finished(played.seconds)
            raise
        _report_beside_cases(recorder, played)
        for line in session.known.summary():
            recorder.note_progress(line)
        if session.engine.stretched:
            recorder.note_progress(f"{counted(session.engine.stretched, 'deadline')} missed on a busy machine: played again with more time")
    return recorder.run_finished(played.seconds, interrupted=interrupted).conclusion.exit_status


def _report_beside_cases(recorder: Recorder, played: Run) -> None:
    """Report all facts about a run that are not verdicts."""
    session, options = played.session, played.session.options
    for name, versions in session.engine.pool.versions.items():
        known = (versions.get(key, "") for key in ("language", "grpc", "protobuf"))
        recorder.set_versions(Implementation(name, *known))
    for entry in played.not_run.values():
        recorder.not_run(*entry)
    for suite, number in played.left_out.items():
        recorder.left_out(suite, number, f"the {options.budget:g} s of --budget were over")
    if options.changed:
        recorder.left_out(session.untouched(), 0, f"nothing that they depend on has changed since {options.changed}")
    if played.uncovered is not None:
        recorder.uncovered(played.uncovered)
    for finding in played.findings:
        recorder.add_finding(finding)


def suggest_known(report: Path) -> None:
    """Print entries for a file of known failures, complete but for reason and link, for all failures of the run in the report."""
    causes = json.loads((report / RESULTS).read_text(encoding="utf-8"))["causes"]
    entries = [entry for cause in causes for entry in cause["known"]]
    say("\n" + "\n".join(entries) if entries else "\nno failure that is not known yet")


def _recorder(session: Session, *, quiet: bool) -> Recorder:
    directory, catalog = session.options.report, session.catalog
    reports = standard_reports(directory, quiet=quiet)
    return Recorder(directory, reports, describe=catalog.describe, replay_text=lambda verdict: replay_text(verdict, catalog))


def _info(session: Session, plan: tuple[Pair, ...]) -> RunInfo:
    options = session.options
    chosen = {name for pair in session.pairs for name in (pair.client, pair.server)}
    implementations = tuple(Implementation(manifest.name) for manifest in options.implementations if manifest.name in chosen)
    planned = {name for pair in plan for name in (pair.client, pair.server)}
    return RunInfo(
        "interop run",
        options.seed,
        session.pairs,
        implementations,
        plan,
        options.shard,
        suites=tuple(suite.name for suite in session.suites),
        strict=options.strict,
        absent=tuple(manifest.name for manifest in options.implementations if manifest.name not in planned),
        replay_options=tuple(added_implementations(options, Path.cwd())),
        tree_options=tuple(chosen_tree(options, Path.cwd())),
    )
