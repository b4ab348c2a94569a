"""The line of each element, as protoc itself tells it."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path as Folder

import pytest
from google.protobuf import descriptor_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

from grpc_interop.schema.source_lines import compiled_lines, source_lines

Path = tuple[int, ...]
ROOT = Folder(__file__).parents[2]
TRICKY = """syntax = "proto2";  /* message No { */
import "google/protobuf/descriptor.proto"; package t.u; // message Neither {

option java_package = "message Not {";
message M {
  option (opt) = { nested: { a: 1 } list: [ { b: 2 } ] };
  reserved 8 to 10; reserved "x", "y";
  extensions 101 to max;
  extensions 100 [declaration = { number: 100 full_name: ".t.u.e" type: "string" reserved: false }];
  required
    string a = 1 [default = "} ; = 3", (f) = { c: "}" }];
  repeated group Result = 2 { optional int32 inner = 1; }
  map<string, M> map_of = 3; oneof choice { string one = 4; M
    two = 5; }
  message N { enum E { option deprecated = true; Z = 0; MINUS = -1 [deprecated = true]; HEX = 0x10; } }
  extend M { optional int32 within = 101; }
  optional string message = 6; optional string enum = 7;
}
extend M {
  optional string e = 100;
}
extend google.protobuf.MessageOptions { optional Opt opt = 50001; }
extend google.protobuf.FieldOptions { optional Opt f = 50001; }
message Opt { optional Opt nested = 1; optional int32 a = 2; repeated Opt list = 3; optional int32 b = 4; optional string c = 5; }
service S { option deprecated = true;
  rpc One(M) returns (stream M) {
    option deprecated = true;
  }
  rpc Two(stream M) returns (M);
}
"""


def told_by_protoc(file: pb.FileDescriptorProto) -> dict[str, int]:
    """Each element and its line; what protoc itself made (map entries, oneofs of proto3 `optional`) has none."""
    at = {tuple(one.path): one.span[0] + 1 for one in reversed(file.source_code_info.location)}
    package = f"{file.package}." if file.package else ""
    found: dict[str, Path] = {f"{package}{one.name}": (6, i) for i, one in enumerate(file.service)}
    found |= {f"{package}{s.name}/{one.name}": (6, i, 2, j) for i, s in enumerate(file.service) for j, one in enumerate(s.method)}
    found |= _types(file.enum_type, file.extension, package, (5,), (7,))
    for index, message in enumerate(file.message_type):
        found |= _message(message, package, (4, index))
    return {name: at[path] for name, path in found.items() if path in at}


def _message(message: pb.DescriptorProto, scope: str, path: Path) -> dict[str, Path]:
    within = f"{scope}{message.name}."
    found = {scope + message.name: path}
    found |= {within + one.name: (*path, 2, i) for i, one in enumerate(message.field)}
    found |= {within + one.name: (*path, 8, i) for i, one in enumerate(message.oneof_decl)}
    found |= _types(message.enum_type, message.extension, within, (*path, 4), (*path, 6))
    for index, nested in enumerate(message.nested_type):
        found |= {} if nested.options.map_entry else _message(nested, within, (*path, 3, index))
    return found


def _types(
    enums: Iterable[pb.EnumDescriptorProto],
    extensions: Iterable[pb.FieldDescriptorProto],
    scope: str,
    enum_path: Path,
    extension_path: Path,
) -> dict[str, Path]:
    found = {f"[{scope}{one.name}]": (*extension_path, i) for i, one in enumerate(extensions)}
    for index, enum in enumerate(enums):
        found[scope + enum.name] = (*enum_path, index)
        found |= {f"{scope}{enum.name}.{one.name}": (*enum_path, index, 2, i) for i, one in enumerate(enum.value)}
    return found


def compiled(folder: Folder, *names: str) -> pb.FileDescriptorSet:
    """Into the current folder, which is the test's own."""
    out = Folder("set.bin")
    words = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(folder), "--include_source_info", f"--descriptor_set_out={out}"]
    subprocess.run([*words, *names], check=True)
    return pb.FileDescriptorSet.FromString(out.read_bytes())


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_are_found_in_a_file_that_makes_it_hard(tmp_path: Folder) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "tricky.proto").write_text(TRICKY)
    (file,) = compiled(tmp_path / "own", "tricky.proto").file
    expected = told_by_protoc(file)
    assert len(expected) > 25
    assert source_lines(TRICKY) == expected
    assert compiled_lines(file) == expected


def test_of_a_compiled_file_without_source_info_are_none() -> None:
    assert compiled_lines(pb.FileDescriptorProto(message_type=[pb.DescriptorProto(name="M")])) == {}


@pytest.mark.parametrize("root", [ROOT / "proto", ROOT / "tests/trees/opentelemetry/v1.5.0"], ids=lambda root: root.name)
def test_are_found_in_real_trees(root: Folder) -> None:
    names = [str(path.relative_to(root)) for path in sorted(root.rglob("*.proto"))]
    for file in compiled(root, *names).file:
        found, expected = source_lines((root / file.name).read_text()), told_by_protoc(file)
        assert {name: found.get(name) for name in expected} == expected, file.name


@given(st.text(alphabet="{}[]();=<>\"'/*message enum oneof 1\n", max_size=60))
def test_never_fail_whatever_the_text(text: str) -> None:
    source_lines(text)
