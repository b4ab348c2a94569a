"""cases.jsonl and results.json: a run for machines, with everything that is needed to render it again.

Both appear when the run is finished, each at once. Until then cases go to a file without a name, which the system removes
if the harness is killed. results.json is replaced last, so its presence shows that the report is complete.
"""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import IO, Any

from grpc_interop.core.verdict import Outcome, Pair
from grpc_interop.files.atomic import replacing
from grpc_interop.report.data import Conclusion, Finding, Implementation, Lack, LeftOut, NotRun, ReportError, RunInfo
from grpc_interop.report.protocol import Report
from grpc_interop.report.record import Record, from_json, to_json
from grpc_interop.report.suggestion import known_entries
from grpc_interop.report.summary import Summary
from grpc_interop.values.coverage import Uncovered

SCHEMA = 1
"""The schema of results.json and cases.jsonl. Fields may be added under the same number, none renamed or dropped."""

CASES, RESULTS = "cases.jsonl", "results.json"

MOST_BYTES = 256 * 1024 * 1024
"""The most bytes of results.json, and of a line of cases.jsonl, that are read: a hundred thousand failures have as many."""

_encode = json.JSONEncoder(separators=(",", ":")).encode
"""Made once: it runs for every case, and making an encoder takes as long as using it."""


class Results(Report):
    """Writes cases.jsonl and results.json into a folder."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lines: IO[bytes] | None = None
        self._not_passed: list[int] = []  # offsets of the lines that results.json repeats

    def run_started(self, info: RunInfo) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        for name in (RESULTS, CASES):
            (self.directory / name).unlink(missing_ok=True)
        self._lines = tempfile.TemporaryFile(dir=self.directory)  # noqa: SIM115  open for the whole run

    def add(self, record: Record) -> None:
        lines = self._lines
        assert lines is not None, "run_started comes first"
        if record.outcome is not Outcome.PASSED:
            self._not_passed.append(lines.tell())
        lines.write(_encode(to_json(record)).encode() + b"\n")

    def run_finished(self, summary: Summary) -> None:
        assert self._lines is not None, "run_started comes first"
        with self._lines as lines:
            with replacing(self.directory / CASES) as whole:
                lines.seek(0)
                shutil.copyfileobj(lines, whole)
            with replacing(self.directory / RESULTS) as whole:
                for part in _results(summary, self._failures(lines)):
                    whole.write(part)
        self._lines = None

    def _failures(self, lines: IO[bytes]) -> Iterator[bytes]:
        for offset in self._not_passed:
            lines.seek(offset)
            yield lines.readline().rstrip(b"\n")


def _results(summary: Summary, failures: Iterator[bytes]) -> Iterator[bytes]:
    """Yield results.json in parts, each element of a list on a line, so that any number of failures needs no memory."""
    yield b"{"
    for key, value in _head(summary).items():
        yield _key(key)
        yield from _list(map(_dump, value)) if isinstance(value, list) else [_dump(value)]
        yield b","
    yield _key("cases")
    yield from _list(failures)
    yield b"\n}\n"


def _key(key: str) -> bytes:
    return b"\n " + _dump(key) + b": "


def _list(elements: Iterable[bytes]) -> Iterator[bytes]:
    yield b"["
    separator = b"\n  "
    for element in elements:
        yield separator + element
        separator = b",\n  "
    yield b"]"


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(", ", ": ")).encode()


def _head(summary: Summary) -> dict[str, Any]:
    """Return results.json without the cases."""
    info = summary.info
    return {
        "schema": SCHEMA,
        "title": info.title,
        "seconds": round(summary.seconds, 3),
        "seed": info.seed,
        "interrupted": summary.interrupted,
        "conclusion": _conclusion(summary.conclusion),
        "implementations": [asdict(implementation) for implementation in summary.implementations],
        "pairs": [str(pair) for pair in info.pairs],
        "plan": [str(pair) for pair in info.plan or info.pairs],
        "shard": list(info.shard),
        "suites": list(info.suites),
        "strict": info.strict,
        "absent": list(info.absent),
        "replay_options": list(info.replay_options),
        "tree_options": list(info.tree_options),
        "totals": {outcome.value: summary.totals[outcome] for outcome in Outcome},
        "cells": [cell._asdict() | {outcome.value: counts[outcome] for outcome in Outcome} for cell, counts in summary.cells.items()],
        "causes": [
            {
                "count": cause.count,
                "where": summary.extent(cause),
                "pairs": sorted(map(str, cause.pairs)),
                "what": cause.first.reason,
                "first": cause.first.id,
                "known": known_entries(cause, summary),
            }
            for cause in summary.failing_causes
        ],
        "findings": [finding._asdict() for finding in summary.findings],
        "not_run": [entry._asdict() for entry in summary.not_run],
        "left_out": [entry._asdict() for entry in summary.left_out],
        "uncovered": None if summary.uncovered is None else [entry._asdict() for entry in summary.uncovered],
    }


def _conclusion(conclusion: Conclusion) -> dict[str, Any]:
    return {
        "exit_status": conclusion.exit_status,
        "reasons": [
            {
                "exit_status": reason.exit_status,
                "kind": reason.kind,
                "words": reason.words,
                "details": [detail._asdict() for detail in reason.details],
            }
            for reason in conclusion.reasons
        ],
        "remarks": list(conclusion.remarks),
    }


class StoredReport:
    """A report folder of an earlier run, or of a shard of a run. It may come from anywhere.

    Raises ReportError where the report is not complete, or has another schema.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        try:
            self._take(_read(directory))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ReportError(
                f"{directory / RESULTS} is not a valid report: {error!r:.200}", "it was changed after `interop run` wrote it"
            ) from None

    def _take(self, value: dict[str, Any]) -> None:
        self.seconds: float = value["seconds"]
        self.interrupted: bool = value.get("interrupted", False)
        self.findings = [_finding(entry) for entry in value.get("findings", [])]
        self.not_run = [_not_run(entry) for entry in value["not_run"]]
        ended = value.get("conclusion", {})
        self.exit_status: int = ended.get("exit_status", 0)
        self.why_so: str = "; ".join(reason["words"] for reason in ended.get("reasons", []))
        self.left_out = [LeftOut(entry["what"], entry["cases"], entry["why"]) for entry in value.get("left_out", [])]
        uncovered = value.get("uncovered")
        self.uncovered = None if uncovered is None else [_uncovered(entry) for entry in uncovered]
        cells = [f"{cell['client']}:{cell['server']}" for cell in value["cells"]]
        self.ran = {(pair, cell["suite"]) for pair, cell in zip(cells, value["cells"], strict=True) if _played(cell)}
        pairs = value.get("pairs", cells)
        self.info = RunInfo(
            title=value.get("title", "interop run"),
            seed=value["seed"],
            pairs=tuple(_pair(text) for text in pairs),
            implementations=tuple(Implementation(**_known(entry)) for entry in value["implementations"]),
            plan=tuple(_pair(text) for text in value.get("plan", pairs)),
            shard=tuple(value.get("shard", (1, 1))),
            suites=tuple(value.get("suites", ())),
            strict=value.get("strict", False),
            absent=tuple(value.get("absent", ())),
            replay_options=tuple(value.get("replay_options", ())),
            tree_options=tuple(value.get("tree_options", ())),
        )

    def records(self) -> Iterator[Record]:
        """Yield all cases in the order in which they ended."""
        if not (self.directory / CASES).is_file():
            raise ReportError(f"{self.directory} holds {RESULTS} but no {CASES}", "copy both: a report is read from both")
        yield from stored_cases(self.directory)


