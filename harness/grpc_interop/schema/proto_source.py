"""Descriptors as proto source, for reproductions of protos that may have come as descriptors only.

Comments and the order of unlike elements are lost. Everything that decides which bytes travel is kept, and so are custom
options whose definition is among the protos.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from google.protobuf import descriptor_pb2 as pb
from google.protobuf import text_encoding
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from grpc_interop.schema.text import one_line

MOST_FIELD_NUMBER, MOST_ENUM_NUMBER = 0x1FFF_FFFF, 0x7FFF_FFFF
"""protoc's `max`. Messages of a message set have the same limit as enums."""

_TYPES = {number: name.removeprefix("TYPE_").lower() for name, number in pb.FieldDescriptorProto.Type.items()}
_GROUP, _STRING, _BYTES = pb.FieldDescriptorProto.TYPE_GROUP, pb.FieldDescriptorProto.TYPE_STRING, pb.FieldDescriptorProto.TYPE_BYTES
_LABELS = {
    pb.FieldDescriptorProto.LABEL_OPTIONAL: "optional ",
    pb.FieldDescriptorProto.LABEL_REQUIRED: "required ",
    pb.FieldDescriptorProto.LABEL_REPEATED: "repeated ",
}
_VISIBILITIES = {1: "local ", 2: "export "}


def proto_source(file: pb.FileDescriptorProto) -> str:
    """Return source that protoc compiles to the same descriptor. It has the custom options that the class of `file` knows:
    Catalog.file_with_options knows all options of the tree."""
    return "\n".join(_Printer(file).lines()) + "\n"


class _Printer:
    def __init__(self, file: pb.FileDescriptorProto) -> None:
        self.file = file
        self.labelled = file.syntax in ("", "proto2")

    def lines(self) -> Iterator[str]:
        file = self.file
        if file.syntax == "editions":
            yield f'edition = "{pb.Edition.Name(file.edition).removeprefix("EDITION_")}";'
        else:
            yield f'syntax = "{file.syntax or "proto2"}";'
        if file.package:
            yield f"package {file.package};"
        for number, name in enumerate(file.dependency):
            how = "public " if number in file.public_dependency else "weak " if number in file.weak_dependency else ""
            yield f"import {how}{json.dumps(name)};"
        for name in getattr(file, "option_dependency", ()):  # of edition 2024
            yield f"import option {json.dumps(name)};"
        yield from _statements(file.options)
        yield from self._services(file.service)
        groups = {field.type_name for field in file.extension if field.type == _GROUP}
        prefix = f".{file.package}." if file.package else "."
        yield from self._messages(message for message in file.message_type if prefix + message.name not in groups)
        for enum in file.enum_type:
            yield from _enum(enum)
        yield from self._extensions(file.extension, file.message_type)

    def _services(self, services: Iterable[pb.ServiceDescriptorProto]) -> Iterator[str]:
        for service in services:
            yield f"\nservice {service.name} {{"
            yield from _indented(_statements(service.options))
            for method in service.method:
                asks, answers = ("stream " * streams for streams in (method.client_streaming, method.server_streaming))
                head = f"  rpc {method.name}({asks}{method.input_type}) returns ({answers}{method.output_type})"
                options = list(_statements(method.options))
                yield f"{head} {{ {' '.join(options)} }}" if options else f"{head};"
            yield "}"

    def _messages(self, messages: Iterable[pb.DescriptorProto]) -> Iterator[str]:
        for message in messages:
            if not message.options.map_entry:
                yield f"\n{_visibility(message)}message {message.name} {{"
                yield from _indented(self._body(message))
                yield "}"

    def _body(self, message: pb.DescriptorProto) -> Iterator[str]:
        groups = {field.type_name.rpartition(".")[2] for field in (*message.field, *message.extension) if field.type == _GROUP}
        yield from _statements(message.options)
        yield from self._fields(message)
        yield from self._messages(nested for nested in message.nested_type if nested.name not in groups)
        for enum in message.enum_type:
            yield from _enum(enum)
        for extensions in message.extension_range:
            yield f"extensions {_range(extensions.start, extensions.end - 1)}{_options(extensions.options)};"
        for reserved in message.reserved_range:
            yield f"reserved {_range(reserved.start, reserved.end - 1)};"
        yield from self._reserved_names(message.reserved_name)
        yield from self._extensions(message.extension, message.nested_type)

    def _reserved_names(self, names: Sequence[str]) -> Iterator[str]:
        for name in names:
            bare = self.file.syntax == "editions" and name.isidentifier()
            yield f"reserved {name if bare else json.dumps(name)};"

    def _fields(self, message: pb.DescriptorProto) -> Iterator[str]:
        open_oneof = None
        for field in message.field:
            oneof = field.oneof_index if field.HasField("oneof_index") and not field.proto3_optional else None
            if open_oneof not in (None, oneof):
                yield "}"
            if oneof is not None and oneof != open_oneof:
                yield f"oneof {message.oneof_decl[oneof].name} {{"
                yield from _indented(_statements(message.oneof_decl[oneof].options))
            open_oneof = oneof
            lines = self._field(field, message.nested_type, in_oneof=oneof is not None)
            yield from lines if oneof is None else _indented(lines)
        if open_oneof is not None:
            yield "}"

    def _field(self, field: pb.FieldDescriptorProto, nested: Iterable[pb.DescriptorProto], *, in_oneof: bool) -> Iterator[str]:
        inner = next((message for message in nested if field.type_name.endswith(f".{message.name}")), None)
        end = f" = {field.number}{_options(field.options, *_own_options(field))}"
        if inner is not None and inner.options.map_entry:
            key, value = inner.field
            yield f"map<{_type(key)}, {_type(value)}> {field.name}{end};"
        elif field.type == _GROUP and inner is not None:
            yield f"{self._label(field, in_oneof)}group {inner.name}{end} {{"
            yield from _indented(self._body(inner))
            yield "}"
        else:
            yield f"{self._label(field, in_oneof)}{_type(field)} {field.name}{end};"

    def _label(self, field: pb.FieldDescriptorProto, in_oneof: bool) -> str:
        repeated = field.label == pb.FieldDescriptorProto.LABEL_REPEATED
        return _LABELS[field.label] if not in_oneof and (repeated or self.labelled or field.proto3_optional) else ""

    def _extensions(self, fields: Iterable[pb.FieldDescriptorProto], nested: Iterable[pb.DescriptorProto]) -> Iterator[str]:
        for field in fields:
            yield f"\nextend {field.extendee} {{"
            yield from _indented(self._field(field, nested, in_oneof=False))
            yield "}"


