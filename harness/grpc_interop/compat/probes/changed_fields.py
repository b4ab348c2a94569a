"""The sender's changed fields, and the fields that they meet at the receiver by number, name or oneof."""

from typing import NamedTuple

from grpc_interop.compat.diff.match_fields import TypePair
from grpc_interop.compat.vocabulary.observation import Version
from grpc_interop.wire.shapes import FieldShape, Shape


class ChangedField(NamedTuple):
    """A field of the sender that differs."""

    field: FieldShape
    receivers: tuple[FieldShape, ...]
    """The receiver's fields with its number or any of its names: none where it is gone, two where number and name belong to
    different fields now."""


def changed_fields(pair: TypePair, writer: Version) -> list[ChangedField]:
    """Return the writer's fields that differ, in the order of their numbers."""
    receiver = pair.of(writer.other)
    names = receiver.json_names
    changed = []
    for field in sorted((field for both in pair.aims if (field := both.of(writer))), key=lambda field: field.number):
        candidates = [receiver.fields.get(field.number), names.get(field.json_name), names.get(field.name)]
        changed.append(ChangedField(field, tuple({other.number: other for other in candidates if other is not None}.values())))
    return changed


def competing_fields(sender: Shape, receiver: Shape, changed: ChangedField) -> list[FieldShape]:
    """Return the sender's other fields that meet this field at the receiver: they have its number or name there, or are members
    of its oneof. Members of a oneof that the sender itself has are left out, since the sender cannot hold both."""
    numbers = {number for field in changed.receivers if field.oneof for number in receiver.arms[field.oneof]}
    names = {field.name for field in changed.receivers}
    numbers |= {field.number for field in changed.receivers}
    own = changed.field
    return [
        other
        for other in sender.ordered
        if other is not own and (other.number in numbers or other.name in names) and not (other.oneof and other.oneof == own.oneof)
    ]
