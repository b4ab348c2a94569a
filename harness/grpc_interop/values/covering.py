"""The fewest messages of a type that together set every field that is reachable from it.

Each reachable type is filled where it is reached first (schema/reach.py), so that their size grows with the protos and not
with the ways through them. The arms of a oneof go into different messages, or into different elements where a list or map
lies on the way.
"""

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
    """A field, or a oneof. It holds nothing in messages past its last turn, unless it is required."""

    required: bool
    turns: list[tuple[int, bytes]] = field(default_factory=list)
    """Its content in the first message, in the second and so on, each with a field number."""

    def at(self, turn: int) -> Iterator[tuple[int, bytes]]:
        if turn < len(self.turns):
            yield self.turns[turn]
        elif self.required:
            yield self.turns[-1]


def covering(catalog: Catalog, type_name: str) -> list[bytes]:
    """Return the messages; none where a type requires itself, so that no message of it can exist. Raise KeyError."""
    return messages_of(tree(catalog, type_name, DEEPEST))


def messages_of(branch: Branch) -> list[bytes]:
    """Return messages of the branch's type that together set its fields; none where no message of the type can exist."""
    if branch.message.GetOptions().message_set_wire_format:
        # It writes its extensions in a form that no other message has and that few languages know.
        return [b""]
    slots: dict[object, _Slot] = {}
    for child in branch.fields:
        turns = [(child.number, content) for content in _turns(child, branch.onward.get(child.number))]
        if child.is_required and not turns:
            return []
        key = child.containing_oneof.full_name if child.containing_oneof else child.number
        slots.setdefault(key, _Slot(child.is_required)).turns.extend(turns)
    number = max((len(slot.turns) for slot in slots.values()), default=0)
    return [_joined(slot.at(turn) for slot in slots.values()) for turn in range(number or 1)]


def _joined(parts: Iterable[Iterable[tuple[int, bytes]]]) -> bytes:
    """Join in field order, as runtimes write fields: then the answer can be compared byte by byte."""
    return b"".join(content for _, content in sorted(entry for part in parts for entry in part))


def _turns(child: Field, onward: Branch | None) -> list[bytes]:
    """Return the field's content in each message; nothing where no message of its type can exist."""
    inner = held(child)
    if inner is None:
        return [_entry(child, 1, None)] if is_map(child) else [wire_format.scalar_field(child, non_default(child))]
    if onward is not None:
        contents = messages_of(onward)
    else:
        contents = [least] if (least := _least(inner, frozenset())) is not None else []
    if is_map(child):
        return _packed([_entry(child, number, content) for number, content in enumerate(contents, 1)], _most_keys(child))
    encoded = [wire_format.message_field(child, content) for content in contents]
    return _packed(encoded, MOST_ELEMENTS) if child.is_repeated else encoded


def _entry(child: Field, number: int, content: bytes | None) -> bytes:
    """Return a map's entry with the key of that number; its value is a message with this content, or else a scalar."""
    assert child.message_type is not None
    key, mapped = child.message_type.fields_by_number[1], child.message_type.fields_by_number[2]
    value = wire_format.scalar_field(mapped, non_default(mapped)) if content is None else wire_format.message_field(mapped, content)
    named = number % 2 == 1 if key.type == Field.TYPE_BOOL else value_of(key, number)
    return wire_format.message_field(child, wire_format.scalar_field(key, named) + value)


def _most_keys(child: Field) -> int:
    """Return how many distinct keys a map can have here."""
    assert child.message_type is not None
    return 2 if child.message_type.fields_by_number[1].type == Field.TYPE_BOOL else MOST_ELEMENTS


def _packed(elements: Sequence[bytes], most: int) -> list[bytes]:
    """Put as many elements in each message as `most` and LIST_BYTES allow."""
    packed: list[list[bytes]] = []
    for element in elements:
        if packed and len(packed[-1]) < most and sum(map(len, packed[-1])) + len(element) <= LIST_BYTES:
            packed[-1].append(element)
        else:
            packed.append([element])
    return [b"".join(part) for part in packed]


def _least(message: Descriptor, around: frozenset[str]) -> bytes | None:
    """Return a message with nothing but its required fields, or None where it requires itself."""
    if message.full_name in around:
        return None
    content = b""
    for child in sorted((child for child in message.fields if child.is_required), key=lambda child: child.number):
        if child.message_type is None:
            content += wire_format.scalar_field(child, non_default(child))
            continue
        inner = _least(child.message_type, around | {message.full_name})
        if inner is None:
            return None
        content += wire_format.message_field(child, inner)
    return content
