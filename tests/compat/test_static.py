"""What buf says, beside the elements that it says it of; and how definitions read."""

from __future__ import annotations

from pathlib import Path

import pytest

from grpc_interop.compat import static
from grpc_interop.compat.definitions import Definitions
from grpc_interop.compat.result import Finding, Verdict
from grpc_interop.protos.catalog import Catalog

BASE = """
syntax = "proto2";
package p;
option go_package = "a/b";
message M {
  optional int64 total = 1;
  optional string name = 2;
  optional string gone = 3;
  optional E e = 4;
  message In { optional int32 a = 1; optional string name = 2; message Deep {} }
  repeated In in = 5;
  oneof pick { int32 p1 = 6; int32 p2 = 7; }
  map<string, In> by_name = 8;
  required bool must = 9;
  repeated int32 numbers = 10 [packed = true];
  optional E with_default = 11 [default = E_ONE];
  optional group Old = 12 {}
  reserved 50;
  extensions 100 to 200;
}
extend M { optional int32 ext = 100; optional In.Unused unused = 101; }
message In { message Unused {} }
enum E { E_ZERO = 0; E_ONE = 1; E_TWO = 2; }
service S { rpc Say(M) returns (M); rpc Stop(M) returns (stream M); }
service T { rpc Say(M) returns (M); }
"""

EDITS = {
    "p.M.total": ("int64 total", "int32 total"),
    "p.M.name": ("optional string name = 2;\n  optional string gone", "optional string title = 2;\n  optional string gone"),
    "p.M.gone": ("optional string gone = 3;", ""),
    "p.M.In.name": ("optional string name = 2; message Deep", "optional bytes name = 2; message Deep"),
    "p.M.In.Deep": ("message Deep {}", ""),
    "p.M.by_name": ("map<string, In>", "map<int32, In>"),
    "p.M.must": ("required bool must", "optional bool must"),
    "p.M.pick": ("oneof pick { int32 p1 = 6; int32 p2 = 7; }", ""),
    "p.M": ("reserved 50;", ""),
    "[p.ext]": ("optional int32 ext", "optional string ext"),
    "[p.unused]": ("optional In.Unused unused = 101;", ""),
    "p.E.E_ONE": ("E_ONE = 1; E_TWO", "E_UNO = 1; E_TWO"),
    "p.E.E_TWO": ("E_TWO = 2;", ""),
    "p.S/Say": ("rpc Say(M) returns (M); rpc Stop", "rpc Say(stream M) returns (M); rpc Stop"),
    "p.S/Stop": ("rpc Stop(M) returns (stream M);", ""),
    "p.T": ("service T { rpc Say(M) returns (M); }", ""),
    "p/p.proto": ('go_package = "a/b"', 'go_package = "a/c"'),
}
"""By the element that buf is to speak of."""


class Trees:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, name: str, *texts: str) -> Catalog:
        """A tree of one file in each of `p`, `q`..."""
        root = self._folder / name
        for package, text in zip("pq", texts, strict=False):
            (root / package).mkdir(parents=True)
            (root / package / f"{package}.proto").write_text(text)
        return Catalog.load([root], [], self._folder / "cache")


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


def edited(element: str) -> str:
    before, after = EDITS[element]
    assert BASE.count(before) == 1
    return BASE.replace(before, after).replace("with_default = 11 [default = E_ONE]", f"with_default = 11 [default = {_default(element)}]")


def _default(element: str) -> str:
    return "E_UNO" if element == "p.E.E_ONE" else "E_ONE"


