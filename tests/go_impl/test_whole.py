"""What the Go build keeps in its cache: finished, or made anew."""

import os
from pathlib import Path

import pytest
from buildtool.whole import MARK, made_once


def make(folder: Path) -> bool:
    """Fills the folder if need be; tells whether it was needed."""
    with made_once(folder) as unfinished:
        if unfinished:
            (unfinished / "bin").mkdir()
            (unfinished / "bin" / "go").write_text("a program")
        return unfinished is not None


def test_is_made_once(tmp_path: Path) -> None:
    assert [make(tmp_path / "tools"), make(tmp_path / "tools")] == [True, False]


@pytest.mark.parametrize("part", [0, 2], ids=["empty", "half"])
@pytest.mark.parametrize("file", ["bin/go", MARK])
def test_is_made_anew_when_a_full_disk_has_cut_it_short(tmp_path: Path, file: str, part: int) -> None:
    make(tmp_path / "tools")
    cut = tmp_path / "tools" / file
    os.truncate(cut, part and cut.stat().st_size // part)
    assert make(tmp_path / "tools")
    assert not make(tmp_path / "tools")
    assert (tmp_path / "tools/bin/go").read_text() == "a program"


def test_is_made_anew_when_the_first_attempt_failed(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("full")

    with pytest.raises(OSError, match="full"), made_once(tmp_path / "tools") as unfinished:
        fill(unfinished)
    assert make(tmp_path / "tools")
    assert not (tmp_path / "tools/half").exists()
