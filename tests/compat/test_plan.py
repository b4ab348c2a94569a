"""What is played because of a change, and what is not."""

from pathlib import Path

import pytest

from grpc_interop.compat.diff.match_types import MatchedSchemas
from grpc_interop.compat.probes.plan import Plan, Planner
from grpc_interop.compat.vocabulary.observation import Flow, Format, MessageRole, Version
from grpc_interop.wire.meaning import complete, meaning
from grpc_interop.wire.shapes import Shapes
from two_versions import compiled

BASE = """
message Deep { int64 number = 1; }
message Outer { Deep deep = 1; string text = 2; }
message Still { bool same = 1; }
message Alone { bool same = 1; }
service S {
  rpc Near(Deep) returns (Still);
  rpc Far(Still) returns (stream Outer);
  rpc Stay(Still) returns (Still);
}
"""


class Stage:
    """Two versions of a proto, and the plan for them."""

    def __init__(self, folder: Path, base: str, head: str, syntax: str = "proto3") -> None:
        texts = {Version.BASE: base, Version.HEAD: head}
        self.shapes = {
            version: Shapes(compiled(folder / version.value, {"a.proto": f'syntax = "{syntax}"; package t; {text}'}))
            for version, text in texts.items()
        }
        self.planner = Planner(MatchedSchemas(*self.shapes.values()), *self.shapes.values())

    def plan(self, *, everything: bool = False) -> Plan:
        return self.planner.plan(everything=everything)


def ways(plan: Plan) -> set[tuple[str, str]]:
    return {(one.method.element, one.role.value) for one in plan.rpc_probes}


def test_nothing_where_nothing_differs(tmp_path: Path) -> None:
    assert Stage(tmp_path, BASE, BASE).plan().empty


def test_everything_if_asked(tmp_path: Path) -> None:
    plan = Stage(tmp_path, BASE, BASE).plan(everything=True)
    assert {element for element, _ in ways(plan)} == {"t.S/Near", "t.S/Far", "t.S/Stay"}


def test_json_by_proto_names_if_asked(tmp_path: Path) -> None:
    stage = Stage(tmp_path, BASE, BASE.replace("int64 number", "int64 count"))
    asked = Planner(MatchedSchemas(*stage.shapes.values()), *stage.shapes.values(), by_proto_names=True).plan()
    formats = [{one.format for one in plan.message_probes} for plan in (stage.plan(), asked)]
    assert formats == [{Format.JSON}, {Format.JSON, Format.PROTO_NAMES}]
    texts = {one.format: one.variants('{"number": "1"}')[0][0] for one in asked.message_probes}
    assert texts[Format.PROTO_NAMES] == '{"number":"1"}'


class TestAChangedField:
    @pytest.fixture
    def plan(self, tmp_path: Path) -> Plan:
        return Stage(tmp_path, BASE, BASE.replace("int64", "int32")).plan()

    def test_is_probed_through_the_nearest_rpc_of_each_role(self, plan: Plan) -> None:
        assert ways(plan) == {("t.S/Near", "request"), ("t.S/Far", "response")}

    def test_goes_both_ways(self, plan: Plan) -> None:
        for role in (MessageRole.REQUEST, MessageRole.RESPONSE):
            assert {one.flow for one in plan.rpc_probes if one.role is role} == set(Flow)

    def test_names_the_version_of_the_client(self, plan: Plan) -> None:
        """
        Who writes a request is the client; who reads a response.
        """
        clients = {(one.role, one.flow, one.client) for one in plan.rpc_probes}
        assert clients == {
            (MessageRole.REQUEST, Flow.OLD_TO_NEW, Version.BASE),
            (MessageRole.REQUEST, Flow.NEW_TO_OLD, Version.HEAD),
            (MessageRole.RESPONSE, Flow.OLD_TO_NEW, Version.HEAD),
            (MessageRole.RESPONSE, Flow.NEW_TO_OLD, Version.BASE),
        }

    def test_is_carried_in_json_once_for_both_roles(self, plan: Plan) -> None:
        assert {(one.flow, one.format, one.roles) for one in plan.message_probes} == {
            (flow, Format.JSON, (MessageRole.REQUEST, MessageRole.RESPONSE)) for flow in Flow
        }


def test_an_rpc_that_is_touched_and_carries_no_probes_gets_few_messages(tmp_path: Path) -> None:
    more = BASE.replace("rpc Stay", "rpc Too(Deep) returns (Still); rpc Stay")
    plan = Stage(tmp_path, more, more.replace("int64", "int32")).plan()
    counts = {element: sum(one.method.element == element for one in plan.rpc_probes) for element in ("t.S/Near", "t.S/Too", "t.S/Stay")}
    assert counts["t.S/Near"] > 10
    assert 0 < counts["t.S/Too"] <= 4
    assert counts["t.S/Stay"] == 0


def test_a_message_that_no_rpc_reaches_is_carried_in_both_formats(tmp_path: Path) -> None:
    plan = Stage(tmp_path, BASE, BASE.replace("message Alone { bool", "message Alone { int32")).plan()
    assert plan.rpc_probes == ()
    assert {(one.format, one.roles) for one in plan.message_probes} == {
        (Format.BINARY, (MessageRole.MESSAGE,)),
        (Format.JSON, (MessageRole.MESSAGE,)),
    }


class TestRpcs:
    def test_one_that_a_version_lacks_is_called_there(self, tmp_path: Path) -> None:
        """
        By an old client where it is gone, by a new one where it is not there yet.
        """
        plan = Stage(tmp_path, BASE, BASE.replace("rpc Stay", "rpc Went")).plan()
        assert {(one.method.element, one.client) for one in plan.absent_rpc_probes} == {
            ("t.S/Stay", Version.BASE),
            ("t.S/Went", Version.HEAD),
        }

    def test_one_of_another_kind_is_called_both_ways_with_what_a_stream_is_for(self, tmp_path: Path) -> None:
        plan = Stage(tmp_path, BASE, BASE.replace("rpc Stay(Still) returns (Still)", "rpc Stay(stream Still) returns (Still)")).plan()
        assert {(one.client, len(one.requests), len(one.responses)) for one in plan.absent_rpc_probes} == {
            (Version.BASE, 1, 1),
            (Version.HEAD, 2, 1),
        }


def test_the_message_in_the_other_direction_is_complete_for_both(tmp_path: Path) -> None:
    """
    Where a version requires what the other does not know, nothing could be seen of a response otherwise.
    """
    base = "message Ask { required int32 old = 1; } message Tell { optional int64 n = 1; } service S { rpc Do(Ask) returns (Tell); }"
    head = base.replace("required int32 old = 1;", "required int32 old = 1; required string more = 2;").replace("int64", "int32")
    stage = Stage(tmp_path, base, head, "proto2")
    fillers = {one.filler for one in stage.plan().rpc_probes if one.role is MessageRole.RESPONSE}
    for filler in fillers:
        for shapes in stage.shapes.values():
            shape = shapes.of("t.Ask")
            assert complete(shape, meaning(shape, filler))
    assert fillers
