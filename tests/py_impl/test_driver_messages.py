"""Messages are parsed, written again and viewed as Python sees them."""

import json
import struct
from collections.abc import Iterator

import pytest

from driver_process import DriverProcess
from grpc_interop.drivers import driver_pb2 as pb
from py_builds import Built, build_in

PROTOS = {
    "all/v1/all.proto": """
        syntax = "proto3";
        package all.v1;
        import "google/protobuf/any.proto";
        enum Colour { NONE = 0; RED = 1; }
        message All {
          int32 number = 1;
          uint64 large = 2;
          double real = 3;
          float small = 4;
          string text = 5;
          bytes raw = 6;
          bool yes = 7;
          Colour colour = 8;
          optional int32 maybe = 9;
          repeated sint32 many = 10;
          map<string, All> by_name = 11;
          All inner = 12;
          google.protobuf.Any any = 13;
        }
        service Alls { rpc Say(All) returns (All); }
    """,
    "all/v1/old.proto": """
        syntax = "proto2";
        package all.v1;
        enum Closed { ONE = 1; }
        message Old {
          required int32 must = 1;
          optional Closed closed = 2;
          optional string text = 3;
          optional group Group = 4 { optional int32 inside = 1; }
          extensions 100 to 200;
        }
        extend Old { optional string extra = 100; repeated int32 numbers = 101 [packed = true]; }
    """,
}
ALL, OLD = "all.v1.All", "all.v1.Old"


@pytest.fixture(scope="module")
def transcoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DriverProcess]:
    built: Built = build_in(tmp_path_factory.mktemp("all"), PROTOS)
    with DriverProcess(built.argv) as driver:
        yield driver


def transcode(driver: DriverProcess, type_name: str, data: bytes, **fields: bool) -> pb.Event:
    return driver.event(driver.command(transcode=pb.Transcode(type=type_name, data=data, **fields)))


def view(driver: DriverProcess, type_name: str, data: bytes) -> pb.View:
    return transcode(driver, type_name, data, to_view=True).transcoded.view


def bits(number: float) -> int:
    return int(struct.unpack("<Q", struct.pack("<d", number))[0])


class TestBinary:
    def test_is_written_deterministically_with_unknown_fields(self, transcoder: DriverProcess) -> None:
        late_first = b"\x10\x02\x08\x01\xfa\x07\x01x"  # large, number, and number 127

        assert transcode(transcoder, ALL, late_first).transcoded.binary == b"\x08\x01\x10\x02\xfa\x07\x01x"

    def test_what_lacks_a_required_field_is_written_as_it_is(self, transcoder: DriverProcess) -> None:
        assert transcode(transcoder, OLD, b"\x1a\x01t").transcoded.binary == b"\x1a\x01t"

    @pytest.mark.parametrize("data", [b"\x08", b"\x2a\x01\xff", b"\x0a\x05a"], ids=["truncated", "bad UTF-8", "short"])
    def test_what_cannot_be_read_is_refused_with_words(self, transcoder: DriverProcess, data: bytes) -> None:
        error = transcode(transcoder, ALL, data).error

        assert error.kind == pb.Error.KIND_UNREADABLE_PAYLOAD
        assert ALL in error.text

    def test_messages_of_the_protobuf_runtime_are_known(self, transcoder: DriverProcess) -> None:
        assert transcode(transcoder, "google.protobuf.Any", b"").HasField("transcoded")


