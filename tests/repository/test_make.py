"""The Makefile explains itself."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("arguments", [[], ["help"]], ids=["without a target", "help"])
def test_make_lists_every_target(arguments: list[str]) -> None:
    [phony] = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    # It is not a part of the `make test` that may have started it.
    listed = subprocess.run(["make", "MAKEFLAGS=", "MAKELEVEL=0", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert re.findall(r"make (\w+) +\S", listed) == phony.split()
