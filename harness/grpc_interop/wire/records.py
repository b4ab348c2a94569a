"""Our own reader of the wire format: bytes as the tree of fields that they are, with nothing merged or sorted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from grpc_interop.wire import wire_format


class NotWireError(ValueError):
    """The bytes are no message of any type; the text says where they stop being one."""


class WireRecord(NamedTuple):
    """One field as it stands in the bytes. `value` is a number (of VARINT, FIXED32, FIXED64), the content (of LENGTH) or
    the records within a group."""

    number: int
    wire_type: int
    value: int | bytes | tuple[WireRecord, ...]


MOST_NESTED = 10_000
"""Groups within groups; as many as the most generous runtime takes."""


def read(data: bytes) -> tuple[WireRecord, ...]:
    """The records of a message. Raises NotWireError."""
    try:
        records, at = _records(data, 0, 0, 0)
    except (IndexError, ValueError) as error:
        raise NotWireError(str(error)) from None
    assert at == len(data)
    return records


def _records(data: bytes, at: int, group: int, depth: int) -> tuple[tuple[WireRecord, ...], int]:
    """The records from `at` on, up to the end of the data or of the group, and where they end."""
    if depth > MOST_NESTED:
        raise NotWireError("groups are nested too deep")
    records: list[WireRecord] = []
    size = len(data)
    while at < size:
        # Of one byte, as most are: a call for each would take a third of the time.
        key = data[at]
        if key < 0x80:
            at += 1
        else:
            key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if not 0 < number <= wire_format.MAX_FIELD_NUMBER:
            raise NotWireError(f"{number} before byte {at} is no field number")
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
                raise NotWireError(f"a group {number} ends before byte {at} that did not begin")
            return tuple(records), at
        else:
            raise NotWireError(f"{kind} before byte {at} is no wire type")
        # As WireRecord(...) makes it, which would be another function call for each of millions.
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
    """The bytes of these records, numbers in their shortest form."""
    return b"".join(map(write_one, records))


def write_one(record: WireRecord) -> bytes:
    """The bytes of one record."""
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
    """The numbers in the content of a packed field. Raises NotWireError."""
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
        raise NotWireError(f"{len(content)} packed bytes are no whole number of values of {size} bytes")
    return [int.from_bytes(content[at : at + size], "little") for at in range(0, len(content), size)]


def pack(wire_type: int, values: Iterable[int]) -> bytes:
    """The content of a packed field with these numbers."""
    if wire_type == wire_format.VARINT:
        return b"".join(map(wire_format.varint, values))
    return b"".join(value.to_bytes(_FIXED[wire_type], "little") for value in values)
