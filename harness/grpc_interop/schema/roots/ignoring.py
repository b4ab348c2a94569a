"""Which files below a folder git leaves out: those that it ignores and does not track, and other repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE")
"""Variables that git sets for a hook, and that name its repository whatever the folder."""


def ignored_below(folder: Path) -> frozenset[str] | None:
    """Return the files and folders that git leaves out, by their paths from the folder. A folder stands for all below it.

    Return None where git says nothing: there is no git or no repository, or the folder itself is left out. Whoever names such
    a folder means what lies in it.
    """
    if _git(folder, "check-ignore", "--quiet", ".") != (1, b""):
        return None
    status, names = _git(folder, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    return None if status else frozenset(os.fsdecode(name).rstrip("/") for name in names.split(b"\0") if name)


def is_submodule(folder: Path) -> bool:
    """Return whether the repository at a folder is a submodule of the one around it, and not just a clone that lies there."""
    return bool(_git(folder, "rev-parse", "--show-superproject-working-tree")[1].strip())


def _git(folder: Path, *words: str) -> tuple[int, bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, check=False, env={**environment, "GIT_OPTIONAL_LOCKS": "0"}
        )
    except FileNotFoundError:
        return 127, b""
    return done.returncode, done.stdout
