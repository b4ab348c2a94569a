"""Findings beside the cases as people read them: what is refused for one reason is one line, whoever refuses it."""

from __future__ import annotations

from collections.abc import Sequence

from grpc_interop.report.plain_text import counted
from grpc_interop.report.protocol import Finding


def told_once(findings: Sequence[Finding]) -> list[Finding]:
    """The findings in their order, refused protos grouped: files that the same implementations refuse in the same words
    stand together at the first of them. A tree in which much imports one refused file has one line for all of that."""
    refusers: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        if finding.file:
            refusers.setdefault((finding.why, finding.file), []).append(finding.refused_by)
    groups: dict[tuple[str, ...], list[str]] = {}
    for (why, file), names in refusers.items():
        groups.setdefault((why, *names), []).append(file)

    def line(finding: Finding) -> Finding:
        if not finding.file:
            return finding
        names = refusers[finding.why, finding.file]
        return _refused(finding.why, names, groups[(finding.why, *names)])

    return list(dict.fromkeys(map(line, findings)))


def _refused(why: str, names: Sequence[str], files: Sequence[str]) -> Finding:
    who = f"{', '.join(names)} {'refuses' if len(names) == 1 else 'refuse'}"
    if len(files) == 1:
        return Finding(f"{who} {files[0]}", why)
    return Finding(f"{who} {counted(len(files), 'file')}", f"{why}\n{', '.join(files)}")
