"""The definition of each element on one line: `optional int64 total = 3`, `rpc Say (p.A) returns (p.B)`.

Such a text is made from protobuf's descriptors, not from the source: it is equal wherever the definition is, in any syntax or
edition, and so a break can be recognised by its definitions before and after.
"""

import hashlib
from collections.abc import Iterable, Sequence

from google.protobuf.descriptor import Descriptor, EnumDescriptor, EnumValueDescriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.json_names import true_json_name, true_oneof_name

TYPE_NAMES = {
    getattr(FieldDescriptor, f"TYPE_{name.upper()}"): name
    for name in "double float int64 uint64 int32 fixed64 fixed32 bool string bytes uint32 sfixed32 sfixed64 sint32 sint64".split()
}

DIGITS = 12
"""Hexadecimal digits of a digest: enough that two definitions of a message never share them by accident."""


class Definitions:
    """All elements that the files of a catalog declare, imported files included, by full name."""

    def __init__(self, catalog: Catalog) -> None:
        self.messages: dict[str, Descriptor] = {}
        self.enums: dict[str, EnumDescriptor] = {}
        self.services: dict[str, ServiceDescriptor] = {}
        self.extensions: dict[str, FieldDescriptor] = {}
        for file in catalog.file_descriptors:
            self.services |= {element.full_name: element for element in file.services_by_name.values()}
            self.enums |= {element.full_name: element for element in file.enum_types_by_name.values()}
            self.extensions |= {element.full_name: element for element in file.extensions_by_name.values()}
            self._add(file.message_types_by_name.values())

    def _add(self, messages: Iterable[Descriptor]) -> None:
        for message in messages:
            self.messages[message.full_name] = message
            self.enums |= {element.full_name: element for element in message.enum_types}
            self.extensions |= {element.full_name: element for element in message.extensions}
            self._add(message.nested_types)

    def text(self, element: str) -> str:
        """Return the definition of an element on one line; empty for a file, and for an element that is not declared."""
        if "[" in element:
            extension = self.extensions.get(element.partition("[")[2].partition("]")[0])
            extended = extension.containing_type if extension else None
            return f"extend {extended.full_name}: {_field(extension)}" if extension and extended else ""
        if "/" in element:
            return self._at_method(element)
        return self._type(element) or self._member(element)

    def declares(self, name: str) -> bool:
        """Return whether a message, an enum or a service has this full name."""
        return name in self.messages or name in self.enums or name in self.services

    def enum_of(self, element: str) -> str:
        """Return the full name of the enum of a message's field, or of a map's values; empty for any other element."""
        field = self._values_of(element)
        return str(field.enum_type.full_name) if field is not None and field.enum_type is not None else ""

    def message_of(self, element: str) -> str:
        """Return the full name of the message type likewise."""
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
        """Return a field, a oneof or an enum's value; or a field at the end of a path of fields (`p.Holder.field.inner`)."""
        scope, _, name = element.rpartition(".")
        if enum := self.enums.get(scope):
            return _value(enum.values_by_name.get(name))
        words = element.split(".")
        for length in range(len(words) - 1, 0, -1):
            if message := self.messages.get(".".join(words[:length])):
                return _along(message, words[length:])
        return ""

    def _at_method(self, element: str) -> str:
        """Return an RPC, or a field at the end of a path that begins at its request or response (`p.S/Say request.field`)."""
        rpc, _, path = element.partition(" ")
        service, _, name = rpc.rpartition("/")
        method = self.services[service].methods_by_name.get(name) if service in self.services else None
        if method is None:
            return ""
        role, _, fields = path.partition(".")
        message = {"request": method.input_type, "response": method.output_type}.get(role)
        if message is None:
            return _method(method)
        return _along(message, fields.split(".")) if fields else _message(message)


def _message(message: Descriptor) -> str:
    """Return the text with a digest of all types that the message reaches: a change in any of them may break it."""
    reached: dict[str, None] = {message.full_name: None}
    queue = [message]
    lines: set[str] = set()
    for holder in queue:
        for field in holder.fields:
            lines.add(f"{holder.full_name} {_field(field)}")
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


def _along(message: Descriptor | None, path: Sequence[str]) -> str:
    """Return the field or oneof at the end of a path of names."""
    for length, name in enumerate(path, 1):
        field = message.fields_by_name.get(name) if message else None
        if length == len(path):
            return _field(field) if field else _oneof(message, name) if message else ""
        message = _held(field) if field else None
    return ""


def _held(field: FieldDescriptor) -> Descriptor | None:
    """Return the message type of a field, or of a map's values."""
    held: Descriptor | None = field.message_type
    return _held(held.fields_by_name["value"]) if held is not None and held.GetOptions().map_entry else held


def _field(field: FieldDescriptor) -> str:
    # protoc makes a oneof of one member for a proto3 `optional`: it is as good as none.
    oneof = field.containing_oneof if field.containing_oneof and len(field.containing_oneof.fields) > 1 else None
    text = f"{_cardinality(field, alone=oneof is None)}{_type(field)} {field.name} = {field.number}"
    json_name = true_json_name(field.json_name, field.number)
    options = [f'json_name = "{json_name}"'] if not field.is_extension and json_name != field.name else []
    if field.has_default_value:
        options.append(f"default = {_default(field)}")
    if field.is_repeated and field.type in TYPE_NAMES and field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
        options.append(f"packed = {str(field.is_packed).lower()}")
    return text + (f" [{', '.join(options)}]" if options else "") + (f" in oneof {true_oneof_name(oneof.name)}" if oneof else "")


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
    return str(field.enum_type.full_name) if field.enum_type is not None else TYPE_NAMES[field.type]


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _default(field: FieldDescriptor) -> str:
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[field.default_value].name)
    return repr(field.default_value)


def _oneof(message: Descriptor, name: str) -> str:
    oneof = next((declared for declared in message.oneofs if true_oneof_name(declared.name) == name), None)
    return f"oneof {name} {{ {', '.join(field.name for field in oneof.fields)} }}" if oneof else ""


def _value(value: EnumValueDescriptor | None) -> str:
    return f"{value.name} = {value.number}" if value else ""


def _method(method: MethodDescriptor) -> str:
    sides = [
        f"({'stream ' if streams else ''}{message.full_name})"
        for streams, message in ((method.client_streaming, method.input_type), (method.server_streaming, method.output_type))
    ]
    return f"rpc {method.name} {sides[0]} returns {sides[1]}"
