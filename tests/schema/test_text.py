"""Messages as text: the same as protobuf's own text format writes, and also where that fails."""

from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, struct_pb2, text_format, type_pb2, wrappers_pb2
from google.protobuf.message import Message

from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.text import one_line
from grpc_interop.values.samples import Values

NASTY = Path(__file__).parents[1] / "suites" / "nasty"


@pytest.mark.parametrize(
    "message",
    [
        wrappers_pb2.FloatValue(value=0.1),
        wrappers_pb2.FloatValue(value=3.4028235e38),
        wrappers_pb2.FloatValue(value=float("-inf")),
        wrappers_pb2.DoubleValue(value=0.1),
        wrappers_pb2.BytesValue(value=bytes(range(256))),
        wrappers_pb2.StringValue(value='Wörld "quoted"\n'),
        wrappers_pb2.BoolValue(value=True),
        type_pb2.Field(kind="TYPE_BOOL", cardinality=17),  # an open enum's unknown number
        struct_pb2.Struct(fields={"a": struct_pb2.Value(null_value="NULL_VALUE"), "b": struct_pb2.Value(list_value={})}),
        descriptor_pb2.FileDescriptorProto(dependency=["a", "b"], options={"java_package": "p"}),
    ],
    ids=lambda message: type(message).__name__,
)
def test_text_is_that_of_protobuf(message: Message) -> None:
    """
    Where protobuf's own text format can be asked, both say the same.
    """
    assert one_line(message) == text_format.MessageToString(message, as_utf8=True, as_one_line=True).strip()


def test_fields_may_have_any_name(tmp_path: Path) -> None:
    """
    A field that is named like a method, or like what reflection needs, is shown like any other.
    """
    catalog = Catalog.load([NASTY], [], tmp_path)
    shown = "".join(catalog.describe("nasty.Wide", Values(catalog).full("nasty.Wide", number).data) for number in range(1, 11))
    for name in ("DESCRIPTOR", "SerializePartialToString", "FromString"):
        assert f'{name}: "{name} 1"' in shown


def test_text_that_is_not_utf8_is_shown(tmp_path: Path) -> None:
    """
    Proto2 lets it through, in fields as well as in keys and values of maps.
    """
    tmp_path.joinpath("text.proto").write_text(
        'syntax = "proto2"; message Text { optional string s = 1; map<string, string> v = 2; map<string, int32> k = 3; }'
    )
    shown = Catalog.load([tmp_path], [], tmp_path / "kept").describe
    assert shown("Text", b"\x0a\x01\xff") == r's: "\377"'
    assert shown("Text", b"\x12\x06\x0a\x01a\x12\x01\xff") == r'v { key: "a" value: "\377" }'
    keys = b"\x1a\x05\x0a\x01\xff\x10\x01" + b"\x1a\x05\x0a\x01b\x10\x02"
    assert shown("Text", keys) == r'k { key: "b" value: 2 } k { key: "\377" ... }'


def test_unknown_fields_are_shown_by_number(tmp_path: Path) -> None:
    """
    What a message's type does not declare is shown too.
    """
    catalog = Catalog.load([NASTY], [], tmp_path)
    assert catalog.describe("nasty.Nothing", b"\x08\x05\x12\x01a") == '1: 5 2: "a"'
