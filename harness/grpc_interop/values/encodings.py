"""The same message in other bytes: every encoding that a reader must accept, though no writer of today chooses it."""

import random
from collections.abc import Callable
from itertools import groupby

from grpc_interop.values import boundaries
from grpc_interop.wire import wire_format
from grpc_interop.wire.records import WireRecord, pack, read, unpack, write, write_one
from grpc_interop.wire.shapes import SUBMESSAGES, TEXTS, FieldShape, Shape

LONGEST_HEAD = 5
"""Bytes of the longest tag or length that every runtime takes: 32 bits, seven in each byte."""


def reencodings(shape: Shape, data: bytes, chance: random.Random) -> list[tuple[str, bytes]]:
    """Return the message written in each way that makes a difference: the way in words, and the bytes."""
    plain = list(read(data))
    written = [(way, write(reencode(shape, plain, chance))) for way, reencode in _REENCODINGS.items()]
    written.append((OVERLONG, overlong(shape, plain)))
    written.append((TOGETHER, overlong(shape, _all(shape, plain, chance))))
    return [(way, other) for way, other in written if other != data]


def boldest(shape: Shape, data: bytes, chance: random.Random) -> bytes:
    """Return the message written in all ways at once, but without the zeros of fields that it does not hold: for a wide type
    they would be most of it."""
    return overlong(shape, _all(shape, list(read(data)), chance, without=_explicit))


def _all(shape: Shape, records: list[WireRecord], chance: random.Random, without: "Reencoding | None" = None) -> list[WireRecord]:
    for reencode in _REENCODINGS.values():
        if reencode is not without:
            records = reencode(shape, records, chance)
    return records


def _repacked(shape: Shape, records: list[WireRecord], chance: random.Random) -> list[WireRecord]:
    """Pack lists that are not packed, in two parts where they have several values, and unpack packed lists."""
    out: list[WireRecord] = []
    for number, group in groupby(records, key=lambda record: record.number):
        field, run = shape.fields.get(number), list(group)
        if field is None or not _packable(field):
            out += run
            continue
        values = [value for record in run for value in _numbers(field, record)]
        if not field.packed:
            half = len(values) // 2
            out += [WireRecord(number, wire_format.LENGTH, pack(field.wire_type, part)) for part in (values[:half], values[half:])]
        else:
            out += [WireRecord(number, field.wire_type, value) for value in values]
    return _within(shape, out, chance, _repacked)


def _packable(field: FieldShape) -> bool:
    return field.repeated and field.mapped is None and field.type not in TEXTS | SUBMESSAGES


def _numbers(field: FieldShape, record: WireRecord) -> list[int]:
    assert not isinstance(record.value, tuple)
    return unpack(field.wire_type, record.value) if isinstance(record.value, bytes) else [record.value]


def _shuffled(shape: Shape, records: list[WireRecord], chance: random.Random) -> list[WireRecord]:
    """Put fields in another order; records of the same field, of the same oneof, and undeclared records keep theirs."""
    places: dict[object, float] = {}

    def place(record: WireRecord) -> float:
        field = shape.fields.get(record.number)
        key = (field.oneof or record.number) if field else None
        return places.setdefault(key, chance.random())

    return _within(shape, sorted(records, key=place), chance, _shuffled)


def _overwritten(shape: Shape, records: list[WireRecord], chance: random.Random) -> list[WireRecord]:
    """Write singular scalar fields twice: the last value counts. Write map keys twice as well."""
    out: list[WireRecord] = []
    for record in records:
        field = shape.fields.get(record.number)
        if field is not None and field.inner is None and not field.repeated and record.wire_type == field.wire_type:
            others = boundaries.encoded(field)
            out += read(wire_format.tag(field.number, field.wire_type) + others[int(chance.random() * len(others))])
        elif field is not None and field.mapped is not None and isinstance(record.value, bytes) and field.mapped.inner is None:
            out.append(WireRecord(record.number, wire_format.LENGTH, write(part for part in read(record.value) if part.number == 1)))
        out.append(record)
    return _within(shape, out, chance, _overwritten)


