"""Real trees against later versions of themselves; docs/compat-histories.md explains what is found."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
HISTORIES = Path(__file__).parent / "histories"
SECONDS = 900
"""How long a comparison may take, with Go's packages of both versions to be built on a loaded machine."""


def compared(base: Path, head: Path, report: Path) -> tuple[int, dict[str, Any]]:
    """The exit status, and compat.json."""
    command = [sys.executable, "-m", "grpc_interop.cli", "compat", "--base", base, "--head", head, "--report", report]
    command += [word for language in ("py", "go") for word in ("--client", language, "--server", language)]
    env = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("GITHUB_")}
    done = subprocess.run(list(map(str, command)), cwd=REPOSITORY, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (report / "compat.json").exists(), done.stdout + done.stderr
    return done.returncode, json.loads((report / "compat.json").read_text())


def breaks(result: dict[str, Any]) -> dict[str, set[str]]:
    """By element, the outcomes that break."""
    broken = [change for change in result["changes"] if change["verdict"] == "break"]
    return {change["element"]: {one["outcome"] for one in change["observations"] if one["breaks"]} for change in broken}


def figures(result: dict[str, Any]) -> tuple[int, int, int]:
    """As in the table of docs/compat-histories.md: changed elements, breaks, and elements of which buf raises an alarm."""
    changes = result["changes"]
    return len(changes), len(breaks(result)), sum(bool(change["buf"]) for change in changes)


def test_nothing_of_opentelemetry_breaks(tmp_path: Path) -> None:
    """
    From v1.0.0 to v1.11.0 it only got more: seven fields and an RPC, which servers should have first.
    """
    tree = REPOSITORY / "tests" / "trees" / "opentelemetry" / "v1.0.0"
    status, result = compared(tree, HISTORIES / "opentelemetry" / "v1.11.0", tmp_path)
    assert status == 0
    assert figures(result) == (32, 0, 0)
    notes = [change for change in result["changes"] if change["verdict"] == "note"]
    assert sorted(change["subject"] for change in notes) == ["RPC", *["field"] * 7]
    assert all(any("deploy servers first" in note for note in change["notes"]) for change in notes)
    assert result["rollout"] == {"servers_first": "ok", "clients_first": "ok"}
    assert result["bases"][0]["not_run"] == []


@pytest.mark.slow
def test_four_changes_of_qdrant_break(tmp_path: Path) -> None:
    """
    From v1.8.0 to v1.19.0: a JSON name that was given to another field, a number that was, and two RPCs that are gone.
    """
    status, result = compared(HISTORIES / "qdrant" / "v1.8.0", HISTORIES / "qdrant" / "v1.19.0", tmp_path)
    assert status == 1
    assert figures(result) == (418, 4, 33)
    assert breaks(result) == {
        "qdrant.OptimizersConfigDiff.max_optimization_threads": {"altered", "lost", "rejected"},
        "qdrant.UpdateCollectionClusterSetupRequest.abort_transfer.method": {"altered", "lost"},
        "qdrant.PointsInternal/Search": {"removed"},
        "qdrant.PointsInternal/SearchBatch": {"removed"},
    }
    assert result["rollout"] == {"servers_first": "breaks", "clients_first": "breaks"}
    assert result["bases"][0]["not_run"] == []
