"""Protos as source again: what protoc makes of it is what the source was made of."""

from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.proto_source import proto_source

REPOSITORY = Path(__file__).parents[2]

UNPLEASANT = r"""
edition = "2023";
package odd.package1;
import public "google/protobuf/duration.proto";
option features.field_presence = IMPLICIT;
option java_package = "a.\"b\"";

message Outer {
  reserved 5, 10 to 20, 1000 to max;
  reserved gone;
  string set = 1 [features.field_presence = EXPLICIT, json_name = "another", deprecated = true];
  oneof one { Inner inner = 2 [features.message_encoding = DELIMITED]; bytes raw = 3; }
  map<string, Inner> map = 4;
  repeated int32 loose = 6 [features.repeated_field_encoding = EXPANDED];
  message Inner { Outer Outer = 1; Kind kind = 2; }
  enum Kind { option allow_alias = true; NONE = 0; ZERO = 0; MANY = -5; reserved -9 to -7, 100 to max; }
}
service Odd {
  rpc stream(stream Outer) returns (stream .odd.package1.Outer.Inner) { option deprecated = true; }
  rpc One(Outer) returns (Outer);
}
"""

OLD = r"""
syntax = "proto2";
package old;
import "google/protobuf/descriptor.proto";
message Old {
  required string text = 1 [default = "a\"\\\n\303\274"];
  optional bytes raw = 2 [default = "\000\377\"x"];
  optional double much = 3 [default = inf];
  optional float none = 4 [default = nan];
  repeated group Part = 5 { optional Kind kind = 1 [default = B]; }
  oneof choice { group Chosen = 6 { optional int32 x = 1; } int64 y = 7 [jstype = JS_STRING]; }
  extensions 100 to 199;
  extensions 1000 to max [declaration = { number: 1000 full_name: ".old.more" type: "int32" }];
  enum Kind { A = 1; B = 2; }
  extend Old { optional Old again = 100; }
}
message Set { option message_set_wire_format = true; extensions 4 to max; }
extend Old { repeated sint32 numbers = 101 [packed = true]; optional group Grouped = 102 { optional bool b = 1; } }
extend google.protobuf.FieldOptions { optional string note = 50001; }
message Noted { optional string x = 1 [(note) = "a\"b", deprecated = true]; }
"""

OPTIONS = r"""
syntax = "proto3";
package options;
import "google/protobuf/any.proto";
import "google/protobuf/descriptor.proto";

message Note {
  string text = 1;
  repeated int32 numbers = 2;
  map<string, Note> notes = 3;
  google.protobuf.Any any = 4;
  double much = 5;
}
enum Kind { NONE = 0; SOME = 1; }
extend google.protobuf.FileOptions { Note of_file = 50001; }
extend google.protobuf.MessageOptions { bytes raw = 50001; repeated Kind kinds = 50002; }
extend google.protobuf.FieldOptions { string note = 50001; repeated Note notes = 50002; }
extend google.protobuf.OneofOptions { bool fine = 50001; }
extend google.protobuf.EnumOptions { double number = 50001; }
extend google.protobuf.EnumValueOptions { sint64 number_of = 50001; }
extend google.protobuf.ServiceOptions { float some = 50001; }
extend google.protobuf.MethodOptions { Note of_method = 50001; }

option (of_file) = { text: "naïve \n" numbers: [1, -2] notes { key: "a" value { text: "b" } } much: inf };
option (of_file).any = { [type.googleapis.com/options.Note] { text: "packed" } };

message Told {
  option (raw) = "\000\377\"";
  option (kinds) = SOME;
  option (kinds) = NONE;
  string x = 1 [(note) = "\U0001F600 a\"b", (notes) = { text: "one" }, (notes) = {}, json_name = "other"];
  oneof one { option (fine) = true; string y = 2; }
  enum Many { option (number) = -inf; ZERO = 0 [(number_of) = -7]; }
}
service Odd {
  option (some) = 1.5;
  rpc Call(Told) returns (Told) { option (of_method).text = "/v1/{x=*}"; option deprecated = true; }
}
"""

BROUGHT = "google/protobuf/"
"""What protoc brings with it is not written."""


def compiled(root: Path, cache: Path) -> dict[str, descriptor_pb2.FileDescriptorProto]:
    """The files with their custom options."""
    catalog = Catalog.load([root], [], cache)
    return {file.name: catalog.file_with_options(file) for file in catalog.file_protos}


def round_trip(root: Path, scratch: Path) -> None:
    before = compiled(root, scratch / "cache")
    for name, file in before.items():
        if not name.startswith(BROUGHT):
            path = scratch / "written" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(proto_source(file))
    after = compiled(scratch / "written", scratch / "cache")
    assert after.keys() == before.keys()
    written = [name for name in before if not name.startswith(BROUGHT)]
    assert {name: comparable(after[name]) for name in written} == {name: comparable(before[name]) for name in written}


def comparable(file: descriptor_pb2.FileDescriptorProto) -> str:
    """As text, since the classes of two trees differ. What a group declares stands wherever the group does: order among
    messages means nothing; neither do options that are there and say nothing."""
    for messages in (file.message_type, *(message.nested_type for message in file.message_type)):
        messages.sort(key=lambda message: message.name)
    for service in file.service:
        for method in service.method:
            if not method.options.ListFields():
                method.ClearField("options")
    return str(file)


@pytest.mark.parametrize("root", ["proto", "tests/suites/nasty", "tests/suites/values", "tests/trees/nasty"])
def test_trees(root: str, tmp_path: Path) -> None:
    """
    Whole trees mean the same after being written as source.
    """
    round_trip(REPOSITORY / root, tmp_path)


@pytest.mark.parametrize("source", [UNPLEASANT, OLD, OPTIONS], ids=["editions", "proto2", "options"])
def test_what_source_can_say(source: str, tmp_path: Path) -> None:
    """
    Defaults, groups, extensions, reserved ranges, features, custom options of every kind: all of it survives.
    """
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "one.proto").write_text(source)
    round_trip(tmp_path / "root", tmp_path)