def _split(shape: Shape, records: list[WireRecord], chance: random.Random) -> list[WireRecord]:
    """Write singular submessages in two parts, which readers merge."""
    out: list[WireRecord] = []
    for record in records:
        field = shape.fields.get(record.number)
        if field is None or field.inner is None or field.repeated or isinstance(record.value, int):
            out.append(record)
            continue
        inner = read(record.value) if isinstance(record.value, bytes) else record.value
        half = len(inner) // 2
        for part in (inner[:half], inner[half:]):
            out.append(record._replace(value=write(part) if isinstance(record.value, bytes) else part))
    return _within(shape, out, chance, _split)


def _explicit(shape: Shape, records: list[WireRecord], chance: random.Random) -> list[WireRecord]:
    """Write zeros of fields without presence, empty packed lists, and map entries with the value before the key."""
    out: list[WireRecord] = []
    present = {record.number for record in records}
    for field in shape.ordered:
        if field.number in present or field.oneof or field.inner is not None or field.mapped is not None:
            continue
        if _packable(field):
            out.append(WireRecord(field.number, wire_format.LENGTH, b""))
        elif not field.presence and not field.repeated:
            out.append(WireRecord(field.number, field.wire_type, b"" if field.type in TEXTS else 0))
    for record in records:
        known = shape.fields.get(record.number)
        if known is not None and known.mapped is not None and isinstance(record.value, bytes):
            out.append(record._replace(value=write(reversed(read(record.value)))))
        else:
            out.append(record)
    return _within(shape, out, chance, _explicit)


Reencoding = Callable[[Shape, list[WireRecord], random.Random], list[WireRecord]]

_REENCODINGS: dict[str, Reencoding] = {
    "lists packed for unpacked, and back": _repacked,
    "zeros written out": _explicit,
    "singular fields twice": _overwritten,
    "submessages in parts": _split,
    "fields in another order": _shuffled,
}
"""In the order in which they can be combined: a zero written out in the second part of a message would overwrite the first."""


OVERLONG, TOGETHER = "overlong numbers, tags and lengths", "all of it together"

WAYS = (*_REENCODINGS, OVERLONG, TOGETHER)
"""The ways to write a message again, in words."""


def _within(shape: Shape, records: list[WireRecord], chance: random.Random, reencode: Reencoding) -> list[WireRecord]:
    """Write all submessages in the same way, and map entries as they are."""
    out: list[WireRecord] = []
    for record in records:
        field = shape.fields.get(record.number)
        if field is None or field.inner is None or isinstance(record.value, int):
            out.append(record)
        elif isinstance(record.value, bytes):
            out.append(record._replace(value=write(reencode(field.inner, list(read(record.value)), chance))))
        else:
            out.append(record._replace(value=tuple(reencode(field.inner, list(record.value), chance))))
    return out


def overlong(shape: Shape, records: list[WireRecord]) -> bytes:
    """Write the records with every tag and length in five bytes and every number in ten."""
    out = []
    for record in records:
        field = shape.fields.get(record.number)
        if field is None:
            # A runtime keeps the very bytes of undeclared fields, or their meaning.
            out.append(write_one(record))
            continue
        out.append(_padded(record.number << 3 | record.wire_type, LONGEST_HEAD))
        value = record.value
        if isinstance(value, tuple):
            out += [overlong(field.message, list(value)), _padded(record.number << 3 | wire_format.END_GROUP, LONGEST_HEAD)]
        elif isinstance(value, bytes):
            content = overlong(field.inner, list(read(value))) if field.inner else value
            out += [_padded(len(content), LONGEST_HEAD), content]
        elif record.wire_type == wire_format.VARINT:
            out.append(_padded(value, wire_format.LONGEST_VARINT))
        else:
            out.append(value.to_bytes(4 if record.wire_type == wire_format.FIXED32 else 8, "little"))
    return b"".join(out)


def _padded(value: int, size: int) -> bytes:
    """Write a number in exactly so many bytes."""
    value &= (1 << 64) - 1
    low = [value >> 7 * at & 0x7F | 0x80 for at in range(size - 1)]
    return bytes([*low, value >> 7 * (size - 1) & 0x7F])
