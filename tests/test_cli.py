"""The command's last resort: whatever happens has an exit status that tells it from a finding."""

import subprocess
import sys
from pathlib import Path

import pytest

from grpc_interop import cli
from grpc_interop.commands import list as list_command
from project import INTEROP, Project, environment


def status_of(*words: str) -> int:
    """The exit status of the command, run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["interop", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_a_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """
    What the system refuses is said in its words, with the file's name and no traceback.
    """
    monkeypatch.setattr(list_command, "print_cases", lambda _: (tmp_path / "gone").read_bytes())
    assert status_of("list") == 3
    said = capsys.readouterr().err
    assert said.endswith(f"{tmp_path}/gone: No such file or directory\n") and "Traceback" not in said


def test_a_defect_of_the_harness(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """
    What nobody thought of is shown in full, and is not taken for a finding.
    """
    monkeypatch.setattr(list_command, "print_cases", lambda _: {}["nobody thought of this"])
    assert status_of("list") == 3
    said = capsys.readouterr().err
    assert "KeyError: 'nobody thought of this'" in said and "please report it" in said


def test_a_reader_that_goes_away(project: Project) -> None:
    """
    `interop list | head -1` ends quietly.
    """
    piped = ["bash", "-o", "pipefail", "-c", f"{' '.join(INTEROP)} list | head -1"]
    ended = subprocess.run(piped, cwd=project.folder, env=environment(), capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.count("\n")) == (0, 1)
    assert "Broken pipe" not in ended.stderr and "Traceback" not in ended.stderr


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    """
    --help works everywhere, and says in a sentence what the command is for.
    """
    for name in cli.interop.commands:
        assert status_of(name, "--help") == 0
        assert len(capsys.readouterr().out.splitlines()) > 4
