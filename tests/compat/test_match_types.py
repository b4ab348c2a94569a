"""Where types of two versions meet, what they are called there, and how a message gets there."""

from pathlib import Path

import pytest

from grpc_interop.compat.diff.match_fields import TypePair
from grpc_interop.compat.vocabulary.observation import MessageRole, Version
from grpc_interop.wire.meaning import meaning
from two_versions import TwoVersions, compiled

HEAD = 'syntax = "proto3"; package t;'


def two(tmp_path: Path, base: str, head: str, syntax: str = HEAD) -> TwoVersions:
    return TwoVersions(
        compiled(tmp_path / "base", {"a.proto": f"{syntax}\n{base}"}), compiled(tmp_path / "head", {"a.proto": f"{syntax}\n{head}"})
    )


def elements(pair: TypePair) -> list[str]:
    return [f"{one.element} {'base' if one.base else ''}{'head' if one.head else ''} {one.now}".strip() for one in pair.fields]


class TestFields:
    @pytest.mark.parametrize(
        ("base", "head", "expected"),
        [
            ("int32 a = 1;", "int32 b = 1;", ["t.M.a basehead b"]),
            ("int32 a = 1;", "int32 a = 2;", ["t.M.a basehead"]),
            ("int32 a = 1;", "string a = 1;", ["t.M.a basehead"]),
            ("int32 a = 1;", "string b = 2;", ["t.M.a base", "t.M.b head"]),
            ("int32 a = 1; int32 b = 2;", "int32 b = 1; int32 a = 2;", ["t.M.a basehead", "t.M.b basehead"]),
            ("int32 a = 1;", "int32 b = 1; string a = 2;", ["t.M.a basehead b", "t.M.a = 2 head"]),
            ("int32 a = 1;", "int32 b = 1; int32 a = 2;", ["t.M.a basehead", "t.M.b head"]),
        ],
    )
    def test_are_those_of_the_number_or_the_name_whichever_has_the_exact_type(
        self, tmp_path: Path, base: str, head: str, expected: list[str]
    ) -> None:
        pair = two(tmp_path, f"message M {{ {base} }}", f"message M {{ {head} }}").schemas.pair("t.M", "t.M")
        assert sorted(elements(pair)) == sorted(expected)

    def test_differ_in_what_may_show_and_in_nothing_else(self, tmp_path: Path) -> None:
        base = "message M { int32 a = 1; string b = 2; E c = 3; repeated int32 d = 4; } enum E { Z = 0; }"
        head = """// a comment
        message M { repeated int32 d = 4; int64 a = 1; string b = 2 [deprecated = true]; E c = 3; } enum E { Z = 0; V = 1; }"""
        pair = two(tmp_path, base, head).schemas.pair("t.M", "t.M")
        assert [one.element for one in pair.aims] == ["t.M.a", "t.M.c"]

    def test_of_a_oneof_differ_where_members_of_both_versions_exclude_each_other_anew(self, tmp_path: Path) -> None:
        base = "message M { oneof o { int32 a = 1; int32 b = 2; } int32 c = 3; }"
        with_new = "message M { oneof o { int32 a = 1; int32 b = 2; int32 d = 4; } int32 c = 3; }"
        moved = "message M { oneof o { int32 a = 1; int32 b = 2; int32 c = 3; } }"
        assert [one.element for one in two(tmp_path / "new", base, with_new).schemas.pair("t.M", "t.M").aims] == ["t.M.d"]
        assert [one.element for one in two(tmp_path / "moved", base, moved).schemas.pair("t.M", "t.M").aims] == ["t.M.a", "t.M.b", "t.M.c"]


class TestTypes:
    def test_with_other_names_are_called_after_their_place(self, tmp_path: Path) -> None:
        base = """message A { Holder h = 1; } message Holder { In in = 1; } message In { int32 x = 1; }
        message Out { int32 y = 1; } service S { rpc Do(A) returns (Out); }"""
        head = base.replace("In in", "Other in").replace("message In", "message Other").replace("Out", "Result")
        schemas = two(tmp_path, base, head).schemas
        assert schemas.pair("t.In", "t.Other").name == "t.Holder.in"
        assert schemas.pair("t.Out", "t.Result").name == "t.S/Do response"
        assert schemas.pair("t.Out", "t.Result").field(Version.HEAD, 1).element == "t.S/Do response.y"

    def test_that_no_rpc_reaches_meet_by_their_full_name(self, tmp_path: Path) -> None:
        schemas = two(tmp_path, "message A {} message B { A a = 1; }", "message A { int32 x = 1; } message C {}").schemas
        assert [one.name for one in schemas.types] == ["t.A"]
        assert schemas.carrier(schemas.types[0], MessageRole.REQUEST) is None


