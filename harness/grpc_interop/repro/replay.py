"""`interop replay`: find the case that is meant, play it again, and show everything that was observed."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grpc_interop.config import Options
from grpc_interop.core.case import AnyCase
from grpc_interop.core.script import NotACase
from grpc_interop.core.verdict import Outcome, Pair, Verdict
from grpc_interop.engine.shrink.shrinker import RARE
from grpc_interop.errors import BuildError, UsageError
from grpc_interop.files import temporary
from grpc_interop.messages.examples import Examples
from grpc_interop.output.console import say
from grpc_interop.output.plain_text import Describe, counted
from grpc_interop.report.failure import plain_lines
from grpc_interop.report.folder import make_folder
from grpc_interop.report.forms.results import CASES, RESULTS, StoredReport, stored_cases
from grpc_interop.report.record import REPLAYS, record_of
from grpc_interop.repro.case_text import Replay, decode, encode
from grpc_interop.repro.exchange_replay import replay_exchange
from grpc_interop.repro.export import export
from grpc_interop.repro.packing import ANOTHER_HARNESS, CASE, EXCHANGE, FORM, ReplayError, read_text
from grpc_interop.schema.catalog import Catalog
from grpc_interop.session.listing import selected
from grpc_interop.session.protos import load_catalog
from grpc_interop.session.session import Session

_BAD = (Outcome.PASSED, Outcome.FAILED, Outcome.UNSUPPORTED, Outcome.ERROR)
"""The outcomes of a play, the worst last."""


def replay_text(verdict: Verdict, catalog: Catalog) -> str:
    """Return the text with which the verdict's case can be played again on another machine."""
    return encode(*_replay_of(verdict.case, verdict.pair, catalog, verdict.plays))


def _replay_of(case: AnyCase, pair: Pair, catalog: Catalog, plays: int = 1) -> Replay:
    return Replay(case, pair, catalog.sent_set(catalog.files_of(case)), plays)


def explain(verdict: Verdict, describe: Describe, replay: str | None = None, options: Sequence[str] = ()) -> str:
    """Return both sides beside the model, with logs, as text. `options` are the words that `interop replay` needs."""
    record = record_of(verdict, describe, replay=replay)
    return "\n".join(plain_lines(record, Path.cwd(), options))


def replay(options: Options, what: str, times: int | None = None, export_to: Path | None = None) -> int:
    """Play the case `times` times (None: as often as its failure needs), and write a reproduction into `export_to`. Return 0 if
    all plays passed (FIXED, or PASSED where that proves nothing), 1 if any failed (FAILED), 3 if any could not be judged
    (ERROR). Raise UsageError where `what` is neither a text, nor a file, nor an id."""
    make_folder(options.report)
    path = None if FORM.match(what.lstrip()) else Path(what)
    text = _in_file(path) if path else what
    if text is not None and text.lstrip().startswith(EXCHANGE):
        if export_to is not None:
            raise UsageError("--export writes programs of one version, and this text is about two versions of the protos")
        return replay_exchange(options, text)
    case_replay = _by_id(options, what) if text is None else _decoded(text, path)
    options.project.make_state_folder()
    with tempfile.TemporaryDirectory(dir=temporary.place()) as folder:
        image = Path(folder) / "replay.binpb"
        image.write_bytes(case_replay.descriptor_set)
        chosen = replace(options, image=image, clients=(case_replay.pair.client,), servers=(case_replay.pair.server,), suites=())
        with Session(chosen, note=lambda text: say(text, err=True)) as session:
            return _play(session, case_replay, times, export_to)


