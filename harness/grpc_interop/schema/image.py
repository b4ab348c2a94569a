"""Descriptor sets of users: as protoc and buf write them, or several concatenated."""

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
"""Bytes of the largest image, unpacked: six times the image of googleapis with all comments."""

UNTRIED = 4 * 1024 * 1024
"""Bytes of an image that is read without a trial. Two bytes may become an object of 150 bytes, so a larger image is tried first."""

MOST_MEMORY = 768 * 1024 * 1024
"""Bytes of address space for reading an image, beside its own: Python's included."""

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
"""The first bytes of a compressed file (RFC 1952); no descriptor set begins so."""

_BUF_IMAGE_FIELD, _BUF_IS_IMPORT = 8042, 1
"""Where buf marks a file of an image as an import: FileDescriptorProto extension 8042, field 1 (buf.alpha.image.v1)."""


def read_image(image: Path) -> tuple[list[str], bytes]:
    """Return the names of the files to drive, and a serialised FileDescriptorSet, imports first. Mere imports are not driven:
    files that buf marked as imports, and imported files that are commonly installed. Raise ProtoError."""
    content = _content(image)
    if len(content) > UNTRIED:
        _try(image, content)
    remedy = "make one with `buf build -o image.binpb`, or protoc --include_imports --descriptor_set_out=image.binpb"
    try:
        parsed = gate.read(content)
    except gate.NotAdmitted as fault:
        raise ProtoError(f"{image} {fault}", remedy) from None
    if not parsed.file:
        raise ProtoError(f"{image} has no files", remedy)
    files = _in_order(image, _distinct(image, parsed.file))
    imported = {name for file in files for name in file.dependency}
    driven = [file.name for file in files if not _is_import(file, imported)]
    return driven, pb.FileDescriptorSet(file=files).SerializeToString(deterministic=True)


def _content(image: Path) -> bytes:
    """Return the unpacked bytes: buf compresses an image whose name ends in .gz."""
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
    """Yield the content in parts: a file's `read` allocates all bytes that it is asked for."""
    while most > 0 and (part := opened.read(min(most, 1 << 20))):
        most -= len(part)
        yield part


def _try(image: Path, content: bytes) -> None:
    """Raise ProtoError for a set that cannot be read in bounded memory. A process tries: protobuf's memory has no other bound."""
    command = [sys.executable, "-c", _TRIAL, str(MOST_MEMORY + len(content))]
    done = subprocess.run(command, input=content, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if done.returncode:
        what = f"{image} is not a descriptor set, or it takes more than {MOST_MEMORY // (1 << 20)} MiB of memory"
        raise ProtoError(what, "make an image of fewer protos")


def _distinct(image: Path, files: Iterable[pb.FileDescriptorProto]) -> dict[str, pb.FileDescriptorProto]:
    """Return the files by name. Build systems concatenate the sets of their targets, so a file may be there twice."""
    distinct: dict[str, pb.FileDescriptorProto] = {}
    for file in files:
        known = distinct.setdefault(file.name, file)
        if known is not file and _definitions(known) != _definitions(file):
            raise ProtoError(f"{image} has two different files of the name {file.name}", "make the image of one version of the protos")
    return distinct


def _definitions(file: pb.FileDescriptorProto) -> bytes:
    bare = pb.FileDescriptorProto()
    bare.CopyFrom(file)
    bare.ClearField("source_code_info")
    return bare.SerializeToString(deterministic=True)


def _in_order(image: Path, files: dict[str, pb.FileDescriptorProto]) -> list[pb.FileDescriptorProto]:
    """Return the files, imports first."""
    for file in files.values():
        for name in file.dependency:
            if name not in files:
                remedy = "make it with all imports: protoc needs --include_imports"
                raise ProtoError(f"{image} lacks {name}, which {file.name} imports", remedy)
    try:
        order = TopologicalSorter({name: file.dependency for name, file in files.items()}).static_order()
        return [files[name] for name in order]
    except CycleError as error:
        raise ProtoError(f"{image}: files import each other: {', '.join(error.args[1])}", "protoc does not write such a set") from error


def _is_import(file: pb.FileDescriptorProto, imported: set[str]) -> bool:
    marks = _buf_marks(file)
    if marks is not None:
        return marks
    return file.name in imported and resolve(file.name, common_includes()) is not None


def _buf_marks(file: pb.FileDescriptorProto) -> bool | None:
    """Return whether buf marked the file as an import, or None when buf did not write it."""
    for number, extension in unknown_fields(file):
        if number == _BUF_IMAGE_FIELD:
            return any(mark == _BUF_IS_IMPORT and value for mark, value in unknown_fields(empty_pb2.Empty.FromString(extension)))
    return None
