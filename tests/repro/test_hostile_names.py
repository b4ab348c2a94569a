"""What is exported stays in its folder and in its quotes, whatever let a name in."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from google.protobuf import descriptor_pb2 as pb

from grpc_interop.errors import BuildError
from grpc_interop.repro.export import Program, _fenced, _write_program, _write_protos
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.proto_source import proto_source

OUTSIDE = ["../../../x/y.proto", "/x/y.proto", "a/../../y.proto"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_protos_stay_in_their_folder(name: str, tmp_path: Path) -> None:
    file = pb.FileDescriptorProto(name=name)
    catalog = SimpleNamespace(file_protos=[file], file_with_options=lambda file: file)
    with pytest.raises(BuildError, match="outside of its folder"):
        _write_protos(cast(Any, catalog), tmp_path / "a/b/c/d")
    assert not list(tmp_path.rglob("*.proto"))


@pytest.mark.parametrize("name", OUTSIDE)
def test_programs_stay_in_their_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="outside of its folder"):
        _write_program(Program("client", {name: "x"}, (), "x"), tmp_path / "a/b/c/d")
    assert not list(tmp_path.rglob("*.proto"))


def test_a_line_of_a_block_of_code_does_not_end_it() -> None:
    lines = ["a", "  ````", "[x](y)"]
    assert _fenced(lines) == ["`````", *lines, "`````"]


@pytest.mark.parametrize("text", ['x"; message Evil {} //', "x\n} message Evil {", "x\\", "ä'", "*/"])
def test_texts_of_descriptors_stay_within_their_quotes(text: str, tmp_path: Path) -> None:
    """
    protoc reads the source that was written with them as the descriptors that they came from.
    """
    file = pb.FileDescriptorProto(name="x.proto", package="p", syntax="proto2")
    message = file.message_type.add(name="M")
    kinds = pb.FieldDescriptorProto
    message.field.add(name="a", number=1, label=kinds.LABEL_OPTIONAL, type=kinds.TYPE_STRING, default_value=text, json_name=text)
    message.field.add(name="b", number=2, label=kinds.LABEL_OPTIONAL, type=kinds.TYPE_BYTES, default_value='"; x', json_name="b")
    file.options.java_package = text
    source = proto_source(file)
    (tmp_path / "x.proto").write_text(source)
    (made,) = Catalog.load([tmp_path], [], tmp_path / "cache").file_protos
    assert [one.name for one in made.message_type] == ["M"]
    assert made.message_type[0].field[0].default_value == text
    assert made.message_type[0].field[0].json_name == text
    assert made.options.java_package == text


@pytest.mark.parametrize("path", ["message_type", "enum_type", "service"])
def test_the_catalog_refuses_names_that_are_none(path: str) -> None:
    """
    Behind the gate protobuf itself stands, before anything is generated of them.
    """
    file = pb.FileDescriptorProto(name="x.proto", package="p")
    getattr(file, path).add(name="M {} message N")
    catalog = Catalog(["x.proto"], pb.FileDescriptorSet(file=[file]).SerializeToString())
    assert set(catalog.refused) == {"x.proto"}
    assert not catalog.file_protos
