"""Bytes that are not a valid message of a type, or hardly. Runtimes may choose whether to refuse them, as long as all choose
the same."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.wire import wire_format
from grpc_interop.wire.shapes import TEXTS, FieldShape, Shape

NOT_UTF8 = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80")
"""A byte that never occurs, a character cut off, a surrogate, a character beyond U+10FFFF, NUL in too many bytes."""


NUMBER_ZERO = {"field number 0": b"\x00\x01", "field number 0 with content": b"\x02\x01x"}
"""Faults and their bytes."""

_CUT, _WRONG_TYPE = "cut off", "another wire type than the field's"

_AROUND: dict[str, Callable[[bytes, int], bytes]] = {
    "wire type 6": lambda whole, number: whole + wire_format.tag(number, 6) + b"\x01",
    "wire type 7": lambda whole, number: whole + wire_format.tag(number, 7) + b"\x01",
    "the end of a group that did not begin": lambda whole, number: whole + wire_format.tag(number, wire_format.END_GROUP),
    "a group that does not end": lambda whole, number: whole + wire_format.tag(number, wire_format.START_GROUP),
    "a group that ends as another one": lambda whole, number: (
        wire_format.tag(number, wire_format.START_GROUP) + wire_format.tag(number - 1, wire_format.END_GROUP) + whole
    ),
    "a length beyond the end": lambda whole, number: whole + wire_format.tag(number, wire_format.LENGTH) + b"\x7fabc",
    "a length of 2^31": lambda whole, number: whole + wire_format.tag(number, wire_format.LENGTH) + wire_format.varint(1 << 31),
    "a length of 2^63": lambda whole, number: whole + wire_format.tag(number, wire_format.LENGTH) + wire_format.varint(1 << 63),
    "a number of 11 bytes": lambda whole, number: whole + wire_format.tag(number, wire_format.VARINT) + b"\x80" * 10 + b"\x01",
    "a tag cut off": lambda whole, _: whole + b"\x80",
    "a fixed number cut off": lambda whole, number: whole + wire_format.tag(number, wire_format.FIXED32) + b"\x01\x02\x03",
}
"""Faults beside a whole message, in a field of this number, which the type does not declare."""

FAULTS = (_CUT, *_AROUND, _WRONG_TYPE, *NUMBER_ZERO)
"""Everything that may be wrong, in words."""


def malformed(shape: Shape, whole: bytes, richer: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield faults and their bytes. `whole` is a short message of the type, which stands in all of them, and `richer` is a
    message with more content, to be cut off."""
    for end in sorted({1, len(richer) // 3, len(richer) // 2, len(richer) - 1}):
        if 0 < end < len(richer):
            yield _CUT, richer[:end]
    yield from ((what, spoil(whole, shape.undeclared)) for what, spoil in _AROUND.items())
    for field in shape.ordered:
        yield from _wrong_type(field, whole)


def _wrong_type(field: FieldShape, whole: bytes) -> Iterator[tuple[str, bytes]]:
    for kind, content in (
        (wire_format.VARINT, b"\x01"),
        (wire_format.FIXED32, b"\x01\x02\x03\x04"),
        (wire_format.LENGTH, b"\x03\x08\x96\x01"),
    ):
        if kind != field.wire_type and not (kind == wire_format.LENGTH and field.repeated and field.mapped is None):
            yield _WRONG_TYPE, wire_format.tag(field.number, kind) + content + whole
            return


def not_utf8(shape: Shape, least: Callable[[Shape], bytes | None]) -> Iterator[tuple[str, bytes]]:
    """Yield texts that are not UTF-8, in every string field of the type. `least` gives the content that a message cannot do
    without: nothing but the texts is to be wrong."""
    for field in shape.ordered:
        if field.mapped is not None and field.key is not None:
            held = least(field.mapped.inner) if field.mapped.inner else b""
            if held is None:
                continue
            # An absent value is the empty message, in which required fields would be missing.
            rest = wire_format.message_field(field.mapped.descriptor, held) if held else b""
            for inside in (field.key, field.mapped):
                if inside.type == Field.TYPE_STRING:
                    entry = wire_format.tag(inside.number, wire_format.LENGTH) + wire_format.delimited(NOT_UTF8[0]) + rest
                    yield f"map {field.name} is not UTF-8", wire_format.message_field(field.descriptor, entry)
        elif field.type == Field.TYPE_STRING:
            for content in NOT_UTF8:
                yield f"{field.name} is not UTF-8", wire_format.tag(field.number, wire_format.LENGTH) + wire_format.delimited(content)


def must_be_utf8(field: Field) -> bool:
    """Return whether a string field takes only UTF-8: in proto2, and where a feature of the field or its file says so, it takes
    any bytes."""
    # Once protobuf has resolved the features, the options do not show them any more, and no public name does.
    resolved: Any = field
    return bool(resolved._GetFeatures().utf8_validation == descriptor_pb2.FeatureSet.VERIFY)


def large(shape: Shape, sizes: Iterable[int], most: int) -> Iterator[bytes]:
    """Yield texts of these sizes in the text fields in turn, as many in a message as stay below `most` bytes."""
    parts: list[bytes] = []
    room = most
    texts = [field for field in shape.ordered if field.type in TEXTS and not field.oneof]
    for field, size in zip(texts, sizes, strict=False):
        if size > room:
            yield b"".join(parts)
            parts, room = [], most
        parts.append(wire_format.tag(field.number, wire_format.LENGTH) + wire_format.delimited(b"0123456789abcdef" * (size // 16)))
        room -= size
    if parts:
        yield b"".join(parts)


def undeclared(shape: Shape) -> list[bytes]:
    """Return fields that the type does not declare, of every wire type, with values at the limits."""
    number = shape.undeclared
    group = (
        wire_format.tag(number - 1, wire_format.START_GROUP)
        + wire_format.tag(1, wire_format.VARINT)
        + b"\x05"
        + wire_format.tag(number - 1, wire_format.END_GROUP)
    )
    return [
        wire_format.tag(number, wire_format.VARINT) + wire_format.varint((1 << 64) - 1),
        wire_format.tag(number, wire_format.FIXED32) + b"\x01\x02\x03\x04",
        wire_format.tag(number, wire_format.FIXED64) + b"\xff" * 8,
        wire_format.tag(number, wire_format.LENGTH) + wire_format.delimited(b"\x08\x96\x01"),
        wire_format.tag(number, wire_format.LENGTH) + wire_format.delimited(b"\xff not UTF-8"),
        group,
    ]
