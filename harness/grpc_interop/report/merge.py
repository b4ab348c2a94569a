"""Merges the report folders of several shards."""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from grpc_interop.report.data import Implementation, Lack, LeftOut, NotRun, ReportError, RunInfo
from grpc_interop.report.folder import LOGS
from grpc_interop.report.forms.results import StoredReport
from grpc_interop.report.record import REPLAYS, Record
from grpc_interop.report.recorder import Recorder
from grpc_interop.report.summary import Summary
from grpc_interop.values.coverage import Uncovered


def merge(directories: Sequence[Path], recorder: Recorder, *, strict: bool = False, interrupted: bool = False) -> Summary:
    """Add the cases of all folders to a recorder that has not been started. A single folder is rendered again.

    The merged run took as long as its longest shard, and ends as its worst shard. `strict`: everything that could not run is a
    failure, even if the shards were not strict. `interrupted`: the shards were stopped before their time. Raise ReportError
    for a folder that is not a report or has another schema, for different seeds (then these are not shards of one run), and
    for a case that is in two folders.
    """
    if recorder.directory.resolve() in {directory.resolve() for directory in directories}:
        raise ReportError(f"{recorder.directory} is to be read and written", "give another folder with --report")
    shards = [StoredReport(directory) for directory in directories]
    # Before anything is written: a mistake must not leave half a report.
    _check_distinct(shards)
    recorder.run_started(_united(shards, strict=strict))
    for number, shard in enumerate(shards, 1):
        _copy_replays(shard.directory, recorder.directory)
        logs = _copy_logs(shard.directory, recorder.directory, f"{number}-" if len(shards) > 1 else "")
        for record in shard.records():
            recorder.add_record(_moved(record, shard.directory, logs))
        recorder.shard_ended(shard.exit_status, f"{_name(shard)} ended with exit status {shard.exit_status}: {shard.why_so}")
    for entry in chain(_not_run(shards), _lost(shards)):
        recorder.not_run(*entry)
    for left_out in _left_out(shards):
        recorder.left_out(*left_out)
    uncovered = [shard.uncovered for shard in shards if shard.uncovered is not None]
    if len(uncovered) == len(shards):
        recorder.uncovered(_uncovered(uncovered))
    for finding in dict.fromkeys(chain.from_iterable(shard.findings for shard in shards)):
        recorder.add_finding(finding)
    stopped = interrupted or any(shard.interrupted for shard in shards)
    return recorder.run_finished(max((shard.seconds for shard in shards), default=0.0), interrupted=stopped)


def _name(shard: StoredReport) -> str:
    number, of = shard.info.shard
    return f"shard {number}/{of}" if of > 1 else f"the run in {shard.directory.name}"


def _united(shards: Sequence[StoredReport], *, strict: bool) -> RunInfo:
    if not shards:
        raise ReportError("no report folder was given", "name at least one")
    seeds = sorted({shard.info.seed for shard in shards})
    if len(seeds) > 1:
        raise ReportError(
            f"the reports were made with different seeds ({', '.join(map(str, seeds))}), so they hold different cases",
            "merge only shards of one run; give every shard the same --seed",
        )
    infos = [shard.info for shard in shards]
    pairs = tuple(dict.fromkeys(chain.from_iterable((*info.pairs, *info.plan) for info in infos)))
    return RunInfo(
        infos[0].title,
        seeds[0],
        pairs,
        _implementations(infos),
        pairs,
        suites=tuple(dict.fromkeys(chain.from_iterable(info.suites for info in infos))),
        strict=strict or any(info.strict for info in infos),
        absent=_absent(infos),
        replay_options=infos[0].replay_options,
        tree_options=infos[0].tree_options,
    )


def _absent(infos: Sequence[RunInfo]) -> tuple[str, ...]:
    """Return the implementations that are in no shard's plan."""
    present = {name for info in infos for pair in (*info.pairs, *info.plan) for name in (pair.client, pair.server)}
    return tuple(name for name in dict.fromkeys(chain.from_iterable(info.absent for info in infos)) if name not in present)


def _implementations(infos: Sequence[RunInfo]) -> tuple[Implementation, ...]:
    """Return all implementations; an entry without versions only where no shard knew them."""
    distinct = dict.fromkeys(chain.from_iterable(info.implementations for info in infos))
    known = {each.name for each in distinct if each != Implementation(each.name)}
    return tuple(each for each in distinct if each.name not in known or each != Implementation(each.name))


