"""A disk that was full once: what the run says then, and that the next is as if nothing had been."""

import os
import subprocess
from pathlib import Path

import pytest

from project import INTEROP, SECONDS, Ended, Project, environment

RUN = (*INTEROP, "run", "--client", "py", "--server", "py", "--suite", "calls", "-k", "SayHello and one")


def run_with_files_of(kibibytes: int, folder: Path) -> Ended:
    """Runs where no file can be longer: writes are cut short there, as on a disk that has no more room."""
    shell = ["/bin/bash", "-c", f'ulimit -f {kibibytes}; exec "$@"', "run", *RUN]
    done = subprocess.run(shell, cwd=folder, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def own(tmp_path: Path) -> Project:
    """A project that nothing was built in."""
    return Project(tmp_path)


@pytest.mark.parametrize("kibibytes", [1, 4, 16, 30, 50])
def test_leaves_nothing_that_poisons_the_next_run(own: Project, kibibytes: int) -> None:
    first = run_with_files_of(kibibytes, own.folder)
    again = own.interop(*RUN[len(INTEROP) :])
    assert (again.status, again.err) == (0, "")
    assert first.status == 3, first.out + first.err
    assert "a defect of the harness" not in first.err


@pytest.mark.parametrize("part", [0, 2], ids=["empty", "half"])
def test_every_file_that_is_kept_is_made_anew_when_it_was_cut_short(own: Project, part: int) -> None:
    assert own.interop(*RUN[len(INTEROP) :]).status == 0
    files = [path for path in (own.folder / ".interop").rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert len(files) > 50
    for path in files:
        os.truncate(path, part and path.stat().st_size // part)
    again = own.interop(*RUN[len(INTEROP) :])
    assert (again.status, again.err) == (0, "")
    assert (own.folder / ".interop/.gitignore").read_text().endswith("*\n") or part
