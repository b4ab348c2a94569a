"""What buf says, beside the elements that it says it of; and how definitions read."""

from pathlib import Path

import pytest

from edited_trees import BASE, EDITS, Trees, edited
from grpc_interop.compat import buf
from grpc_interop.compat.diff.definitions import Definitions


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


class TestAlarms:
    @pytest.mark.parametrize("element", EDITS)
    def test_an_alarm_is_told_of_the_element_that_was_edited(self, trees: Trees, element: str) -> None:
        """
        However short the name is by which buf calls it: there are two messages In here, and three fields called name.
        """
        told = buf.alarms(trees.of("base", BASE), trees.of("head", edited(element)))
        consequences = {"p.M.p1", "p.M.p2"} if element == "p.M.pick" else {"p.M.with_default"} if element == "p.E.E_ONE" else set()
        assert {one.element for one in told} - consequences == {element}

    def test_a_file_that_is_gone_is_told_with_what_it_held(self, trees: Trees) -> None:
        """
        buf names neither path nor line for these.
        """
        gone = 'syntax = "proto3"; package q; message N { message I {} } enum F { F0 = 0; } service U {}'
        told = buf.alarms(trees.of("base", BASE, gone), trees.of("head", BASE))
        assert {one.element for one in told} >= {"q/q.proto", "q"}

    def test_of_what_was_only_imported_none_is_told(self, trees: Trees) -> None:
        """
        Where another file of the package is still imported, buf speaks of each message that is not as of one deleted.
        """
        base = 'syntax = "proto3"; package q; import "google/protobuf/struct.proto"; message N { google.protobuf.Struct s = 1; }'
        head = 'syntax = "proto3"; package q; import "google/protobuf/any.proto"; message N { google.protobuf.Any s = 1; }'
        told = buf.alarms(trees.of("base", BASE, base), trees.of("head", BASE, head))
        assert {one.element for one in told} == {"q.N.s"}

    def test_a_message_that_moved_between_files_is_an_alarm_of_files_only(self, trees: Trees) -> None:
        """
        The strictest category alone complains; the others see the same package.
        """
        one, two = 'syntax = "proto3"; package q; message A {}', 'syntax = "proto3"; package q; message B {}'
        told = buf.alarms(trees.of("base", one + " message C {}", two), trees.of("head", one, two + " message C {}"))
        assert [(alarm.element, alarm.alarm.categories) for alarm in told] == [("q.C", ("FILE",))]

    def test_categories_say_who_would_have_complained(self, trees: Trees) -> None:
        """
        WIRE takes int64 and int32 for the same.
        """
        told = buf.alarms(trees.of("base", BASE), trees.of("head", edited("p.M.total")))
        assert {category for one in told for category in one.alarm.categories} == {"FILE", "PACKAGE", "WIRE_JSON"}

    def test_equal_versions_raise_none(self, trees: Trees) -> None:
        """
        Nor do comments, or the order of what is declared.
        """
        assert buf.alarms(trees.of("base", BASE), trees.of("head", "// New.\n" + BASE)) == []

    def test_without_buf_it_is_said_what_to_install(self, trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        The comparison itself needs none.
        """
        monkeypatch.setattr("shutil.which", lambda *_, **__: None)
        base = trees.of("base", BASE)
        with pytest.raises(buf.NoVerdictError, match="pip install buf-bin"):
            buf.alarms(base, base)

    def test_what_buf_cannot_do_is_said_in_its_words(self, trees: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Not taken for silence.
        """
        broken = tmp_path / "buf"
        broken.write_text("#!/bin/sh\necho out of luck >&2\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setattr("shutil.which", lambda *_, **__: str(broken))
        base = trees.of("base", BASE)
        with pytest.raises(buf.NoVerdictError, match="out of luck"):
            buf.alarms(base, base)


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
