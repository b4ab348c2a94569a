"""The meaning of a message, whatever its encoding: the form in which messages are compared.

It follows protobuf.dev/programming-guides/encoding: the last value of a singular field counts, submessages merge, a oneof
has its last arm, a map its last entry for a key, packed and unpacked are the same, and records that a type does not
declare, or declares with another wire type, are unknown fields. Floating-point values are their bits, so that NaN, its
payload and -0.0 compare as they should.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.wire import wire_format
from grpc_interop.wire.records import NotWireError, WireRecord, read, unpack
from grpc_interop.wire.shapes import FLOATING, SUBMESSAGES, TEXTS, FieldShape, Shape


@dataclass(slots=True)
class Meaning:
    """A message."""

    fields: "dict[int, Value]"  # by number: fields with presence that are set, and fields without that are not zero
    unknown: list[WireRecord]  # in the order of the bytes


@dataclass(slots=True)
class Content(Meaning):
    """The message in an Any, in place of its bytes."""

    shape: Shape


MOST_DEEP = 130
"""Levels of messages that are read: a few more than the suite makes; a comparison still fits Python's stack."""

SingleValue = int | bytes | Meaning
"""A number (signed as its type; a bool is 0 or 1; float and double are their 32 or 64 bits), text as bytes, or a message."""

Value = SingleValue | list[SingleValue] | dict[int | bytes, SingleValue]
"""The value of a singular field, a repeated field or a map."""


def meaning(shape: Shape, data: bytes) -> Meaning:
    """Return the meaning of bytes. Raise NotWireError for bytes that are not a message of any type."""
    message = Meaning({}, [])
    _merge(shape, message, read(data), 1)
    _drop_zeros(shape, message)
    return message


def _merge(shape: Shape, message: Meaning, records: tuple[WireRecord, ...], depth: int) -> None:
    if depth > MOST_DEEP:
        raise NotWireError(f"messages are nested deeper than {MOST_DEEP} levels")
    fields = shape.fields
    for record in map(_item, records) if shape.message_set else records:
        field = fields.get(record.number)
        if field is None or not _take(shape, field, message, record, depth):
            message.unknown.append(record)


def _item(record: WireRecord) -> WireRecord:
    """Return an item of a message set, group 1 with the field's number (2) and the message (3), as the extension field. Runtimes
    read both forms, and write the item."""
    if record.number != 1 or not isinstance(record.value, tuple):
        return record
    parts = {part.number: part.value for part in record.value}
    number, content = parts.get(2), parts.get(3)
    return WireRecord(number, wire_format.LENGTH, content) if isinstance(number, int) and isinstance(content, bytes) else record


def _take(shape: Shape, field: FieldShape, message: Meaning, record: WireRecord, depth: int) -> bool:
    """Add a record to the message. Return False for a record that is not the field's."""
    if field.mapped is not None:
        return _take_entry(field, message, record, depth)
    if record.wire_type != field.wire_type:
        packable = field.repeated and field.type not in TEXTS and field.type not in SUBMESSAGES
        return packable and record.wire_type == wire_format.LENGTH and _take_packed(field, message, record)
    if field.inner is not None:
        _take_message(shape, field, message, record, depth)
        return True
    value = _scalar(field, record.value)
    if field.closed is not None and value not in field.closed:
        return False
    if field.repeated:
        message.fields.setdefault(field.number, []).append(value)  # type: ignore[union-attr]
    else:
        _set(shape, field, message, value)
    return True


def _take_packed(field: FieldShape, message: Meaning, record: WireRecord) -> bool:
    assert isinstance(record.value, bytes)
    values = message.fields.setdefault(field.number, [])
    assert isinstance(values, list)
    for number in unpack(field.wire_type, record.value):
        value = _scalar(field, number)
        if field.closed is None or value in field.closed:
            values.append(value)
        else:
            message.unknown.append(WireRecord(field.number, wire_format.VARINT, number))
    return True


def _take_message(shape: Shape, field: FieldShape, message: Meaning, record: WireRecord, depth: int) -> None:
    assert not isinstance(record.value, int)
    records = read(record.value) if isinstance(record.value, bytes) else record.value
    if field.repeated:
        inner = Meaning({}, [])
        message.fields.setdefault(field.number, []).append(inner)  # type: ignore[union-attr]
    else:
        known = message.fields.get(field.number)
        inner = known if isinstance(known, Meaning) else Meaning({}, [])
        _set(shape, field, message, inner)
    _merge(field.message, inner, records, depth + 1)


