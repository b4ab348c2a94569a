"""What is known of a run besides its cases: plain data, which the recorder collects and every report shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from grpc_interop.core.verdict import Pair
from grpc_interop.errors import InteropError, UsageError


class ReportError(UsageError):
    """A report folder cannot be used."""


class UnwrittenError(InteropError):
    """Reports could not be written to their end."""

    def __init__(self, directory: Path, errors: Sequence[OSError]) -> None:
        files = dict.fromkeys(str(error.filename or directory) for error in errors)
        super().__init__(f"{errors[0].strerror}: cannot write {', '.join(files)}", "what was found is shown above; make room for the files")


@dataclass(frozen=True, slots=True)
class Implementation:
    """An implementation and the versions that its driver announced; empty while they are not known."""

    name: str
    language: str = ""
    grpc: str = ""
    protobuf: str = ""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of a run before its first case."""

    title: str
    seed: int
    pairs: tuple[Pair, ...]  # the pairs that this run plays. Each must appear in the end, as run or as not run.
    implementations: tuple[Implementation, ...] = ()
    plan: tuple[Pair, ...] = ()  # all pairs of the plan, where this run is only a shard of it. Empty: `pairs` is the plan.
    shard: tuple[int, int] = (1, 1)  # which part of the plan's cases this run plays, and of how many parts
    suites: tuple[str, ...] = ()  # the suites that were chosen
    strict: bool = False  # whether everything that cannot run is a failure
    absent: tuple[str, ...] = ()  # the implementations of the project that are in no pair of the plan
    replay_options: tuple[str, ...] = ()  # the words with which `interop replay` uses the same implementations
    tree_options: tuple[str, ...] = ()  # the words with which `interop replay` finds a case by its id


class Lack(StrEnum):
    """Why something that was planned did not run, by its meaning for the exit status (conclusion.py)."""

    UNAVAILABLE = "unavailable"  # something that it needs is not on this machine
    UNSEEN = "unseen"  # it lies in a submodule that is not checked out, so nobody knows what it is
    FOREIGN = "foreign"  # its driver speaks another version of the contract
    BROKEN = "broken"  # a build or a driver failed
    LOST = "lost"  # a shard whose report is missing
    REFUSED = "refused"  # a language refuses the proto; a Finding says so
    OUT_OF_TIME = "out_of_time"  # the time limit of the run was over
    INTERRUPTED = "interrupted"  # the run was stopped before its turn
    UNEXPLAINED = "unexplained"  # nobody said why


class NotRun(NamedTuple):
    """Something that was planned and did not run."""

    what: str  # a pair (`java:go`), an implementation, or a part of a suite
    why: str
    lack: Lack = Lack.UNAVAILABLE
    suites: tuple[str, ...] = ()  # the suites in which a pair did not run, where it ran in others


class LeftOut(NamedTuple):
    """Something that a run left out because it was asked to."""

    what: str  # a suite, or something that is left out as a whole
    cases: int  # how many cases of the suite; 0 where `what` is left out as a whole
    why: str


class Finding(NamedTuple):
    """Something that fails a run and is not a case: a proto that a language refuses, a driver that died between two
    cases, a stale entry among the known failures."""

    what: str
    why: str
    refused_by: str = ""  # the implementation that refuses the proto `file`
    file: str = ""  # a refused proto, by the name that it is imported by
    element: str = ""  # the element that is refused, as far as it is known, like its place: `path` and `line`
    path: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """Return where to look, as compilers write it: `proto/bad.proto:7`."""
        return f"{self.path or self.file}:{self.line}" if self.line else self.path or self.file


class Detail(NamedTuple):
    """Something beside the cases, with an explanation, and its place where it is in a file."""

    what: str
    why: str
    path: str = ""
    line: int = 0


class Reason(NamedTuple):
    """Why a run does not end with 0."""

    exit_status: int
    kind: str  # `cases`, `finding`, `not_run`, `nothing_played`, `interrupted`, `stopped` or `shard`
    words: str  # one line
    details: tuple[Detail, ...] = ()
    """Everything that the line stands for. Empty where the reason is the cases themselves, or the words say it all."""

    @property
    def entries(self) -> tuple[Detail, ...]:
        """Return the entries of a report of single results; none where the reason is the cases, which have their own."""
        return () if self.kind == "cases" else self.details or (Detail(self.kind.replace("_", " "), self.words),)


class Conclusion(NamedTuple):
    """How a run ended."""

    exit_status: int = 0
    reasons: tuple[Reason, ...] = ()  # the largest status first. Empty if and only if the status is 0.
    remarks: tuple[str, ...] = ()  # things to know that fail nothing
    failing: tuple[Lack, ...] = ()  # the kinds of lack that fail this run

    @property
    def failed(self) -> bool:
        return self.exit_status != 0

    @property
    def line(self) -> str:
        """`FAILED, exit 2: not run: every pair with go (Go 1.26 is missing)`."""
        if not self.failed:
            return "; ".join(("passed", *self.remarks))
        return f"FAILED, exit {self.exit_status}: {'; '.join(reason.words for reason in self.reasons)}"

    @property
    def failures_beside_cases(self) -> list[tuple[Reason, Detail]]:
        """Return everything that fails the run and is not a case."""
        return [(reason, detail) for reason in self.reasons for detail in reason.entries]
