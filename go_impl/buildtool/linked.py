"""Files whose generated code every driver links already, such as google/rpc/status.proto.

Go refuses to register a file twice, so a tree that holds such a file uses the linked code.
"""

import posixpath
import subprocess
from collections.abc import Iterable
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from buildtool.packages import Package


def packages_of(plugins: Path, files: list[FileDescriptorProto]) -> dict[str, Package]:
    """Return the linked Go package of each file of the tree that needs no code of its own.

    Nobody generates Go for google/protobuf: there the runtime's version counts, whatever the tree's copy says. Other
    files need everything that their own copy declares.
    """
    printed = subprocess.run([plugins / "linked"], capture_output=True, check=True).stdout
    linked = {file.name: file for file in FileDescriptorSet.FromString(printed).file}
    return {
        file.name: Package(linked[file.name].options.go_package, posixpath.basename(linked[file.name].options.go_package))
        for file in files
        if file.name in linked and (file.name.startswith("google/protobuf/") or covers(linked[file.name], file))
    }


def covers(linked: FileDescriptorProto, file: FileDescriptorProto) -> bool:
    """Return whether linked code has everything that the file declares: vendored copies are often older, seldom
    different.

    Services are never covered: linked code has no stubs that could be played.
    """
    return (
        linked.package == file.package
        and not file.service
        and _messages_cover(linked.message_type, file.message_type)
        and _enums_cover(linked.enum_type, file.enum_type)
        and _fields(linked.extension) >= _fields(file.extension)
    )


def _messages_cover(linked: Iterable[DescriptorProto], wanted: Iterable[DescriptorProto]) -> bool:
    by_name = {message.name: message for message in linked}
    return all(
        message.name in by_name
        and _fields(by_name[message.name].field) >= _fields(message.field)
        and _fields(by_name[message.name].extension) >= _fields(message.extension)
        and _messages_cover(by_name[message.name].nested_type, message.nested_type)
        and _enums_cover(by_name[message.name].enum_type, message.enum_type)
        for message in wanted
    )


def _enums_cover(linked: Iterable[EnumDescriptorProto], wanted: Iterable[EnumDescriptorProto]) -> bool:
    by_name = {enum.name: enum for enum in linked}
    return all(
        enum.name in by_name and {(v.name, v.number) for v in by_name[enum.name].value} >= {(v.name, v.number) for v in enum.value}
        for enum in wanted
    )


def _fields(fields: Iterable[FieldDescriptorProto]) -> set[tuple[str, int, int, str]]:
    return {(field.name, field.number, field.type, field.type_name) for field in fields}
