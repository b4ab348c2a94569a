"""What becomes of the cases whose Anys may hold messages of a file that a language refused."""

from pathlib import Path

import pytest

from grpc_interop.config import Options, find_project
from grpc_interop.core.case import MessageCase
from grpc_interop.core.verdict import Pair
from grpc_interop.drivers.manifest import read_manifest
from grpc_interop.messages.examination import Examiner
from grpc_interop.messages.examples import Examples
from grpc_interop.session.session import Session
from grpc_interop.wire.shapes import Shapes

HOLDER = 'syntax = "proto3"; package a; import "google/protobuf/any.proto"; message Holder { google.protobuf.Any any = 1; }'
CLASH = 'syntax = "proto2"; package clash; message Clash { optional int32 val_a = 1; optional int32 val__a = 2; }'
BUILD = """import json, sys
json.dump({{"driver": {{"argv": ["x"]}}, "errors": {errors}}}, open(json.load(open(sys.argv[1]))["answer"], "w"))
"""
STRICT, LENIENT = Pair("lenient", "strict"), Pair("lenient", "lenient")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Two implementations, of which one refuses clash.proto."""
    (tmp_path / "protos").mkdir()
    for name, text in {"a": HOLDER, "clash": CLASH}.items():
        (tmp_path / "protos" / f"{name}.proto").write_text(text)
    manifests = []
    for name, errors in {"strict": [{"file": "clash.proto", "text": "no"}], "lenient": []}.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "interop.toml").write_text(f'name = "{name}"\n[build]\ncommand = ["python3", "build.py"]\nsources = ["build.py"]\n')
        (folder / "build.py").write_text(BUILD.format(errors=errors))
        manifests.append(read_manifest(folder))
    (tmp_path / "interop.toml").write_text("")
    options = Options(find_project(tmp_path), (tmp_path / "protos",), implementations=tuple(manifests), report=tmp_path / "report")
    session = Session(options)
    session.start_building()
    while session.building:
        session.collect_builds(1)
    return session


def asked(session: Session, case: MessageCase, without: tuple[str, ...]) -> list[bytes]:
    """The messages that are first asked about."""
    examination = Examiner(Shapes(session.catalog)).examination(case, lambda _: False, without)
    return [message for _, ask in examination.next_asks() for message in ask.data]


def test_a_case_that_needs_nothing_else_than_a_refused_file_is_not_run(session: Session) -> None:
    """
    It would have nothing to ask, and pass: of a known failure, an unexpected pass.
    """
    with session:
        case = MessageCase("messages", "json_equal_names", "a.Holder", json=True)
        refused = session.refused(case, STRICT)
        assert refused is not None
        assert refused.file == "clash.proto"
        assert session.refused(case, LENIENT) is None


@pytest.mark.parametrize("name", ["values", "json"])
def test_the_other_messages_of_a_case_are_run(session: Session, name: str) -> None:
    """
    Only those that hold a message of the file are left out, and only on pairs that lack its code.
    """
    with session:
        case = MessageCase("messages", name, "a.Holder", json=name == "json")
        assert session.refused(case, STRICT) is None
        every, some = asked(session, case, ()), asked(session, case, ("clash.proto",))
        assert any(b"clash.Clash" in message for message in every)
        assert some
        assert not any(b"clash.Clash" in message for message in some)


def test_an_example_names_the_file_of_what_its_any_holds(session: Session) -> None:
    """
    An Any within the Any, too.
    """
    with session:
        examples = list(Examples(Shapes(session.catalog)).of(MessageCase("messages", "values", "a.Holder")))
        assert {one.file for one in examples if b"clash.Clash" in one.data} == {"clash.proto"}
        assert {one.file for one in examples if b"a.Holder" in one.data} == {"a.proto"}
        assert {one.file for one in examples if b"/" not in one.data} == {""}
