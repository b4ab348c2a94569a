"""Boundary values of each scalar type, which implementations have got wrong, or may: where an encoding changes its length,
where a type ends, and texts and bytes that some programs cannot hold."""

from functools import lru_cache

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.wire import wire_format
from grpc_interop.wire.shapes import FieldShape

FLT_MAX = 0x7F7FFFFF
"""As bits."""

_SIZES = {Field.TYPE_FLOAT: 4, Field.TYPE_DOUBLE: 8}

FLOATS = (
    0x3F800000,  # 1
    0xBF800000,  # -1
    0,
    0x3DCCCCCD,  # the nearest to 0.1
    0x4B800001,  # 16777218: 2^24 + 2, beside the first integer that is no float
    0x00000001,  # the least denormal
    0x007FFFFF,  # the greatest denormal
    0x00800000,  # the least normal
    0x7F800000,  # infinity
    0xFF800000,  # -infinity
    0x7FC00000,  # NaN
    0xFFC00123,  # a NaN with sign and payload
    0x7F7FFFFE,  # the greatest but FLT_MAX
)
"""As bits."""

DOUBLES = (
    0x3FF0000000000000,  # 1
    0xBFF0000000000000,  # -1
    0,
    0x3FB999999999999A,  # the nearest to 0.1
    0x4340000000000001,  # 2^53 + 2, beside the first integer that is no double
    0x0000000000000001,  # the least denormal
    0x000FFFFFFFFFFFFF,  # the greatest denormal
    0x0010000000000000,  # the least normal
    0x7FEFFFFFFFFFFFFF,  # DBL_MAX
    0x47EFFFFFE0000000,  # FLT_MAX as a double
    0x7FF0000000000000,  # infinity
    0xFFF0000000000000,  # -infinity
    0x7FF8000000000000,  # NaN
    0xFFF8000000000123,  # a NaN with sign and payload
)
"""As bits."""

STRINGS = (
    "x",
    "",
    "e\u0301 \u0301",  # combining marks, one of them on nothing
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0010ffff",  # beyond 16 bits: surrogate pairs in JSON
    "\0 \x01\x1f\x7f\x80\x9f",  # control characters
    '"\\/ \b\f\n\r\t </script> \u2028\u2029',  # characters that JSON or its embedding in pages escapes
    "\ufeff\ufffe\uffff\ufffd",  # byte-order mark and non-characters
    "a" * 127,
    "a" * 128,  # the first length of two bytes
    "\u05d0\u202e\u0661",  # right to left
    "1e5",
    "null",
)

BYTES = (b"x", b"", b"\0", b"\xff\xfe\x80", bytes(range(256)), b"ab", b"abc", b"?" * 127, b">" * 128)
"""Lengths with each padding of base64, and characters that its two alphabets write differently."""

UNKNOWN_NUMBERS = (-1, 123_456_789, -(1 << 31), (1 << 31) - 1)
"""Numbers that most enums do not declare."""


@lru_cache(maxsize=64)
def _integers(kind: int) -> tuple[int, ...]:
    signed = kind not in _UNSIGNED
    bits = 32 if kind in _OF_32_BITS else 64
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    # Zigzag doubles a number before it is cut into seven bits.
    shift = 1 if kind in (Field.TYPE_SINT32, Field.TYPE_SINT64) else 0
    values = [1, 0, -1, most, least, most - 1, least + 1]
    for exponent in range(7, bits + 1, 7):
        edge = 1 << exponent - shift
        values += [edge - 1, edge, -edge, -edge - 1] if shift else [edge - 1, edge]
    # Integers beyond what a double holds exactly, which ProtoJSON therefore writes as text.
    values += [(1 << 53) + 1, -(1 << 53) - 1]
    return tuple(dict.fromkeys(value for value in values if least <= value <= most))


_OF_32_BITS = {Field.TYPE_INT32, Field.TYPE_SINT32, Field.TYPE_UINT32, Field.TYPE_FIXED32, Field.TYPE_SFIXED32}
_UNSIGNED = {Field.TYPE_UINT32, Field.TYPE_UINT64, Field.TYPE_FIXED32, Field.TYPE_FIXED64}


def encoded(field: FieldShape) -> list[bytes]:
    """Return every boundary of a scalar field that both forms carry unharmed, each without its tag; the first is not the zero
    of a type that has another value."""
    kind = field.type
    if kind == Field.TYPE_FLOAT:
        return [bits.to_bytes(4, "little") for bits in FLOATS]
    if kind == Field.TYPE_DOUBLE:
        return [bits.to_bytes(8, "little") for bits in DOUBLES]
    if kind == Field.TYPE_STRING:
        return [wire_format.delimited(text.encode()) for text in STRINGS]
    if kind == Field.TYPE_BYTES:
        return [wire_format.delimited(content) for content in BYTES]
    if kind == Field.TYPE_BOOL:
        return [b"\x01", b"\x00"]
    if field.enum is not None:
        numbers = sorted(field.enum.numbers, key=lambda number: number == 0)
        open_to = () if field.enum.closed or field.enum.is_null else UNKNOWN_NUMBERS
        return [wire_format.varint(number) for number in dict.fromkeys([*numbers, *open_to])]
    return [wire_format.scalar(field.descriptor, value) for value in _integers(kind)]


def greatest_floats(field: FieldShape) -> list[bytes]:
    """Return FLT_MAX with either sign: ProtoJSON writes more digits than a float has, and some reader finds that too large."""
    return [bits.to_bytes(4, "little") for bits in (FLT_MAX, FLT_MAX | 1 << 31)] if field.type == Field.TYPE_FLOAT else []


def minus_zeros(field: FieldShape) -> list[bytes]:
    """Return -0.0, which some writer of ProtoJSON writes as `-0`, and some reader takes `-0` for an integer."""
    return [(1 << 8 * _SIZES[field.type] - 1).to_bytes(_SIZES[field.type], "little")] if field.type in _SIZES else []
