"""The table of changes (table/README.md): two trees that differ in all its edits at once, compared, and looked at edit by edit."""

import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from changes_table import COLUMNS, LANGUAGES, Cell, Edit, Line, edits, write_trees

REPOSITORY = Path(__file__).parents[2]
SECONDS = 900
"""How long the comparison may take, with Go's packages of both trees to be built on a loaded machine."""

EDITS = list(edits())
Changes = list[dict[str, Any]]


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The compat.json of the whole table. Made by the first process of pytest that asks, for all of them."""
    together = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        together = together.parent
    folder = together / "table-of-changes"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        report = folder / "report"
        if not (report / "compat.json").exists():
            _compare(folder, report)
    result: dict[str, Any] = json.loads((report / "compat.json").read_text())
    return result


def _compare(folder: Path, report: Path) -> None:
    base, head = write_trees(folder)
    command = [sys.executable, "-m", "grpc_interop.cli", "compat", "--base", base, "--head", head, "--report", report]
    command += [word for language in LANGUAGES for word in ("--client", language, "--server", language)]
    env = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("GITHUB_")}
    done = subprocess.run(list(map(str, command)), cwd=REPOSITORY, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1, done.stdout + done.stderr


@pytest.mark.parametrize("edit", EDITS, ids=[edit.id for edit in EDITS])
def test_an_edit_does_to_values_what_the_table_says(compared: dict[str, Any], edit: Edit) -> None:
    """
    Every element of it has the outcomes, verdict and orders of deployment that the table gives, and no other element
    has any.
    """
    changes = [change for change in compared["changes"] if edit.owns(change["element"])]
    if edit.partial:
        changes = [change for change in changes if change["element"] in edit.seen]
    rows = [_line(change) for change in changes]
    assert _shown(row for row in rows if row.verdict != "ok" or row.element in edit.seen) == _shown(edit.seen.values())
    assert _breaking(changes) == edit.rollout
    notes = "\n".join(note for change in changes for note in change["notes"])
    assert [words for words in edit.notes if words not in notes] == []
    assert [words for words in edit.no_notes if words in notes] == []


def test_every_change_is_one_of_the_tables(compared: dict[str, Any]) -> None:
    """
    A break or a note that belongs to no edit would be looked at by no test.
    """
    told = [change["element"] for change in compared["changes"] if change["verdict"] != "ok"]
    assert [element for element in told if not any(edit.owns(element) for edit in EDITS)] == []


def test_only_what_a_language_refuses_is_left_out(compared: dict[str, Any]) -> None:
    """
    Nothing else went missing, in any pair.
    """
    left_out = [entry["what"] for base in compared["bases"] for entry in base["not_run"]]
    refused = re.compile(r"/?edit\.json_name_of_(another_field\..* with py@head|(another_field|a_oneof)_taken_back\..* with py@base)")
    assert [what for what in left_out if not refused.fullmatch(what)] == []


def _line(change: dict[str, Any]) -> Line:
    """A change as a row of the table."""
    outcomes: dict[tuple[str, str], dict[str, set[str]]] = {column: {} for column in COLUMNS}
    for observed in change["observations"]:
        for pair in observed["pairs"] if observed["format"] != "strict json" else ():
            outcomes[observed["flow"], observed["format"]].setdefault(pair, set()).add(observed["outcome"])
    cells = [Cell({pair: frozenset(each - {"preserved"} or each) for pair, each in outcomes[column].items()}) for column in COLUMNS]
    return Line(change["element"], tuple(cells), change["verdict"])


def _shown(lines: Iterable[Line]) -> str:
    return "\n".join(sorted(map(str, lines)))


def _breaking(changes: Changes) -> set[str]:
    """The orders of deployment that something of these changes breaks."""
    return {order for change in changes for observed in change["observations"] if observed["breaks"] for order in observed["deployments"]}
