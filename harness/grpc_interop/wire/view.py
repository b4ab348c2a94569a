"""A driver's view of a message (its content through the language's reflection) as a meaning."""

import struct
from functools import partial

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.core.transcript import View
from grpc_interop.wire.meaning import Meaning, SingleValue, Value, map_elements
from grpc_interop.wire.records import NotWireError, read
from grpc_interop.wire.shapes import FLOATING, FieldShape, Shape

NAN_32, NAN_64 = 0x7FC00000, 0x7FF8000000000000
"""The canonical NaNs: the payload that a program sees is the processor's choice, not the runtime's."""


class NotAViewError(ValueError):
    """The view does not fit its type; the text says why."""


def read_view(shape: Shape, view: View) -> Meaning:
    """Return the meaning of a view, with canonical NaNs. Raise NotAViewError."""
    fields = {}
    for number, values in view.fields.items():
        if number not in shape.fields:
            raise NotAViewError(f"it shows a field {number}, which {shape.name} does not declare")
        fields[number] = _value(shape.fields[number], values)
    try:
        return Meaning(fields, list(read(view.unknown)))
    except NotWireError as error:
        raise NotAViewError(f"its unknown fields of {shape.name} do not parse: {error}") from None


def _value(field: FieldShape, values: tuple[int | bytes | View, ...]) -> Value:
    if field.mapped is not None and field.key is not None:
        scalars = [_scalar(field.key if index % 2 == 0 else field.mapped, value) for index, value in enumerate(values)]
        keys: list[int | bytes] = [key for key in scalars[::2] if not isinstance(key, Meaning)]
        return dict(zip(keys, scalars[1::2], strict=True))
    if field.repeated:
        return [_scalar(field, value) for value in values]
    if len(values) != 1:
        raise NotAViewError(f"it shows {len(values)} values of the singular field {field.name}")
    return _scalar(field, values[0])


def _scalar(field: FieldShape, value: int | bytes | View) -> SingleValue:
    if isinstance(value, View):
        return read_view(field.message, value)
    if field.type == Field.TYPE_FLOAT and isinstance(value, int):
        return _float_bits(value)
    if field.type == Field.TYPE_DOUBLE and isinstance(value, int):
        return NAN_64 if is_nan(field, value) else value
    return value


def _float_bits(bits: int) -> int:
    """Return the 32 bits of the float that equals a double; otherwise the double's own bits, which equal no float's bits."""
    double = bits.to_bytes(8, "little")
    number = struct.unpack("<d", double)[0]
    if number != number:
        return NAN_32
    try:
        single = struct.pack("<f", number)
    except OverflowError:
        return bits
    exact = struct.pack("<d", struct.unpack("<f", single)[0]) == double
    return int.from_bytes(single, "little") if exact else bits


def is_nan(field: FieldShape, bits: int) -> bool:
    """Return whether the bits of a float or double are a NaN."""
    if field.type == Field.TYPE_FLOAT:
        return bits & 0x7FFFFFFF > 0x7F800000
    return bits & 0x7FFFFFFFFFFFFFFF > 0x7FF0000000000000


def canonical_nans(shape: Shape, message: Meaning) -> Meaning:
    """Return the message with canonical NaNs."""
    if not shape.floating:
        return message
    fields = {}
    for number, value in message.fields.items():
        field = shape.fields[number]
        fields[number] = map_elements(value, partial(_canonical_nan, field.mapped or field))
    return Meaning(fields, message.unknown)


def _canonical_nan(field: FieldShape, value: SingleValue) -> SingleValue:
    if isinstance(value, Meaning):
        return canonical_nans(field.message, value)
    if field.type in FLOATING and isinstance(value, int) and is_nan(field, value):
        return NAN_32 if field.type == Field.TYPE_FLOAT else NAN_64
    return value
