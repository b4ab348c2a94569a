"""Descriptor sets as people bring them along."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from grpc_interop.schema import image
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.roots.roots import ProtoError

TREE = Path(__file__).parents[1] / "trees" / "opentelemetry" / "v1.5.0"
BUF = Path(sys.executable).with_name("buf")


@pytest.fixture
def from_sources(tmp_path: Path) -> Catalog:
    return Catalog.load([TREE], [], tmp_path / "cache")


def protoc(out: Path, *words: str) -> bytes:
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{TREE}", f"--descriptor_set_out={out}", *words], check=True)
    return out.read_bytes()


def files(pattern: str) -> list[str]:
    return sorted(path.relative_to(TREE).as_posix() for path in TREE.rglob(pattern))


@pytest.mark.parametrize("words", [[], ["--as-file-descriptor-set"]])
def test_an_image_is_its_tree(tmp_path: Path, from_sources: Catalog, words: list[str]) -> None:
    """
    buf's image of a tree holds the same files and RPCs to be driven.
    """
    subprocess.run([BUF, "build", TREE, "-o", tmp_path / "x.binpb", *words], check=True)
    catalog = Catalog.from_image(tmp_path / "x.binpb")
    assert catalog.files == from_sources.files
    assert list(catalog.methods()) == list(from_sources.methods())


def test_sets_of_single_targets_can_be_concatenated(tmp_path: Path, from_sources: Catalog) -> None:
    """
    As Bazel makes them: each with its own files only, in any order, some of them twice.
    """
    services, every = files("*_service.proto"), files("*.proto")
    parts = [protoc(tmp_path / f"{number}.binpb", *names) for number, names in enumerate((services, services, every))]
    (tmp_path / "x.binpb").write_bytes(b"".join(parts))
    assert list(Catalog.from_image(tmp_path / "x.binpb").methods()) == list(from_sources.methods())


def test_a_missing_import_is_named(tmp_path: Path) -> None:
    """
    With who imports it, and what makes a whole image.
    """
    protoc(tmp_path / "x.binpb", *files("trace_service.proto"))
    with pytest.raises(
        ProtoError, match=r"lacks opentelemetry/proto/trace/v1/trace\.proto, which .*trace_service\.proto imports"
    ) as raised:
        Catalog.from_image(tmp_path / "x.binpb")
    assert "--include_imports" in raised.value.remedy


def test_an_image_may_be_compressed(tmp_path: Path) -> None:
    """
    As `buf build -o image.binpb.gz` writes it; one that was cut is refused.
    """
    content = gzip.compress(descriptor_pb2.FileDescriptorSet(file=[descriptor_pb2.FileDescriptorProto(name="a.proto")]).SerializeToString())
    (tmp_path / "x.binpb.gz").write_bytes(content)
    assert Catalog.from_image(tmp_path / "x.binpb.gz").files == ("a.proto",)
    (tmp_path / "x.binpb.gz").write_bytes(content[:-9])
    with pytest.raises(ProtoError, match="cut or garbled"):
        Catalog.from_image(tmp_path / "x.binpb.gz")


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    """
    Which of them is meant, nobody can tell.
    """
    one, other = (descriptor_pb2.FileDescriptorProto(name="a.proto", package=package) for package in "ab")
    (tmp_path / "x.binpb").write_bytes(descriptor_pb2.FileDescriptorSet(file=[one, other]).SerializeToString())
    with pytest.raises(ProtoError, match=r"two different files of the name a\.proto"):
        Catalog.from_image(tmp_path / "x.binpb")


def test_files_that_import_each_other_are_refused(tmp_path: Path) -> None:
    """
    No protoc writes such a set.
    """
    one = descriptor_pb2.FileDescriptorProto(name="a.proto", dependency=["b.proto"])
    other = descriptor_pb2.FileDescriptorProto(name="b.proto", dependency=["a.proto"])
    (tmp_path / "x.binpb").write_bytes(descriptor_pb2.FileDescriptorSet(file=[one, other]).SerializeToString())
    with pytest.raises(ProtoError, match="import each other"):
        Catalog.from_image(tmp_path / "x.binpb")


def test_what_is_too_large_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The size is named, and what to do.
    """
    monkeypatch.setattr(image, "LARGEST", 10)
    (tmp_path / "x.binpb").write_bytes(b"x" * 11)
    with pytest.raises(ProtoError, match="more than 10 bytes"):
        Catalog.from_image(tmp_path / "x.binpb")


def test_what_would_take_much_memory_is_not_read(tmp_path: Path) -> None:
    """
    Two bytes are a file without a name, and take a hundred times as much.
    """
    (tmp_path / "x.binpb").write_bytes(b"\n\0" * (8 * 1024 * 1024))
    with pytest.raises(ProtoError, match="takes more than 768 MiB"):
        Catalog.from_image(tmp_path / "x.binpb")


def test_a_large_image_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_sources: Catalog) -> None:
    """
    After it was tried.
    """
    monkeypatch.setattr(image, "UNTRIED", 10)
    protoc(tmp_path / "x.binpb", "--include_imports", *files("*.proto"))
    assert list(Catalog.from_image(tmp_path / "x.binpb").methods()) == list(from_sources.methods())
