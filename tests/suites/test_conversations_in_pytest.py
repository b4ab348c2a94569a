"""Generated conversations under pytest: examples within one test for each method and pair."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DRIVER = ROOT / "tests" / "drivers" / "reference" / "driver.py"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs pytest with the suite on the reference driver, which may have a fault; `words` are further options."""

    def pytest_with(*words: str, fault: str = "") -> subprocess.CompletedProcess[str]:
        manifest = f'name = "mine"\n[run]\ndriver = ["{sys.executable}", "{DRIVER}"]\nenv = {{REFERENCE_FAULT = "{fault}"}}\n'
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "interop.toml").write_text(manifest)
        (tmp_path / "interop.toml").write_text(f'implementations = ["mine"]\n[protos]\nroots = ["{ROOT / "proto"}"]\n')
        (tmp_path / "test_matrix.py").write_text("def test_interop(interop_case):\n    interop_case.check()\n")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--interop-suite", "conversations", *words]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        return subprocess.run(command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)

    return pytest_with


def test_there_is_one_test_for_each_method_and_pair(run: Run) -> None:
    """
    However many conversations there are, the number of tests is that of the methods.
    """
    ended = run("--interop-count", "60", "--collect-only", "-q")
    tests = [line for line in ended.stdout.splitlines() if "::" in line]
    assert len(tests) == 4
    assert "test_matrix.py::test_interop[conversations/greeter.v1.Greeter/AllStream-mine:mine]" in tests


def test_healthy_drivers_pass(run: Run) -> None:
    """
    A test passes when all of its conversations do.
    """
    ended = run("--interop-count", "60")
    assert ended.returncode == 0, ended.stdout
    assert "4 passed" in ended.stdout


def test_the_smallest_failure_is_told(run: Run) -> None:
    """
    A test fails when one of its conversations does: it says how many do, and shows the shrunk one.
    """
    ended = run("--interop-count", "60", "-k", "GetStream", fault="drops_the_last_message")
    assert ended.returncode == 1
    assert "generated cases are not as expected, among them" in ended.stdout
    assert "shrunk from" in ended.stdout
    assert "interop replay ic1:" in ended.stdout


def test_one_conversation_can_be_selected_by_name(run: Run) -> None:
    """
    The name that `interop list` shows selects the test that holds the conversation.
    """
    ended = run("--interop-count", "5", "--collect-only", "-q", "-k", "s1_00003")
    assert len([line for line in ended.stdout.splitlines() if "::" in line]) == 1
