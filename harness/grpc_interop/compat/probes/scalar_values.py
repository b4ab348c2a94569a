"""Scalar values that tell two definitions of a field apart: near the limits of either type.

A value is encoded for the *sender's* definition, without the tag, and the sender's program can hold it. The first value of a
field is plain: not its type's zero, where it has another value.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.compat.diff.equal import INTEGER_RANGES
from grpc_interop.compat.diff.match_fields import checks_utf8
from grpc_interop.values.boundaries import FLT_MAX, UNKNOWN_NUMBERS
from grpc_interop.values.malformed import NOT_UTF8
from grpc_interop.wire import wire_format
from grpc_interop.wire.shapes import FLOATING, TEXTS, EnumShape, FieldShape

T = TypeVar("T")

PLAIN = (1, 2, 0)
"""Integers that every type holds, so that a list of them shows its order."""

WRAPS = (1 << 32, (1 << 32) + 1)
"""Integers whose lower 32 bits are 0 and 1."""

INEXACT = ((1 << 24) + 1, (1 << 53) + 1)
"""The first integers that a float and a double do not hold."""

DOUBLES = (1.0, 2.0, 0.0, -0.0, -1.0, 0.5, 0.1, 5e-324, 1e-40, 16777217.0, 2.0**31, 2.0**63, 1e300)
"""Ordinary numbers first; then numbers that a float turns into another number, infinity or zero, and numbers that no integer is."""

FLOATS = (1.0, 2.0, 0.0, -0.0, -1.0, 0.5, 0.1, 1e-45, 16777216.0, 2.0**31, 2.0**63)
"""The same for 32 bits."""

STRINGS = ("x", "xy", "", "\u00e9", "\U0001f600", "a\0b", "1", "true", "QUJD", "a" * 128)
"""Plain texts; texts beyond ASCII and beyond 16 bits; NUL; and texts that JSON takes for a number, a bool, or base64."""

BYTES = (b"x", b"xy", b"", b"ABC", b"\x01", b"\x00", "\u00e9".encode(), b"\x08\x01", b"\x08", *NOT_UTF8[:2])
"""Plain bytes; numbers and a message as they stand on the wire, whole and cut off; and bytes that are not UTF-8."""

FEW_NUMBERS = 8
"""Unchanged numbers of an enum to send: a hundred would show no more."""


def scalars(field: FieldShape, receivers: Sequence[FieldShape]) -> list[bytes]:
    """Return the values of a scalar field or list that aim at the types of the receivers' fields; a few plain values where the
    types are equal. No value is malformed."""
    others = [receiver for receiver in receivers if _type_differs(field, receiver)]
    if field.enum is not None:
        return [wire_format.varint(number) for number in _numbers(field, field.enum, receivers)]
    if field.type in TEXTS:
        return [wire_format.delimited(text) for text in _texts(field, others)]
    if field.type in FLOATING:
        return list(_floats(field, others))
    return [wire_format.scalar(field.descriptor, value) for value in _integers(field, others)]


def not_text(field: FieldShape, receivers: Sequence[FieldShape]) -> list[bytes]:
    """Return contents that a string holds only where its UTF-8 is not checked, if a receiver treats them otherwise."""
    if field.type != Field.TYPE_STRING or checks_utf8(field):
        return []
    unlike = any(receiver.type == Field.TYPE_BYTES or checks_utf8(receiver) for receiver in receivers)
    return [wire_format.delimited(content) for content in NOT_UTF8] if unlike else []


def tagged(field: FieldShape, value: bytes) -> bytes:
    return wire_format.tag(field.number, field.wire_type) + value


def _type_differs(field: FieldShape, other: FieldShape) -> bool:
    return field.type != other.type or field.repeated != other.repeated or (field.mapped is None) != (other.mapped is None)


def _integers(field: FieldShape, others: Sequence[FieldShape]) -> list[int]:
    least, most = INTEGER_RANGES[field.type]
    values = set()
    if others:
        values |= {-1, *WRAPS, *INEXACT}
        for edges in (INTEGER_RANGES.get(other.type, (0, 0)) for other in (field, *others)):
            values |= {edge + step for edge in edges for step in (-1, 0, 1)}
        values |= {number for other in others if other.enum for number in (*other.enum.numbers[:FEW_NUMBERS], *UNKNOWN_NUMBERS)}
    values |= _defaults((field, *others), int)
    aimed = sorted(values - {*PLAIN}, key=lambda value: (abs(value), value < 0))
    return [value for value in (*PLAIN, *aimed) if least <= value <= most]


def _numbers(field: FieldShape, enum: EnumShape, receivers: Sequence[FieldShape]) -> list[int]:
    """Return a plain number; then the numbers that the two sides declare differently, or not at all; then others."""
    enums = [receiver.enum for receiver in receivers if receiver.enum is not None]
    unlike: set[int] = set()
    for other in enums:
        unlike |= {number for _, number in enum.names.items() ^ other.names.items()}
        if enum.closed != other.closed or enum.names != other.names:
            unlike |= {*UNKNOWN_NUMBERS[:2]}
    if len(enums) < len(receivers):
        unlike |= {*UNKNOWN_NUMBERS}
    unlike |= _defaults((field, *receivers), int)
    alike = sorted(set(enum.numbers) - unlike, key=lambda number: (number == 0, abs(number)))[:FEW_NUMBERS]
    declared = {number for declaring in (enum, *enums) for number in declaring.numbers}
    differing = sorted(unlike, key=lambda number: (number not in declared, number == 0, abs(number), number < 0))
    return [number for number in (*alike[:1], *differing, *alike[1:]) if not enum.closed or number in enum.numbers]


def _floats(field: FieldShape, others: Sequence[FieldShape]) -> Iterator[bytes]:
    of_float = field.type == Field.TYPE_FLOAT
    form, values = ("<f", FLOATS) if of_float else ("<d", DOUBLES)
    # A set would take -0.0 for 0.0.
    yield from dict.fromkeys(struct.pack(form, value) for value in (values if others else values[:4]))
    yield from (struct.pack(form, value) for value in sorted(_defaults((field, *others), float)) if value not in values)
    if others:
        greatest = struct.unpack("<f", FLT_MAX.to_bytes(4, "little"))[0]
        yield struct.pack(form, greatest)
        if not of_float:
            yield struct.pack(form, 2 * greatest)
            yield struct.pack(form, struct.unpack("<d", b"\xff" * 6 + b"\xef\x7f")[0])
        yield from (struct.pack(form, value) for value in (float("inf"), float("-inf"), float("nan")))


def _texts(field: FieldShape, others: Sequence[FieldShape]) -> list[bytes]:
    if field.type == Field.TYPE_STRING:
        names = [name for other in others if other.enum for name in list(other.enum.names)[:FEW_NUMBERS]]
        texts = [text.encode() for text in (*(STRINGS if others else STRINGS[:3]), *names)]
    else:
        texts = [*(BYTES if others else BYTES[:3])]
    defaults = _defaults((field, *others), str) if field.type == Field.TYPE_STRING else _defaults((field, *others), bytes)
    texts += sorted(text.encode() if isinstance(text, str) else text for text in defaults)
    return list(dict.fromkeys(texts))


def _defaults(fields: Iterable[FieldShape], kind: type[T]) -> set[T]:
    """Return the declared defaults of this kind."""
    declared = (field.descriptor.default_value for field in fields if field.descriptor.has_default_value and not field.repeated)
    return {value for value in declared if type(value) is kind}
