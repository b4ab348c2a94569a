"""Our own reader of the wire format: bytes as a tree of records, with nothing merged or sorted.

A record is a field's number and wire type with a value (protobuf.dev/programming-guides/encoding).
"""

from collections.abc import Iterable
from typing import NamedTuple

from grpc_interop.wire import wire_format


class NotWireError(ValueError):
    """The bytes are not a message of any type; the text says where the first fault is."""


class WireRecord(NamedTuple):
    number: int
    wire_type: int
    value: "int | bytes | tuple[WireRecord, ...]"  # a number (VARINT, FIXED32, FIXED64), the content (LENGTH), or the records of a group


MOST_NESTED = 10_000
"""Nested groups: the limit of the most generous runtime."""


def read(data: bytes) -> tuple[WireRecord, ...]:
    """Return the records of a message. Raise NotWireError."""
    try:
        records, at = _records(data, 0, 0, 0)
    except (IndexError, ValueError) as error:
        raise NotWireError(str(error)) from None
    assert at == len(data)
    return records


def _records(data: bytes, at: int, group: int, depth: int) -> tuple[tuple[WireRecord, ...], int]:
    """Return the records from `at` to the end of the data or of the group, and the position of that end."""
    if depth > MOST_NESTED:
        raise NotWireError("groups are nested too deep")
    records: list[WireRecord] = []
    size = len(data)
    while at < size:
        # Most keys have one byte: a call for each key would take a third of the time.
        key = data[at]
        if key < 0x80:
            at += 1
        else:
            key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if not 0 < number <= wire_format.MAX_FIELD_NUMBER:
            raise NotWireError(f"{number} before byte {at} is not a field number")
        value: int | bytes | tuple[WireRecord, ...]
        if kind == wire_format.LENGTH:
            length, at = (data[at], at + 1) if at < size and data[at] < 0x80 else _varint(data, at)
            value, at = _take(data, at, length)
        elif kind == wire_format.VARINT:
            value, at = _varint(data, at)
        elif kind in _FIXED:
            value, at = _take(data, at, _FIXED[kind])
            value = int.from_bytes(value, "little")
        elif kind == wire_format.START_GROUP:
            value, at = _records(data, at, number, depth + 1)
        elif kind == wire_format.END_GROUP:
            if number != group:
                raise NotWireError(f"the end of a group {number} before byte {at} has no begin")
            return tuple(records), at
        else:
            raise NotWireError(f"{kind} before byte {at} is not a wire type")
        # The same as WireRecord(...), which would be another function call for each of millions of records.
        records.append(_new(WireRecord, (number, kind, value)))
    if group:
        raise NotWireError(f"group {group} does not end")
    return tuple(records), at


_new = tuple.__new__

_FIXED = {wire_format.FIXED32: 4, wire_format.FIXED64: 8}


def _take(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    if length > len(data) - at:
        raise NotWireError(f"{length} bytes from byte {at} on are cut off")
    return data[at : at + length], at + length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    first = data[at] if at < len(data) else 0x80
    if first < 0x80:
        return first, at + 1
    value, end = wire_format.read_varint(data, at)
    if end - at > wire_format.LONGEST_VARINT:
        raise NotWireError(f"the number at byte {at} has {end - at} bytes")
    return value, end


def write(records: Iterable[WireRecord]) -> bytes:
    """Return the bytes of records, numbers in their shortest form."""
    return b"".join(map(write_one, records))


def write_one(record: WireRecord) -> bytes:
    """Return the bytes of a record."""
    head = wire_format.tag(record.number, record.wire_type)
    value = record.value
    if isinstance(value, bytes):
        return head + wire_format.delimited(value)
    if isinstance(value, tuple):
        return head + write(value) + wire_format.tag(record.number, wire_format.END_GROUP)
    if record.wire_type == wire_format.VARINT:
        return head + wire_format.varint(value)
    return head + value.to_bytes(_FIXED[record.wire_type], "little")


def unpack(wire_type: int, content: bytes) -> list[int]:
    """Return the numbers in the content of a packed field. Raise NotWireError."""
    if wire_type == wire_format.VARINT:
        values, at = [], 0
        while at < len(content):
            try:
                value, at = wire_format.read_varint(content, at)
            except ValueError as error:
                raise NotWireError(str(error)) from None
            values.append(value)
        return values
    size = _FIXED[wire_type]
    if len(content) % size:
        raise NotWireError(f"{len(content)} packed bytes are not a whole number of values of {size} bytes")
    return [int.from_bytes(content[at : at + size], "little") for at in range(0, len(content), size)]


def pack(wire_type: int, values: Iterable[int]) -> bytes:
    """Return the content of a packed field."""
    if wire_type == wire_format.VARINT:
        return b"".join(map(wire_format.varint, values))
    return b"".join(value.to_bytes(_FIXED[wire_type], "little") for value in values)
