"""The examples of cases: each of the sort that its case's words say."""

from __future__ import annotations

from pathlib import Path

import pytest

from grpc_interop.case import MessageCase
from grpc_interop.protos.catalog import Catalog
from grpc_interop.protos.examples import Example, Examples
from grpc_interop.protos.meaning import Meaning, Sort, meaning, sort_of
from grpc_interop.protos.shapes import Shape, Shapes

SEEDS = range(20)
"""So many times ten random messages: rare ones are among them."""


class Tree:
    """The examples of the types of a few files, given as texts by their paths; `elsewhere` are only imported."""

    def __init__(self, folder: Path, files: dict[str, str], elsewhere: dict[str, str] | None = None) -> None:
        for root, texts in ((folder / "roots", files), (folder / "elsewhere", elsewhere or {})):
            for path, text in texts.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
        include = [folder / "elsewhere"] if elsewhere else []
        self.catalog = Catalog.load([folder / "roots"], include, folder / "cache")
        self.shapes = Shapes(self.catalog)
        self.examples = Examples(self.shapes)

    def of(self, name: str, type_name: str, seed: int = 1) -> list[Example]:
        return list(self.examples.of(MessageCase("messages", name, type_name, json=name.startswith("json"), seed=seed)))

    def sorts(self, name: str, type_name: str) -> set[Sort]:
        return {sort_of(self.shapes.of(type_name), example.data) for example in self.of(name, type_name)}


STRUCT = 'syntax = "proto3"; package a; import "google/protobuf/struct.proto";'
REQUIRED = 'syntax = "proto2"; package a; import "google/protobuf/struct.proto";'


@pytest.mark.parametrize(
    ("text", "elsewhere"),
    [
        (f"{STRUCT} message M {{ M m = 1; google.protobuf.Value v = 2; }}", ""),
        (f"{STRUCT} message M {{ repeated M m = 1; map<string, google.protobuf.Value> v = 2; }}", ""),
        (f"{STRUCT} message M {{ repeated M m = 1; oneof o {{ google.protobuf.Value v = 2; bool w = 3; }} }}", ""),
        (f"{REQUIRED} message M {{ required google.protobuf.Value v = 1; repeated google.protobuf.Value w = 2; }}", ""),
        (
            'syntax = "proto3"; package a; import "x.proto"; message M { inc.X x = 1; }',
            STRUCT.replace("package a", "package inc") + "message X { Y y = 1; } message Y { google.protobuf.Value v = 1; }",
        ),
    ],
)
def test_everything_in_an_ordinary_case_can_be_said_in_json(tmp_path: Path, text: str, elsewhere: str) -> None:
    """
    At no depth a Value is of no kind: ProtoJSON has no text for it, and another case says so.
    """
    tree = Tree(tmp_path, {"a.proto": text}, {"x.proto": elsewhere} if elsewhere else None)
    shape = tree.shapes.of("a.M")
    for seed in SEEDS:
        for example in tree.of("json", "a.M", seed):
            assert not any_unset(shape, meaning(shape, example.data)), f"{example.what}: {example.data.hex()}"


def any_unset(shape: Shape, message: Meaning) -> bool:
    """Whether there is a Value of no kind anywhere in the message."""
    if shape.special == "google.protobuf.Value" and not message.fields:
        return True
    for number, value in message.fields.items():
        field = shape.fields[number].mapped or shape.fields[number]
        ones = value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
        if any(isinstance(one, Meaning) and any_unset(field.message, one) for one in ones):
            return True
    return False


@pytest.mark.parametrize("ranges", ["", "extensions 100 to 150;", "option message_set_wire_format = true; extensions 4 to max;"])
def test_field_number_zero_is_no_message_of_what_can_hold_something(tmp_path: Path, ranges: str) -> None:
    """
    Only where a type can have neither fields nor extensions a reader may leave it unread.
    """
    tree = Tree(tmp_path, {"a.proto": f'syntax = "proto2"; package a; message M {{ {ranges} }}'})
    names = tree.examples.names("a.M")
    assert ("zero_in_empty" in names) is (ranges == "")
    assert any(example.what.startswith("field number 0") for example in tree.of("malformed", "a.M")) is (ranges != "")


@pytest.mark.parametrize("value", ["R", "string", "M"])
def test_of_what_is_not_utf8_nothing_else_is_wrong(tmp_path: Path, value: str) -> None:
    """
    A map's entry has what its value requires: else the missing field would be what is refused.
    """
    types = f"message R {{ required int32 a = 1; }} message M {{ map<string, {value}> m = 1; required R r = 2; }}"
    assert Tree(tmp_path, {"a.proto": f'syntax = "proto2"; package a; {types}'}).sorts("not_utf8", "a.M") == {Sort.NO_TEXT}