def _take_entry(field: FieldShape, message: Meaning, record: WireRecord, depth: int) -> bool:
    key_field, value_field = field.key, field.mapped
    assert key_field is not None and value_field is not None
    if not isinstance(record.value, bytes):
        return False
    key: int | bytes = b"" if key_field.type in TEXTS else 0
    value: SingleValue = Meaning({}, []) if value_field.inner is not None else b"" if value_field.type in TEXTS else 0
    if value_field.closed is not None:
        assert value_field.enum is not None
        value = value_field.enum.numbers[0]
    for part in read(record.value):
        if part.number == 1 and part.wire_type == key_field.wire_type:
            key = _scalar(key_field, part.value)
        elif part.number == 2 and part.wire_type == value_field.wire_type:
            if isinstance(value, Meaning):
                assert not isinstance(part.value, int)
                _merge(value_field.message, value, read(part.value) if isinstance(part.value, bytes) else part.value, depth + 1)
            else:
                value = _scalar(value_field, part.value)
    if value_field.closed is not None and value not in value_field.closed:
        return False
    entries = message.fields.setdefault(field.number, {})
    assert isinstance(entries, dict)
    entries[key] = value
    return True


def _set(shape: Shape, field: FieldShape, message: Meaning, value: SingleValue) -> None:
    if field.oneof:
        for arm in shape.arms[field.oneof]:
            if arm != field.number:
                message.fields.pop(arm, None)
    message.fields[field.number] = value


def _drop_zeros(shape: Shape, message: Meaning) -> None:
    """Remove fields without presence that are zero or empty."""
    for number, value in list(message.fields.items()):
        field = shape.fields[number]
        if not field.presence and (not value and not isinstance(value, Meaning)):
            del message.fields[number]
        elif field.inner is not None or (field.mapped is not None and field.mapped.inner is not None):
            for inner, element in _elements(field, value):
                if isinstance(element, Meaning):
                    _drop_zeros(inner.message, element)


def _elements(field: FieldShape, value: Value) -> Iterator[tuple[FieldShape, SingleValue]]:
    """Yield the elements of a list, the keys and values of a map, or the single value, each with its field."""
    if isinstance(value, list):
        yield from ((field, element) for element in value)
    elif isinstance(value, dict):
        assert field.key is not None and field.mapped is not None
        for key, element in value.items():
            yield field.key, key
            yield field.mapped, element
    else:
        yield field, value


def map_elements(value: Value, change: Callable[[SingleValue], SingleValue]) -> Value:
    """Return the value with each list element or map value, or the single value, changed."""
    if isinstance(value, list):
        return list(map(change, value))
    return {key: change(element) for key, element in value.items()} if isinstance(value, dict) else change(value)


class Validity(Enum):
    """Whether bytes are a message of a type."""

    VALID = "valid"
    INCOMPLETE = "incomplete"  # a required field is missing
    NOT_UTF8 = "not UTF-8"  # a string is not UTF-8; otherwise valid
    MALFORMED = "malformed"  # not a message


def validity(shape: Shape, data: bytes) -> Validity:
    """Return the validity of bytes. INCOMPLETE goes before NOT_UTF8: it alone makes a reader fail."""
    try:
        wrong = set(_wrong(shape, meaning(shape, data)))
    except NotWireError:
        return Validity.MALFORMED
    return next((fault for fault in (Validity.INCOMPLETE, Validity.NOT_UTF8) if fault in wrong), Validity.VALID)


def complete(shape: Shape, message: Meaning) -> bool:
    """Return whether all required fields are set and every string is UTF-8, at any depth."""
    return next(_wrong(shape, message), None) is None


def _wrong(shape: Shape, message: Meaning) -> Iterator[Validity]:
    """Yield the faults of a message at any depth."""
    if any(field.number not in message.fields for field in shape.required):
        yield Validity.INCOMPLETE
    for number, value in message.fields.items():
        for field, element in _elements(shape.fields[number], value):
            yield from _wrong_element(field, element)


def _wrong_element(field: FieldShape, value: SingleValue) -> Iterator[Validity]:
    if isinstance(value, Meaning):
        yield from _wrong(field.message, value)
    elif field.type == Field.TYPE_STRING and isinstance(value, bytes):
        try:
            value.decode()
        except UnicodeDecodeError:
            yield Validity.NOT_UTF8


_MASK_32 = (1 << 32) - 1
_SIGNED_32 = {Field.TYPE_INT32, Field.TYPE_SFIXED32, Field.TYPE_ENUM}
_SIGNED_64 = {Field.TYPE_INT64, Field.TYPE_SFIXED64}


