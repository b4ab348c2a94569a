"""What all tests share: a project of one's own, and implementations to go into it."""

import json
import signal
import sys
from pathlib import Path

import pytest

from project import REFERENCE_DRIVER, MakeImplementation, Project

pytest_plugins = ["pytester"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So it is for what a shell starts in the background, and every process that a test starts would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Shared by the tests of one process, so that `py` is built once. Reports do not belong into it."""
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Where a run may write its report."""
    return tmp_path / "report"


@pytest.fixture
def reference(tmp_path: Path) -> MakeImplementation:
    """Makes an implementation of the reference driver, faulty as asked (see tests/drivers/reference/faults.py)."""

    def make(name: str, fault: str = "", **only: str) -> Path:
        env = {"REFERENCE_FAULT": fault} | {f"REFERENCE_{key.upper()}": value for key, value in only.items()}
        toml = ", ".join(f"{key} = {json.dumps(value)}" for key, value in env.items())
        return _manifest(
            tmp_path / name, f'name = "{name}"\n[run]\ndriver = ["{sys.executable}", "{REFERENCE_DRIVER}"]\nenv = {{{toml}}}\n'
        )

    return make


@pytest.fixture
def buildable(tmp_path: Path) -> MakeImplementation:
    """Makes an implementation whose build is this Python text; `request` and `answer` are what it reads and writes."""

    def make(name: str, build: str) -> Path:
        folder = _manifest(tmp_path / name, f'name = "{name}"\n[build]\ncommand = ["{sys.executable}", "build.py"]\n')
        head = "import json, sys\nfrom pathlib import Path\nrequest = json.loads(Path(sys.argv[1]).read_text())\nanswer = {}\n"
        (folder / "build.py").write_text(f"{head}{build}\nPath(request['answer']).write_text(json.dumps(answer))\n")
        return folder

    return make


@pytest.fixture
def without_toolchain(buildable: MakeImplementation) -> Path:
    """An implementation `cobol` whose toolchain is not there."""
    return buildable("cobol", 'answer = {"unavailable": {"what": "Cobol 2023", "remedy": "set COBOL=/path/to/cobol"}}')


@pytest.fixture
def unbuildable(buildable: MakeImplementation) -> Path:
    """An implementation `broken` whose build fails."""
    return buildable("broken", 'sys.exit("main.c:7: no such function")')


def _manifest(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "interop.toml").write_text(text)
    return folder
