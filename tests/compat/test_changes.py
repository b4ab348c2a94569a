"""What changed between two versions, in words, and where."""

from pathlib import Path

import pytest

from grpc_interop.compat.diff.changes import Change, Changes, Edit, Subject, changes
from grpc_interop.compat.vocabulary.observation import Format
from grpc_interop.compat.vocabulary.result import SourceLocation
from grpc_interop.schema.source_lines import source_lines
from two_versions import TwoVersions, compiled

HEAD = 'syntax = "proto3"; package t;'
PROTO2 = 'syntax = "proto2"; package t;'


def between(tmp_path: Path, base: str | dict[str, str], head: str | dict[str, str], syntax: str = HEAD, head_syntax: str = "") -> Changes:
    """Between files, or between the bodies of the one file a.proto."""
    old = {"a.proto": f"{syntax}\n{base}"} if isinstance(base, str) else base
    new = {"a.proto": f"{head_syntax or syntax}\n{head}"} if isinstance(head, str) else head
    versions = TwoVersions(compiled(tmp_path / "base", old), compiled(tmp_path / "head", new))
    return changes(versions.schemas, lambda name: source_lines(old.get(name, "")), lambda name: source_lines(new.get(name, "")))


def words(found: Changes) -> dict[str, list[str]]:
    """What changed, by element; what only is there or gone as `added` or `removed`."""
    return {one.element: list(one.what) for one in found.changes}


def one_of(found: Changes, element: str) -> Change:
    (change,) = [one for one in found.changes if one.element == element]
    return change


class TestFields:
    @pytest.mark.parametrize(
        ("base", "head", "expected"),
        [
            ("int64 a = 1;", "int32 a = 1;", ["type int64 -> int32"]),
            ("int64 a = 1;", "repeated int64 a = 1;", ["type int64 -> repeated int64"]),
            ("map<string, int32> a = 1;", "map<string, int64> a = 1;", ["type map<string, int32> -> map<string, int64>"]),
            ("int64 a = 1;", "int64 b = 1;", ["name a -> b"]),
            ("int64 a = 1;", "int64 a = 2;", ["number 1 -> 2"]),
            ("int64 a = 1;", "int32 b = 1;", ["name a -> b", "type int64 -> int32"]),
            ("int64 a = 1;", "int64 a = 1 [json_name = 'x'];", ["JSON name a -> x"]),
            ("int64 a = 1;", "optional int64 a = 1;", ["presence implicit -> explicit"]),
            ("repeated int64 a = 1;", "repeated int64 a = 1 [packed = false];", ["packed -> expanded"]),
            ("int64 a = 1;", "int64 a = 1 [deprecated = true];", ["deprecated"]),
            ("int64 a = 1;", "int64 a = 1 [jstype = JS_STRING];", None),
            ("int64 a = 1;", "// why\nint64 a = 1;", None),
        ],
    )
    def test_are_told_by_what_differs(self, tmp_path: Path, base: str, head: str, expected: list[str] | None) -> None:
        found = between(tmp_path, f"message M {{ {base} }}", f"message M {{ {head} }}")
        assert words(found) == ({"t.M.a": expected} if expected else {})

    @pytest.mark.parametrize(
        ("base", "head", "expected"),
        [
            ("optional int32 a = 1 [default = 5];", "optional int32 a = 1;", ["default 5 -> 0"]),
            ("optional int32 a = 1;", "required int32 a = 1;", ["not required -> required"]),
            ("optional E a = 1; enum E { Z = 0; V = 1; }", "optional E a = 1 [default = V]; enum E { Z = 0; V = 1; }", ["default Z -> V"]),
        ],
    )
    def test_of_proto2_are_too(self, tmp_path: Path, base: str, head: str, expected: list[str]) -> None:
        assert words(between(tmp_path, f"message M {{ {base} }}", f"message M {{ {head} }}", PROTO2)) == {"t.M.a": expected}

    def test_whose_rules_come_from_the_syntax_change_with_it(self, tmp_path: Path) -> None:
        message = "message M { repeated int32 list = 1; string text = 2; E e = 3; } enum E { Z = 0; }"
        proto2 = message.replace("string", "optional string").replace("; E e", "; optional E e")
        found = between(tmp_path, proto2, message, PROTO2, HEAD)
        assert words(found) == {
            "a.proto": ["proto2 -> proto3"],
            "t.M.list": ["expanded -> packed"],
            "t.M.text": ["presence explicit -> implicit", "UTF-8 not checked -> checked"],
            "t.M.e": ["presence explicit -> implicit", "enum closed -> open"],
        }
        assert not one_of(found, "a.proto").matters

    def test_that_are_gone_say_what_can_be_reused(self, tmp_path: Path) -> None:
        base = "message M { int32 a = 1; int32 b = 2; int32 c = 3; }"
        found = between(tmp_path, base, 'message M { reserved 1 to 2; reserved "a"; }')
        notes = {one.element: one.notes for one in found.changes if one.edit is Edit.REMOVED}
        assert notes == {
            "t.M.a": (),
            "t.M.b": ("not reserved: its name b can be reused in JSON",),
            "t.M.c": ("not reserved: its number 3 can be reused", "not reserved: its name c can be reused in JSON"),
        }
        assert words(found)["t.M"] == ['reserved 1 to 2, "a"']

    def test_of_oneofs_say_how_they_came_and_went(self, tmp_path: Path) -> None:
        base = "message M { oneof o { int32 a = 1; int32 b = 2; } int32 c = 3; }"
        head = "message M { oneof o { int32 b = 2; int32 c = 3; } int32 a = 1; }"
        assert words(between(tmp_path, base, head)) == {
            "t.M.a": ["presence explicit -> implicit", "out of oneof o"],
            "t.M.b": ["oneof o with t.M.c, without t.M.a"],
            "t.M.c": ["presence implicit -> explicit", "into oneof o"],
        }

    def test_with_other_types_are_told_by_their_place(self, tmp_path: Path) -> None:
        base = "message M { A f = 1; } message A { int32 x = 1; } message B { int64 x = 1; }"
        assert words(between(tmp_path, base, base.replace("A f", "B f"))) == {
            "t.M.f": ["type t.A -> t.B"],
            "t.M.f.x": ["type int32 -> int64"],
        }