class TestCarriers:
    BASE = """
    message Top { map<string, Mid> mids = 2; string text = 1; } message Mid { repeated Low lows = 4; } message Low { int32 n = 1; }
    service S { rpc Do(Top) returns (Mid); }
    """

    def test_take_the_shortest_way(self, tmp_path: Path) -> None:
        schemas = two(tmp_path, self.BASE, self.BASE.replace("int32 n", "int64 n")).schemas
        low = schemas.pair("t.Low", "t.Low")
        request, response = (schemas.carrier(low, role) for role in (MessageRole.REQUEST, MessageRole.RESPONSE))
        assert request is not None and [one.element for one in request.path] == ["t.Top.mids", "t.Mid.lows"]
        assert response is not None and [one.element for one in response.path] == ["t.Mid.lows"]

    def test_wrap_a_message_so_that_it_is_found_at_its_place(self, tmp_path: Path) -> None:
        versions = two(tmp_path, self.BASE, self.BASE.replace("lows = 4", "lows = 5"))
        carrier = versions.schemas.carrier(versions.schemas.pair("t.Low", "t.Low"), MessageRole.REQUEST)
        assert carrier is not None
        for version, number in ((Version.BASE, 4), (Version.HEAD, 5)):
            top = meaning(carrier.root.of(version), carrier.wrap(b"\x08\x07", version))
            (mid,) = top.fields[2].values()  # type: ignore[union-attr]
            assert mid.fields[number][0].fields == {1: 7}  # type: ignore[union-attr,index]

    def test_fill_in_what_is_required_on_the_way(self, tmp_path: Path) -> None:
        tree = """message Top { required int32 id = 1; required Low low = 2; required Low other = 3; }
        message Low { optional int32 n = 1; required string s = 2; } service S { rpc Do(Top) returns (Top); }"""
        versions = two(tmp_path, tree, tree, 'syntax = "proto2"; package t;')
        carrier = versions.schemas.carrier(versions.schemas.pair("t.Low", "t.Low"), MessageRole.REQUEST)
        assert carrier is not None
        top = meaning(carrier.root.base, carrier.wrap(b"\x12\x01x", Version.BASE))
        assert sorted(top.fields) == [1, 2, 3]
        assert top.fields[2].fields == {2: b"x"}  # type: ignore[union-attr]

    def test_fill_in_what_the_reader_alone_requires(self, tmp_path: Path) -> None:
        """A message that is refused for another reason shows nothing of its content."""
        text = """message M {{ {} int32 now = 1; optional N n = 2; }} message N {{ optional {} a = 1; }}
        service S {{ rpc Do (M) returns (M); }}"""
        versions = two(tmp_path, text.format("optional", "int64"), text.format("required", "int32"), 'syntax = "proto2"; package t;')
        carrier = versions.schemas.carrier(versions.schemas.pair("t.N", "t.N"), MessageRole.REQUEST)
        assert carrier is not None
        assert carrier.wrap(b"\x08\x05", Version.BASE) == b"\x08\x01\x12\x02\x08\x05"

    def test_do_not_go_through_fields_that_differ_if_they_can_help_it(self, tmp_path: Path) -> None:
        base = """message Top { Low short = 1; Mid mid = 2; } message Mid { Low low = 1; } message Low { int32 n = 1; }
        service S { rpc Do(Top) returns (Top); }"""
        schemas = two(tmp_path, base, base.replace("short = 1", "short = 3").replace("int32 n", "int64 n")).schemas
        carrier = schemas.carrier(schemas.pair("t.Low", "t.Low"), MessageRole.REQUEST)
        assert carrier is not None and [one.element for one in carrier.path] == ["t.Top.mid", "t.Mid.low"]


class TestTouched:
    BASE = """message A { B b = 1; } message B { int32 x = 1; A a = 2; } message C { int32 y = 1; }
    service S { rpc Reaches(A) returns (C); rpc Quiet(C) returns (C); rpc Gone(C) returns (C); rpc Kind(C) returns (C); }"""

    def test_are_rpcs_that_reach_what_differs_or_differ_themselves(self, tmp_path: Path) -> None:
        head = self.BASE.replace("int32 x", "int64 x").replace("rpc Gone(C) returns (C);", "rpc New(C) returns (C);")
        head = head.replace("rpc Kind(C) returns (C)", "rpc Kind(C) returns (stream C)")
        schemas = two(tmp_path, self.BASE, head).schemas
        assert [one.element for one in schemas.touched()] == ["t.S/Reaches", "t.S/Gone", "t.S/Kind", "t.S/New"]
        assert [one.name for one in schemas.differing()] == ["t.B"]

    def test_is_nothing_where_nothing_differs(self, tmp_path: Path) -> None:
        schemas = two(tmp_path, self.BASE, self.BASE).schemas
        assert schemas.touched() == [] and schemas.differing() == []
