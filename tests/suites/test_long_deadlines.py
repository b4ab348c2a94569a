"""Deadlines of years, between real drivers of every language.

They are built and kept in the repository's own .interop: a cold build of grpc-go takes half a minute.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES = ("go", "py", "py-aio")

TEST = """
import pytest

from grpc_interop.core.case import Case, Finish, HalfClose, Receive, ReceiveToEnd, Send
from grpc_interop.core.script import LONGEST_TIMEOUT_US

TWO_YEARS_US = 2 * 365 * 24 * 3600 * 1_000_000


@pytest.mark.parametrize("timeout_us", [TWO_YEARS_US, LONGEST_TIMEOUT_US], ids=["two_years", "longest"])
def test_deadline(interop_pair, timeout_us):
    one, there, back = interop_pair.method("Greeter/AllStream"), (Send(b""), HalfClose(), ReceiveToEnd()), (ReceiveToEnd(), Finish())
    played = interop_pair.play(Case("deadlines", f"of_{timeout_us}_us", one, (there,), (back,), timeout_us=timeout_us))
    assert played.passed, played.text
"""


def test_a_deadline_of_years_is_one(tmp_path: Path) -> None:
    """
    The server is told of it in every pair, though some runtimes know "no deadline" only as a very long one.
    """
    (tmp_path / "test_deadline.py").write_text(TEST)
    chosen = [word for name in NAMES for word in ("--interop-client", name, "--interop-server", name)]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0", "-c", os.devnull, f"--rootdir={tmp_path}"]
    command += [f"--interop-report={tmp_path / 'report'}", *chosen, str(tmp_path / "test_deadline.py")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ended = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{2 * len(NAMES) ** 2} passed" in ended.stdout, ended.stdout
