"""What a report is. One file per form beside this one; all of them see the same records and the same summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from grpc_interop.core.verdict import Pair
from grpc_interop.errors import InteropError, UsageError

if TYPE_CHECKING:
    from grpc_interop.report.record import Record
    from grpc_interop.report.summary import Summary


class ReportError(UsageError):
    """A report folder cannot be used."""


class UnwrittenError(InteropError):
    """Reports could not be written to their end."""

    def __init__(self, directory: Path, errors: Sequence[OSError]) -> None:
        files = dict.fromkeys(str(error.filename or directory) for error in errors)
        super().__init__(f"{errors[0].strerror}: cannot write {', '.join(files)}", "what was found is shown above; make room for the files")


@dataclass(frozen=True, slots=True)
class Implementation:
    """One implementation and the versions that its driver announced; empty while they are not known."""

    name: str
    language: str = ""
    grpc: str = ""
    protobuf: str = ""


class Lack(StrEnum):
    """Why something that was planned did not run, by what it means for the exit status (conclusion.py)."""

    UNAVAILABLE = "unavailable"
    """What it needs is not on this machine."""
    UNSEEN = "unseen"
    """It lies in a submodule that is not checked out, so nobody knows what it is."""
    FOREIGN = "foreign"
    """Its driver speaks another version of the contract."""
    BROKEN = "broken"
    """A build or a driver failed."""
    LOST = "lost"
    """A shard whose report is not there."""
    REFUSED = "refused"
    """A language refuses the proto: a finding tells of that."""
    OUT_OF_TIME = "out_of_time"
    """The time that was asked for was over."""
    INTERRUPTED = "interrupted"
    """The run was stopped before its turn."""
    UNEXPLAINED = "unexplained"
    """Nobody said why."""


class NotRun(NamedTuple):
    """Something that was planned and did not run: a pair (`java:go`), an implementation, a part of a suite. `suites` are
    those in which a pair did not run that ran in others."""

    what: str
    why: str
    lack: Lack = Lack.UNAVAILABLE
    suites: tuple[str, ...] = ()


class LeftOut(NamedTuple):
    """What a run left out because it was asked to: `cases` of the suite `what`, or `what` as a whole (`cases` is 0)."""

    what: str
    cases: int
    why: str


class Finding(NamedTuple):
    """Something that fails a run and is no case: a proto that a language refuses, a driver that died between two cases,
    a stale entry among the known failures. `what` names it, `why` says it. Of a refused proto `refused_by` is the
    implementation and `file` the proto, by the name that it is imported by; `path` and `line` are where it lies and where
    `element` stands in it, as far as that is known."""

    what: str
    why: str
    refused_by: str = ""
    file: str = ""
    element: str = ""
    path: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """Where to look, as compilers write it: `proto/bad.proto:7`."""
        return f"{self.path or self.file}:{self.line}" if self.line else self.path or self.file


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of a run before its first case.

    `pairs` are the pairs that this run plays, each of which must turn up in the end, as run or as not run. `plan` holds
    the pairs of the whole plan where this run is only a shard of it; empty means that `pairs` is all. `shard` is which
    part of the plan's cases it plays, and of how many. `suites` are those that were chosen. `strict`: whatever cannot run is
    a failure. `absent` names the implementations of the project that no pair of the plan has. `replay_options` are the
    words with which `interop replay` has the same implementations, `tree_options` those with which it finds a case by its id.
    """

    title: str
    seed: int
    pairs: tuple[Pair, ...]
    implementations: tuple[Implementation, ...] = ()
    plan: tuple[Pair, ...] = ()
    shard: tuple[int, int] = (1, 1)
    suites: tuple[str, ...] = ()
    strict: bool = False
    absent: tuple[str, ...] = ()
    replay_options: tuple[str, ...] = ()
    tree_options: tuple[str, ...] = ()


class Report(Protocol):
    """One form in which a run is told. Called from one thread, in the order of the methods below."""

    def run_started(self, info: RunInfo) -> None:
        """Called once, before anything else."""

    def note_progress(self, text: str, *, lasting: bool = False) -> None:
        """A milestone, on one line (`building go`, `driver py restarted`); counts of cases are the report's own affair.
        `lasting`: it stays worth seeing when the next one comes."""

    def add(self, record: Record) -> None:
        """One case is done. Must not hold on to records of passing cases: there may be millions."""

    def run_finished(self, summary: Summary) -> None:
        """Called once, after everything else, also when the run was interrupted. Files appear only now."""
