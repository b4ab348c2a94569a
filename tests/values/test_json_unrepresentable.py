"""What ProtoJSON has no text for: which cases have it, and that the others carry all the rest."""

from pathlib import Path

import pytest
from google.protobuf.message import Message

from grpc_interop.core.case import MessageCase
from grpc_interop.messages.example_maker import MOST_ANYS
from grpc_interop.messages.examples import Examples
from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.shapes import Shapes

CLASH = 'syntax = "proto2"; package clash; message Clash { optional float val_a = 1; optional float val__a = 2; optional float b = 3; }'
HOLDER = 'syntax = "proto3"; package a; import "google/protobuf/any.proto"; message Holder { google.protobuf.Any any = 1; }'
NULLS = """syntax = "proto3"; package nulls; import "google/protobuf/struct.proto";
message Nulls { repeated google.protobuf.NullValue list = 1; map<int32, google.protobuf.NullValue> map = 2; int32 other = 3;
  optional google.protobuf.NullValue one = 4; google.protobuf.ListValue values = 5; Nulls inner = 6; }"""
TYPED = 'syntax = "proto3"; package typed; message Typed { int32 a = 1 [json_name = "@type"]; int32 b = 2; }'


class Tree:
    """Protos, by the names of their files, and what is asked about their messages."""

    def __init__(self, folder: Path, **files: str) -> None:
        (folder / "protos").mkdir()
        for name, text in files.items():
            (folder / "protos" / f"{name}.proto").write_text(text)
        self.catalog = Catalog.load([folder / "protos"], [], folder / "cache")
        self.examples = Examples(Shapes(self.catalog))

    def names(self, type_name: str) -> set[str]:
        return {name for name in self.examples.names(type_name) if name.startswith("json")}

    def messages(self, name: str, type_name: str, seed: int = 1) -> list[Message]:
        case = MessageCase("messages", name, type_name, json=True, seed=seed)
        return [self.catalog.parse(type_name, example.data) for example in self.examples.of(case)]


def set_fields(messages: list[Message]) -> set[str]:
    """The names of the fields that any of the messages has."""
    return {field.name for message in messages for field, _ in message.ListFields()}


def test_two_fields_of_one_json_name_are_asked_about_apart(tmp_path: Path) -> None:
    """
    There is no ProtoJSON of both, nor any of one that is sure to be read as that one.
    """
    tree = Tree(tmp_path, clash=CLASH)
    assert tree.names("clash.Clash") == {"json", "json_equal_names", "json_float_max", "json_minus_zero"}
    assert all(set_fields([one]) >= {"val_a", "val__a"} for one in tree.messages("json_equal_names", "clash.Clash"))
    for case in ("json", "json_float_max", "json_minus_zero"):
        assert set_fields(tree.messages(case, "clash.Clash")) == {"b"}


def test_fields_of_one_json_name_that_are_never_set_together_are_only_left_out(tmp_path: Path) -> None:
    """
    A case is there for what fails in it.
    """
    tree = Tree(tmp_path, clash='syntax = "proto2"; package clash; message Clash { oneof either { int32 val_a = 1; int32 val__a = 2; } }')
    assert tree.names("clash.Clash") == {"json"}


def test_a_message_that_requires_what_cannot_be_said_is_left_out(tmp_path: Path) -> None:
    """
    Without it, it would be another one that nobody has to take.
    """
    needs = 'syntax = "proto2"; package clash; message Clash { required float val_a = 1; optional float val__a = 2; }'
    tree = Tree(tmp_path, clash=f"{needs} message Holder {{ optional Clash clash = 1; optional int32 b = 2; }}")
    assert tree.names("clash.Clash") == {"json_equal_names"}
    assert set_fields(tree.messages("json", "clash.Holder")) == {"b"}


@pytest.mark.parametrize("others", [0, 3 * MOST_ANYS])
def test_an_any_is_asked_about_apart_only_where_it_holds_such_a_message(tmp_path: Path, others: int) -> None:
    """
    Of a large tree not every type is in every Any: a case without any such message would pass, and be an unexpected pass.
    """
    messages = "".join(f"message M{number} {{ int32 a = 1; }}" for number in range(others))
    tree = Tree(tmp_path, clash=CLASH, a=HOLDER + messages)
    held = {one.any.type_url.rpartition("/")[2] for one in tree.messages("json_equal_names", "a.Holder")}  # type: ignore[attr-defined]
    assert ("json_equal_names" in tree.names("a.Holder")) is bool(held)
    assert held <= {"clash.Clash", "google.protobuf.Any"}
    assert all(b"\x0d" not in one.any.value for one in tree.messages("json", "a.Holder"))  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_which_cases_a_type_has_does_not_hang_on_the_seed(tmp_path: Path, seed: int) -> None:
    tree = Tree(tmp_path, clash=CLASH, a=HOLDER + "".join(f"message M{number} {{}}" for number in range(MOST_ANYS)))
    holds = bool(tree.messages("json_equal_names", "a.Holder", seed))
    assert holds is ("json_equal_names" in tree.names("a.Holder"))


def test_a_null_value_in_a_list_or_map_is_asked_about_apart(tmp_path: Path) -> None:
    """
    In its own field and in a ListValue everybody reads it; in binary it is carried wherever it stands.
    """
    tree = Tree(tmp_path, nulls=NULLS)
    apart, others = tree.messages("json_null_elements", "nulls.Nulls"), tree.messages("json", "nulls.Nulls")
    assert set_fields(apart) >= {"list", "map"}
    assert set_fields(others) == {"other", "one", "values", "inner"}
    assert set_fields([one.inner for one in others]).isdisjoint({"list", "map"})  # type: ignore[attr-defined]
    assert set_fields(tree.messages("values", "nulls.Nulls")) >= {"list", "map"}


def test_a_field_named_type_is_asked_about_apart_within_an_any(tmp_path: Path) -> None:
    """
    Where ProtoJSON has the type itself under that name; elsewhere it is a field like any other.
    """
    tree = Tree(tmp_path, typed=TYPED, a=HOLDER)
    assert tree.names("typed.Typed") == {"json"}
    assert set_fields(tree.messages("json", "typed.Typed")) == {"a", "b"}
    assert len(tree.messages("json_type_field", "a.Holder")) == 2
    held = [one.any for one in tree.messages("json", "a.Holder") if one.any.type_url.endswith("Typed")]  # type: ignore[attr-defined]
    assert held, "the rest of it is carried"
    assert all(set_fields([tree.catalog.parse("typed.Typed", one.value)]) == {"b"} for one in held)
