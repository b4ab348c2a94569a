"""What bytes, views and ProtoJSON mean: one rule for all three."""

import struct
from pathlib import Path

import pytest

from grpc_interop.core.transcript import View
from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.meaning import Meaning, Validity, first_difference, meaning, show_message, validity
from grpc_interop.wire.protojson import NotProtoJson, ProtoJson
from grpc_interop.wire.records import NotWireError, read, write
from grpc_interop.wire.shapes import Shape, Shapes
from grpc_interop.wire.view import NotAViewError, canonical_nans, read_view

VALUES = Path(__file__).parents[1] / "suites" / "values"


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Shapes:
    return Shapes(Catalog.load([VALUES], [], tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def scalars(shapes: Shapes) -> Shape:
    return shapes.of("values.Scalars")


def of(shape: Shape, text: str) -> dict[int, object]:
    """The fields that bytes in hexadecimal digits mean."""
    return dict(meaning(shape, bytes.fromhex(text)).fields)


# ----------------------------------------------------------------------------------------------------------------------
# Bytes
# ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "encoded", "said"),
    [
        ("the last of a singular field counts", "1801 1802", {3: 2}),
        ("an overlong number is the number", "18 8180 8000", {3: 1}),
        ("of a 32-bit number the low bits count", "18 8180808010", {3: 1}),
        ("a negative number has ten bytes", "18 ffffffffffffffffff01", {3: -1}),
        ("zigzag", "3801", {7: -1}),
        ("a bool of more than one", "6805", {13: 1}),
        ("zero without presence is not there", "1800", {}),
        ("a fixed number with its sign", "5d ffffffff", {11: -1}),
    ],
)
def test_scalars(scalars: Shape, what: str, encoded: str, said: dict[int, object]) -> None:
    """
    Each rule of the encoding, by example.
    """
    assert of(scalars, encoded) == said, what


def test_minus_zero_is_kept_and_told_from_zero(scalars: Shape) -> None:
    """
    Floating-point values are their bits.
    """
    assert of(scalars, "15 00000080") == {2: 0x80000000}
    assert of(scalars, "15 00000000") == {}


@pytest.mark.parametrize(
    ("type_name", "encoded", "same"),
    [
        ("values.Lists", "1a 02 0102", "1801 1802"),
        ("values.Lists", "1a 01 01 1802", "1a 02 0102"),
        ("values.Lists", "1a 00", ""),
        ("values.Optionals", "8a01 02 1801 8a01 02 2002", "8a01 04 1801 2002"),
        ("values.Oneofs", "0801 12 0161", "12 0161"),
        ("values.Oneofs", "1a 02 1801 1a 02 2002", "1a 04 1801 2002"),
        ("values.Oneofs", "1a 02 1801 0801 1a 02 2002", "1a 02 2002"),
        ("values.Maps", "1a 04 0801 1002 1a 04 0801 1003", "1a 04 1003 0801"),
        ("values.Maps", "1a 00", "1a 04 0800 1000"),
    ],
)
def test_two_encodings_of_one_message(shapes: Shapes, type_name: str, encoded: str, same: str) -> None:
    """
    Packed or not, in parts or whole, overwritten, in a oneof or a map: what counts in the end is the same.
    """
    assert of(shapes.of(type_name), encoded) == of(shapes.of(type_name), same)


def test_what_a_type_does_not_declare_is_unknown_in_its_order(shapes: Shapes) -> None:
    """
    Undeclared fields, wrong wire types and numbers that a closed enum does not have are kept, first things first.
    """
    said = meaning(shapes.of("values.old.Closed"), bytes.fromhex("a2061d 0863 0d01000000 0801".replace("1d", "0161")))
    assert said.fields == {1: 1}
    assert [(record.number, record.value) for record in said.unknown] == [(100, b"a"), (1, 99), (1, 1)]


def test_an_unknown_group_is_shown_as_a_message(shapes: Shapes) -> None:
    """
    Field 100, within it 1 and an empty group 2.
    """
    said = meaning(shapes.of("values.Scalars"), bytes.fromhex("a30608011314a406"))
    assert show_message(shapes.of("values.Scalars"), said) == "{ 100: { 1: 1 2: { } } }"


@pytest.mark.parametrize("encoded", ["18", "1a", "1a0261", "0001", "1e", "1c", "1b", "18" + "80" * 10 + "01", "0d000000"])
def test_what_is_no_message(scalars: Shape, encoded: str) -> None:
    """
    Bytes that end early or have no such form are refused.
    """
    with pytest.raises(NotWireError):
        meaning(scalars, bytes.fromhex(encoded))


def test_sorts(shapes: Shapes) -> None:
    """
    What everybody must take, what lacks something, what holds no text where one should be, and what is none.
    """
    needs = shapes.of("values.old.Needs")
    assert validity(needs, bytes.fromhex("0a0161 1001")) is Validity.VALID
    assert validity(needs, bytes.fromhex("0a0161")) is Validity.INCOMPLETE
    assert validity(needs, bytes.fromhex("0a01ff 1001")) is Validity.NOT_UTF8
    assert validity(needs, bytes.fromhex("0a01ff")) is Validity.INCOMPLETE
    assert validity(needs, bytes.fromhex("0a01")) is Validity.MALFORMED


def test_deep_messages_are_refused_and_not_stumbled_over(shapes: Shapes) -> None:
    """
    However deep the nesting of bytes from outside, reading them ends with a word.
    """
    data = b""
    for _ in range(5000):
        data = b"\x1a" + _length(data) + data
    with pytest.raises(NotWireError, match="nested"):
        meaning(shapes.of("values.old.Needs"), data)


def _length(data: bytes) -> bytes:
    size, out = len(data), bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*out, size])


