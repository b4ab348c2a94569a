"""An unknown failure as a ready entry for a file of known failures: its reason and its link are left to a person."""

import json
import re

from grpc_interop.core.verdict import CHANGING, Outcome, Pair
from grpc_interop.report.summary import Cause, Summary

REASON, LINK = "say why it fails", "say where it is reported"


def known_entries(cause: Cause, summary: Summary) -> list[str]:
    """Return TOML that covers a cause in the pairs in which it was seen; nothing where the cause is not a failure of cases."""
    if cause.outcome is not Outcome.FAILED:
        return []
    return [_entry(f"{cause.cases}[{pairs}]", cause) for pairs in _pairs(cause, summary)]


def _entry(cases: str, cause: Cause) -> str:
    values = {"cases": cases, "message": _pattern(cause.first.reason), "reason": REASON, "link": LINK}
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
    return "\n".join(["[[known]]", *lines, ""])


def _pairs(cause: Cause, summary: Summary) -> list[str]:
    """Return globs for the cause's pairs that cover no other pair, even outside of the run: a glob for all pairs, for a row or
    for a column, else each pair."""
    names = _names(summary)
    clients, servers = {pair.client for pair in cause.pairs}, {pair.server for pair in cause.pairs}
    if len(names) == 1:
        return sorted(map(str, cause.pairs))
    if cause.pairs == {Pair(client, server) for client in names for server in names}:
        return ["*"]
    if cause.pairs == {Pair(client, server) for client in clients for server in names} and len(clients) == 1:
        return [f"{min(clients)}:*"]
    if cause.pairs == {Pair(client, server) for client in names for server in servers} and len(servers) == 1:
        return [f"*:{min(servers)}"]
    return sorted(map(str, cause.pairs))


def _names(summary: Summary) -> set[str]:
    """Return the names of all implementations of the project."""
    pairs = {*summary.pairs_run, *summary.info.pairs, *summary.info.plan}
    return {*summary.info.absent, *(name for pair in pairs for name in (pair.client, pair.server))}


def _pattern(words: str) -> str:
    """Return a regular expression for the sentence, with any text in the place of numbers and quoted values."""
    parts = CHANGING.split(words.splitlines()[0])
    return ".+".join(re.sub(r"([.^$*+?{}\[\]|()\\])", r"\\\1", part) for part in parts)
