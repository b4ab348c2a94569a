"""Values of fields of different types, compared as mathematics: 5 is 5 as an integer, an enum's number or a double, a text
is its bytes, a map is its entries."""

from __future__ import annotations

import math
import struct
from functools import lru_cache
from typing import NamedTuple

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.compat.diff.match_fields import TypePair, pair_fields
from grpc_interop.wire.meaning import Meaning, SingleValue, Value, meaning
from grpc_interop.wire.records import NotWireError
from grpc_interop.wire.shapes import FLOATING, TEXTS, FieldShape, Shape

WRAPPERS = frozenset(f"google.protobuf.{name}Value" for name in "Double Float Int64 UInt64 Int32 UInt32 Bool String Bytes".split())
"""Messages that ProtoJSON writes as the one value that they hold."""

INTEGER_RANGES = {
    Field.TYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    Field.TYPE_SINT32: (-(1 << 31), (1 << 31) - 1),
    Field.TYPE_SFIXED32: (-(1 << 31), (1 << 31) - 1),
    Field.TYPE_ENUM: (-(1 << 31), (1 << 31) - 1),
    Field.TYPE_UINT32: (0, (1 << 32) - 1),
    Field.TYPE_FIXED32: (0, (1 << 32) - 1),
    Field.TYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    Field.TYPE_SINT64: (-(1 << 63), (1 << 63) - 1),
    Field.TYPE_SFIXED64: (-(1 << 63), (1 << 63) - 1),
    Field.TYPE_UINT64: (0, (1 << 64) - 1),
    Field.TYPE_FIXED64: (0, (1 << 64) - 1),
    Field.TYPE_BOOL: (0, 1),
}
"""The least and the greatest number of each integer type."""


def whole(base: Shape, head: Shape) -> bool:
    """Return whether two types are compared as wholes: one was exchanged for another, and ProtoJSON has a form of its own for one
    of them. What is within a well-known type is nobody's edit; but two wrappers differ in the type that they wrap."""
    if base.name == head.name or {base.name, head.name} <= WRAPPERS:
        return False
    return bool(base.special or head.special)


class TypedValue(NamedTuple):
    """One of the values of a field: the type that it has, and the value."""

    field: FieldShape
    value: SingleValue


def typed_values(field: FieldShape, value: Value | None) -> list[TypedValue]:
    """The values of a field that is no map, in order: one of a singular field, none where it is not set."""
    if value is None:
        return []
    assert not isinstance(value, dict)
    return [TypedValue(field, one) for one in (value if isinstance(value, list) else [value])]


def entries(field: FieldShape, value: Value | None) -> list[tuple[TypedValue, TypedValue | None]]:
    """The entries of a map, or of a list of messages that stands for one: key and value, the value None where the message
    type declares none. A key or value that is left out is zero."""
    if value is None:
        return []
    if field.key is not None and field.mapped is not None:
        assert isinstance(value, dict)
        return [(TypedValue(field.key, key), TypedValue(field.mapped, one)) for key, one in value.items()]
    key, mapped = (field.message.fields.get(number) for number in (1, 2))
    if key is None:
        return []
    found = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Meaning)]
    return [(_part(one, key), _part(one, mapped) if mapped else None) for one in found]


def _part(message: Meaning, field: FieldShape) -> TypedValue:
    value = message.fields.get(field.number)
    if value is None or isinstance(value, list | dict):
        value = b"" if field.type in TEXTS else 0 if field.inner is None else Meaning({}, [])
    return TypedValue(field, value)


def can_be_map(field: FieldShape) -> bool:
    """Whether it is one, or a list of messages that has keys."""
    return field.mapped is not None or (field.inner is not None and 1 in field.inner.fields)


def bare(part: TypedValue) -> TypedValue:
    """Return the value that a wrapper or a Value holds, as JSON has it; any other value itself."""
    value = part.value
    if isinstance(value, Meaning):
        shape = part.field.message
        if shape.special in WRAPPERS:
            return _part(value, shape.fields[1])
        if shape.special == "google.protobuf.Value" and value.fields:
            return _part(value, shape.fields[next(iter(value.fields))])
    return part


def alike(sent: TypedValue, received: TypedValue) -> bool:
    """Whether two values, not both messages, are the same."""
    mine, theirs = sent.value, received.value
    if isinstance(mine, Meaning) or isinstance(theirs, Meaning):
        return _message_alike(sent, received)
    if isinstance(mine, bytes) or isinstance(theirs, bytes):
        return mine == theirs
    if sent.field.type == received.field.type:
        return mine == theirs
    before, after = number(sent.field, mine), number(received.field, theirs)
    return _same_float(before, after) if is_float(sent.field) and is_float(received.field) else before == after


def is_zero(part: TypedValue) -> bool:
    """Whether it is what a field without presence does not write; of a wrapper, whether it holds that."""
    if isinstance(part.value, Meaning):
        return part.field.message.special in WRAPPERS and not part.value.fields
    return not part.value


def number(field: FieldShape, value: int) -> int | float:
    """The number that the value of a field is: of a float or double that of its bits."""
    if field.type == Field.TYPE_FLOAT:
        return float(struct.unpack("<f", value.to_bytes(8, "little")[:4])[0])
    if field.type == Field.TYPE_DOUBLE:
        return float(struct.unpack("<d", value.to_bytes(8, "little"))[0])
    return value


def _same_float(mine: float, theirs: float) -> bool:
    if math.isnan(mine) or math.isnan(theirs):
        return math.isnan(mine) and math.isnan(theirs)
    return mine == theirs and math.copysign(1, mine) == math.copysign(1, theirs)


def _message_alike(sent: TypedValue, received: TypedValue) -> bool:
    """A message is what it wraps, as JSON has it; and in a field of bytes it is the bytes that encode it."""
    for message, other in ((sent, received), (received, sent)):
        if not isinstance(message.value, Meaning) or isinstance(other.value, Meaning):
            continue
        shape = message.field.message
        if shape.special in WRAPPERS and alike(_part(message.value, shape.fields[1]), other):
            return True
        if other.field.type == Field.TYPE_BYTES and isinstance(other.value, bytes):
            try:
                return meaning(shape, other.value) == message.value
            except NotWireError:
                return False
    return False


def is_number(field: FieldShape) -> bool:
    """Whether a value of it is a number: an enum's and a bool's too."""
    return field.inner is None and field.type not in TEXTS


def is_float(field: FieldShape) -> bool:
    return field.type in FLOATING


@lru_cache(maxsize=4096)
def pair_types(base: Shape, head: Shape, name: str) -> TypePair:
    """The pair of two types that meet where no place foresaw it: in an Any, or both in one version."""
    return pair_fields(base, head, name)
