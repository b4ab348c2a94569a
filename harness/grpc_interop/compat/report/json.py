"""compat.json: a comparison for machines, and for `interop compat accept`. docs/compat.md describes each field."""

import json
from pathlib import Path
from typing import Any

from grpc_interop.compat.report.wording import EVERY, in_pairs
from grpc_interop.compat.vocabulary.result import (
    BaseComparison,
    ChangeFinding,
    ChangeVerdict,
    EffectSummary,
    ExchangeExample,
    Result,
    SourceLocation,
)
from grpc_interop.errors import UsageError
from grpc_interop.files.atomic import replacing
from grpc_interop.report.forms.results import MOST_BYTES

SCHEMA = 1
"""Under the same number fields may be added, but never renamed or dropped."""

FILE = "compat.json"


def write(result: Result, directory: Path) -> None:
    """Replace the file in the report folder, atomically."""
    directory.mkdir(parents=True, exist_ok=True)
    with replacing(directory / FILE) as file:
        file.write(json.dumps(to_json(result), indent=1).encode() + b"\n")


def read_changes(directory: Path) -> list[dict[str, Any]]:
    """Return the changes that the last comparison found. Raise UsageError where there is no report."""
    path = directory / FILE
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(MOST_BYTES) if path.is_file() else b"")
        if value["schema"] != SCHEMA:
            raise UsageError(f"{path} has schema {value['schema']!r}, and this version reads {SCHEMA}", "run `interop compat` again")
        return list(value["changes"])
    except FileNotFoundError:
        raise UsageError(f"{path} is not there", "run `interop compat --base ...` first") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{path} is not a valid report: {error!r}", "run `interop compat` again") from None


def to_json(result: Result) -> dict[str, Any]:
    """Return the result as JSON, breaks first."""
    return {
        "schema": SCHEMA,
        "head": result.head._asdict(),
        "bases": [_comparison(comparison) for comparison in result.comparisons],
        "guarantee": result.guarantee,
        "seconds": round(result.seconds, 3),
        "exchanges": result.exchanges,
        "exit": result.exit_status,
        "rollout": _rollout(result.rollout),
        "changes": [_change(finding, comparison) for comparison, finding in result.findings(*ChangeVerdict)],
    }


def _comparison(comparison: BaseComparison) -> dict[str, Any]:
    return comparison.base._asdict() | {
        "rollout": _rollout(comparison.rollout),
        "untouched": dict(comparison.untouched),
        "not_run": [entry._asdict() for entry in comparison.not_run],
        "warnings": list(comparison.warnings),
        "buf": comparison.static or None,
    }


def _rollout(rollout: Any) -> dict[str, str]:
    return {deployment.replace(" ", "_"): "ok" if sound else "breaks" for deployment, sound in rollout.items()}


def _change(finding: ChangeFinding, comparison: BaseComparison) -> dict[str, Any]:
    accepted, example = finding.accepted, finding.example
    return {
        "element": finding.element,
        "now": finding.now or None,
        "subject": str(finding.subject),
        "what": list(finding.what),
        "verdict": finding.verdict.value,
        "against": comparison.base.label,
        "base": _place(finding.base, finding.before),
        "head": _place(finding.head, finding.after),
        "observations": [_observed(effect, finding) for effect in finding.observed],
        "notes": list(finding.notes),
        "buf": None if comparison.static else [alarm._asdict() for alarm in finding.static],
        "accepted": None if accepted is None else accepted._asdict(),
        "example": None if example is None else _example(example),
        "replay": example.replay or None if example else None,
    }


def _place(place: SourceLocation | None, definition: str) -> dict[str, Any] | None:
    if place is None and not definition:
        return None
    location = place or SourceLocation("")
    return {"file": location.file or None, "path": location.path or None, "line": location.line or None, "definition": definition}


def _observed(effect: EffectSummary, finding: ChangeFinding) -> dict[str, Any]:
    return {
        "flow": str(effect.flow),
        "role": str(effect.role),
        "format": str(effect.format),
        "outcome": str(effect.outcome),
        "breaks": effect.breaks,
        "why": effect.why,
        "sent": effect.sent,
        "received": effect.received,
        "pairs": list(effect.pairs),
        "every_pair": in_pairs(effect, finding.observed) == EVERY,
        "deployments": [str(deployment) for deployment in effect.deployments],
    }


def _example(example: ExchangeExample) -> dict[str, Any]:
    return {
        "what": example.what,
        "sent": example.sent,
        "received": example.received,
        "left": example.left,
        "right": example.right,
        "rows": [row._asdict() for row in example.rows],
    }
