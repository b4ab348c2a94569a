"""Files that are whole or not there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grpc_interop.files.atomic import replacing, write_whole


def dead_process() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_block_that_fails_changes_nothing(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "before")
    with pytest.raises(TypeError), replacing(tmp_path / "a") as file:
        file.write("a text, which is no bytes")  # type: ignore[arg-type]
    assert (tmp_path / "a").read_text() == "before"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_an_error_names_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    """What the system says of a full disk names none."""
    with pytest.raises(OSError, match="No space left on device") as error, replacing(tmp_path / "a"):
        raise OSError(28, "No space left on device")
    assert error.value.filename == str(tmp_path / "a")


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """What a living one is writing stays."""
    (tmp_path / f".a.{dead_process()}.new").touch()
    (tmp_path / f".b.{dead_process()}.new").touch()
    (tmp_path / f".a.{os.getppid()}.new").touch()
    write_whole(tmp_path / "a", "new")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == sorted(["a", f".a.{os.getppid()}.new", *(path.name for path in tmp_path.glob(".b.*"))])
    assert len(left) == 3


def test_a_mode_is_there_with_the_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "deep" / "run", "#!/bin/sh\n", mode=0o755)
    assert os.access(tmp_path / "deep" / "run", os.X_OK)
