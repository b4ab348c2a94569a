"""Trees that the harness has never seen, from the protos to the last verdict, through real builds.

They are built and kept in the repository's own .interop: a cold build of grpc-go takes half a minute.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TREES = Path(__file__).parent
REPOSITORY = TREES.parents[1]
NAMES = ("go", "py", "py-aio")
PAIRS = [word for name in NAMES for word in ("--client", name, "--server", name)]
SECONDS = 600
"""How long a run may take, with everything to be built on a loaded machine."""

OF_PYTHON = {f"refused/{name}.proto" for name in ("constructor", "json", "keyword", "none", "space/a b", "stub")} | {"_mangled/x.proto"}
REFUSED = {
    "go": {f"refused/{name}.proto" for name in ("casing", "clash", "client", "importer", "message_set", "reflect")},
    "py": OF_PYTHON,
    "py-aio": OF_PYTHON,
}
"""What each language refuses of nasty/."""


def interop_run(report: Path, *words: object) -> tuple[int, dict[str, Any]]:
    """The exit status, and results.json."""
    command = [sys.executable, "-m", "grpc_interop.cli", "run", "--suite", "calls", *PAIRS, "--report", report, *words]
    env = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("GITHUB_")}
    done = subprocess.run(list(map(str, command)), cwd=REPOSITORY, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (report / "results.json").exists(), done.stdout + done.stderr
    return done.returncode, json.loads((report / "results.json").read_text())


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    """The run of nasty/: exit status, results, and all cases."""
    report = tmp_path_factory.mktemp("nasty")
    status, results = interop_run(report, "--proto-path", TREES / "nasty", "-k", "(one or every_field) and not huge")
    return status, results, [json.loads(line) for line in (report / "cases.jsonl").read_text().splitlines()]


def test_whatever_a_proto_is_called_its_rpcs_work(nasty) -> None:
    """
    Every case that is played passes, in all pairs.
    """
    _, results, cases = nasty
    assert results["totals"] | {"passed": 0} == dict.fromkeys(results["totals"], 0)
    played = {(case["client"], case["server"]) for case in cases}
    assert played == {(client, server) for client in NAMES for server in NAMES}
    assert {"/TopService/Say", "/nasty.names.keywords.select/go", "/nasty.folders.con.Place/Say"} <= {case["method"] for case in cases}


def test_what_a_language_refuses_is_a_finding_about_that_file(nasty) -> None:
    """
    It says which language, which file, and the language's own words; the run's exit status is 1.
    """
    status, results, _ = nasty
    found = {finding["what"]: finding["why"] for finding in results["findings"]}
    assert "duplicate extension entry" in found.pop("refused/taken.proto cannot be driven")
    assert set(found) == {f"{language} refuses {file}" for language, files in REFUSED.items() for file in files}
    assert "Word_Part redeclared in this block" in found["go refuses refused/clash.proto"]
    assert "SyntaxError" in found["py refuses refused/none.proto"]
    assert found["go refuses refused/importer.proto"].startswith("imports refused/clash.proto")
    assert status == 1


def test_what_one_language_refuses_runs_in_the_other(nasty) -> None:
    """
    Only the pairs with that language lack the file's RPCs, and the report says so.
    """
    _, results, cases = nasty
    pairs = {(case["client"], case["server"]) for case in cases if case["method"] == "/nasty.refused.none.Refused/None"}
    assert pairs == {("go", "go")}
    not_run = {entry["what"]: entry["why"] for entry in results["not_run"]}
    assert set(not_run) == REFUSED["go"] | REFUSED["py"]
    assert "8 of 9 pairs: those with py or py-aio" in not_run["refused/none.proto"]


def test_a_real_tree_carries_every_field(tmp_path: Path) -> None:
    """
    OpenTelemetry's: every RPC in every pair, and no reachable field left at its default in either direction.
    """
    tree = TREES / "opentelemetry" / "v1.5.0"
    status, results = interop_run(tmp_path, "--proto-path", tree, "-k", "")
    assert status == 0
    assert results["uncovered"] == []
    # What C-core takes no more of is known, and of the runtime, not of the tree.
    known = [case for case in results["cases"] if case["outcome"] == "known_failure"]
    assert all("_huge[" in case["id"] for case in known)
    cell = results["cells"][0]
    of_each_pair = cell["passed"] + cell["known_failure"]
    assert of_each_pair > 3
    assert results["totals"]["passed"] + len(known) == of_each_pair * len(NAMES) ** 2
