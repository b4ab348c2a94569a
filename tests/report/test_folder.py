"""The report folder is one run's: what an earlier run left in it goes, what another run is writing into it stays."""

from pathlib import Path

import pytest

from grpc_interop.report.data import ReportError
from grpc_interop.report.folder import claim, make_folder


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A folder with what an earlier run left, and something of the user's."""
    for name in ("logs/go-server-1.log", "replays/calls.ic1", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    return tmp_path


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_logs_and_replays_of_an_earlier_run_are_removed(used: Path) -> None:
    with claim(used):
        assert left(used) == ["notes.txt"]


def test_what_another_run_is_writing_stays(used: Path) -> None:
    with claim(used):
        (used / "logs/py-client-1.log").write_text("of the first run")
        with claim(used):
            pass
        assert left(used) == ["logs/py-client-1.log", "notes.txt"]
    with claim(used):
        assert left(used) == ["notes.txt"]


def test_a_folder_that_takes_no_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As of another user, or on a disk that is mounted to be read only."""

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(ReportError, match="nothing can be written there: Permission denied"):
        make_folder(tmp_path / "report")