class TestReservations:
    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            ("1 to 3", "1 to 4", ["reserved 4"]),
            ("2 to 3", "1 to 9", ["reserved 1, 4 to 9"]),
            ("1 to 4", "1 to 2, 3, 4", []),
            ("1, 2, 3", "1 to 3", []),
            ("", "1 to 2, 3, 4", ["reserved 1 to 4"]),
            ("4, 1", "1, 4", []),
            ("1 to 3, 7", "1 to 7", ["reserved 4 to 6"]),
            ("1 to 7", "1 to 3, 7", ["no longer reserved 4 to 6"]),
            ("1 to 5", "3 to 8", ["reserved 6 to 8", "no longer reserved 1 to 2"]),
            ("5 to 6", "1 to 10, 20", ["reserved 1 to 4, 7 to 10, 20"]),
            ("100 to max", "50 to max", ["reserved 50 to 99"]),
            ("100 to 200", "100 to max", ["reserved 201 to max"]),
            ("1 to 3", "", ["no longer reserved 1 to 3"]),
            ('1; reserved "a"', '1 to 2; reserved "b"', ['reserved 2, "b"', 'no longer reserved "a"']),
        ],
    )
    def test_are_sets_of_numbers(self, tmp_path: Path, before: str, after: str, expected: list[str]) -> None:
        """
        Of messages and of enums: what is reserved by another range is reserved as before.
        """

        def body(text: str) -> str:
            words = f"reserved {text};" if text else ""
            return f"message M {{ {words} int32 z = 49; }} enum E {{ {words} Z = 0; }}"

        found = words(between(tmp_path, body(before), body(after)))
        assert (found.get("t.M", []), found.get("t.E", [])) == (expected, expected)

    def test_of_enums_may_be_negative(self, tmp_path: Path) -> None:
        found = between(tmp_path, "enum E { reserved -5 to -3; Z = 0; }", "enum E { reserved -9 to -3, 1; Z = 0; }")
        assert words(found) == {"t.E": ["reserved -9 to -6, 1"]}


