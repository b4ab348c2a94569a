"""What a version declares, and how an element of it reads on one line: `optional int64 total = 3`, `rpc Say (p.A) returns (p.B)`.

Such a text is made of what protobuf resolved, not of what was typed: it is equal wherever the definition is, whatever the
syntax or edition, and so a break can be recognised by what it changes from and to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from google.protobuf.descriptor import Descriptor, EnumDescriptor, EnumValueDescriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.json_names import true_json_name, true_oneof_name

_TYPES = {
    getattr(FieldDescriptor, f"TYPE_{name.upper()}"): name
    for name in "double float int64 uint64 int32 fixed64 fixed32 bool string bytes uint32 sfixed32 sfixed64 sint32 sint64".split()
}


DIGITS = 12
"""Hexadecimal ones of a digest: two definitions of one message that are told apart by nobody's mistake."""


class Definitions:
    """All that the files of a catalog declare, imported ones too, by full name."""

    def __init__(self, catalog: Catalog) -> None:
        self.messages: dict[str, Descriptor] = {}
        self.enums: dict[str, EnumDescriptor] = {}
        self.services: dict[str, ServiceDescriptor] = {}
        self.extensions: dict[str, FieldDescriptor] = {}
        for file in catalog.file_descriptors:
            self.services |= {one.full_name: one for one in file.services_by_name.values()}
            self.enums |= {one.full_name: one for one in file.enum_types_by_name.values()}
            self.extensions |= {one.full_name: one for one in file.extensions_by_name.values()}
            self._add(file.message_types_by_name.values())

    def _add(self, messages: Iterable[Descriptor]) -> None:
        for message in messages:
            self.messages[message.full_name] = message
            self.enums |= {one.full_name: one for one in message.enum_types}
            self.extensions |= {one.full_name: one for one in message.extensions}
            self._add(message.nested_types)

    def text(self, element: str) -> str:
        """The definition of an element, on one line; empty for a file, and for what is not declared."""
        if "[" in element:
            extension = self.extensions.get(element.partition("[")[2].partition("]")[0])
            extended = extension.containing_type if extension else None
            return f"extend {extended.full_name}: {_field(extension)}" if extension and extended else ""
        if "/" in element:
            return self._at_method(element)
        return self._type(element) or self._member(element)

    def declares(self, name: str) -> bool:
        """Whether it is the full name of a message, an enum or a service."""
        return name in self.messages or name in self.enums or name in self.services

    def enum_of(self, element: str) -> str:
        """The full name of the enum that a message's field has, or a map's values; empty for any other element."""
        field = self._values_of(element)
        return str(field.enum_type.full_name) if field is not None and field.enum_type is not None else ""

    def message_of(self, element: str) -> str:
        """The same of a message type."""
        field = self._values_of(element)
        return str(field.message_type.full_name) if field is not None and field.message_type is not None else ""

    def _values_of(self, element: str) -> FieldDescriptor | None:
        scope, _, name = element.rpartition(".")
        field = self.messages[scope].fields_by_name.get(name) if scope in self.messages else None
        entry = field.message_type if field is not None and _is_map(field) else None
        return entry.fields_by_name["value"] if entry is not None else field

    def _type(self, name: str) -> str:
        if message := self.messages.get(name):
            return _message(message)
        if enum := self.enums.get(name):
            return _enum(enum)
        return f"service {name}" if name in self.services else ""

    def _member(self, element: str) -> str:
        """A field, a oneof or an enum's value; or a field at the end of a way through others (`p.Holder.field.inner`)."""
        scope, _, name = element.rpartition(".")
        if enum := self.enums.get(scope):
            return _value(enum.values_by_name.get(name))
        words = element.split(".")
        for length in range(len(words) - 1, 0, -1):
            if message := self.messages.get(".".join(words[:length])):
                return _along(message, words[length:])
        return ""

    def _at_method(self, element: str) -> str:
        """An RPC, or a field at the end of a way that begins at its request or response (`p.S/Say request.field`)."""
        path, _, way = element.partition(" ")
        service, _, name = path.rpartition("/")
        method = self.services[service].methods_by_name.get(name) if service in self.services else None
        if method is None:
            return ""
        role, _, fields = way.partition(".")
        message = {"request": method.input_type, "response": method.output_type}.get(role)
        if message is None:
            return _method(method)
        return _along(message, fields.split(".")) if fields else _message(message)


