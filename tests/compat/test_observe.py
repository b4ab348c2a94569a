"""What becomes of elements between two versions: the rule, line by line."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grpc_interop.compat.judge.observe import attributed, observe
from grpc_interop.compat.vocabulary.observation import Effect, ElementOutcome, Flow, Format, OutcomeCause, Refusal, Version
from grpc_interop.wire.meaning import meaning
from two_versions import NEW_TO_OLD, OLD_TO_NEW, TwoVersions, compiled, outcomes

PROTO2, PROTO3 = "proto2", "proto3"


class Edit(NamedTuple):
    """The bodies of message `name` in both versions. What is seen of a message (in text format) that flows one way is
    written `field outcome, ...`, elements named within the message; `json` None: Python's runtime cannot
    write or read it. Unnamed elements are
    preserved."""

    name: str
    base: str
    head: str
    flow: Flow
    text: str
    binary: str
    json: str | None
    syntax: str = PROTO3


OLD, NEW = OLD_TO_NEW, NEW_TO_OLD

EDITS = [
    # N is M
    Edit("same", "int32 a = 1;", "int32 a = 1;", OLD, "a: 5", "", ""),
    Edit("wider", "int32 a = 1;", "int64 a = 1;", OLD, "a: -5", "", ""),
    Edit("wider_back", "int32 a = 1;", "int64 a = 1;", NEW, "a: 4294967296", "a altered", "a rejected"),
    Edit("narrower", "int64 a = 1;", "int32 a = 1;", OLD, "a: 4294967301", "a altered", "a rejected"),
    Edit("narrower_fits", "int64 a = 1;", "int32 a = 1;", OLD, "a: 5", "", ""),
    Edit("zigzag", "int32 a = 1;", "sint32 a = 1;", OLD, "a: 5", "a altered", ""),
    Edit("int_to_bool", "int32 a = 1;", "bool a = 1;", OLD, "a: 2", "a altered", "a rejected"),
    Edit("int_to_bool_one", "int32 a = 1;", "bool a = 1;", OLD, "a: 1", "", "a rejected"),
    Edit("int_to_string", "int32 a = 1;", "string a = 1;", OLD, "a: 5", "a altered", "a rejected"),
    Edit("int_to_double", "int32 a = 1;", "double a = 1;", OLD, "a: 5", "a altered", ""),
    Edit("fixed_to_float", "fixed32 a = 1;", "float a = 1;", OLD, "a: 5", "a altered", ""),
    Edit("double_to_float", "double a = 1;", "float a = 1;", OLD, "a: 0.1", "a altered", "a altered"),
    Edit("minus_zero", "double a = 1;", "double a = 1; int32 b = 2;", OLD, "a: -0.0", "", ""),
    Edit("string_to_bytes", "string a = 1;", "bytes a = 1;", OLD, 'a: "abcd"', "", "a altered"),
    Edit("bytes_to_string", "bytes a = 1;", "string a = 1;", OLD, r'a: "\377"', "a rejected", "a altered"),
    Edit("message_to_bytes", "message I { int32 x = 1; } I a = 1;", "bytes a = 1;", OLD, "a { x: 3 }", "", "a rejected"),
    Edit("message_to_string", "message I { int32 x = 1; } I a = 1;", "string a = 1;", OLD, "a { x: 3 }", "a altered", "a rejected"),
    Edit("empty_message_to_bytes", "message I { int32 x = 1; } I a = 1;", "bytes a = 1;", OLD, "a { }", "", "a rejected"),
    Edit("message_to_bad_string", "message I { float x = 1; } I a = 1;", "string a = 1;", OLD, "a { x: 1 }", "a rejected", "a rejected"),
    Edit("presence_lost", "optional int32 a = 1;", "int32 a = 1;", OLD, "a: 0", "a altered", "a altered"),
    Edit("presence_lost_unset", "optional int32 a = 1;", "int32 a = 1;", OLD, "", "", ""),
    Edit("presence_won", "int32 a = 1;", "optional int32 a = 1;", OLD, "a: 7", "", ""),
    Edit("presence_won_back", "int32 a = 1;", "optional int32 a = 1;", NEW, "a: 0", "a altered", "a altered"),
    # lists and maps
    Edit("list_to_one", "repeated string a = 1;", "string a = 1;", OLD, "a: 'x' a: 'y'", "a altered", "a rejected"),
    Edit("list_of_one", "repeated string a = 1;", "string a = 1;", OLD, "a: 'x'", "", "a rejected"),
    Edit("one_to_list", "string a = 1;", "repeated string a = 1;", OLD, "a: 'x'", "", "a rejected"),
    Edit("packed_to_one", "repeated int32 a = 1;", "int32 a = 1;", OLD, "a: 1", "a altered", "a rejected"),
    Edit("unpacked", "repeated int32 a = 1;", "repeated int32 a = 1 [packed = false];", OLD, "a: [1, 2]", "", ""),
    Edit(
        "map_value",
        "map<string, int64> a = 1;",
        "map<string, int32> a = 1;",
        OLD,
        "a {key: 'k' value: 4294967297}",
        "a altered",
        "a rejected",
    ),
    Edit("map_key", "map<int64, bool> a = 1;", "map<int32, bool> a = 1;", OLD, "a {key: 1 value: true}", "", ""),
    Edit(
        "map_to_list",
        "map<string, int32> a = 1;",
        "message E { string key = 1; int32 value = 2; } repeated E a = 1;",
        OLD,
        "a {key: 'k' value: 0} a {key: 'l' value: 2}",
        "",
        "a rejected",
    ),
    Edit(
        "list_to_map",
        "message E { string key = 1; int32 value = 2; } repeated E a = 1;",
        "map<string, int32> a = 1;",
        OLD,
        "a {key: 'k' value: 1} a {key: 'k' value: 2}",
        "a altered",
        "a rejected",
    ),
    # only N
    Edit("renamed", "int32 a = 1;", "int32 b = 1;", OLD, "a: 5", "a renamed", "a lost"),
    Edit("renamed_back", "int32 a = 1;", "int32 b = 1;", NEW, "b: 5", "a renamed", "a lost"),
    Edit("renamed_narrower", "int64 a = 1;", "int32 b = 1;", OLD, "a: 4294967297", "a altered", "a lost"),
    Edit("reused", "int32 a = 1;", "bool b = 1;", OLD, "a: 1", "a altered", "a lost"),
    Edit("reused_other_wire", "int32 a = 1;", "string b = 1;", OLD, "a: 5", "a ignored", "a lost"),
    # only M
    Edit("renumbered", "int32 a = 1;", "int32 a = 2;", OLD, "a: 5", "a lost", ""),
    Edit("renumbered_other_family", "int32 a = 1;", "string a = 2;", OLD, "a: 5", "a ignored", "a rejected"),
    # neither
    Edit("removed", "int32 a = 1; int32 b = 2;", "int32 b = 2;", OLD, "a: 5 b: 6", "a ignored", "a ignored"),
    Edit("added", "int32 b = 2;", "int32 a = 1; int32 b = 2;", NEW, "a: 5 b: 6", "a ignored", "a ignored"),
    Edit("added_unset", "int32 b = 2;", "int32 a = 1; int32 b = 2;", OLD, "b: 6", "", ""),
    # N and M differ
    Edit("swapped", "int32 a = 1; int32 b = 2;", "int32 a = 2; int32 b = 1;", OLD, "a: 5 b: 6", "a altered, b altered", ""),
    Edit("swapped_one", "int32 a = 1; int32 b = 2;", "int32 a = 2; int32 b = 1;", OLD, "a: 5", "a altered, b altered", ""),
    Edit("moved_on", "int32 a = 1;", "int32 a = 2; int32 b = 1;", OLD, "a: 5", "a altered", ""),
    Edit("moved_on_back", "int32 a = 1;", "int32 a = 2; int32 b = 1;", NEW, "b: 5", "b altered, a altered", "b ignored"),
    Edit("meant_by_type", "int32 a = 1;", "int32 b = 1; string a = 2;", OLD, "a: 5", "a renamed", "a rejected"),
    # JSON names
    Edit("json_name", "int32 a = 1;", "int32 a = 1 [json_name = 'x'];", OLD, "a: 5", "", ""),
    Edit("json_name_back", "int32 a = 1;", "int32 a = 1 [json_name = 'x'];", NEW, "a: 5", "", "a lost"),
    Edit(
        "only_json_name",
        "E foo_bar = 1; enum E { Z = 0; V = 1; }",
        "E fooBar = 2; enum E { Z = 0; V = 1; }",
        OLD,
        "foo_bar: V",
        "foo_bar ignored",
        "foo_bar altered",
    ),
    # oneofs
    Edit(
        "into_oneof",
        "string a = 1; string b = 2;",
        "oneof o { string a = 1; string b = 2; }",
        OLD,
        "a: 'x' b: 'y'",
        "a altered",
        "a rejected, b rejected",
    ),
    Edit("out_of_oneof", "oneof o { string a = 1; string b = 2; }", "string a = 1; string b = 2;", OLD, "a: ''", "a altered", "a altered"),
    # messages within messages
    Edit(
        "nested",
        "message I { int32 x = 1; int32 y = 2; } I a = 1;",
        "message I { sint32 x = 1; int32 y = 2; } I a = 1;",
        OLD,
        "a { x: 3 y: 4 }",
        "I.x altered",
        "",
    ),
    Edit(
        "other_type",
        "message I { int32 x = 1; } I a = 1;",
        "message J { sint32 x = 1; } J a = 1;",
        OLD,
        "a { x: 3 }",
        "a.x altered",
        "",
    ),
    Edit(
        "merged",
        "message I { int32 x = 1; } repeated I a = 1;",
        "message I { int32 x = 1; } I a = 1;",
        OLD,
        "a {x: 1} a {x: 2}",
        "a altered",
        "a rejected",
    ),
    Edit(
        "recursive",
        "recursive c = 1; int64 n = 2;",
        "recursive c = 1; int32 n = 2;",
        OLD,
        "c { c { n: 4294967297 } }",
        "n altered",
        "n rejected",
    ),
    # enums, open
    Edit("value_renamed", "enum E { Z = 0; V = 1; } E a = 1;", "enum E { Z = 0; W = 1; } E a = 1;", OLD, "a: V", "E.V renamed", "E.V lost"),
    Edit("value_removed", "enum E { Z = 0; V = 1; } E a = 1;", "enum E { Z = 0; } E a = 1;", OLD, "a: V", "E.V ignored", "E.V ignored"),
    Edit("value_added", "enum E { Z = 0; } E a = 1;", "enum E { Z = 0; V = 1; } E a = 1;", NEW, "a: V", "E.V ignored", "E.V ignored"),
    Edit("value_renumbered", "enum E { Z = 0; V = 1; } E a = 1;", "enum E { Z = 0; V = 2; } E a = 1;", OLD, "a: V", "E.V lost", ""),
    Edit(
        "values_swapped",
        "enum E { Z = 0; V = 1; W = 2; } repeated E a = 1;",
        "enum E { Z = 0; V = 2; W = 1; } repeated E a = 1;",
        OLD,
        "a: [V, Z, W]",
        "E.V altered, E.W altered",
        "",
    ),
    Edit(
        "zero_moved",
        "enum E { Z = 0; } E a = 1; int32 b = 2;",
        "enum E { Y = 0; Z = 1; } E a = 1; int32 b = 2;",
        OLD,
        "b: 1",
        "E.Z altered",
        "E.Z altered",
    ),
    Edit("undeclared", "enum E { Z = 0; } E a = 1;", "enum E { Z = 0; V = 1; } E a = 1;", OLD, "a: 99", "", ""),
    Edit("enum_to_int", "enum E { Z = 0; V = 1; } E a = 1;", "int32 a = 1;", OLD, "a: V", "", "a rejected"),
    Edit("int_to_enum", "int32 a = 1;", "enum E { Z = 0; V = 1; } E a = 1;", OLD, "a: 7", "", ""),
    # enums, closed
    Edit(
        "closed_removed",
        "enum E { Z = 0; V = 1; } optional E a = 1;",
        "enum E { Z = 0; } optional E a = 1;",
        OLD,
        "a: V",
        "E.V ignored",
        "E.V ignored",
        PROTO2,
    ),
    Edit(
        "closed_removed_in_list",
        "enum E { Z = 0; V = 1; } repeated E a = 1;",
        "enum E { Z = 0; } repeated E a = 1;",
        OLD,
        "a: [Z, V, Z]",
        "E.V ignored",
        "E.V ignored",
        PROTO2,
    ),
    Edit(
        "closed_removed_in_map",
        "enum E { Z = 0; V = 1; } map<int32, E> a = 1;",
        "enum E { Z = 0; } map<int32, E> a = 1;",
        OLD,
        "a { key: 1 value: V } a { key: 2 value: Z }",
        "E.V ignored",
        None,
        PROTO2,
    ),
    # defaults and required fields
    Edit(
        "default", "optional int32 a = 1 [default = 5];", "optional int32 a = 1 [default = 6];", OLD, "", "a altered", "a altered", PROTO2
    ),
    Edit("default_set", "optional int32 a = 1 [default = 5];", "optional int32 a = 1 [default = 6];", OLD, "a: 5", "", "", PROTO2),
    Edit(
        "closed_default",
        "enum E { Y = 1; Z = 2; } optional E a = 1;",
        "enum E { Z = 2; Y = 1; } optional E a = 1;",
        OLD,
        "",
        "a altered",
        "a altered",
        PROTO2,
    ),
    Edit("now_required", "optional int32 a = 1;", "required int32 a = 1;", OLD, "", "a rejected", "a rejected", PROTO2),
    Edit(
        "added_required",
        "optional int32 b = 2;",
        "required int32 a = 1; optional int32 b = 2;",
        OLD,
        "b: 1",
        "a rejected",
        "a rejected",
        PROTO2,
    ),
    Edit(
        "removed_required",
        "required int32 a = 1; optional int32 b = 2;",
        "optional int32 b = 2;",
        NEW,
        "b: 1",
        "a rejected",
        "a rejected",
        PROTO2,
    ),
    Edit(
        "group_to_message",
        "optional group G = 1 { optional int32 x = 1; }",
        "message G { optional int32 x = 1; } optional G g = 1;",
        OLD,
        "G { x: 1 }",
        "g altered",
        "",
        PROTO2,
    ),
    # extensions
    Edit(
        "extension_gone",
        "extensions 100 to 200; extend extension_gone { optional int32 e = 100; }",
        "extensions 100 to 200;",
        OLD,
        "[t2.extension_gone.e]: 1",
        "[t2.extension_gone.e] ignored",
        None,
        PROTO2,
    ),
]


def tree(folder: Path, body: Callable[[Edit], str]) -> dict[str, str]:
    """Both files of one version: its edits, each a message of its own."""
    files = {}
    for syntax, package in ((PROTO3, "t"), (PROTO2, "t2")):
        messages = "\n".join(f"message {one.name} {{ {body(one)} }}" for one in EDITS if one.syntax == syntax)
        files[f"{package}.proto"] = f'syntax = "{syntax}"; package {package};\n{messages}\n'
    return files


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> TwoVersions:
    folder = tmp_path_factory.mktemp("edits")
    base, head = tree(folder, lambda one: one.base), tree(folder, lambda one: one.head)
    return TwoVersions(compiled(folder / "base", base), compiled(folder / "head", head))


def told(one: Edit, expected: str) -> dict[str, str]:
    scope = "t2" if one.syntax == PROTO2 else "t"
    pairs = (part.rsplit(" ", 1) for part in expected.split(", ") if part)
    return {name if name.startswith("[") else f"{scope}.{one.name}.{name}": outcome for name, outcome in pairs}


@pytest.mark.parametrize("one", EDITS, ids=lambda one: one.name)
def test_in_binary(versions: TwoVersions, one: Edit) -> None:
    seen = versions.binary(one.flow, one.text, f"{'t2' if one.syntax == PROTO2 else 't'}.{one.name}")
    assert outcomes(seen) == told(one, one.binary), seen


@pytest.mark.parametrize("one", [one for one in EDITS if one.json is not None], ids=lambda one: one.name)
def test_in_json(versions: TwoVersions, one: Edit) -> None:
    assert one.json is not None
    seen = versions.json(one.flow, one.text, f"{'t2' if one.syntax == PROTO2 else 't'}.{one.name}")
    assert outcomes(seen) == told(one, one.json), seen


# ----------------------------------------------------------------------------------------------------------------------
# What the table does not show
# ----------------------------------------------------------------------------------------------------------------------

SCHEMA = """
message Everything {
  int32 number = 1; string text = 2; optional bool flag = 3; repeated sint64 numbers = 4; map<string, Everything> inner = 5;
  oneof choice { bytes blob = 6; Everything self = 7; } repeated Kind kinds = 8; double real = 9; Kind kind = 10;
}
enum Kind { ZERO = 0; ONE = 1; TWO = 2; }
"""
HEAD = 'syntax = "proto3"; package t;'


def two(tmp_path: Path, base: str, head: str, syntax: str = HEAD) -> TwoVersions:
    return TwoVersions(
        compiled(tmp_path / "base", {"a.proto": f"{syntax}\n{base}"}), compiled(tmp_path / "head", {"a.proto": f"{syntax}\n{head}"})
    )


def one_of(seen: list[Effect], element: str) -> Effect:
    (found,) = [one for one in seen if one.element == element]
    return found


class TestAny:
    """A message in an Any is compared by its own elements, since JSON writes it out."""

    BASE = "message M { google.protobuf.Any any = 1; } message In { int64 n = 1; } message Gone { int32 x = 1; }"
    HEAD = "message M { google.protobuf.Any any = 1; } message In { int32 n = 1; }"
    SYNTAX = 'syntax = "proto3"; package t; import "google/protobuf/any.proto";'

    def test_shows_what_becomes_of_the_fields_within(self, tmp_path: Path) -> None:
        text = '{"any": {"@type": "type.googleapis.com/t.In", "n": 5, "m": 1}}'
        versions = two(tmp_path, self.BASE.replace("n = 1;", "n = 1; int32 m = 2;"), self.HEAD, self.SYNTAX)
        assert outcomes(versions.json_text(OLD, text)) == {"t.In.m": ElementOutcome.IGNORED}

    def test_blames_the_type_that_the_reader_does_not_know(self, tmp_path: Path) -> None:
        versions = two(tmp_path, self.BASE, self.HEAD, self.SYNTAX)
        seen = versions.json_text(OLD, '{"any": {"@type": "type.googleapis.com/t.Gone", "x": 5}}')
        assert outcomes(seen) == {"t.Gone": ElementOutcome.REJECTED}


class TestEnumsInJson:
    def test_an_alias_that_is_gone_is_lost_since_the_reader_has_its_number(self, tmp_path: Path) -> None:
        enum = "enum E { option allow_alias = true; Z = 0; V = 1; W = 1; }"
        versions = two(tmp_path, f"{enum} message M {{ E a = 1; }}", "enum E { Z = 0; V = 1; } message M { E a = 1; }")
        assert outcomes(versions.json_text(OLD, '{"a": "W"}')) == {"t.E.W": ElementOutcome.LOST}
        assert outcomes(versions.json_text(OLD, '{"a": "V"}')) == {}

    def test_a_number_that_only_the_reader_declares_is_preserved(self, tmp_path: Path) -> None:
        versions = two(
            tmp_path, "enum E { Z = 0; V = 1; W = 2; } message M { E a = 1; }", "enum E { Z = 0; V = 1; } message M { E a = 1; }"
        )
        assert outcomes(versions.binary(NEW, "a: 2")) == outcomes(versions.json(NEW, "a: 2")) == {}

    def test_of_a_list_are_told_apart_by_what_arrived(self, tmp_path: Path) -> None:
        """A value that only head declares is dropped, and a number that nobody declares is kept."""
        base = "enum E { Z = 0; A = 1; } message M { repeated E a = 1; }"
        versions = two(tmp_path, base, base.replace("A = 1;", "A = 1; B = 4;"))
        pair = versions.schemas.pair("t.M", "t.M")
        sent, received = (versions.meant(Version.HEAD, text, "t.M") for text in ("a: [1, 4, -1]", "a: [1, -1]"))
        assert outcomes(observe(pair, Version.HEAD, Version.BASE, Format.JSON, sent, received)) == {"t.E.B": ElementOutcome.IGNORED}

    def test_written_zeros_say_nothing_of_values_that_come_later(self, tmp_path: Path) -> None:
        versions = two(tmp_path, "enum E { Z = 0; } message M { E a = 1; }", "enum E { Z = 0; V = 1; } message M { optional E a = 1; }")
        assert outcomes(versions.json(OLD, "", zeros=True)) == {}


class TestProtoNames:
    """What only writers lose that call fields by their own names; readers take JSON names as well."""

    @pytest.mark.parametrize(
        ("base", "head", "old", "new"),
        [
            # An outcome, and what is written of the first field.
            ('string JobId = 1 [json_name = "jobId"];', "string job_id = 1;", "lost JobId: 'x'", "lost job_id: 'x'"),
            ("string user_name = 1;", "string userName = 1;", "lost user_name: 'x'", "preserved userName: 'x'"),
            ("string userName = 1;", "string user_name = 1;", "preserved userName: 'x'", "lost user_name: 'x'"),
            ("string a = 1;", 'string b = 1 [json_name = "a"];', "preserved a: 'x'", "lost b: 'x'"),
            ('string a = 1 [json_name = "x"];', 'string a = 1 [json_name = "y"];', "preserved a: 'x'", "preserved a: 'x'"),
            ("repeated int32 a = 1;", 'repeated int32 b = 1 [json_name = "a"];', "preserved a: 7", "lost b: 7"),
            (
                "map<string, bool> some_a = 1;",
                "map<string, bool> someA = 1;",
                "lost some_a { key: 'k' value: true }",
                "preserved someA { key: 'k' value: true }",
            ),
            (
                'int32 a = 1 [json_name = "x"]; int32 b = 2;',
                'int32 a = 1 [json_name = "x"]; int32 c = 2 [json_name = "b"];',
                "preserved b: 7",
                "lost c: 7",
            ),
        ],
    )
    def test_decide_where_json_names_do_not(self, tmp_path: Path, base: str, head: str, old: str, new: str) -> None:
        versions = two(tmp_path, f"message M {{ {base} }}", f"message M {{ {head} }}")
        for flow, told in ((OLD, old), (NEW, new)):
            outcome, _, text = told.partition(" ")
            (seen,) = versions.json(flow, text, carried=Format.PROTO_NAMES)
            assert seen.outcome == outcome

    def test_are_those_of_the_fields_within_too(self, tmp_path: Path) -> None:
        text = "message M { I held = 1; } message I { string Id = 1 [json_name = 'id']; }"
        versions = two(tmp_path, text, text.replace("Id = 1", "id = 1"))
        assert outcomes(versions.json(OLD, 'held { Id: "x" }', carried=Format.PROTO_NAMES)) == {"t.I.Id": ElementOutcome.LOST}
        assert outcomes(versions.json(OLD, 'held { Id: "x" }')) == {}


class TestUnknownFields:
    def test_say_whether_they_would_be_written_again(self, tmp_path: Path) -> None:
        versions = two(tmp_path, "message M { int32 a = 1; int32 b = 2; }", "message M { int32 b = 2; }")
        assert one_of(versions.binary(OLD, "a: 1"), "t.M.a").cause is OutcomeCause.KEPT
        assert one_of(versions.json(OLD, "a: 1"), "t.M.a").cause is OutcomeCause.UNKNOWN

    def test_are_named_where_a_strict_reader_of_json_refuses_them(self, tmp_path: Path) -> None:
        versions = two(tmp_path, "message M { int32 a = 1; int32 b = 2; }", "message M { int32 b = 2; }")
        assert outcomes(versions.json(OLD, "a: 1 b: 2", carried=Format.STRICT_JSON)) == {"t.M.a": ElementOutcome.REJECTED}
        assert versions.json(OLD, "b: 2", carried=Format.STRICT_JSON) == []


class TestWrappers:
    SYNTAX = 'syntax = "proto3"; package t; import "google/protobuf/wrappers.proto";'

    def test_are_what_they_wrap_in_json(self, tmp_path: Path) -> None:
        versions = two(tmp_path, "message M { google.protobuf.Int64Value a = 1; }", "message M { optional int64 a = 1; }", self.SYNTAX)
        for flow, text in ((OLD, "a { value: 5 }"), (OLD, "a { }"), (NEW, "a: 5"), (NEW, "a: 0")):
            assert outcomes(versions.json(flow, text)) == {}
        assert outcomes(versions.binary(OLD, "a { value: 5 }")) == {"t.M.a": ElementOutcome.ALTERED}

    def test_may_be_set_to_the_zero_that_json_writes(self, tmp_path: Path) -> None:
        versions = two(tmp_path, "message M { int32 a = 1; }", "message M { google.protobuf.Int32Value a = 1; }", self.SYNTAX)
        assert outcomes(versions.json(OLD, "", zeros=True)) == {}
        assert one_of(versions.json(NEW, "a { }"), "t.M.a").cause is OutcomeCause.PRESENCE


class TestMaps:
    def test_show_what_is_wrong_with_any_entry(self, tmp_path: Path) -> None:
        """A value of an enum that is gone in one entry does not hide that another entry is another value."""
        base = "enum E { Z = 0; V = 1; W = 2; } message M { map<int32, E> a = 1; }"
        versions = two(tmp_path, base, base.replace("V = 1; ", ""))
        pair = versions.schemas.pair("t.M", "t.M")
        sent = versions.meant(Version.BASE, "a { key: 1 value: V } a { key: 2 value: W }", "t.M")
        received = versions.meant(Version.BASE, "a { key: 1 value: V } a { key: 2 value: Z }", "t.M")
        seen = observe(pair, Version.BASE, Version.HEAD, Format.BINARY, sent, received)
        assert outcomes(seen) == {"t.E.V": ElementOutcome.IGNORED, "t.M.a": ElementOutcome.ALTERED}


class TestWhatWasNeverSent:
    def test_is_altered_where_it_arrives(self, tmp_path: Path) -> None:
        """In a field that only the reader has, and as an entry of a map."""
        base = "message M { map<string, int32> map = 1; }"
        versions = two(tmp_path, base, base.replace("map = 1;", "map = 1; int32 n = 2;"))
        pair = versions.schemas.pair("t.M", "t.M")
        sent, received = (
            versions.meant(Version.BASE, "map { key: 'k' }", "t.M"),
            versions.meant(Version.HEAD, "map { key: 'k' } n: 1", "t.M"),
        )
        seen = observe(pair, Version.BASE, Version.HEAD, Format.BINARY, sent, received)
        assert [(one.element, one.outcome, one.cause) for one in seen] == [("t.M.n", ElementOutcome.ALTERED, OutcomeCause.UNSENT)]
        more = versions.meant(Version.HEAD, "map { key: 'k' } map { key: 'l' }", "t.M")
        assert outcomes(observe(pair, Version.BASE, Version.HEAD, Format.BINARY, sent, more)) == {"t.M.map": ElementOutcome.ALTERED}


class TestMinusZero:
    def test_is_zero_to_an_integer(self, tmp_path: Path) -> None:
        versions = two(tmp_path, "message M { double a = 1; }", "message M { int32 a = 1; }")
        pair = versions.schemas.pair("t.M", "t.M")
        sent = versions.meant(Version.BASE, "a: -0.0", "t.M")
        assert outcomes(observe(pair, Version.BASE, Version.HEAD, Format.JSON, sent, meaning(pair.head, b""))) == {}


class TestRefusals:
    def test_that_nothing_explains_are_of_what_was_aimed_at_or_else_of_the_message(self, tmp_path: Path) -> None:
        versions = two(tmp_path, "message M { int32 a = 1; }", "message M { int32 a = 1; int32 b = 2; }")
        pair = versions.schemas.pair("t.M", "t.M")
        sent = meaning(pair.base, b"\x08\x01")
        for aimed, blamed in (("t.M.a", "t.M.a"), ("", "t.M")):
            (seen,) = observe(pair, Version.BASE, Version.HEAD, Format.BINARY, sent, Refusal("no", "INTERNAL"), aimed)
            assert (seen.element, seen.outcome, seen.received) == (blamed, ElementOutcome.REJECTED, "INTERNAL: no")

    def test_of_a_message_with_many_reasons_are_of_the_one_that_was_aimed_at(self, tmp_path: Path) -> None:
        versions = two(tmp_path, "message M { int32 a = 1; int32 b = 2; }", "message M { string a = 1; string b = 2; }")
        pair = versions.schemas.pair("t.M", "t.M")
        sent = meaning(pair.base, b"\x08\x01\x10\x01")
        seen = observe(pair, Version.BASE, Version.HEAD, Format.JSON, sent, Refusal("no"), "t.M.b")
        assert outcomes(seen) == {"t.M.b": ElementOutcome.REJECTED}

    def test_of_json_with_zeros_are_explained_by_these(self, tmp_path: Path) -> None:
        """Zeros are not part of what a message means, but a reader may stumble over them."""
        base = "message M { int32 a = 1; int32 b = 2; int32 c = 3; }"
        versions = two(tmp_path, base, "message M { oneof o { int32 a = 1; int32 b = 2; } int64 c = 3; }")
        assert outcomes(versions.json(OLD, "c: 1", zeros=True)) == {"t.M.a": ElementOutcome.REJECTED, "t.M.b": ElementOutcome.REJECTED}

    @pytest.mark.parametrize(
        ("base", "head", "text", "carried"),
        [
            ("repeated fixed32 a = 1 [packed = true];", "required fixed32 a = 1;", "a: 5", Format.BINARY),
            ("optional int32 a = 1;", "required E a = 1;", "a: 5", Format.BINARY),
            ("optional int32 a = 1;", "optional E a = 1;", "a: 5", Format.JSON),
            ("map<string, int32> a = 1;", "map<bool, int32> a = 1;", "a { key: 'x' }", Format.JSON),
        ],
    )
    def test_of_values_that_set_nothing_at_the_reader_are_of_their_field(
        self, tmp_path: Path, base: str, head: str, text: str, carried: Format
    ) -> None:
        """Packed numbers that are no single one, numbers that a closed enum lacks, and keys that are no bool."""
        rest = "enum E { Z = 0; }"
        versions = two(tmp_path, f"message M {{ {base} }} {rest}", f"message M {{ {head} }} {rest}", 'syntax = "proto2"; package t;')
        pair = versions.schemas.pair("t.M", "t.M")
        seen = observe(pair, Version.BASE, Version.HEAD, carried, versions.meant(Version.BASE, text, "t.M"), Refusal("no"))
        assert outcomes(seen) == {"t.M.a": ElementOutcome.REJECTED}

    def test_of_zeros_that_json_writes_are_of_the_fields_that_are_zero(self, tmp_path: Path) -> None:
        """Not of what the message was about, which is taken without them."""
        versions = two(tmp_path, "message M { repeated int32 a = 1; string b = 2; }", "message M { int32 a = 1; bytes b = 2; }")
        pair = versions.schemas.pair("t.M", "t.M")
        sent, both = meaning(pair.base, b"\x12\x01x"), (pair, Version.BASE, Version.HEAD, Format.JSON)
        assert outcomes(observe(*both, sent, Refusal("no"), "t.M.b")) == {"t.M.b": ElementOutcome.REJECTED}
        assert outcomes(observe(*both, sent, Refusal("no"), "t.M.b", only_zeros=True)) == {"t.M.a": ElementOutcome.REJECTED}


class TestControls:
    def test_take_back_what_one_version_alone_shows(self) -> None:
        seen = [Effect("a", ElementOutcome.ALTERED), Effect("b", ElementOutcome.ALTERED), Effect("c", ElementOutcome.PRESERVED)]
        assert attributed(seen, [Effect("a", ElementOutcome.ALTERED), Effect("c", ElementOutcome.PRESERVED)]) == seen[1:]

    @settings(deadline=None)
    @given(data=st.data())
    def test_show_nothing_where_all_arrives(self, data: st.DataObject, everything: TwoVersions) -> None:
        """One version on both sides, and two versions that are the same: every value arrives, none is invented."""
        text = data.draw(messages())
        for flow in (OLD, NEW):
            sent = everything.meant(flow.writer, text, "t.Everything")
            pair = everything.schemas.pair("t.Everything", "t.Everything")
            for reader in Version:
                assert observe(pair, flow.writer, reader, Format.BINARY, sent, sent) == []
            assert everything.json(flow, text, "t.Everything") == []

    @settings(deadline=None)
    @given(data=st.data())
    def test_no_value_of_another_field_hides_one_that_did_not_arrive(self, data: st.DataObject, everything: TwoVersions) -> None:
        """Whatever field is taken out of what the reader shows, it is told of that field."""
        text = data.draw(messages().filter(bool))
        pair = everything.schemas.pair("t.Everything", "t.Everything")
        sent = everything.meant(Version.BASE, text, "t.Everything")
        if not sent.fields:
            return
        gone = data.draw(st.sampled_from(sorted(sent.fields)))
        received = everything.meant(Version.BASE, text, "t.Everything")
        del received.fields[gone]
        seen = observe(pair, Version.BASE, Version.HEAD, Format.BINARY, sent, received)
        assert outcomes(seen) == {pair.field(Version.BASE, gone).element: ElementOutcome.ALTERED}
        unsent = observe(pair, Version.BASE, Version.HEAD, Format.BINARY, received, sent)
        assert outcomes(unsent) == {pair.field(Version.BASE, gone).element: ElementOutcome.ALTERED}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> TwoVersions:
    return two(tmp_path_factory.mktemp("everything"), SCHEMA, SCHEMA)


def messages(depth: int = 0) -> st.SearchStrategy[str]:
    """Messages of SCHEMA in text format."""
    fields = [
        st.integers(-(2**31), 2**31 - 1).map("number: {}".format),
        st.sampled_from(["", "x", "é", "\\000"]).map('text: "{}"'.format),
        st.sampled_from(["true", "false"]).map("flag: {}".format),
        st.integers(-(2**63), 2**63 - 1).map("numbers: {}".format),
        st.sampled_from(["", "\\377"]).map('blob: "{}"'.format),
        st.sampled_from(["ZERO", "ONE", "TWO"]).map("kinds: {}".format),
        st.sampled_from(["ONE", "TWO"]).map("kind: {}".format),
        st.sampled_from(["0.5", "-0.0", "inf", "nan"]).map("real: {}".format),
    ]
    if depth < 2:
        inner = messages(depth + 1)
        fields += [inner.map("self {{ {} }}".format), inner.map('inner {{ key: "k" value {{ {} }} }}'.format)]
    singular = ("number", "text", "flag", "blob", "self", "kind:", "real", "inner")
    chosen = st.lists(st.one_of(fields), max_size=5)
    return chosen.map(lambda found: _once(found, singular))


def _once(found: list[str], singular: tuple[str, ...]) -> str:
    """Text format takes a singular field, and a oneof, once."""
    kept: dict[str, str] = {}
    for number, one in enumerate(found):
        name = next((name for name in singular if one.startswith(name) and not one.startswith(f"{name}s")), f"#{number}")
        kept["choice" if name in ("blob", "self") else name] = one
    return " ".join(kept.values())