def _play(session: Session, case_replay: Replay, times: int | None, export_to: Path | None) -> int:
    if not session.catalog.declares(case_replay.case):
        why = "; ".join(session.catalog.refused.values())
        raise ReplayError(f"the replay text lacks the protos of {case_replay.case.path}" + (f", or they are refused: {why}" if why else ""))
    if not Examples.can_make(case_replay.case):
        raise ReplayError(f"the replay text has no messages, and no case of messages is called {case_replay.case.name}", ANOTHER_HARNESS)
    # Not `generated`, which would be shrunk: the user asked for this very case.
    case = case_replay.case.as_it_is()
    try:
        session.job(case, case_replay.pair)
    except NotACase as broken:
        raise ReplayError(f"the replay text does not hold a valid case: {broken}") from None
    session.start_building()
    while session.building:
        session.collect_builds(1)
    if why := session.why_not(case_replay.pair):
        raise BuildError(f"{case_replay.pair} cannot be played: {why}")
    if refused := session.refused(case_replay.case, case_replay.pair):
        raise BuildError(f"{case_replay.pair} cannot be played: one of its languages refuses {refused.file}: {refused.text}")
    racy = session.known.comes_and_goes(case_replay.case, case_replay.pair)
    enough = max(case_replay.plays, RARE if racy else 1)
    session.engine.enqueue(replace(session.job(case, case_replay.pair), timed=True) for _ in range(times or enough))
    verdicts: list[Verdict] = []
    while session.engine.busy:
        verdicts += session.engine.poll(0.1)
    describe = session.catalog.describe
    worst = max(verdicts, key=lambda verdict: _BAD.index(verdict.outcome), default=None)
    if worst is None:
        raise BuildError(f"{case_replay.pair} cannot be played: {session.why_not(case_replay.pair)}")
    known = session.known.apply(worst).notes if worst.outcome is Outcome.FAILED else worst.notes
    say(explain(worst._replace(notes=known), describe))
    failed = sum(verdict.outcome is not Outcome.PASSED for verdict in verdicts)
    how = {Outcome.PASSED: "FIXED", Outcome.FAILED: "FAILED"}.get(worst.outcome, "ERROR")
    say(_conclusion(how, failed, len(verdicts), proves=not racy and len(verdicts) >= enough, seldom=enough > 1))
    if export_to is not None:
        export(session, case_replay, verdicts, worst, export_to)
        say(f"exported: {export_to / 'README.md'} says how to run it")
    return {"FIXED": 0, "FAILED": 1, "ERROR": 3}[how]


def _conclusion(how: str, failed: int, played: int, *, proves: bool, seldom: bool) -> str:
    """Return the last line. `seldom`: the failure comes and goes. `proves`: it would have shown in so many plays."""
    if not failed and not proves:
        return f"PASSED: none of {counted(played, 'play')} failed; it comes and goes, so it may fail yet"
    if 0 < failed < played:
        return f"{how}: {failed} of {counted(played, 'play')} failed; it comes and goes"
    many = "; it comes and goes, so it was played several times" if seldom else ""
    return f"{how}: {played - failed} of {played} passed{many}"


def _by_id(options: Options, case_id: str) -> Replay:
    """Return the case with this id in the last report, or else in `interop list`. Raise UsageError."""
    case_replay = _recorded(options.report, case_id) or _listed(_as_then(options, case_id), case_id)
    if case_replay is None:
        raise UsageError(
            f"{case_id[:80]!r} is neither a replay text, nor a file, nor the id of a case in {options.report / CASES} or of `interop list`",
            f"a replay text begins with {CASE}, or with {EXCHANGE} where two versions of protos meet; "
            "an id ends in its pair, such as [py:go]",
        )
    return case_replay


def _in_file(path: Path) -> str | None:
    """Return the content of a file, or None where there is no such file. Raise ReplayError."""
    try:
        if not path.is_file():
            return None
    except OSError:
        return None  # the name is too long: a replay text without its beginning
    try:
        return read_text(path)
    except OSError as error:
        raise ReplayError(f"{path}: cannot be read: {error.strerror}") from None


def _decoded(text: str, path: Path | None) -> Replay:
    """Return the case in a text. Raise ReplayError, which names the file that the text comes from."""
    try:
        return decode(text)
    except ReplayError as error:
        raise ReplayError(f"{path}: {error.what}" if path else error.what, error.remedy) from None


def _recorded(report: Path, case_id: str) -> Replay | None:
    """Return the case from the last report: from its line in cases.jsonl, or from a file within the report folder."""
    cases = report / CASES
    if not cases.is_file():
        return None
    replay = next((record.replay for record in stored_cases(report) if record.id == case_id), None)
    if replay is None or replay == case_id:
        return None
    if FORM.match(replay):
        return decode(replay)
    # The report may come from elsewhere, and name any file of this machine: only names in the report folder count.
    path = report / REPLAYS / Path(replay).name
    return _decoded(text, path) if (text := _in_file(path)) is not None else None


def _as_then(options: Options, case_id: str) -> Options:
    """Return the options with the seed of the last report if the case is in it, since generated content depends on the seed."""
    if not all((options.report / name).is_file() for name in (CASES, RESULTS)):
        return options
    then = any(record.id == case_id for record in stored_cases(options.report))
    return replace(options, seed=StoredReport(options.report).info.seed) if then else options


def _listed(options: Options, case_id: str) -> Replay | None:
    """Return the case with this id as its suite yields it now."""
    if not case_id.endswith("]"):
        return None
    catalog = load_catalog(options)
    return next((_replay_of(case, pair, catalog) for case, pair in selected(options) if f"{case.id}[{pair}]" == case_id), None)
