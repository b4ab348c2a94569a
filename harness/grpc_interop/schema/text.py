"""Messages as bytes and as text, whatever the names of their fields: a field named `SerializeToString` hides the method, so all
methods are taken from the base class."""

import struct
from collections.abc import Iterator
from typing import Any

from google.protobuf import empty_pb2, text_encoding
from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

_METHODS: Any = type(empty_pb2.Empty()).__mro__[1]
"""The base class of all generated classes, which implements their methods."""


def parse(kind: type[Message], data: bytes) -> Message:
    """Parse a message. Raise google.protobuf.message.DecodeError."""
    message = kind()
    _METHODS.MergeFromString(message, data)
    return message


def serialise(message: Message) -> bytes:
    """Return the bytes of a message: fields by number, map entries by key."""
    data: bytes = _METHODS.SerializePartialToString(message, deterministic=True)
    return data


def set_fields(message: Message) -> list[tuple[Field, Any]]:
    """Return the fields that are set, or without presence not zero, with their values."""
    fields: list[tuple[Field, Any]] = _METHODS.ListFields(message)
    return fields


def unknown_fields(message: Message) -> Iterator[tuple[int, Any]]:
    """Return the numbers and values of fields that the message's type does not declare."""
    fields: Any = UnknownFieldSet(message)
    return ((field.field_number, field.data) for field in fields)


def one_line(message: Message) -> str:
    """Return the message in text format (protobuf.dev/reference/protobuf/textformat-spec); unknown fields by number."""
    parts = []
    for field, value in set_fields(message):
        group = field.message_type if field.type == Field.TYPE_GROUP else None
        name = f"[{field.full_name}]" if field.is_extension else group.name if group else field.name
        parts += [f"{name}{text}" for text in _values(field, value)]
    parts += [f"{number}: {_unknown(value)}" for number, value in unknown_fields(message)]
    return " ".join(parts)


def _values(field: Field, value: Any) -> Iterator[str]:
    """Yield the text after the field's name, for each of its values."""
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        key_field, value_field = inner.fields_by_name["key"], inner.fields_by_name["value"]
        for key in sorted(value, key=lambda key: key.encode() if isinstance(key, str) else key):
            # protobuf hands out a key that is not UTF-8, which proto2 permits, as bytes, and finds no value by these.
            shown = "..." if isinstance(key, bytes) else f"value{_element(value_field, value[key])}"
            yield f" {{ key{_element(key_field, key)} {shown} }}"
    elif field.is_repeated:
        for element in value:
            yield _element(field, element)
    else:
        yield _element(field, value)


def _element(field: Field, value: Any) -> str:
    if field.message_type is not None:
        inside = one_line(value)
        return f" {{ {inside} }}" if inside else " { }"
    return f": {_scalar(field, value)}"


def _scalar(field: Field, value: Any) -> str:
    if field.type == Field.TYPE_STRING:
        return f'"{text_encoding.CEscape(value, as_utf8=True)}"'
    if field.type == Field.TYPE_BYTES:
        return f'"{text_encoding.CEscape(value, as_utf8=False)}"'
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else str(value)
    if field.type == Field.TYPE_FLOAT:
        return _shortest_float(value)
    return str(value).lower()


def _shortest_float(value: float) -> str:
    """Return the fewest digits that give the same 32-bit float."""
    digits = (f"{value:.{count}g}" for count in range(6, 9))
    return next((text for text in digits if struct.pack("<f", float(text)) == struct.pack("<f", value)), f"{value:.9g}")


def _unknown(value: Any) -> str:
    return f'"{text_encoding.CEscape(value, as_utf8=False)}"' if isinstance(value, bytes) else str(value)
