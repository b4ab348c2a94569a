"""The fewest messages of a type that together set every field that is reachable from it.

Each reachable type is filled where it is reached first (reach.py), so that their size grows with the protos and not with
the ways through them. What a oneof keeps apart goes into different messages, or into different elements where a list
or map lies on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.reach import Branch, held, is_map, tree
from grpc_interop.values.scalars import non_default, value_of
from grpc_interop.wire import wire_format

MOST_ELEMENTS, LIST_BYTES = 1_000, 64 * 1024
"""Elements and bytes after which a list goes on in the next message: messages stay far below the 4 MiB that runtimes
accept unless told otherwise."""


DEEPEST = 90
"""Levels of nesting beyond which nothing is set: the strictest runtimes refuse messages of more than 100."""


@dataclass(slots=True)
class _Slot:
    """One field, or one oneof: what stands there in the first message, in the second and so on, each with its field
    number. Past the end nothing does, unless it is required."""

    required: bool
    turns: list[tuple[int, bytes]] = field(default_factory=list)

    def at(self, turn: int) -> Iterator[tuple[int, bytes]]:
        if turn < len(self.turns):
            yield self.turns[turn]
        elif self.required:
            yield self.turns[-1]


def covering(catalog: Catalog, type_name: str) -> list[bytes]:
    """The messages; none where a type requires itself, so that no message of it can exist. Raises KeyError."""
    return messages_of(tree(catalog, type_name, DEEPEST))


def messages_of(branch: Branch) -> list[bytes]:
    """Messages of the branch's type that together set its fields; none where no message of the type can exist."""
    if branch.message.GetOptions().message_set_wire_format:
        # It writes its extensions in a form that no other message has and that few languages know.
        return [b""]
    places: dict[object, _Slot] = {}
    for one in branch.fields:
        turns = [(one.number, content) for content in _turns(one, branch.onward.get(one.number))]
        if one.is_required and not turns:
            return []
        key = one.containing_oneof.full_name if one.containing_oneof else one.number
        places.setdefault(key, _Slot(one.is_required)).turns.extend(turns)
    number = max((len(place.turns) for place in places.values()), default=0)
    return [_joined(place.at(turn) for place in places.values()) for turn in range(number or 1)]


def _joined(parts: Iterable[Iterable[tuple[int, bytes]]]) -> bytes:
    """In field order, as runtimes write them: then what comes back can be compared byte by byte."""
    return b"".join(content for _, content in sorted(entry for part in parts for entry in part))


def _turns(one: Field, onward: Branch | None) -> list[bytes]:
    """What the field holds in one message after another; nothing where no message of its type can exist."""
    inner = held(one)
    if inner is None:
        return [_entry(one, 1, None)] if is_map(one) else [wire_format.scalar_field(one, non_default(one))]
    if onward is not None:
        contents = messages_of(onward)
    else:
        contents = [least] if (least := _least(inner, frozenset())) is not None else []
    if is_map(one):
        return _packed([_entry(one, number, content) for number, content in enumerate(contents, 1)], _keys(one))
    encoded = [wire_format.message_field(one, content) for content in contents]
    return _packed(encoded, MOST_ELEMENTS) if one.is_repeated else encoded


def _entry(one: Field, number: int, content: bytes | None) -> bytes:
    """A map's entry with the key of that number; its value is a message with this content, or else a scalar."""
    assert one.message_type is not None
    key, mapped = one.message_type.fields_by_number[1], one.message_type.fields_by_number[2]
    value = wire_format.scalar_field(mapped, non_default(mapped)) if content is None else wire_format.message_field(mapped, content)
    named = number % 2 == 1 if key.type == Field.TYPE_BOOL else value_of(key, number)
    return wire_format.message_field(one, wire_format.scalar_field(key, named) + value)


def _keys(one: Field) -> int:
    """How many distinct keys a map can be given here."""
    assert one.message_type is not None
    return 2 if one.message_type.fields_by_number[1].type == Field.TYPE_BOOL else MOST_ELEMENTS


def _packed(elements: Sequence[bytes], most: int) -> list[bytes]:
    """As many elements in each message as `most` and LIST_BYTES allow."""
    packed: list[list[bytes]] = []
    for element in elements:
        if packed and len(packed[-1]) < most and sum(map(len, packed[-1])) + len(element) <= LIST_BYTES:
            packed[-1].append(element)
        else:
            packed.append([element])
    return [b"".join(part) for part in packed]


def _least(message: Descriptor, around: frozenset[str]) -> bytes | None:
    """A message with nothing but its required fields, or None where it requires itself."""
    if message.full_name in around:
        return None
    content = b""
    for one in sorted((one for one in message.fields if one.is_required), key=lambda one: one.number):
        if one.message_type is None:
            content += wire_format.scalar_field(one, non_default(one))
            continue
        inner = _least(one.message_type, around | {message.full_name})
        if inner is None:
            return None
        content += wire_format.message_field(one, inner)
    return content
