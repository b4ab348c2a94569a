"""Protos as source again: what protoc makes of it is what the source was made of."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from grpc_interop.protos.compiler import compile_tree
from grpc_interop.protos.source import proto_source, without_extras

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
message Noted { optional string x = 1 [(note) = "custom options are lost"]; }
"""


def compiled(root: Path, cache: Path) -> dict[str, descriptor_pb2.FileDescriptorProto]:
    _, found = compile_tree([root], [], cache)
    return {file.name: file for file in descriptor_pb2.FileDescriptorSet.FromString(found).file}


def round_trip(root: Path, scratch: Path) -> None:
    before = compiled(root, scratch / "cache")
    for name, file in before.items():
        if not name.startswith("google/protobuf/"):
            path = scratch / "written" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(proto_source(file))
    after = compiled(scratch / "written", scratch / "cache")
    assert {name: comparable(file) for name, file in after.items()} == {name: comparable(file) for name, file in before.items()}


def comparable(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """What a group declares stands wherever the group does: order among messages means nothing."""
    plain = without_extras(file)
    plain.message_type.sort(key=lambda message: message.name)
    return plain


@pytest.mark.parametrize("root", ["proto", "tests/suites/nasty", "tests/suites/values"])
def test_trees(root: str, tmp_path: Path) -> None:
    """
    Whole trees mean the same after being written as source.
    """
    round_trip(REPOSITORY / root, tmp_path)


@pytest.mark.parametrize("source", [UNPLEASANT, OLD], ids=["editions", "proto2"])
def test_what_source_can_say(source: str, tmp_path: Path) -> None:
    """
    Defaults, groups, extensions, reserved ranges, features, names in other folders: all of it survives.
    """
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "one.proto").write_text(source)
    round_trip(tmp_path / "root", tmp_path)
