"""What is reachable from a message type: the types that its fields lead to, each by one shortest way, and their fields."""

from __future__ import annotations

import sys
from collections import deque
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.schema.catalog import Catalog


class Branch(NamedTuple):
    """One reachable type: its fields, known extensions included, in the order of their numbers; and, by the number of
    the field that leads there, those types that are reached first through it."""

    message: Descriptor
    fields: tuple[Field, ...]
    onward: dict[int, Branch]


def tree(catalog: Catalog, type_name: str, deepest: int = sys.maxsize) -> Branch:
    """Every type that a message of this type can hold within `deepest` levels, as a tree of shortest ways: each type
    stands in one place, so the tree is no larger than the protos, however recursive they are. Raises KeyError."""
    root = _branch(catalog, catalog.message(type_name))
    reached = {type_name}
    queue = deque([(root, 1)])
    while queue:
        here, depth = queue.popleft()
        for field in here.fields:
            inner = held(field)
            if inner is not None and inner.full_name not in reached and depth < deepest:
                reached.add(inner.full_name)
                here.onward[field.number] = _branch(catalog, inner)
                queue.append((here.onward[field.number], depth + 1))
    return root


def branches(root: Branch) -> list[Branch]:
    """The tree's types, the root first."""
    found = [root]
    for branch in found:
        found.extend(branch.onward.values())
    return found


def _branch(catalog: Catalog, message: Descriptor) -> Branch:
    fields = [*message.fields, *catalog.extensions(message)]
    return Branch(message, tuple(sorted(fields, key=lambda field: field.number)), {})


def held(field: Field) -> Descriptor | None:
    """The message type that a field holds, of a map its values' type; None of a scalar."""
    inner = field.message_type
    if inner is not None and is_map(field):
        return inner.fields_by_number[2].message_type
    return inner


def is_map(field: Field) -> bool:
    inner = field.message_type
    return inner is not None and field.type == Field.TYPE_MESSAGE and bool(inner.GetOptions().map_entry)


def name(field: Field) -> str:
    """`greeter.v1.HelloRequest.name`; an extension in brackets, since it stands in a file of its own."""
    return f"[{field.full_name}]" if field.is_extension else field.full_name
