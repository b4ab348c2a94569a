"""Several shards' report folders as one."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from grpc_interop.coverage import Uncovered
from grpc_interop.report.protocol import (
    Implementation,
    LeftOut,
    NotRun,
    ReportError,
    RunInfo,
)
from grpc_interop.report.recorder import Recorder
from grpc_interop.report.records import REPLAYS, Record
from grpc_interop.report.results import Stored
from grpc_interop.report.summary import Summary
from grpc_interop.verdict import Pair

LOST = "shard "
"""How an entry of what was not run begins that stands for a shard whose report is not there."""


def merge(directories: Sequence[Path], recorder: Recorder) -> Summary:
    """Plays the cases of all folders into a recorder that has not been started; one folder is rendered again.

    The merged run took as long as its longest shard. Raises ReportError when a folder is none or of another schema,
    when the seeds differ (then these are not shards of one run), or when a case is in two folders.
    """
    if recorder.directory.resolve() in {directory.resolve() for directory in directories}:
        raise ReportError(f"{recorder.directory} is to be read and written", "give another folder with --report")
    shards = [Stored(directory) for directory in directories]
    # Before anything is written: a mistake must not leave half a report.
    _check_distinct(shards)
    recorder.run_started(_united(shards))
    for shard in shards:
        _copy_replays(shard.directory, recorder.directory)
        for record in shard.records():
            recorder.add_record(_moved(record, shard.directory))
    for what, why in chain(_not_run(shards, recorder.summary.pairs_run), _lost(shards)):
        recorder.not_run(what, why)
    for left_out in _left_out(shards):
        recorder.left_out(*left_out)
    uncovered = [shard.uncovered for shard in shards if shard.uncovered is not None]
    if len(uncovered) == len(shards):
        recorder.uncovered(_uncovered(uncovered))
    for finding in dict.fromkeys(chain.from_iterable(shard.beside for shard in shards)):
        recorder.found(finding)
    return recorder.run_finished(
        max((shard.seconds for shard in shards), default=0.0), interrupted=any(shard.interrupted for shard in shards)
    )


def _united(shards: Sequence[Stored]) -> RunInfo:
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
    return RunInfo(infos[0].title, seeds[0], pairs, _implementations(infos), pairs)


def _implementations(infos: Sequence[RunInfo]) -> tuple[Implementation, ...]:
    """All that took part; an entry without versions only where no shard knew any."""
    distinct = dict.fromkeys(chain.from_iterable(info.implementations for info in infos))
    known = {one.name for one in distinct if one != Implementation(one.name)}
    return tuple(one for one in distinct if one.name not in known or one != Implementation(one.name))


def _check_distinct(shards: Sequence[Stored]) -> None:
    seen: dict[str, Path] = {}
    for shard in shards:
        for record in shard.records():
            if record.id in seen:
                raise ReportError(
                    f"the case {record.id} is in {seen[record.id]} and in {shard.directory}",
                    "merge each shard's folder once, and only shards of one plan",
                )
            seen[record.id] = shard.directory


def _not_run(shards: Sequence[Stored], run: set[Pair]) -> list[NotRun]:
    """What no shard ran, each reason once. What one shard lacked and another ran is not missing."""
    ran = {str(pair) for pair in run}
    return [entry for entry in dict.fromkeys(chain.from_iterable(shard.not_run for shard in shards)) if entry.what not in ran]


def _left_out(shards: Sequence[Stored]) -> Iterator[LeftOut]:
    """What was left out for one reason, summed up."""
    cases: Counter[tuple[str, str]] = Counter()
    for what, number, why in chain.from_iterable(shard.left_out for shard in shards):
        cases[what, why] += number
    yield from (LeftOut(what, number, why) for (what, why), number in cases.items())


def _uncovered(shards: Sequence[Sequence[Uncovered]]) -> Iterator[Uncovered]:
    """The fields that no shard's cases carried."""
    others = [{entry[:4]: frozenset(entry.fields) for entry in shard} for shard in shards[1:]]
    for entry in shards[0]:
        fields = tuple(name for name in entry.fields if all(name in other.get(entry[:4], ()) for other in others))
        if fields:
            yield entry._replace(fields=fields)


def _lost(shards: Sequence[Stored]) -> Iterator[NotRun]:
    """Shards of whose cases nothing is known."""
    given = {shard.info.shard for shard in shards}
    for of in sorted({of for _, of in given}):
        for number in range(1, of + 1):
            if (number, of) not in given:
                yield NotRun(f"{LOST}{number}/{of}", "its report is not among those merged; its cases are missing")


def _copy_replays(source: Path, target: Path) -> None:
    for path in (source / REPLAYS).glob("*.ic1"):
        (target / REPLAYS).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / REPLAYS / path.name)


def _moved(record: Record, directory: Path) -> Record:
    """Logs stay where they are: shards name theirs alike."""
    if not record.logs:
        return record
    return replace(record, logs=tuple(log._replace(path=str(directory.resolve() / log.path)) for log in record.logs))