class TestJson:
    def test_both_ways(self, transcoder: DriverProcess) -> None:
        text = b'{"number": 1, "byName": {"a": {"text": "\xc3\xbc"}}, "colour": "RED"}'
        answer = transcode(transcoder, ALL, text, from_json=True, to_json=True).transcoded

        assert json.loads(answer.json) == json.loads(text)
        assert answer.binary == b"\x08\x01\x40\x01\x5a\x09\x0a\x01a\x12\x04\x2a\x02\xc3\xbc"

    def test_zero_values_on_demand(self, transcoder: DriverProcess) -> None:
        assert transcode(transcoder, ALL, b"", to_json=True).transcoded.json == "{}"
        assert '"number": 0' in transcode(transcoder, ALL, b"", to_json=True, emit_zero=True).transcoded.json

    def test_unknown_fields_are_refused_or_skipped(self, transcoder: DriverProcess) -> None:
        assert transcode(transcoder, ALL, b'{"nope": 1}', from_json=True).error.kind == pb.Error.KIND_UNREADABLE_PAYLOAD
        assert transcode(transcoder, ALL, b'{"nope": 1}', from_json=True, ignore_unknown=True).HasField("transcoded")

    @pytest.mark.parametrize("text", [b"", b"{", b"1", b'{"number": "x"}', b"\xff"])
    def test_what_cannot_be_read_is_refused(self, transcoder: DriverProcess, text: bytes) -> None:
        assert transcode(transcoder, ALL, text, from_json=True).error.kind == pb.Error.KIND_UNREADABLE_PAYLOAD

    def test_what_cannot_be_written_is_refused_with_words(self, transcoder: DriverProcess) -> None:
        unknown_any = b"\x6a\x05\x0a\x03x/y"
        error = transcode(transcoder, ALL, unknown_any, to_json=True).error

        assert error.kind == pb.Error.KIND_UNREADABLE_PAYLOAD
        assert "cannot be written as ProtoJSON" in error.text


class TestView:
    def test_every_kind_of_value(self, transcoder: DriverProcess) -> None:
        text = {
            "number": -1,
            "large": str(2**64 - 1),
            "real": "NaN",
            "small": 0.5,
            "text": "ü",
            "raw": "AP8=",
            "yes": True,
            "colour": 7,
            "maybe": 0,
            "many": [-1, 0],
            "inner": {},
        }
        fields = transcode(transcoder, ALL, json.dumps(text).encode(), from_json=True, to_view=True).transcoded.view.fields
        values = {field.number: list(field.values) for field in fields}

        assert values.pop(3)[0].float_bits >> 51 == 0x7FF8000000000000 >> 51
        assert values == {
            1: [pb.Value(int=-1)],
            2: [pb.Value(uint=2**64 - 1)],
            4: [pb.Value(float_bits=bits(0.5))],
            5: [pb.Value(text="ü".encode())],
            6: [pb.Value(text=b"\x00\xff")],
            7: [pb.Value(uint=1)],
            8: [pb.Value(int=7)],
            9: [pb.Value(int=0)],
            10: [pb.Value(int=-1), pb.Value(int=0)],
            12: [pb.Value(message=pb.View())],
        }

    def test_a_repeated_extension_without_elements_is_not_there(self, transcoder: DriverProcess) -> None:
        """
        Whatever upb says of it after an empty packed block.
        """
        assert view(transcoder, OLD, b"\x08\x01\xaa\x06\x00") == view(transcoder, OLD, b"\x08\x01")

    def test_maps_are_sorted_by_the_bytes_of_their_keys(self, transcoder: DriverProcess) -> None:
        keys = ["b", "a", "\U00010000", "\uffff", ""]
        text = json.dumps({"byName": {key: {} for key in keys}}).encode()
        [field] = transcode(transcoder, ALL, text, from_json=True, to_view=True).transcoded.view.fields

        assert [value.text.decode() for value in field.values[::2]] == ["", "a", "b", "\uffff", "\U00010000"]

    def test_unknown_fields_are_kept_in_their_order(self, transcoder: DriverProcess) -> None:
        unknown = b"\xfa\x07\x01x\xf0\x07\x01\xfa\x07\x01y"
        seen = view(transcoder, ALL, b"\x08\x01" + unknown + b"\x10\x02")

        assert seen.unknown == unknown
        assert [field.number for field in seen.fields] == [1, 2]

    def test_python_hides_an_unknown_number_of_a_closed_enum(self, transcoder: DriverProcess) -> None:
        seen = view(transcoder, OLD, b"\x08\x01\x10\x07")

        assert [field.number for field in seen.fields] == [1]
        assert seen.unknown == b"\x10\x07"

    def test_extensions_groups_and_text_that_is_no_text(self, transcoder: DriverProcess) -> None:
        seen = view(transcoder, OLD, b"\x1a\x01\xff\x23\x08\x05\x24\xa2\x06\x01e")

        assert list(seen.fields) == [
            pb.Field(number=3, values=[pb.Value(text=b"\xff")]),
            pb.Field(number=4, values=[pb.Value(message=pb.View(fields=[pb.Field(number=1, values=[pb.Value(int=5)])]))]),
            pb.Field(number=100, values=[pb.Value(text=b"e")]),
        ]