class TestEnums:
    def test_have_values_that_come_and_go(self, tmp_path: Path) -> None:
        base = "enum E { Z = 0; A = 1; B = 2; C = 3; } message M { E e = 1; }"
        found = between(tmp_path, base, "enum E { reserved 2; Z = 0; X = 1; C = 4; D = 5; } message M { E e = 1; }")
        assert words(found) == {
            "t.E": ["reserved 2"],
            "t.E.A": ["name A -> X"],
            "t.E.B": ["removed"],
            "t.E.C": ["number 3 -> 4"],
            "t.E.D": ["added"],
        }
        assert one_of(found, "t.E.A").now == "t.E.X"
        assert one_of(found, "t.E.B").notes == ()

    @pytest.mark.parametrize(
        ("head", "edits", "ruled"),
        [
            ("UN = 1; ONE = 1;", {"t.E.ONE": ["written in JSON as ONE -> UN"], "t.E.UN": ["added"]}, {"t.E.ONE": Format.JSON}),
            ("ONE = 1; UN = 1;", {"t.E.UN": ["added"]}, {}),
            ("UN = 1;", {"t.E.ONE": ["name ONE -> UN"]}, {"t.E.ONE": Format.JSON}),
            ("ONE = 2;", {"t.E.ONE": ["number 1 -> 2"]}, {"t.E.ONE": Format.BINARY}),
            ("", {"t.E.ONE": ["removed"]}, {"t.E.ONE": Format.JSON}),
        ],
    )
    def test_whose_number_gets_another_first_name_are_written_otherwise(
        self, tmp_path: Path, head: str, edits: dict[str, list[str]], ruled: dict[str, Format]
    ) -> None:
        """
        The first name of a number is the one that JSON is written with; a further one changes nothing for the others.
        """
        aliased = "option allow_alias = true; " if head.count("= 1") > 1 else ""
        found = between(tmp_path, "enum E { Z = 0; ONE = 1; }", f"enum E {{ {aliased}Z = 0; {head} }}")
        assert words(found) == edits
        assert {one.element: one.ruled for one in found.changes if one.ruled} == ruled

    def test_that_no_field_uses_have_them_too(self, tmp_path: Path) -> None:
        found = between(tmp_path, "enum E { Z = 0; A = 1; }", "enum E { Z = 0; }")
        assert one_of(found, "t.E.A").notes == ("not reserved: its number 1 can be reused",)

    def test_that_replace_each_other_are_told_by_the_values_that_the_field_has(self, tmp_path: Path) -> None:
        base = "enum E { Z = 0; A = 1; } enum F { Y = 0; A2 = 2; } message M { E e = 1; }"
        assert words(between(tmp_path, base, base.replace("E e", "F e"))) == {
            "t.M.e": ["type t.E -> t.F"],
            "t.E.Z": ["name Z -> Y"],
            "t.E.A": ["removed"],
            "t.F.A2": ["added"],
        }


class TestServices:
    BASE = "message M {} message N {} service S { rpc Do(M) returns (M); }"

    @pytest.mark.parametrize(
        ("head", "expected"),
        [
            ("rpc Do(M) returns (stream M);", {"t.S/Do": ["kind unary -> server_streaming"]}),
            ("rpc Do(N) returns (M);", {"t.S/Do": ["request t.M -> t.N"]}),
            ("rpc Do(M) returns (N);", {"t.S/Do": ["response t.M -> t.N"]}),
            ("rpc Undo(M) returns (M);", {"t.S/Do": ["removed"], "t.S/Undo": ["added"]}),
            ("rpc Do(M) returns (M) { option deprecated = true; }", {"t.S/Do": ["deprecated"]}),
        ],
    )
    def test_have_rpcs_that_change(self, tmp_path: Path, head: str, expected: dict[str, list[str]]) -> None:
        assert words(between(tmp_path, self.BASE, self.BASE.replace("rpc Do(M) returns (M);", head))) == expected

    def test_without_methods_say_so_when_they_go(self, tmp_path: Path) -> None:
        change = one_of(between(tmp_path, "service S {}", ""), "t.S")
        assert (change.subject, change.edit, change.notes) == (Subject.SERVICE, Edit.REMOVED, ("it had no methods",))


