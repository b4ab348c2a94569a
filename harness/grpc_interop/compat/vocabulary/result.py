"""The result of comparing two versions: the data that every form of the report renders. Nothing is judged after it.

All of it is text and numbers. Words (`flow`, `role`, `outcome`...) are the values of observation.py's enums, so that
reports, compat.json and the documents use the same words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class ChangeVerdict(StrEnum):
    """The verdict on a changed element, for programs that have the other version. The order is that of a report."""

    BREAK = "break"
    ACCEPTED = "accepted"  # a break that is written down as intended
    NOTE = "note"  # nothing breaks, but there is something to know before the rollout
    OK = "ok"


class ComparedSide(NamedTuple):
    """A version of the protos."""

    label: str  # short, as drivers are called after it: `base`, `base 2`, `head`
    words: str  # its origin: `origin/main, merge base 1234abc`


class SourceLocation(NamedTuple):
    """Where an element is declared."""

    file: str  # relative to the proto root
    line: int = 0  # from 1, or 0 where it is not known
    path: str = ""  # the file as seen from the project's folder, for people to open; empty where it does not lie there

    def __str__(self) -> str:
        return f"{self.path or self.file}:{self.line}" if self.line else self.path or self.file


class TranscriptRow(NamedTuple):
    """A line of both sides' transcripts: the left side's step, `->`, `<-` or nothing, the right side's step."""

    left: str
    arrow: str
    right: str


@dataclass(frozen=True, slots=True)
class ExchangeExample:
    """The smallest exchange in which an element broke."""

    what: str  # the message that was sent, and why: `the largest int64`
    sent: str  # the message as its sender's version means it
    received: str  # the receiver's message, or its refusal
    left: str = ""  # the head of the left column of the transcripts: `client py@base`
    right: str = ""
    rows: tuple[TranscriptRow, ...] = ()
    replay: str = ""  # the argument of `interop replay`


@dataclass(frozen=True, slots=True)
class EffectSummary:
    """The effect on an element in a direction, role and format, and the pairs in which it was observed."""

    flow: str
    role: str
    format: str
    outcome: str
    pairs: tuple[str, ...]
    """Implementations as `writer:reader`, or `client:server` where the element is an RPC; `flow` says which version each has."""
    why: str = ""
    sent: str = ""  # the smallest value that shows the effect
    received: str = ""
    deployments: tuple[str, ...] = ()  # the orders of deployment in which it happens: `servers first`
    breaks: bool = False  # whether the guarantee forbids it


CATEGORIES = ("FILE", "PACKAGE", "WIRE_JSON", "WIRE")
"""buf's sets of rules, the strictest first (https://buf.build/docs/breaking/rules/)."""


class Alarm(NamedTuple):
    """A line of `buf breaking`."""

    rule: str  # such as `FIELD_SAME_TYPE`
    categories: tuple[str, ...]  # the sets that contain the rule
    words: str


class Acceptance(NamedTuple):
    """Where a break is written down as intended, and why."""

    where: str
    reason: str
    until: str = ""  # a date (`2026-12-31`), or empty


@dataclass(frozen=True, slots=True)
class ChangeFinding:
    """A changed element. An element that a driver's build refuses, or that only `buf breaking` mentions, is a finding
    without observations."""

    element: str
    what: tuple[str, ...]  # the edit in words: `type int64 -> int32`
    verdict: ChangeVerdict
    subject: str = ""
    now: str = ""  # its name in head where that is another one
    base: SourceLocation | None = None
    head: SourceLocation | None = None
    before: str = ""  # its definition in base as text; empty where base lacks it
    after: str = ""  # the same in head
    observed: tuple[EffectSummary, ...] = ()
    notes: tuple[str, ...] = ()
    example: ExchangeExample | None = None
    static: tuple[Alarm, ...] = ()
    accepted: Acceptance | None = None

    @property
    def place(self) -> SourceLocation | None:
        """Where to look first: in head, unless only base has it."""
        return self.head or self.base

    @property
    def breaking(self) -> tuple[EffectSummary, ...]:
        return tuple(effect for effect in self.observed if effect.breaks)


class NotCompared(NamedTuple):
    """A part that could not be compared, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class BaseComparison:
    """The comparison of head with a base."""

    base: ComparedSide
    findings: tuple[ChangeFinding, ...] = ()  # all changes, in the order of the protos
    rollout: Mapping[str, bool] = field(default_factory=dict)
    """Whether nothing breaks, for each order of deployment (`servers first`) that the changes affect."""
    untouched: Mapping[str, int] = field(default_factory=dict)
    """How many elements of a kind are equal in both (`RPC`: 132); they run only with `everything`."""
    not_run: tuple[NotCompared, ...] = ()
    warnings: tuple[str, ...] = ()  # sentences about the sides, about accepted breaks, and about messages that were left out
    static: str = ""  # why `buf breaking` says nothing, where it could not be asked
    everything: bool = False
    incomplete: bool = False  # whether something could not be run, other than a file that a language refuses


class ReportedFinding(NamedTuple):
    """A finding, and the comparison with the base that it belongs to."""

    comparison: BaseComparison
    finding: ChangeFinding


@dataclass(frozen=True, slots=True)
class Result:
    """A whole `interop compat`."""

    head: ComparedSide
    guarantee: str  # the formats in which nothing may break (`binary`, `json`, ...)
    comparisons: tuple[BaseComparison, ...]
    seconds: float = 0.0
    exchanges: int = 0  # how many exchanges were played, controls included
    exit_status: int = 0
    replay_options: tuple[str, ...] = ()  # the options that `interop replay` needs beside a text

    def findings(self, *verdicts: ChangeVerdict) -> list[ReportedFinding]:
        """Return the findings with any of the verdicts, breaks first, then in the order of bases and protos."""
        order = list(ChangeVerdict)
        entries = [ReportedFinding(base, finding) for base in self.comparisons for finding in base.findings if finding.verdict in verdicts]
        return sorted(entries, key=lambda entry: order.index(entry.finding.verdict))

    @property
    def rollout(self) -> dict[str, bool]:
        """The same for all bases together: an order of deployment is sound if it is so for each."""
        together: dict[str, bool] = {}
        for comparison in self.comparisons:
            for deployment, sound in comparison.rollout.items():
                together[deployment] = together.get(deployment, True) and sound
        return together