class TestAlarms:
    @pytest.mark.parametrize("element", EDITS)
    def test_an_alarm_is_told_of_the_element_that_was_edited(self, trees: Trees, element: str) -> None:
        """
        However short the name is by which buf calls it: there are two messages In here, and three fields called name.
        """
        told = static.alarms(trees.of("base", BASE), trees.of("head", edited(element)))
        consequences = {"p.M.p1", "p.M.p2"} if element == "p.M.pick" else {"p.M.with_default"} if element == "p.E.E_ONE" else set()
        assert {one.element for one in told} - consequences == {element}

    def test_a_file_that_is_gone_is_told_with_what_it_held(self, trees: Trees) -> None:
        """
        buf names neither path nor line for these.
        """
        gone = 'syntax = "proto3"; package q; message N { message I {} } enum F { F0 = 0; } service U {}'
        told = static.alarms(trees.of("base", BASE, gone), trees.of("head", BASE))
        assert {one.element for one in told} >= {"q/q.proto", "q"}

    def test_of_what_was_only_imported_none_is_told(self, trees: Trees) -> None:
        """
        Where another file of the package is still imported, buf speaks of each message that is not as of one deleted.
        """
        base = 'syntax = "proto3"; package q; import "google/protobuf/struct.proto"; message N { google.protobuf.Struct s = 1; }'
        head = 'syntax = "proto3"; package q; import "google/protobuf/any.proto"; message N { google.protobuf.Any s = 1; }'
        told = static.alarms(trees.of("base", BASE, base), trees.of("head", BASE, head))
        assert {one.element for one in told} == {"q.N.s"}

    def test_a_message_that_moved_between_files_is_an_alarm_of_files_only(self, trees: Trees) -> None:
        """
        The strictest category alone complains; the others see the same package.
        """
        one, two = 'syntax = "proto3"; package q; message A {}', 'syntax = "proto3"; package q; message B {}'
        told = static.alarms(trees.of("base", one + " message C {}", two), trees.of("head", one, two + " message C {}"))
        assert [(alarm.element, alarm.alarm.categories) for alarm in told] == [("q.C", ("FILE",))]

    def test_categories_say_who_would_have_complained(self, trees: Trees) -> None:
        """
        WIRE takes int64 and int32 for the same.
        """
        told = static.alarms(trees.of("base", BASE), trees.of("head", edited("p.M.total")))
        assert {category for one in told for category in one.alarm.categories} == {"FILE", "PACKAGE", "WIRE_JSON"}

    def test_equal_versions_raise_none(self, trees: Trees) -> None:
        """
        Nor do comments, or the order of what is declared.
        """
        assert static.alarms(trees.of("base", BASE), trees.of("head", "// New.\n" + BASE)) == []

    def test_without_buf_it_is_said_what_to_install(self, trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        The comparison itself needs none.
        """
        monkeypatch.setattr("shutil.which", lambda *_, **__: None)
        base = trees.of("base", BASE)
        with pytest.raises(static.NoVerdictError, match="pip install buf-bin"):
            static.alarms(base, base)

    def test_what_buf_cannot_do_is_said_in_its_words(self, trees: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Not taken for silence.
        """
        broken = tmp_path / "buf"
        broken.write_text("#!/bin/sh\necho out of luck >&2\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setattr("shutil.which", lambda *_, **__: str(broken))
        base = trees.of("base", BASE)
        with pytest.raises(static.NoVerdictError, match="out of luck"):
            static.alarms(base, base)


class TestBeside:
    def test_each_finding_gets_its_own_alarms(self, trees: Trees) -> None:
        """
        And nobody else's.
        """
        base, head = trees.of("base", BASE), trees.of("head", edited("p.M.total"))
        findings = [Finding("p.M.total", ("type",), Verdict.BREAK), Finding("p.M.name", ("name",), Verdict.BREAK)]
        total, name = static.beside(findings, static.alarms(base, head), base, head)
        assert [alarm.rule for alarm in total.static] == ["FIELD_SAME_TYPE", "FIELD_WIRE_JSON_COMPATIBLE_TYPE"]
        assert name.static == ()

    def test_what_only_buf_speaks_of_is_a_finding_without_effect(self, trees: Trees) -> None:
        """
        A harmless alarm is shown although nothing was found that could be harmful.
        """
        base, head = trees.of("base", BASE), trees.of("head", edited("p/p.proto"))
        (finding,) = static.beside([], static.alarms(base, head), base, head)
        assert (finding.element, finding.verdict) == ("p/p.proto", Verdict.OK)

    def test_an_rpc_that_went_with_its_service_has_the_service_s_alarms(self, trees: Trees) -> None:
        """
        buf speaks of the service alone.
        """
        base, head = trees.of("base", BASE), trees.of("head", edited("p.T"))
        findings = [Finding("p.T/Say", ("removed",), Verdict.BREAK), Finding("p.T", ("removed",), Verdict.NOTE)]
        method, service = static.beside(findings, static.alarms(base, head), base, head)
        assert {alarm.rule for alarm in method.static} == {"SERVICE_NO_DELETE", "PACKAGE_SERVICE_NO_DELETE"}
        assert set(method.static) == set(service.static)

    def test_a_message_that_only_its_fields_affect_has_their_alarms(self, trees: Trees) -> None:
        """
        buf is not silent about it.
        """
        base, head = trees.of("base", BASE), trees.of("head", edited("p.M.total"))
        findings = [Finding("p.M", ("affected",), Verdict.BREAK), Finding("p.M.total", ("type",), Verdict.BREAK)]
        message, field = static.beside(findings, static.alarms(base, head), base, head)
        assert message.static == field.static != ()

    def test_a_field_has_the_alarms_of_its_enum(self, trees: Trees) -> None:
        """
        Whether an enum is closed shows where it is used.
        """
        closed = 'edition = "2023"; package p; message M { E e = 1; map<int32, E> es = 2; int32 n = 3; } enum E { %s Z = 0; }'
        base, head = trees.of("base", closed % ""), trees.of("head", closed % "option features.enum_type = CLOSED;")
        findings = [Finding(f"p.M.{name}", ("closed",), Verdict.OK) for name in ("e", "es", "n")]
        told = static.beside(findings, static.alarms(base, head), base, head)
        assert [[alarm.rule for alarm in one.static] for one in told] == [["ENUM_SAME_TYPE"], ["ENUM_SAME_TYPE"], []]

    def test_what_lies_behind_a_field_of_another_type_has_that_field_s_alarms(self, trees: Trees) -> None:
        """
        buf complains of the field whose type was replaced, and knows no way through it.
        """
        text = 'syntax = "proto3"; package p; message M { %s in = 1; } message A { int32 n = 1; } message B { string n = 1; }'
        base, head = trees.of("base", text % "A"), trees.of("head", text % "B")
        findings = [Finding("p.M.in.n", ("type",), Verdict.BREAK), Finding("p.M.in", ("type",), Verdict.NOTE)]
        inner, outer = static.beside(findings, static.alarms(base, head), base, head)
        assert inner.static == outer.static != ()

    def test_a_place_whose_type_was_replaced_has_the_alarms_of_its_rpc(self, trees: Trees) -> None:
        """
        Elements below it are named from the RPC.
        """
        base = trees.of("base", BASE)
        head = trees.of("head", BASE.replace("service T { rpc Say(M) ", "service T { rpc Say(In) "))
        place = Finding("p.T/Say request.total", ("gone",), Verdict.BREAK)
        (finding,) = static.beside([place], static.alarms(base, head), base, head)
        assert [alarm.rule for alarm in finding.static] == ["RPC_SAME_REQUEST_TYPE"]


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ("p.M.total", "optional int64 total = 1"),
        ("p.M.e", "optional p.E e = 4"),
        ("p.M.in", "repeated p.M.In in = 5"),
        ("p.M.in.a", "optional int32 a = 1"),
        ("p.M.In.a", "optional int32 a = 1"),
        ("p.M.pick", "oneof pick { p1, p2 }"),
        ("p.M.p1", "int32 p1 = 6 in oneof pick"),
        ("p.M.by_name", 'map<string, p.M.In> by_name = 8 [json_name = "byName"]'),
        ("p.M.by_name.a", "optional int32 a = 1"),
        ("p.M.must", "required bool must = 9"),
        ("p.M.numbers", "repeated int32 numbers = 10 [packed = true]"),
        ("p.M.with_default", 'optional p.E with_default = 11 [json_name = "withDefault", default = E_ONE]'),
        ("p.M.old", "group p.M.Old old = 12"),
        ("[p.ext]", "extend p.M: optional int32 ext = 100"),
        ("p.E", "closed enum p.E"),
        ("p.E.E_ONE", "E_ONE = 1"),
        ("p.S", "service p.S"),
        ("p.S/Stop", "rpc Stop (p.M) returns (stream p.M)"),
        ("p.S/Stop response.in.a", "optional int32 a = 1"),
        ("p/p.proto", ""),
        ("p.M.nothing", ""),
        ("p.S/Nothing", ""),
        ("q.S/Say", ""),
        ("[p.nothing]", ""),
    ],
)
def test_a_definition_reads_on_one_line(trees: Trees, element: str, text: str) -> None:
    """
    Whatever the element is, and however it is named; nothing for what is not declared.
    """
    assert Definitions(trees.of("base", BASE)).text(element) == text


def test_a_message_s_definition_covers_what_it_holds(trees: Trees) -> None:
    """
    As far down as it reaches, and nothing beside that.
    """
    texts = {name: Definitions(trees.of(f"tree{number}", edited(name))) for number, name in enumerate(EDITS)}
    was = Definitions(trees.of("base", BASE))
    assert was.text("p.S/Say request") == was.text("p.M")
    assert was.text("p.M").startswith("message p.M (")
    held = {"p.M.by_name", "p.M.must", "p.M.total", "p.M.name", "p.M.gone", "p.M.In.name", "p.M.pick", "p.E.E_ONE", "p.E.E_TWO"}
    assert {name for name in EDITS if texts[name].text("p.M") != was.text("p.M")} == held
    assert {name for name in EDITS if texts[name].text("p.M.In") != was.text("p.M.In")} == {"p.M.In.name"}
