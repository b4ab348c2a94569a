"""The Go that the programs are built with is the one that a build of the harness would use."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "go_impl"))