def stored_cases(directory: Path) -> Iterator[Record]:
    """Yield the cases of a report folder's cases.jsonl, which must be there. Raise ReportError for a line that is not a case."""
    path = directory / CASES
    with path.open("rb") as lines:
        for number in count(1):
            line = lines.readline(MOST_BYTES)
            if not line:
                return
            try:
                yield from_json(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise ReportError(f"{path}, line {number} is not a case: {error!r:.200}", "run `interop run` again") from error


def _read(directory: Path) -> dict[str, Any]:
    path = directory / RESULTS
    try:
        if path.exists() and not path.is_file():
            raise ReportError(f"{path} is not a file", "give the folder that `interop run --report DIR` wrote")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ReportError(f"{path} has more than {MOST_BYTES:,} bytes", "no run writes as much")
        value: Any = json.loads(content)
    except (FileNotFoundError, NotADirectoryError):
        raise ReportError(
            f"{directory} is not a report folder: there is no {RESULTS} in it",
            "give the folder that `interop run --report DIR` wrote; a run that was killed leaves none",
        ) from None
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path} is not JSON: {error}", "it was changed or cut after `interop run` wrote it") from None
    if not isinstance(value, dict):
        raise ReportError(f"{path} holds no report", "give the folder that `interop run --report DIR` wrote")
    schema = value.get("schema")
    if schema != SCHEMA:
        raise ReportError(
            f"{path} has schema {schema!r}, and this version reads schema {SCHEMA}",
            "make the report again with this version, or read it with the one that wrote it",
        )
    missing = [key for key in ("seconds", "seed", "implementations", "cells", "not_run") if key not in value]
    if missing:
        raise ReportError(f"{path} lacks {', '.join(missing)}", "it was changed after `interop run` wrote it")
    return value


def _pair(text: str) -> Pair:
    client, _, server = text.partition(":")
    return Pair(client, server)


def _played(cell: dict[str, Any]) -> bool:
    """Return whether a case was played there, and not only refused by a driver as unsupported."""
    return any(cell.get(outcome.value) for outcome in Outcome if outcome is not Outcome.UNSUPPORTED)


def _not_run(entry: dict[str, Any]) -> NotRun:
    return NotRun(entry["what"], entry["why"], Lack(entry.get("lack", Lack.UNAVAILABLE)), tuple(entry.get("suites", ())))


def _finding(entry: dict[str, Any]) -> Finding:
    return Finding(entry["what"], entry["why"], **{name: entry[name] for name in Finding._field_defaults if name in entry})


def _uncovered(entry: dict[str, Any]) -> Uncovered:
    return Uncovered(entry["client"], entry["server"], entry["method"], entry["direction"], tuple(entry["fields"]))


def _known(entry: dict[str, str]) -> dict[str, str]:
    """Return the fields that this version knows: others may have been added."""
    return {key: entry[key] for key in ("name", "language", "grpc", "protobuf") if key in entry}
