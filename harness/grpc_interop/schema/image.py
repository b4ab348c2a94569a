"""Descriptor sets that people bring along: as protoc and buf write them, or several of them one after the other."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import BinaryIO

from google.protobuf import descriptor_pb2 as pb
from google.protobuf import empty_pb2

from grpc_interop.schema import gate
from grpc_interop.schema.roots.roots import ProtoError, common_includes, resolve
from grpc_interop.schema.text import unknown_fields

LARGEST = 256 * 1024 * 1024
"""Bytes of the largest image, unpacked. That of googleapis, with all comments, has a sixth of it."""

UNTRIED = 4 * 1024 * 1024
"""Bytes of an image that is read at once. Two bytes may stand for an object of 150, so what is larger is tried before."""

MOST_MEMORY = 768 * 1024 * 1024
"""Bytes of address space, Python's own included, that an image may take to be read, beside its own."""

_TRIAL = """
import sys
from google.protobuf import descriptor_pb2
content = sys.stdin.buffer.read()
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
except ImportError:
    pass  # where memory cannot be limited
descriptor_pb2.FileDescriptorSet.FromString(content)
"""

_GZIP = b"\x1f\x8b"
"""How a compressed file begins (RFC 1952), and no descriptor set."""

_BUF_IMAGE_FIELD, _BUF_IS_IMPORT = 8042, 1
"""Where buf marks a file of an image as an import: FileDescriptorProto extension 8042, field 1 (buf.alpha.image.v1)."""


def read_image(image: Path) -> tuple[list[str], bytes]:
    """The names of the files to be driven, and a serialised FileDescriptorSet, imports first. Files that are there only to
    be imported are not driven: those that buf marked so, and those that another file imports and that are commonly
    installed. Raises ProtoError."""
    content = _content(image)
    if len(content) > UNTRIED:
        _try(image, content)
    remedy = "make one with `buf build -o image.binpb`, or protoc --include_imports --descriptor_set_out=image.binpb"
    try:
        parsed = gate.read(content)
    except gate.NotAdmitted as fault:
        raise ProtoError(f"{image} {fault}", remedy) from None
    if not parsed.file:
        raise ProtoError(f"{image} holds no file", remedy)
    files = _in_order(image, _distinct(image, parsed.file))
    imported = {name for file in files for name in file.dependency}
    driven = [file.name for file in files if not _is_import(file, imported)]
    return driven, pb.FileDescriptorSet(file=files).SerializeToString(deterministic=True)


def _content(image: Path) -> bytes:
    """The bytes, which may be compressed: buf does so where a name ends in .gz."""
    try:
        if image.exists() and not image.is_file():
            raise ProtoError(f"{image} is not a file", "check --image")
        with image.open("rb") as file:
            zipped = file.read(len(_GZIP)) == _GZIP
        with gzip.open(image) if zipped else image.open("rb") as opened:
            content = b"".join(_parts(opened, LARGEST + 1))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ProtoError(f"{image} is cut or garbled: {error}", "make it once more") from error
    except OSError as error:
        raise ProtoError(f"{image}: {error.strerror}", "check --image") from error
    if len(content) > LARGEST:
        raise ProtoError(f"{image} has more than {LARGEST:,} bytes, unpacked", "make an image of fewer protos")
    return content


def _parts(opened: BinaryIO | gzip.GzipFile, most: int) -> Iterator[bytes]:
    """What is there, and no more: a file's `read` makes room for all that it is asked for."""
    while most > 0 and (part := opened.read(min(most, 1 << 20))):
        most -= len(part)
        yield part


def _try(image: Path, content: bytes) -> None:
    """Raises ProtoError for a set that cannot be read in bounded memory. A process of its own tries: there is no other way
    to bound what protobuf takes."""
    command = [sys.executable, "-c", _TRIAL, str(MOST_MEMORY + len(content))]
    done = subprocess.run(command, input=content, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if done.returncode:
        what = f"{image} is not a descriptor set, or one that takes more than {MOST_MEMORY // (1 << 20)} MiB of memory"
        raise ProtoError(what, "make an image of fewer protos")


def _distinct(image: Path, files: Iterable[pb.FileDescriptorProto]) -> dict[str, pb.FileDescriptorProto]:
    """By name. Build systems that know one set for each target concatenate them, and so hold many a file twice."""
    distinct: dict[str, pb.FileDescriptorProto] = {}
    for file in files:
        known = distinct.setdefault(file.name, file)
        if known is not file and _definitions(known) != _definitions(file):
            raise ProtoError(f"{image} holds two different files of the name {file.name}", "make the image of one version of the protos")
    return distinct


def _definitions(file: pb.FileDescriptorProto) -> bytes:
    bare = pb.FileDescriptorProto()
    bare.CopyFrom(file)
    bare.ClearField("source_code_info")
    return bare.SerializeToString(deterministic=True)


def _in_order(image: Path, files: dict[str, pb.FileDescriptorProto]) -> list[pb.FileDescriptorProto]:
    """Imports first."""
    for file in files.values():
        for name in file.dependency:
            if name not in files:
                remedy = "make it with all imports: protoc needs --include_imports"
                raise ProtoError(f"{image} lacks {name}, which {file.name} imports", remedy)
    try:
        order = TopologicalSorter({name: file.dependency for name, file in files.items()}).static_order()
        return [files[name] for name in order]
    except CycleError as error:
        raise ProtoError(f"{image}: files import each other: {', '.join(error.args[1])}", "no protoc wrote it like this") from error


def _is_import(file: pb.FileDescriptorProto, imported: set[str]) -> bool:
    marks = _buf_marks(file)
    if marks is not None:
        return marks
    return file.name in imported and resolve(file.name, common_includes()) is not None


def _buf_marks(file: pb.FileDescriptorProto) -> bool | None:
    """Whether buf marked the file as an import, or None when buf did not write it."""
    for number, extension in unknown_fields(file):
        if number == _BUF_IMAGE_FIELD:
            return any(mark == _BUF_IS_IMPORT and value for mark, value in unknown_fields(empty_pb2.Empty.FromString(extension)))
    return None