def _scalar(field: FieldShape, raw: int | bytes | tuple[WireRecord, ...]) -> int | bytes:
    """Return the value of a raw number or content in a field."""
    if isinstance(raw, bytes):
        return raw
    assert isinstance(raw, int)
    kind = field.type
    if kind in _SIGNED_32:
        raw &= _MASK_32
        return raw - (1 << 32) if raw >> 31 else raw
    if kind in _SIGNED_64:
        return raw - (1 << 64) if raw >> 63 else raw
    if kind == Field.TYPE_SINT32:
        raw &= _MASK_32
        return raw >> 1 ^ -(raw & 1)
    if kind == Field.TYPE_SINT64:
        return raw >> 1 ^ -(raw & 1)
    if kind == Field.TYPE_UINT32:
        return raw & _MASK_32
    return int(raw != 0) if kind == Field.TYPE_BOOL else raw


# -- the first difference, and values as text --------------------------------------------------------------------------


class ValueDifference(NamedTuple):
    path: str  # such as `inner.names[2]`
    wanted: str
    got: str


def first_difference(shape: Shape, wanted: Meaning, got: Meaning) -> ValueDifference | None:
    """Return the first difference in the order of field numbers, or None."""
    if wanted == got:
        return None
    for number in sorted({*wanted.fields, *got.fields}):
        value, other = wanted.fields.get(number), got.fields.get(number)
        if value != other:
            return _field_difference(shape.fields[number], value, other)
    return ValueDifference("unknown fields", _unknown(wanted.unknown), _unknown(got.unknown))


def _field_difference(field: FieldShape, wanted: Value | None, got: Value | None) -> ValueDifference:
    if isinstance(wanted, Content) and isinstance(got, Content) and wanted.shape is got.shape:
        return _within(field.name, wanted.shape, wanted, got)
    if isinstance(wanted, Meaning) and isinstance(got, Meaning) and field.inner is not None:
        return _within(field.name, field.inner, wanted, got)
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        index = next(index for index, (value, other) in enumerate(zip(wanted, got, strict=True)) if value != other)
        return _element_difference(f"{field.name}[{index}]", field, wanted[index], got[index])
    if isinstance(wanted, dict) and isinstance(got, dict) and wanted.keys() == got.keys() and field.mapped and field.key:
        key = next(key for key in wanted if wanted[key] != got[key])
        return _element_difference(f"{field.name}[{_show(field.key, key)}]", field.mapped, wanted[key], got[key])
    return ValueDifference(field.name, show(field, wanted), show(field, got))


def _element_difference(path: str, field: FieldShape, wanted: SingleValue, got: SingleValue) -> ValueDifference:
    if isinstance(wanted, Meaning) and isinstance(got, Meaning):
        return _within(path, field.message, wanted, got)
    return ValueDifference(path, _show(field, wanted), _show(field, got))


def _within(path: str, shape: Shape, wanted: Meaning, got: Meaning) -> ValueDifference:
    difference = first_difference(shape, wanted, got)
    assert difference is not None
    return difference._replace(path=f"{path}.{difference.path}")


def show(field: FieldShape, value: Value | None) -> str:
    """Return a field's value as text; `(not set)` for None."""
    if value is None:
        return "(not set)"
    if isinstance(value, list):
        return f"[{', '.join(_show(field, element) for element in value)}]"
    if isinstance(value, dict):
        assert field.key is not None and field.mapped is not None
        return "{" + ", ".join(f"{_show(field.key, key)}: {_show(field.mapped, element)}" for key, element in value.items()) + "}"
    return _show(field, value)


def show_message(shape: Shape, message: Meaning) -> str:
    """Return a message as text."""
    parts = [f"{shape.fields[number].name}: {show(shape.fields[number], value)}" for number, value in sorted(message.fields.items())]
    parts += [_unknown(message.unknown)] if message.unknown else []
    return "{ " + " ".join(parts) + " }" if parts else "{ }"


def _show(field: FieldShape, value: SingleValue) -> str:
    if isinstance(value, Meaning):
        return show_message(value.shape if isinstance(value, Content) else field.message, value)
    if isinstance(value, bytes):
        return f'"{repr(value)[2:-1]}"'
    if field.type in FLOATING:
        return _show_float(field, value)
    return str(value)


def _show_float(field: FieldShape, bits: int) -> str:
    if field.type == Field.TYPE_FLOAT:
        number = struct.unpack("<f", bits.to_bytes(4, "little"))[0]
    else:
        number = struct.unpack("<d", bits.to_bytes(8, "little"))[0]
    return f"nan (bits {bits:#x})" if number != number else repr(number)


def _unknown(records: Sequence[WireRecord]) -> str:
    return " ".join(f"{record.number}: {_unknown_value(record.value)}" for record in records) or "(none)"


def _unknown_value(value: int | bytes | tuple[WireRecord, ...]) -> str:
    """Return a value as text; a group in braces, like a message."""
    if isinstance(value, tuple):
        return f"{{ {_unknown(value)} }}" if value else "{ }"
    return repr(value)