def test_records_are_written_as_they_were_read() -> None:
    """
    Reading and writing the tree of fields changes nothing but overlong numbers.
    """
    data = bytes.fromhex("0801 120161 1b 0801 1c 25 01020304 29 0102030405060708")
    assert write(read(data)) == data


def test_a_difference_names_its_place_and_both_values(shapes: Shapes) -> None:
    """
    A person reads where two messages differ, and how.
    """
    shape = shapes.of("values.Lists")
    found = first_difference(shape, meaning(shape, bytes.fromhex("8a0102 1801")), meaning(shape, bytes.fromhex("8a0102 1802")))
    assert found == ("q[0].c", "1", "2")


# ----------------------------------------------------------------------------------------------------------------------
# Views
# ----------------------------------------------------------------------------------------------------------------------


def double(value: float) -> int:
    return int.from_bytes(struct.pack("<d", value), "little")


def test_a_view_says_what_the_bytes_say(shapes: Shapes) -> None:
    """
    Floats as bits of doubles, maps as keys and values, messages as views.
    """
    shape = shapes.of("values.Maps")
    view = View({2: (5, double(0.5)), 13: (b"k", View({3: (7,)}))})
    assert read_view(shape, view) == meaning(shape, bytes.fromhex("12 07 0805 15 0000003f 6a 07 0a016b 1202 1807"))


def test_all_nans_look_alike_in_a_view(scalars: Shape) -> None:
    """
    Payloads are compared in the bytes; in a view a NaN is a NaN.
    """
    seen = read_view(scalars, View({2: (double(float("nan")),)}))
    assert seen == canonical_nans(scalars, meaning(scalars, bytes.fromhex("15 230180ff")))


def test_a_double_in_a_float_field_is_seen(scalars: Shape) -> None:
    """
    A view that shows a float as a double which is none differs.
    """
    assert read_view(scalars, View({2: (double(0.1),)})) != meaning(scalars, bytes.fromhex("15 cdcccc3d"))


@pytest.mark.parametrize("view", [View({99: (1,)}), View({3: (1, 2)}), View({}, b"\x18")])
def test_views_that_are_none(scalars: Shape, view: View) -> None:
    """
    A view with undeclared fields, several values of one, or garbled unknown fields is refused.
    """
    with pytest.raises(NotAViewError):
        read_view(scalars, view)


# ----------------------------------------------------------------------------------------------------------------------
# ProtoJSON
# ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_name", "one", "other"),
    [
        ("values.Scalars", '{"d": "9007199254740993"}', '{"d": 9007199254740993}'),
        ("values.Scalars", '{"c": 1e2}', '{"c": 100}'),
        ("values.Scalars", '{"p": "CRIMSON"}', '{"p": 1}'),
        ("values.Scalars", '{"a": "NaN", "c": 0}', '{"a": "NaN"}'),
        ("values.Scalars", '{"o": "-_8="}', '{"o": "+/8"}'),
        ("values.Scalars", '{"c": null}', "{}"),
        ("values.Names", '{"lower_snake": "a"}', '{"lowerSnake": "a"}'),
        ("values.Maps", '{"c": {"1": 2, "3": 4}}', '{"c": {"3": 4, "1": 2}}'),
        ("values.Times", '{"at": "1970-01-01T00:00:01.500Z"}', '{"at": "1970-01-01T01:00:01.500000000+01:00"}'),
        ("values.Times", '{"took": "-1.500s"}', '{"took": "-1.5s"}'),
        ("values.Masks", '{"mask": "a.bC"}', '{"mask": "a.bC"}'),
        ("values.Structs", '{"object": {"a": [1, null]}}', '{"object": {"a": [1.0, null]}}'),
    ],
)
def test_two_texts_of_one_message(shapes: Shapes, type_name: str, one: str, other: str) -> None:
    """
    What ProtoJSON leaves to the writer makes no difference.
    """
    reader, shape = ProtoJson(shapes), shapes.of(type_name)
    assert reader.read(shape, one) == reader.read(shape, other)


