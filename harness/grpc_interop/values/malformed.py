"""Bytes that are no message of a type, or hardly one: whether they are refused is the runtimes' choice, as long as they
choose the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.wire import wire_format
from grpc_interop.wire.shapes import TEXTS, FieldShape, Shape

NOT_UTF8 = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80")
"""A byte that never occurs, a character cut off, a surrogate, what is beyond U+10FFFF, NUL in too many bytes."""


NUMBER_ZERO = {"field number 0": b"\x00\x01", "field number 0 with content": b"\x02\x01x"}
"""What may be wrong, and the bytes."""


def malformed(shape: Shape, whole: bytes, richer: bytes) -> Iterator[tuple[str, bytes]]:
    """What is wrong, and the bytes; `whole` is a message of the type, a short one since it stands in all of them, and
    `richer` one with more in it to be cut off."""
    yield from _cut(richer)
    undeclared = shape.undeclared
    yield "wire type 6", whole + wire_format.tag(undeclared, 6) + b"\x01"
    yield "wire type 7", whole + wire_format.tag(undeclared, 7) + b"\x01"
    yield "the end of a group that did not begin", whole + wire_format.tag(undeclared, wire_format.END_GROUP)
    yield "a group that does not end", whole + wire_format.tag(undeclared, wire_format.START_GROUP)
    yield (
        "a group that ends as another one",
        wire_format.tag(undeclared, wire_format.START_GROUP) + wire_format.tag(undeclared - 1, wire_format.END_GROUP) + whole,
    )
    yield "a length beyond the end", whole + wire_format.tag(undeclared, wire_format.LENGTH) + b"\x7fabc"
    yield "a length of 2^31", whole + wire_format.tag(undeclared, wire_format.LENGTH) + wire_format.varint(1 << 31)
    yield "a length of 2^63", whole + wire_format.tag(undeclared, wire_format.LENGTH) + wire_format.varint(1 << 63)
    yield "a number of 11 bytes", whole + wire_format.tag(undeclared, wire_format.VARINT) + b"\x80" * 10 + b"\x01"
    yield "a tag cut off", whole + b"\x80"
    yield "a fixed number cut off", whole + wire_format.tag(undeclared, wire_format.FIXED32) + b"\x01\x02\x03"
    for field in shape.ordered:
        yield from _wrong_type(field, whole)


def _cut(whole: bytes) -> Iterator[tuple[str, bytes]]:
    for end in sorted({1, len(whole) // 3, len(whole) // 2, len(whole) - 1}):
        if 0 < end < len(whole):
            yield "cut off", whole[:end]


def _wrong_type(field: FieldShape, whole: bytes) -> Iterator[tuple[str, bytes]]:
    for kind, content in (
        (wire_format.VARINT, b"\x01"),
        (wire_format.FIXED32, b"\x01\x02\x03\x04"),
        (wire_format.LENGTH, b"\x03\x08\x96\x01"),
    ):
        if kind != field.wire_type and not (kind == wire_format.LENGTH and field.repeated and field.mapped is None):
            yield "another wire type than the field's", wire_format.tag(field.number, kind) + content + whole
            return


def not_utf8(shape: Shape, least: Callable[[Shape], bytes | None]) -> Iterator[tuple[str, bytes]]:
    """Strings that are none, in every string field of the type. `least` knows what a message cannot do without: nothing
    but the strings is to be wrong."""
    for field in shape.ordered:
        if field.mapped is not None and field.key is not None:
            held = least(field.mapped.inner) if field.mapped.inner else b""
            if held is None:
                continue
            # A value that is absent is the empty message, in which what is required is missing.
            rest = wire_format.message_field(field.mapped.descriptor, held) if held else b""
            for inside in (field.key, field.mapped):
                if inside.type == Field.TYPE_STRING:
                    entry = wire_format.tag(inside.number, wire_format.LENGTH) + wire_format.delimited(NOT_UTF8[0]) + rest
                    yield f"map {field.name} is not UTF-8", wire_format.message_field(field.descriptor, entry)
        elif field.type == Field.TYPE_STRING:
            for content in NOT_UTF8:
                yield f"{field.name} is not UTF-8", wire_format.tag(field.number, wire_format.LENGTH) + wire_format.delimited(content)


def large(shape: Shape, sizes: Iterable[int], most: int) -> Iterator[bytes]:
    """Texts of these sizes in the text fields, one after the other, as many in one message as stay below `most` bytes."""
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
    """Fields that the type does not declare, of every wire type, with values at the limits."""
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
