"""Show a message through Python's own reflection, as a program that uses the generated class sees it."""

import struct
from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from driver.contract import pb
from driver.methods import METHODS

_SIGNED = {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_ENUM}
_UNSIGNED = {FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64, FieldDescriptor.CPPTYPE_BOOL}
_FLOATING = {FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE}


def view_of(message: Message) -> pb.View:
    """Return the view of a message and of its submessages."""
    view = pb.View(unknown=_unknown(message))
    for field, value in METHODS.ListFields(message):
        # upb also lists a repeated extension without elements after an empty packed block arrived.
        if values := _values(field, value):
            view.fields.append(pb.Field(number=field.number, values=values))
    return view


def _values(field: FieldDescriptor, value: Any) -> list[pb.Value]:
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        key, item = entry.fields_by_number[1], entry.fields_by_number[2]
        return [one for each in _sorted(value) for one in (_value(key, each), _value(item, value[each]))]
    return [_value(field, one) for one in value] if _is_repeated(field) else [_value(field, value)]


def _is_repeated(field: FieldDescriptor) -> bool:
    if hasattr(field, "is_repeated"):
        return bool(field.is_repeated)
    # Older protobufs, which a service may run with, have only the label; the newest have no label.
    return bool(field.label == FieldDescriptor.LABEL_REPEATED)  # type: ignore[attr-defined]


def _sorted(keys: Iterable[Any]) -> list[Any]:
    """Sort like deterministic serialisation: text by its bytes in UTF-8, which differs from Python's order of str."""
    return sorted(keys, key=lambda key: key.encode() if isinstance(key, str) else key)


def _value(field: FieldDescriptor, value: Any) -> pb.Value:
    kind = field.cpp_type
    if kind in _SIGNED:
        return pb.Value(int=value)
    if kind in _UNSIGNED:
        return pb.Value(uint=int(value))
    if kind in _FLOATING:
        return pb.Value(float_bits=struct.unpack("<Q", struct.pack("<d", value))[0])
    if kind == FieldDescriptor.CPPTYPE_MESSAGE:
        return pb.Value(message=view_of(value))
    # proto2 accepts text that is not UTF-8, and protobuf returns it as bytes.
    return pb.Value(text=value.encode() if isinstance(value, str) else value)


def _unknown(message: Message) -> bytes:
    """Return the unknown fields, as bytes in their order: the rest when every known field is cleared."""
    rest = type(message)()
    METHODS.CopyFrom(rest, message)
    for field, _ in METHODS.ListFields(message):
        if field.is_extension:
            METHODS.ClearExtension(rest, field)
        else:
            METHODS.ClearField(rest, field.name)
    unknown: bytes = METHODS.SerializePartialToString(rest)
    return unknown
