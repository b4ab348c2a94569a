"""What is installed is fixed by hashes, and from where is the decision of whoever installs."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "requirements/runtime.txt"
DEV = ROOT / "requirements/dev.txt"
GO_TOOLCHAIN = ROOT / "go_impl/toolchain.txt"
LOCKS = [RUNTIME, DEV, GO_TOOLCHAIN]

REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(.*)$")


def locked(lock: Path) -> dict[str, tuple[str, bool]]:
    """Version, and whether it is fixed by a hash, of each package in a lock file."""
    entries = lock.read_text().replace("\\\n", " ").splitlines()
    found = [match for entry in entries if (match := REQUIREMENT.match(entry))]
    return {match[1]: (match[2], "--hash=sha256:" in match[3]) for match in found}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_holds_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^--?(i|f|index-url|extra-index-url|find-links|trusted-host)\b", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_has_a_hash(lock: Path) -> None:
    packages = locked(lock)
    assert packages
    assert [name for name, (_, hashed) in packages.items() if not hashed] == []


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    runtime = {re.split(r"[<>=]", requirement)[0] for requirement in project["project"]["dependencies"] + groups["build"]}
    dev = {re.split(r"[<>=]", requirement)[0] for requirement in groups["dev"]}
    assert runtime <= locked(RUNTIME).keys()
    assert dev <= locked(DEV).keys()


def test_the_locks_agree_on_what_both_hold() -> None:
    runtime, dev = locked(RUNTIME), locked(DEV)
    both = runtime.keys() & dev.keys()
    assert {name: runtime[name] for name in both} == {name: dev[name] for name in both}
