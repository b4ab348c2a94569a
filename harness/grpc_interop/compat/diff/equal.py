"""Values of fields of different types, compared mathematically: 5 is 5 as an integer, an enum's number or a double, a text
equals its bytes, a map equals its entries."""

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
"""Messages that ProtoJSON writes as the value in them."""

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
    """Return whether two types are compared as wholes: they differ, and ProtoJSON has a special form for either. The fields of a
    well-known type are never edited; but two wrappers differ in the type that they wrap."""
    if base.name == head.name or {base.name, head.name} <= WRAPPERS:
        return False
    return bool(base.special or head.special)


class TypedValue(NamedTuple):
    """A value of a field, and the field that gives it its type."""

    field: FieldShape
    value: SingleValue


def typed_values(field: FieldShape, value: Value | None) -> list[TypedValue]:
    """Return the values of a field other than a map, in order: a singular field has a single value, an unset field none."""
    if value is None:
        return []
    assert not isinstance(value, dict)
    return [TypedValue(field, item) for item in (value if isinstance(value, list) else [value])]


def entries(field: FieldShape, value: Value | None) -> list[tuple[TypedValue, TypedValue | None]]:
    """Return the entries of a map, or of a list of messages that stands for a map: key and value. The value is None where the
    message type declares none. A key or value that is left out is zero."""
    if value is None:
        return []
    if field.key is not None and field.mapped is not None:
        assert isinstance(value, dict)
        return [(TypedValue(field.key, key), TypedValue(field.mapped, item)) for key, item in value.items()]
    key, mapped = (field.message.fields.get(number) for number in (1, 2))
    if key is None:
        return []
    messages = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, Meaning)]
    return [(_member(message, key), _member(message, mapped) if mapped else None) for message in messages]


def _member(message: Meaning, field: FieldShape) -> TypedValue:
    value = message.fields.get(field.number)
    if value is None or isinstance(value, list | dict):
        value = b"" if field.type in TEXTS else 0 if field.inner is None else Meaning({}, [])
    return TypedValue(field, value)


def can_be_map(field: FieldShape) -> bool:
    """Return whether a field is a map, or a list of messages that have keys."""
    return field.mapped is not None or (field.inner is not None and 1 in field.inner.fields)


def bare(typed: TypedValue) -> TypedValue:
    """Return the value in a wrapper or a Value, as JSON has it; any other value itself."""
    value = typed.value
    if isinstance(value, Meaning):
        shape = typed.field.message
        if shape.special in WRAPPERS:
            return _member(value, shape.fields[1])
        if shape.special == "google.protobuf.Value" and value.fields:
            return _member(value, shape.fields[next(iter(value.fields))])
    return typed


def alike(sent: TypedValue, received: TypedValue) -> bool:
    """Return whether two values, not both messages, are the same."""
    if isinstance(sent.value, Meaning) or isinstance(received.value, Meaning):
        return _message_alike(sent, received)
    if isinstance(sent.value, bytes) or isinstance(received.value, bytes) or sent.field.type == received.field.type:
        return sent.value == received.value
    before, after = number(sent.field, sent.value), number(received.field, received.value)
    return _same_float(before, after) if is_float(sent.field) and is_float(received.field) else before == after


def is_zero(typed: TypedValue) -> bool:
    """Return whether a field without presence does not write the value; for a wrapper, whether it holds such a value."""
    if isinstance(typed.value, Meaning):
        return typed.field.message.special in WRAPPERS and not typed.value.fields
    return not typed.value


def number(field: FieldShape, value: int) -> int | float:
    """Return the value of a field as a number; a float or double is given as its bits."""
    if field.type == Field.TYPE_FLOAT:
        return float(struct.unpack("<f", value.to_bytes(8, "little")[:4])[0])
    if field.type == Field.TYPE_DOUBLE:
        return float(struct.unpack("<d", value.to_bytes(8, "little"))[0])
    return value


def _same_float(sent: float, received: float) -> bool:
    if math.isnan(sent) or math.isnan(received):
        return math.isnan(sent) and math.isnan(received)
    return sent == received and math.copysign(1, sent) == math.copysign(1, received)


def _message_alike(sent: TypedValue, received: TypedValue) -> bool:
    """Return whether a message equals the other value: a wrapper equals the value in it, as in JSON; in a field of bytes a message
    equals its encoding."""
    for message, other in ((sent, received), (received, sent)):
        if not isinstance(message.value, Meaning) or isinstance(other.value, Meaning):
            continue
        shape = message.field.message
        if shape.special in WRAPPERS and alike(_member(message.value, shape.fields[1]), other):
            return True
        if other.field.type == Field.TYPE_BYTES and isinstance(other.value, bytes):
            try:
                return meaning(shape, other.value) == message.value
            except NotWireError:
                return False
    return False


def is_number(field: FieldShape) -> bool:
    """Return whether values of a field are numbers, as an enum's and a bool's are."""
    return field.inner is None and field.type not in TEXTS


def is_float(field: FieldShape) -> bool:
    return field.type in FLOATING


@lru_cache(maxsize=4096)
def pair_types(base: Shape, head: Shape, name: str) -> TypePair:
    """Return the pair of two types that meet although the schemas do not match them: in an Any, or both in one version."""
    return pair_fields(base, head, name)
