"""What a field that differs meets at the receiver: what has its number or its name there, and the fields that go there too."""

from __future__ import annotations

from typing import NamedTuple

from grpc_interop.compat.diff.match_fields import TypePair
from grpc_interop.compat.vocabulary.observation import Version
from grpc_interop.wire.shapes import FieldShape, Shape


class ChangedField(NamedTuple):
    """A field of the sender that differs, and the fields of the receiver that have its number or one of its names: none
    where it is gone, two where its number and its name are no longer one field's."""

    field: FieldShape
    receivers: tuple[FieldShape, ...]


def changed_fields(pair: TypePair, writer: Version) -> list[ChangedField]:
    """The writer's fields that differ, in the order of their numbers."""
    receiver = pair.of(writer.other)
    names = receiver.json_names
    found = []
    for field in sorted((field for one in pair.aims if (field := one.of(writer))), key=lambda field: field.number):
        places = [receiver.fields.get(field.number), names.get(field.json_name), names.get(field.name)]
        found.append(ChangedField(field, tuple({one.number: one for one in places if one is not None}.values())))
    return found


def competing_fields(sender: Shape, receiver: Shape, one: ChangedField) -> list[FieldShape]:
    """The sender's other fields that meet this one at the receiver: there they have its number or name, or are arms of
    one oneof."""
    arms = {number for found in one.receivers if found.oneof for number in receiver.arms[found.oneof]}
    names = {found.name for found in one.receivers}
    arms |= {found.number for found in one.receivers}
    return [
        other
        for other in sender.ordered
        if other is not one.field and (other.number in arms or other.name in names) and not _rivals(other, one.field)
    ]


def _rivals(one: FieldShape, other: FieldShape) -> bool:
    """Whether the sender itself cannot hold both."""
    return bool(one.oneof) and one.oneof == other.oneof
