"""Which fields of a type stand otherwise in another version of it, and what stands there in their place."""

from __future__ import annotations

from typing import NamedTuple

from grpc_interop.compat.probing.values import checks_utf8
from grpc_interop.protos.shapes import TEXTS, FieldShape, Shape


class Changed(NamedTuple):
    """A field of the sender, and the fields of the receiver that have its number or one of its names: none where it is
    gone, two where its number and its name are no longer one field's."""

    field: FieldShape
    receivers: tuple[FieldShape, ...]


def changed(sender: Shape, receiver: Shape) -> list[Changed]:
    """The sender's fields that the receiver declares otherwise or not at all, in the order of their numbers."""
    names = receiver.json_fields()
    found = []
    for field in sender.ordered:
        places = [receiver.fields.get(field.number), names.get(field.json_name), names.get(field.name)]
        receivers = tuple({one.number: one for one in places if one is not None}.values())
        if len(receivers) != 1 or definition(field) != definition(receivers[0]):
            found.append(Changed(field, receivers))
    return found


def definition(field: FieldShape) -> tuple[object, ...]:
    """What counts of a field in binary or ProtoJSON: equal where nothing has changed. Of a message's type its name alone:
    what it holds is another pair's."""
    default = field.descriptor.default_value if field.descriptor.has_default_value and not field.repeated else None
    return (
        *(field.number, field.name, field.json_name, field.type, field.repeated, field.packed, field.presence),
        *(field.required, field.oneof, repr(default), field.type in TEXTS and checks_utf8(field)),
        None if field.enum is None else (tuple(field.enum.names.items()), field.enum.closed),
        None if field.inner is None else field.inner.name,
        None if field.key is None or field.mapped is None else (definition(field.key), definition(field.mapped)),
    )


def around(sender: Shape, receiver: Shape, one: Changed) -> list[FieldShape]:
    """The sender's other fields that meet this one at the receiver: there they have its number or name, or are arms of
    one oneof."""
    met = []
    arms = [(found, receiver.arms[found.oneof]) for found in one.receivers if found.oneof]
    taken = {found.number for found in one.receivers} | {found.name for found in one.receivers}
    for other in sender.ordered:
        if other is one.field or (other.oneof and other.oneof == one.field.oneof):
            continue
        if other.number in taken or other.name in taken or any(other.number in numbers for _, numbers in arms):
            met.append(other)
    return met
