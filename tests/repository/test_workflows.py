"""Workflows run fixed code with no more rights than they need."""

import re
from pathlib import Path

import pytest

WORKFLOWS = sorted((Path(__file__).parents[2] / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
class TestWorkflow:
    def test_pins_every_action_by_commit_and_says_its_version(self, workflow: Path) -> None:
        used = [line.strip() for line in workflow.read_text().splitlines() if "uses:" in line]
        assert used
        assert [line for line in used if not PINNED.search(line)] == []

    def test_grants_nothing_by_default(self, workflow: Path) -> None:
        assert "\npermissions: {}\n" in workflow.read_text()

    def test_interpolates_nothing_into_a_shell(self, workflow: Path) -> None:
        """A value with quotes in it would become commands; it travels in an environment variable instead."""
        assert [line for line in workflow.read_text().splitlines() if "run:" in line and "${{" in line] == []

    def test_ends_every_job_in_time(self, workflow: Path) -> None:
        text = workflow.read_text()
        assert text.count("timeout-minutes:") == text.count("runs-on:")