@pytest.mark.parametrize("encoded", ["c23e 03 0a0178", "0b 10e807 1a030a0178 0c", "0b 1a030a0178 10e807 0c"])
def test_an_item_of_a_message_set_is_the_extension(tmp_path: Path, encoded: str) -> None:
    """
    Whether it stands there as a field or as an item, in either order.
    """
    catalog = Catalog.load([Path(__file__).parents[1] / "trees" / "nasty"], [], tmp_path)
    found = meaning(Shapes(catalog).of("nasty.refused.message_set.Set"), bytes.fromhex(encoded))
    assert found == Meaning({1000: Meaning({1: b"x"}, [])}, [])


@pytest.mark.parametrize(
    ("type_name", "text", "encoded"),
    [
        ("values.Scalars", '{"b": 3.4028235e+38, "f": "18446744073709551615"}', "15 ffff7f7f 30 ffffffffffffffffff01"),
        ("values.Scalars", '{"a": -0}', "09 0000000000000080"),
        ("values.Structs", '{"value": null, "null": null, "nothing": null}', "12 02 0800 3800"),
        ("values.Wrappers", '{"c": "0", "h": ""}', "1a00 4200"),
        ("values.old.Extended", '{"[values.old.numbers]": [1, 2]}', "a806 01 a806 02"),
    ],
)
def test_texts_and_bytes_of_one_message(shapes: Shapes, type_name: str, text: str, encoded: str) -> None:
    """
    ProtoJSON is read as the meaning that the bytes have.
    """
    reader, shape = ProtoJson(shapes), shapes.of(type_name)
    assert reader.read(shape, text) == reader.kept(shape, meaning(shape, bytes.fromhex(encoded)))


def test_an_any_is_compared_by_the_message_in_it(shapes: Shapes) -> None:
    """
    Whatever the order of the fields in an Any's bytes, its ProtoJSON is the same.
    """
    reader, shape = ProtoJson(shapes), shapes.of("values.Anys")
    url = b"type.googleapis.com/values.Scalars"
    content = bytes.fromhex("12 04 2002 1801")
    data = b"\x0a" + _length(b"\x0a" + _length(url) + url + content) + b"\x0a" + _length(url) + url + content
    text = f'{{"any": {{"@type": "{url.decode()}", "c": 1, "d": "2"}}}}'
    assert reader.kept(shape, meaning(shape, data)) == reader.read(shape, text)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"c": 1.5}', '{"z": 1}', '{"c": 1, "c": 2}', '{"a": NaN}', '{"n": 1}', '{"m": 1}', '{"p": "BLUE"}']
)
def test_texts_that_are_none(shapes: Shapes, text: str) -> None:
    """
    A text that is no ProtoJSON of its type is refused with a word.
    """
    with pytest.raises(NotProtoJson):
        ProtoJson(shapes).read(shapes.of("values.Scalars"), text)


@pytest.mark.parametrize(
    ("type_name", "text", "words"),
    [
        ("values.Anys", '{"any": {"@type": 1}}', "the @type of an Any is 1, which is not a type name"),
        ("values.Anys", '{"any": {"@type": "no.such"}}', "the @type of an Any is 'no.such', which the protos do not have"),
        ("values.Anys", '{"any": {"c": 1}}', "an Any has no '@type'"),
        ("values.Anys", '{"any": "x"}', "'x' is not a valid Any"),
        (
            "values.Anys",
            '{"any": {"@type": "google.protobuf.Duration"}}',
            "the Any of a google.protobuf.Duration has no 'value'",
        ),
        ("values.Scalars", '{"p": "BLUE"}', "the enum of p has no 'BLUE'"),
        ("values.Maps", '{"k": {"yes": "x"}}', "a bool that is a key has no 'yes'"),
    ],
)
def test_a_text_that_is_none_is_told_of_for_people(shapes: Shapes, type_name: str, text: str, words: str) -> None:
    """
    What a text names that does not exist is said, and where.
    """
    with pytest.raises(NotProtoJson) as told:
        ProtoJson(shapes).read(shapes.of(type_name), text)
    assert str(told.value) == words
