"""The values of one field that tell two definitions of it apart: where one type ends and the other goes on.

A value is encoded for the *sender's* definition, as it stands behind the tag, and is one that the sender's program can
hold. The first of a field is plain: not its type's zero, where it has another value.
"""

from __future__ import annotations

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
"""What 32 bits take for 0 and 1."""

INEXACT = ((1 << 24) + 1, (1 << 53) + 1)
"""The first integers that a float and a double do not hold."""

DOUBLES = (1.0, 2.0, 0.0, -0.0, -1.0, 0.5, 0.1, 5e-324, 1e-40, 16777217.0, 2.0**31, 2.0**63, 1e300)
"""Ordinary numbers first: then what a float holds as another number, as infinity or as zero, and what no integer is."""

FLOATS = (1.0, 2.0, 0.0, -0.0, -1.0, 0.5, 0.1, 1e-45, 16777216.0, 2.0**31, 2.0**63)
"""As above, of 32 bits."""

STRINGS = ("x", "xy", "", "\u00e9", "\U0001f600", "a\0b", "1", "true", "QUJD", "a" * 128)
"""Plain ones; beyond ASCII and beyond 16 bits; NUL; and what JSON takes for a number, a bool, or base64."""

BYTES = (b"x", b"xy", b"", b"ABC", b"\x01", b"\x00", "\u00e9".encode(), b"\x08\x01", b"\x08", *NOT_UTF8[:2])
"""Plain ones; numbers and a message as they stand on the wire, one of them cut off; and no UTF-8."""

FEW_NUMBERS = 8
"""Numbers of an enum that are not the change itself: a hundred would say the same."""


def scalars(field: FieldShape, receivers: Sequence[FieldShape]) -> list[bytes]:
    """The values of a scalar field or list that aim at what the receivers' fields are instead; a few plain ones where
    there is no other type. None is malformed."""
    others = [one for one in receivers if _type_differs(field, one)]
    if field.enum is not None:
        return [wire_format.varint(number) for number in _numbers(field, field.enum, receivers)]
    if field.type in TEXTS:
        return [wire_format.delimited(text) for text in _texts(field, others)]
    if field.type in FLOATING:
        return list(_floats(field, others))
    return [wire_format.scalar(field.descriptor, value) for value in _integers(field, others)]


def not_text(field: FieldShape, receivers: Sequence[FieldShape]) -> list[bytes]:
    """What a string holds only where nobody checks that it is UTF-8, if a receiver takes it otherwise."""
    if field.type != Field.TYPE_STRING or checks_utf8(field):
        return []
    unlike = any(one.type == Field.TYPE_BYTES or checks_utf8(one) for one in receivers)
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
        for edges in (INTEGER_RANGES.get(one.type, (0, 0)) for one in (field, *others)):
            values |= {edge + step for edge in edges for step in (-1, 0, 1)}
        values |= {number for one in others if one.enum for number in (*one.enum.numbers[:FEW_NUMBERS], *UNKNOWN_NUMBERS)}
    values |= _defaults((field, *others), int)
    aimed = sorted(values - {*PLAIN}, key=lambda value: (abs(value), value < 0))
    return [value for value in (*PLAIN, *aimed) if least <= value <= most]


def _numbers(field: FieldShape, enum: EnumShape, receivers: Sequence[FieldShape]) -> list[int]:
    """A plain one; then those that the two sides do not declare alike, what neither declares last; then others."""
    enums = [one.enum for one in receivers if one.enum is not None]
    unlike: set[int] = set()
    for other in enums:
        unlike |= {number for _, number in enum.names.items() ^ other.names.items()}
        if enum.closed != other.closed or enum.names != other.names:
            unlike |= {*UNKNOWN_NUMBERS[:2]}
    if len(enums) < len(receivers):
        unlike |= {*UNKNOWN_NUMBERS}
    unlike |= _defaults((field, *receivers), int)
    alike = sorted(set(enum.numbers) - unlike, key=lambda number: (number == 0, abs(number)))[:FEW_NUMBERS]
    declared = {number for one in (enum, *enums) for number in one.numbers}
    telling = sorted(unlike, key=lambda number: (number not in declared, number == 0, abs(number), number < 0))
    return [number for number in (*alike[:1], *telling, *alike[1:]) if not enum.closed or number in enum.numbers]


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
        names = [name for one in others if one.enum for name in list(one.enum.names)[:FEW_NUMBERS]]
        texts = [text.encode() for text in (*(STRINGS if others else STRINGS[:3]), *names)]
    else:
        texts = [*(BYTES if others else BYTES[:3])]
    defaults = _defaults((field, *others), str) if field.type == Field.TYPE_STRING else _defaults((field, *others), bytes)
    texts += sorted(text.encode() if isinstance(text, str) else text for text in defaults)
    return list(dict.fromkeys(texts))


def _defaults(fields: Iterable[FieldShape], kind: type[T]) -> set[T]:
    """The declared defaults that are of this kind."""
    declared = (one.descriptor.default_value for one in fields if one.descriptor.has_default_value and not one.repeated)
    return {value for value in declared if type(value) is kind}
