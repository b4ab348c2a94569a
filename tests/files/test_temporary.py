"""Where temporary files lie, and what becomes of those of a process that was killed."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MAKE = """
import sys, time
from pathlib import Path
from grpc_interop.files import temporary
temporary.begin(Path(sys.argv[1]))
folder = temporary.socket_folder()
(folder / "socket").touch()
print(folder, flush=True)
sys.stdin.read()
"""


@contextmanager
def owner(state: Path, system: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process with a folder for a socket; the system's temporary files go to `system`."""
    command = [sys.executable, "-c", MAKE, str(state)]
    environment = os.environ | {"TMPDIR": str(system)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


@pytest.fixture
def system() -> Iterator[Path]:
    """The system's folder for temporary files. Not below tmp_path, whose own path may be too long for a socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(params=["short", "long"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An `.interop` in which a Unix socket can be made, and one whose path is too long for that."""
    return tmp_path / ("x" * 120 if request.param == "long" else "p") / ".interop"


def test_whoever_ends_leaves_nothing(state: Path, system: Path) -> None:
    with owner(state, system) as (process, folder):
        assert folder.is_dir()
        assert len(os.fsencode(folder / "socket")) <= 100
        process.communicate()
    assert list((state / "tmp").iterdir()) == []
    assert list(system.iterdir()) == []


def test_what_a_killed_process_left_is_removed_at_the_next_start(state: Path, system: Path) -> None:
    with owner(state, system) as (process, killed):
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert killed.is_dir()
    with owner(state, system) as (process, folder):
        assert not killed.exists()
        assert folder.is_dir()
        process.communicate()
    assert list((state / "tmp").iterdir()) == []
    assert list(system.iterdir()) == []


def test_what_belongs_to_a_living_process_stays(state: Path, system: Path) -> None:
    with owner(state, system) as (_, first), owner(state, system) as (second, _):
        second.communicate()
        assert (first / "socket").exists()


def test_what_is_noted_as_elsewhere_and_is_not_of_ours_stays(tmp_path: Path, system: Path) -> None:
    """A line of that file is a path, and the file may be anybody's."""
    mine, linked = tmp_path / "mine", tmp_path / "interop-link"
    mine.mkdir()
    linked.symlink_to(mine)
    dead = tmp_path / ".interop/tmp/1-abc"
    dead.mkdir(parents=True)
    dead.with_suffix(".lock").touch()
    (dead / "elsewhere").write_text(f"{mine}\n{linked}\n")
    with owner(tmp_path / ".interop", system):
        pass
    assert not dead.exists()
    assert mine.is_dir()
    assert linked.is_symlink()


def test_where_nothing_can_be_written_the_system_s_place_is_taken(tmp_path: Path, system: Path) -> None:
    (tmp_path / ".interop").touch()
    with owner(tmp_path / ".interop", system) as (_, folder):
        assert folder.parent == system
