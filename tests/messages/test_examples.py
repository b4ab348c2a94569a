"""The examples of cases: each of the sort that its case's words say."""

from pathlib import Path

import pytest

from grpc_interop.core.case import MessageCase
from grpc_interop.messages.example_maker import Example
from grpc_interop.messages.examples import Examples
from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.meaning import Meaning, Validity, meaning, validity
from grpc_interop.wire.records import read
from grpc_interop.wire.shapes import Shape, Shapes

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

    def sorts(self, name: str, type_name: str) -> set[Validity]:
        return {validity(self.shapes.of(type_name), example.data) for example in self.of(name, type_name)}


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
    assert Tree(tmp_path, {"a.proto": f'syntax = "proto2"; package a; {types}'}).sorts("not_utf8", "a.M") == {Validity.NOT_UTF8}


def test_what_json_gets_wrong_is_asked_about_in_binary_as_well(tmp_path: Path) -> None:
    """
    A driver that loses the sign of -0.0 fails `values`, whatever is known of its ProtoJSON.
    """
    tree = Tree(tmp_path, {"a.proto": 'syntax = "proto3"; package a; message M { double d = 1; float f = 2; repeated double r = 3; }'})
    data = {example.data for example in tree.of("values", "a.M")}
    assert {bytes.fromhex("090000000000000080"), bytes.fromhex("1500000080"), bytes.fromhex("15ffff7f7f")} <= data
    assert bytes.fromhex("190000000000000080") in data


MOST_OF_A_FIELD = 6 * 1024
"""Bytes of examples that a field may add to all of its type's cases together, the large texts aside: a map with every
boundary of text has 1,200, stands in `values` and in `json`, and once or more in other encodings."""

KINDS = ("int32", "sint64", "double", "string", "M", "inc.X")


def wide(fields: int) -> str:
    """A message that holds itself, and one of another tree that does so too, in every way; with so many fields of each
    kind."""
    lines, number = [], 1
    for turn in range(fields):
        for at, kind in enumerate(KINDS):
            name = f"f{at}_{turn}"
            lines.append(f"{kind} {name} = {number}; repeated {kind} r{name} = {number + 1}; map<string, {kind}> m{name} = {number + 2};")
            lines.append(
                f"map<int64, {kind}> n{name} = {number + 3}; oneof o{name} {{ {kind} a{name} = {number + 4}; M b{name} = {number + 5}; }}"
            )
            number += 6
    return 'syntax = "proto3"; package a; import "x.proto"; message M { ' + "\n".join(lines) + " }"


OTHER = (
    'syntax = "proto3"; package inc; message X { X one = 1; repeated X list = 2; map<string, X> map = 3; Y y = 4; repeated Y ys = 5; '
    "string text = 6; repeated bytes content = 7; } message Y { X x = 1; map<int32, Y> map = 2; repeated uint64 numbers = 3; }"
)


@pytest.mark.parametrize("fields", [1, 4, 12])
def test_examples_grow_with_the_fields_and_not_with_the_ways_through_them(tmp_path: Path, fields: int) -> None:
    """
    However a wide type holds itself, its examples are bounded by its number of fields.
    """
    tree = Tree(tmp_path, {"a.proto": wide(fields)}, {"x.proto": OTHER})
    shape = tree.shapes.of("a.M")
    examples = [example for name in tree.examples.names("a.M") for example in tree.of(name, "a.M") if example.what != "large texts"]
    # Another tree's types and random messages are as many for one field as for all.
    assert sum(len(example.data) for example in examples) < MOST_OF_A_FIELD * (len(shape.ordered) + 20)


def test_every_boundary_of_a_wide_message_occurs_although_it_holds_itself(tmp_path: Path) -> None:
    """
    What its examples are spared are repetitions, and what its fields' types have cases or places of their own for.
    """
    tree = Tree(tmp_path, {"a.proto": wide(4)}, {"x.proto": OTHER})
    shape, generator = tree.shapes.of("a.M"), tree.examples.maker.generator
    held = b"\n".join(generator.boundaries(shape))
    for field in shape.ordered:
        if field.inner is None and (field.mapped is None or field.mapped.inner is None):
            assert all(option in held for option in generator.options(field)), field.name
    first = next(field for field in shape.ordered if field.inner and field.inner.name == "inc.X")
    assert all(option in held for option in generator.options(first))


def test_each_field_is_asked_about_in_other_encodings(tmp_path: Path) -> None:
    """
    Also where a type has so many fields that they stand in several messages, or in a oneof.
    """
    tree = Tree(tmp_path, {"a.proto": wide(4)}, {"x.proto": OTHER})
    shape = tree.shapes.of("a.M")
    plain = ("boundary", "random", "large", "levels", "Any")
    seen = {
        record.number
        for example in tree.of("values", "a.M")
        if not any(word in example.what for word in plain)
        for record in read(example.data)
    }
    assert seen == set(shape.fields)


def test_what_is_malformed_is_short(tmp_path: Path) -> None:
    """
    What surrounds the fault stands in hundreds of examples.
    """
    tree = Tree(tmp_path, {"a.proto": wide(4)}, {"x.proto": OTHER})
    examples = [example for example in tree.of("malformed", "a.M") if example.what != "cut off"]
    assert len(examples) > len(tree.shapes.of("a.M").ordered)
    assert max(len(example.data) for example in examples) < 64


def test_each_text_is_large_once(tmp_path: Path) -> None:
    """
    Of a very wide type most are less so, yet their lengths have as many bytes; no message is beyond a frame.
    """
    fields = " ".join(f"string s{number} = {number};" for number in range(1, 101))
    tree = Tree(tmp_path, {"a.proto": f'syntax = "proto3"; message M {{ {fields} }}'})
    large = [example.data for example in tree.of("values", "M") if example.what == "large texts"]
    sizes = {record.number: len(record.value) for data in large for record in read(data) if isinstance(record.value, bytes)}
    assert [sizes[number] for number in (1, 64, 65, 100)] == [65_536, 65_536, 16_384, 16_384]
    assert len(sizes) == 100
    assert max(map(len, large)) < 600_000