def _enum(enum: pb.EnumDescriptorProto) -> Iterator[str]:
    yield f"\n{_visibility(enum)}enum {enum.name} {{"
    yield from _indented(_statements(enum.options))
    for value in enum.value:
        yield f"  {value.name} = {value.number}{_options(value.options)};"
    for reserved in enum.reserved_range:
        yield f"  reserved {_range(reserved.start, reserved.end)};"
    for name in enum.reserved_name:
        yield f"  reserved {json.dumps(name)};"
    yield "}"


def _visibility(declared: Any) -> str:
    """Return edition 2024's keyword, which protobuf before 32 does not know."""
    return _VISIBILITIES.get(getattr(declared, "visibility", 0), "")


def _type(field: pb.FieldDescriptorProto) -> str:
    return field.type_name or _TYPES[field.type]


def _range(start: int, end: int) -> str:
    last = "max" if end in (MOST_FIELD_NUMBER, MOST_ENUM_NUMBER, MOST_ENUM_NUMBER - 1) else str(end)
    return f"{start}" if start == end else f"{start} to {last}"


def _own_options(field: pb.FieldDescriptorProto) -> Iterator[str]:
    """Yield the options that are options in source only, and fields of their own in a descriptor."""
    if field.HasField("default_value"):
        value = field.default_value
        if field.type == _STRING:
            value = f'"{_escaped(value)}"'
        elif field.type == _BYTES:
            value = f'"{_escaped(text_encoding.CUnescape(value))}"'
        yield f"default = {value}"
    if field.json_name not in ("", _json_name(field.name)):
        yield f"json_name = {json.dumps(field.json_name)}"


def _escaped(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in data)


def _json_name(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def _options(options: Message, *others: str) -> str:
    texts = [*others, *(f"{name} = {value}" for name, value in _set_options(options))]
    return f" [{', '.join(texts)}]" if texts else ""


def _statements(options: Message) -> Iterator[str]:
    for name, value in _set_options(options):
        yield f"option {name} = {value};"


def _set_options(options: Message, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name and value of each option."""
    for field, value in options.ListFields():
        if field.name in ("map_entry", "uninterpreted_option") and not field.is_extension:
            continue
        name = f"{prefix}(.{field.full_name})" if field.is_extension else prefix + field.name
        for element in value if field.is_repeated else (value,):
            if field.message_type is None:
                yield name, _value(field, element)
            elif field.is_repeated or field.is_extension:
                yield name, f"{{ {one_line(element)} }}"
            else:
                yield from _set_options(element, f"{name}.")


def _value(field: FieldDescriptor, value: Any) -> str:
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[value].name)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{_escaped(value)}"' if isinstance(value, str | bytes) else str(value)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield "\n" + "  " + line[1:] if line.startswith("\n") else "  " + line
