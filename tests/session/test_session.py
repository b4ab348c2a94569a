"""Which implementations a session has at once, and which it waits for."""

from pathlib import Path

import pytest

from grpc_interop.config import Options, find_project
from grpc_interop.drivers.manifest import read_manifest
from grpc_interop.session.session import Session

ANSWER = "import json, sys; json.dump({'driver': {'argv': ['x']}}, open(json.load(open(sys.argv[1]))['answer'], 'w'))"


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """Two implementations, neither of them built."""
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos" / "a.proto").write_text('syntax = "proto3"; message A {}')
    manifests = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "interop.toml").write_text(f'name = "{name}"\n[build]\ncommand = ["python3", "build.py"]\nsources = ["build.py"]\n')
        (folder / "build.py").write_text(ANSWER)
        manifests.append(read_manifest(folder))
    (tmp_path / "interop.toml").write_text("")
    project = find_project(tmp_path)
    return Options(project, (tmp_path / "protos",), implementations=tuple(manifests), report=tmp_path / "report")


def build_all(session: Session) -> None:
    session.start_building()
    while session.building:
        session.collect_builds(1)


def test_what_was_built_before_is_there_at_once(options: Options) -> None:
    """
    So all its pairs begin together, and share what is made for a case: which of several builds was found first would
    else split them at random.
    """
    with Session(options) as session:
        build_all(session)
        assert sorted(session.built) == ["one", "two"]
    with Session(options) as session:
        session.start_building()
        assert session.building == ()
        assert [session.built[name].fresh for name in ("one", "two")] == [False, False]


def test_what_is_being_built_keeps_nothing_waiting(options: Options) -> None:
    with Session(options) as session:
        build_all(session)
    slow = options.implementations[1].folder / "build.py"
    slow.write_text(f"import time; time.sleep(600)\n{ANSWER}")
    with Session(options) as session:
        session.start_building()
        assert (session.building, list(session.built)) == (("two",), ["one"])