def _message(message: Descriptor) -> str:
    """With a digest of all that it holds, as far down as it reaches: a message may break by what one of its parts became."""
    reached: dict[str, None] = {message.full_name: None}
    queue = [message]
    lines: set[str] = set()
    for one in queue:
        for field in one.fields:
            lines.add(f"{one.full_name} {_field(field)}")
            held = field.message_type
            if held is not None and held.full_name not in reached:
                reached[held.full_name] = None
                queue.append(held)
            if field.enum_type is not None:
                lines |= {_enum(field.enum_type), *(f"{field.enum_type.full_name} {_value(value)}" for value in field.enum_type.values)}
    digest = hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()
    return f"message {message.full_name} ({digest[:DIGITS]})"


def _enum(enum: EnumDescriptor) -> str:
    return f"{'closed' if enum.is_closed else 'open'} enum {enum.full_name}"


def _along(message: Descriptor | None, way: Sequence[str]) -> str:
    """The field or oneof at the end of a way of names."""
    for place, name in enumerate(way, 1):
        field = message.fields_by_name.get(name) if message else None
        if place == len(way):
            return _field(field) if field else _oneof(message, name) if message else ""
        message = _held(field) if field else None
    return ""


def _held(field: FieldDescriptor) -> Descriptor | None:
    """The message type of a field, or of a map's values."""
    held: Descriptor | None = field.message_type
    return _held(held.fields_by_name["value"]) if held is not None and held.GetOptions().map_entry else held


def _field(field: FieldDescriptor) -> str:
    # A proto3 `optional` is a oneof of one arm, made by protoc: as good as none.
    oneof = field.containing_oneof if field.containing_oneof and len(field.containing_oneof.fields) > 1 else None
    told = f"{_cardinality(field, alone=oneof is None)}{_type(field)} {field.name} = {field.number}"
    json_name = true_json_name(field.json_name, field.number)
    options = [f'json_name = "{json_name}"'] if not field.is_extension and json_name != field.name else []
    if field.has_default_value:
        options.append(f"default = {_default(field)}")
    if field.is_repeated and field.type in _TYPES and field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
        options.append(f"packed = {str(field.is_packed).lower()}")
    return told + (f" [{', '.join(options)}]" if options else "") + (f" in oneof {true_oneof_name(oneof.name)}" if oneof else "")


def _cardinality(field: FieldDescriptor, *, alone: bool) -> str:
    if field.is_repeated:
        return "" if _is_map(field) else "repeated "
    if field.is_required:
        return "required "
    explicit = field.has_presence and field.message_type is None and alone
    return "optional " if explicit else ""


def _type(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        if _is_map(field):
            return "map<{}, {}>".format(*(_type(field.message_type.fields_by_name[name]) for name in ("key", "value")))
        group = "group " if field.type == FieldDescriptor.TYPE_GROUP else ""
        return f"{group}{field.message_type.full_name}"
    return str(field.enum_type.full_name) if field.enum_type is not None else _TYPES[field.type]


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _default(field: FieldDescriptor) -> str:
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[field.default_value].name)
    return repr(field.default_value)


def _oneof(message: Descriptor, name: str) -> str:
    oneof = next((one for one in message.oneofs if true_oneof_name(one.name) == name), None)
    return f"oneof {name} {{ {', '.join(field.name for field in oneof.fields)} }}" if oneof else ""


def _value(value: EnumValueDescriptor | None) -> str:
    return f"{value.name} = {value.number}" if value else ""


def _method(method: MethodDescriptor) -> str:
    sides = [
        f"({'stream ' if streams else ''}{message.full_name})"
        for streams, message in ((method.client_streaming, method.input_type), (method.server_streaming, method.output_type))
    ]
    return f"rpc {method.name} {sides[0]} returns {sides[1]}"
