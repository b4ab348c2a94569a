"""Findings beside the cases as people read them: what is refused for one reason is one line, whoever refuses it."""

from __future__ import annotations

from collections.abc import Sequence

from grpc_interop.output.plain_text import counted
from grpc_interop.report.protocol import Finding


def told_once(findings: Sequence[Finding]) -> list[Finding]:
    """The findings in their order, refused protos grouped: files that the same implementations refuse in the same words
    stand together at the first of them. A tree in which much imports one refused file has one line for all of that."""
    refusers: dict[tuple[str, str], list[str]] = {}
    first: dict[str, Finding] = {}
    for finding in findings:
        if finding.file:
            refusers.setdefault((finding.why, finding.place), []).append(finding.refused_by)
            first.setdefault(finding.place, finding)
    groups: dict[tuple[str, ...], list[str]] = {}
    for (why, place), names in refusers.items():
        groups.setdefault((why, *names), []).append(place)

    def line(finding: Finding) -> Finding:
        if not finding.file:
            return finding
        names = refusers[finding.why, finding.place]
        places = groups[(finding.why, *names)]
        return _refused(finding.why, names, places, first[places[0]])

    return list(dict.fromkeys(map(line, findings)))


def _refused(why: str, names: Sequence[str], places: Sequence[str], first: Finding) -> Finding:
    who = f"{', '.join(names)} {'refuses' if len(names) == 1 else 'refuse'}"
    several = len(places) > 1
    what = f"{who} {counted(len(places), 'file')}" if several else f"{who} {places[0]}"
    told = f"{why}\n{', '.join(places)}" if several else why
    return Finding(what, told, path=first.path, line=first.line)