class TestFiles:
    def test_may_give_their_messages_to_others(self, tmp_path: Path) -> None:
        one, other = "message M { int32 a = 1; }", "message N {}"
        base = {"a.proto": f"{HEAD}\n{one}\n{other}"}
        found = between(tmp_path, base, {"a.proto": f"{HEAD}\n{one}", "b.proto": f"{HEAD}\n{other}"})
        assert words(found) == {"b.proto": ["added"], "t.N": ["moved from a.proto to b.proto"]}
        assert not any(change.matters for change in found.changes)

    def test_that_merely_changed_their_options_show_nothing(self, tmp_path: Path) -> None:
        found = between(tmp_path, "message M {}", 'option go_package = "x/y"; message M {}')
        assert words(found) == {"a.proto": ["option go_package"]}
        assert not one_of(found, "a.proto").matters


class TestExtensions:
    def test_are_named_by_their_full_name(self, tmp_path: Path) -> None:
        base = "message M { extensions 100 to 200; } extend M { optional int32 e = 100; optional int32 f = 101; }"
        head = "message M { extensions 100 to 200; } extend M { optional int64 e = 100; optional int32 g = 102; }"
        found = between(tmp_path, base, head, PROTO2)
        assert words(found) == {"[t.e]": ["type int32 -> int64"], "[t.f]": ["removed"], "[t.g]": ["added"]}
        assert {one.subject for one in found.changes} == {Subject.EXTENSION}

    def test_of_options_are_of_no_message_that_is_sent(self, tmp_path: Path) -> None:
        syntax = 'syntax = "proto3"; import "google/protobuf/descriptor.proto"; package t;'
        found = between(tmp_path, "", "extend google.protobuf.FieldOptions { string mine = 50000; }", syntax)
        assert [(one.element, one.matters) for one in found.changes] == [("[t.mine]", False)]


class TestLocations:
    def test_are_lines_of_the_source(self, tmp_path: Path) -> None:
        base = "\nmessage M {\n  int32 a = 1;\n\n  int32 b = 2;\n}\nservice S {\n  rpc Do(M) returns (M);\n}"
        head = "message M {\n  int64 a = 1;\n}\nservice S {}"
        found = between(tmp_path, base, head)
        locations = {one.element: (one.base, one.head) for one in found.changes}
        assert locations == {
            "t.M.a": (SourceLocation("a.proto", 4), SourceLocation("a.proto", 3)),
            "t.M.b": (SourceLocation("a.proto", 6), None),
            "t.S/Do": (SourceLocation("a.proto", 9), None),
        }

    def test_have_no_line_where_nobody_has_the_source(self, tmp_path: Path) -> None:
        versions = TwoVersions(
            compiled(tmp_path / "base", {"a.proto": f"{HEAD} message M {{ int32 a = 1; }}"}),
            compiled(tmp_path / "head", {"a.proto": f"{HEAD} message M {{ int64 a = 1; }}"}),
        )
        (change,) = changes(versions.schemas).changes
        assert (change.base, change.head) == (SourceLocation("a.proto"), SourceLocation("a.proto"))


class TestUntouched:
    TREE = """message A { B b = 1; } message B { int32 x = 1; } message C { E e = 1; } enum E { Z = 0; } enum F { Y = 0; }
    service S { rpc One(A) returns (A); rpc Two(C) returns (C); }"""

    def test_counts_what_is_equal_and_of_rpcs_what_reaches_nothing_else(self, tmp_path: Path) -> None:
        found = between(tmp_path, self.TREE, self.TREE.replace("int32 x", "int64 x").replace("Y = 0", "Y = 0; X = 1"))
        assert found.untouched == {"RPC": 1, "message": 2, "enum": 1}

    def test_is_everything_where_nothing_changed(self, tmp_path: Path) -> None:
        found = between(tmp_path, self.TREE, f"// a comment\n{self.TREE}")
        assert found == Changes((), {"RPC": 2, "message": 3, "enum": 2})
