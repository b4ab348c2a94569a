"""What a comparison of two versions came to: the data that every form of the report renders, and nothing is judged after it.

All of it is text and numbers. Words (`flow`, `role`, `outcome`...) are the values of observation.py's enums, so that what
is shown, what stands in compat.json and what the documents say is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class ChangeVerdict(StrEnum):
    """What a changed element means for those who have the other version. The order is that of a report."""

    BREAK = "break"
    ACCEPTED = "accepted"
    """A break that is written down as intended."""
    NOTE = "note"
    """Nothing breaks, but something is to be known before it is rolled out."""
    OK = "ok"


class ComparedSide(NamedTuple):
    """One version of the protos. `label` is short, as drivers are called after it (`base`, `base 2`, `head`); `words` say
    what it is (`origin/main, merge base 1234abc`)."""

    label: str
    words: str


class SourceLocation(NamedTuple):
    """Where something is declared. `file` is relative to the proto root, `line` from 1, or 0 where nobody knows. `path` is
    the file as seen from the project's folder, for whoever opens it; empty where it does not lie there."""

    file: str
    line: int = 0
    path: str = ""

    def __str__(self) -> str:
        return f"{self.path or self.file}:{self.line}" if self.line else self.path or self.file


class TranscriptRow(NamedTuple):
    """A line of both sides' transcripts: what the left one did or saw, `->`, `<-` or nothing, the right one."""

    left: str
    arrow: str
    right: str


@dataclass(frozen=True, slots=True)
class ExchangeExample:
    """The smallest exchange in which an element broke. `what` says what was sent and why (`the largest int64`); `sent` is
    the message as the version of its sender means it, `received` what the receiver showed: a message, or how it refused.
    `left` and `right` head the columns of the transcripts (`client py@base`, `server go@head`). `replay` is what
    `interop replay` takes."""

    what: str
    sent: str
    received: str
    left: str = ""
    right: str = ""
    rows: tuple[TranscriptRow, ...] = ()
    replay: str = ""


@dataclass(frozen=True, slots=True)
class EffectSummary:
    """What became of an element in one direction, role and format, and the pairs in which that was so.

    `pairs` are written `writer:reader` (of an RPC that is removed, added or of another kind: `client:server`) with the
    names of the implementations; which version each has, the flow says. `deployments` are those in which this happens
    (`servers first`). `sent` and `received` are values of the element, the smallest that show it. `breaks`: the guarantee
    does not allow it.
    """

    flow: str
    role: str
    format: str
    outcome: str
    pairs: tuple[str, ...]
    why: str = ""
    sent: str = ""
    received: str = ""
    deployments: tuple[str, ...] = ()
    breaks: bool = False


CATEGORIES = ("FILE", "PACKAGE", "WIRE_JSON", "WIRE")
"""buf's sets of rules, the strictest first (https://buf.build/docs/breaking/rules/)."""


class Alarm(NamedTuple):
    """A line of `buf breaking`: the rule (`FIELD_SAME_TYPE`), the categories that hold it (`FILE PACKAGE`), its words."""

    rule: str
    categories: tuple[str, ...]
    words: str


class Acceptance(NamedTuple):
    """Where a break is written down as intended, and why. `until` is a date (`2026-12-31`), or empty."""

    where: str
    reason: str
    until: str = ""


@dataclass(frozen=True, slots=True)
class ChangeFinding:
    """One changed element.

    `now` is its name in head where that is another one. `what` are sentences such as `type int64 -> int32`; `before` and
    `after` are its definitions as text, empty on the side that lacks it. An element that a driver's build refuses, or that
    only `buf breaking` speaks of, is a finding without observations.
    """

    element: str
    what: tuple[str, ...]
    verdict: ChangeVerdict
    subject: str = ""
    now: str = ""
    base: SourceLocation | None = None
    head: SourceLocation | None = None
    before: str = ""
    after: str = ""
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
        return tuple(one for one in self.observed if one.breaks)


class NotCompared(NamedTuple):
    """Something beside the elements: what, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class BaseComparison:
    """Head against one base. `findings` are all that changed, in the order of the protos. `rollout` says of each order of
    deployment (`servers first`) whether nothing breaks in it; it holds only those that the changes bear on. `untouched`
    counts what is equal in both (`RPC`: 132), and was not run unless `everything` was. `warnings` are sentences about accepted
    breaks, and about messages that were left out. `static` tells why `buf breaking` says nothing, where it could not be
    asked. `incomplete`: something could not be run, though no language refuses it."""

    base: ComparedSide
    findings: tuple[ChangeFinding, ...] = ()
    rollout: Mapping[str, bool] = field(default_factory=dict)
    untouched: Mapping[str, int] = field(default_factory=dict)
    not_run: tuple[NotCompared, ...] = ()
    warnings: tuple[str, ...] = ()
    static: str = ""
    everything: bool = False
    incomplete: bool = False


class ReportedFinding(NamedTuple):
    """A finding, and against which base it was found."""

    comparison: BaseComparison
    finding: ChangeFinding


@dataclass(frozen=True, slots=True)
class Result:
    """A whole `interop compat`. `guarantee` is what must hold (`binary`, `json`, ...); `exchanges` counts what was played,
    controls included; `exit_status` is the command's; `replay_options` are the words that `interop replay` needs beside a text."""

    head: ComparedSide
    guarantee: str
    comparisons: tuple[BaseComparison, ...]
    seconds: float = 0.0
    exchanges: int = 0
    exit_status: int = 0
    replay_options: tuple[str, ...] = ()

    def findings(self, *verdicts: ChangeVerdict) -> list[ReportedFinding]:
        """Those with one of the verdicts, breaks first, then in the order of bases and protos."""
        order = list(ChangeVerdict)
        found = [ReportedFinding(one, finding) for one in self.comparisons for finding in one.findings if finding.verdict in verdicts]
        return sorted(found, key=lambda entry: order.index(entry.finding.verdict))

    @property
    def rollout(self) -> dict[str, bool]:
        """Of all bases together: an order of deployment is sound if it is so for each."""
        together: dict[str, bool] = {}
        for one in self.comparisons:
            for deployment, sound in one.rollout.items():
                together[deployment] = together.get(deployment, True) and sound
        return together