def _check_distinct(shards: Sequence[StoredReport]) -> None:
    seen: dict[str, Path] = {}
    for shard in shards:
        for record in shard.records():
            if record.id in seen:
                raise ReportError(
                    f"the case {record.id} is in {seen[record.id]} and in {shard.directory}",
                    "merge each shard's folder once, and only shards of one plan",
                )
            seen[record.id] = shard.directory


def _not_run(shards: Sequence[StoredReport]) -> list[NotRun]:
    """Return everything that no shard ran, each reason once."""
    entries = [entry for shard in shards for entry in shard.not_run if not _made_good(entry, shard, shards)]
    suites: dict[tuple[str, str, Lack], dict[str, None]] = {}
    for entry in entries:
        suites.setdefault((entry.what, entry.why, entry.lack), {}).update(dict.fromkeys(entry.suites))
    return [NotRun(*key, tuple(names)) for key, names in suites.items()]


def _made_good(entry: NotRun, shard: StoredReport, shards: Sequence[StoredReport]) -> bool:
    """Return whether other folders have the cases that this shard lacked: the same part of the plan, run on another machine.
    Shards of other parts do not have them."""
    somewhere = {suite for other in shards for _, suite in other.ran}
    lacking = somewhere.intersection(entry.suites or shard.info.suites or somewhere)
    lacking -= {suite for pair, suite in shard.ran if pair == entry.what}
    others = [other for other in shards if other is not shard and other.info.shard == shard.info.shard]
    return bool(lacking) and lacking <= {suite for other in others for pair, suite in other.ran if pair == entry.what}


def _left_out(shards: Sequence[StoredReport]) -> Iterator[LeftOut]:
    """Yield everything that was left out, summed up for each reason."""
    cases: Counter[tuple[str, str]] = Counter()
    for what, number, why in chain.from_iterable(shard.left_out for shard in shards):
        cases[what, why] += number
    yield from (LeftOut(what, number, why) for (what, why), number in cases.items())


def _uncovered(shards: Sequence[Sequence[Uncovered]]) -> Iterator[Uncovered]:
    """Yield the fields that no shard's cases carried."""
    others = [{entry[:4]: frozenset(entry.fields) for entry in shard} for shard in shards[1:]]
    for entry in shards[0]:
        fields = tuple(name for name in entry.fields if all(name in other.get(entry[:4], ()) for other in others))
        if fields:
            yield entry._replace(fields=fields)


def _lost(shards: Sequence[StoredReport]) -> Iterator[NotRun]:
    """Yield the shards whose report is missing."""
    given = {shard.info.shard for shard in shards}
    for of in sorted({of for _, of in given}):
        for number in range(1, of + 1):
            if (number, of) not in given:
                yield NotRun(f"shard {number}/{of}", "its report is not among those merged; its cases are missing", Lack.LOST)


def _own_files(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the files that lie in the folder itself: in a report from elsewhere a link may lead to anything on this machine."""
    if not folder.is_symlink():
        yield from (path for path in folder.glob(pattern) if path.is_file() and not path.is_symlink())


def _copy_replays(source: Path, target: Path) -> None:
    for path in _own_files(source / REPLAYS, "*.ic1"):
        (target / REPLAYS).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / REPLAYS / path.name)


def _copy_logs(source: Path, target: Path, prefix: str) -> dict[str, str]:
    """Copy the logs, and return where each now lies in the target. All shards use the same names, so each gets a prefix."""
    copied = {}
    for path in _own_files(source / LOGS, "*.log"):
        (target / LOGS).mkdir(parents=True, exist_ok=True)
        copied[f"{LOGS}/{path.name}"] = f"{LOGS}/{prefix}{path.name}"
        shutil.copyfile(path, target / LOGS / f"{prefix}{path.name}")
    return copied


def _moved(record: Record, directory: Path, copied: Mapping[str, str]) -> Record:
    """Return the record with the paths that its attachments now have: where they were copied to, or else where they lay."""

    def moved(path: str) -> str:
        return copied.get(path) or str(directory.resolve() / path)

    attachments = tuple(each._replace(path=moved(each.path)) if each.path else each for each in record.attachments)
    return replace(record, attachments=attachments) if attachments else record
