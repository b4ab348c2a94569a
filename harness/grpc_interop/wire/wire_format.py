"""The protobuf wire format, written by hand, apart from the choices of a runtime. Fields are given by their descriptors."""

import struct

from google.protobuf.descriptor import FieldDescriptor as Field

VARINT, FIXED64, LENGTH, START_GROUP, END_GROUP, FIXED32 = range(6)
"""Wire types (protobuf.dev/programming-guides/encoding)."""

MAX_FIELD_NUMBER = (1 << 29) - 1

LONGEST_VARINT = 10
"""Bytes of the longest number: 64 bits, seven a byte."""

PythonScalar = int | float | bool | str | bytes

_ZIGZAG = {Field.TYPE_SINT32, Field.TYPE_SINT64}
_FORMATS = {
    Field.TYPE_FIXED32: "<I",
    Field.TYPE_SFIXED32: "<i",
    Field.TYPE_FLOAT: "<f",
    Field.TYPE_FIXED64: "<Q",
    Field.TYPE_SFIXED64: "<q",
    Field.TYPE_DOUBLE: "<d",
}


def varint(value: int) -> bytes:
    """Return a number in base 128; negative numbers as 64-bit two's complement."""
    if 0 <= value < 1 << 14:
        return _SHORT_VARINTS[value]
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SHORT_VARINTS = tuple(bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80, value >> 7]) for value in range(1 << 14))
"""All numbers of one and two bytes, ready-made: nearly all tags and lengths are among them."""


def tag(number: int, wire_type: int) -> bytes:
    return varint(number << 3 | wire_type)


def delimited(content: bytes) -> bytes:
    """Return the content after its length."""
    return varint(len(content)) + content


def wire_type(field: Field) -> int:
    """Return the wire type of a single value of the field, unpacked."""
    if field.type in _FORMATS:
        return FIXED32 if struct.calcsize(_FORMATS[field.type]) == 4 else FIXED64
    if field.type in (Field.TYPE_STRING, Field.TYPE_BYTES, Field.TYPE_MESSAGE):
        return LENGTH
    return START_GROUP if field.type == Field.TYPE_GROUP else VARINT


def scalar(field: Field, value: PythonScalar) -> bytes:
    """Return a value without its tag. Raise struct.error or TypeError for a value that the type cannot hold."""
    if field.type in _FORMATS:
        return struct.pack(_FORMATS[field.type], value)
    if isinstance(value, str):
        return delimited(value.encode())
    if isinstance(value, bytes):
        return delimited(value)
    number = int(value)
    if field.type in _ZIGZAG:
        number = number << 1 ^ number >> 63
    return varint(number)


def scalar_field(field: Field, value: PythonScalar) -> bytes:
    """Return the field with a single value, packed where its descriptor says so."""
    if field.is_packed:
        return tag(field.number, LENGTH) + delimited(scalar(field, value))
    return tag(field.number, wire_type(field)) + scalar(field, value)


def message_field(field: Field, content: bytes) -> bytes:
    """Return the field with a single message (or map entry)."""
    if field.type == Field.TYPE_GROUP:
        return tag(field.number, START_GROUP) + content + tag(field.number, END_GROUP)
    return tag(field.number, LENGTH) + delimited(content)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at `at`, and the position of its end. Raise ValueError when it is cut off."""
    value = shift = 0
    for end in range(at, len(data)):
        value |= (data[end] & 0x7F) << shift
        if data[end] < 0x80:
            return value & (1 << 64) - 1, end + 1
        shift += 7
    raise ValueError(f"a number that begins at byte {at} is cut off")
