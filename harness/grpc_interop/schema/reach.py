"""The types that are reachable from a message type through its fields, each by a shortest way."""

import sys
from collections import deque
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.schema.catalog import Catalog


class Branch(NamedTuple):
    """A reachable type."""

    message: Descriptor
    fields: tuple[Field, ...]  # by number, known extensions included
    onward: "dict[int, Branch]"  # by the number of a field, the type that is reached first through it


def tree(catalog: Catalog, type_name: str, deepest: int = sys.maxsize) -> Branch:
    """Return the types that a message of this type can hold within `deepest` levels, as a tree of shortest ways. Each type is
    there once, so the tree is no larger than the protos, however recursive they are. Raise KeyError."""
    root = _branch(catalog, catalog.message(type_name))
    reached = {type_name}
    queue = deque([(root, 1)])
    while queue:
        branch, depth = queue.popleft()
        for field in branch.fields:
            inner = held(field)
            if inner is not None and inner.full_name not in reached and depth < deepest:
                reached.add(inner.full_name)
                branch.onward[field.number] = _branch(catalog, inner)
                queue.append((branch.onward[field.number], depth + 1))
    return root


def branches(root: Branch) -> list[Branch]:
    """Return the tree's types, the root first."""
    every = [root]
    for branch in every:
        every.extend(branch.onward.values())
    return every


def _branch(catalog: Catalog, message: Descriptor) -> Branch:
    fields = [*message.fields, *catalog.extensions(message)]
    return Branch(message, tuple(sorted(fields, key=lambda field: field.number)), {})


def held(field: Field) -> Descriptor | None:
    """Return the message type of a field, or of a map's values; None for scalars."""
    inner = field.message_type
    if inner is not None and is_map(field):
        return inner.fields_by_number[2].message_type
    return inner


def is_map(field: Field) -> bool:
    inner = field.message_type
    return inner is not None and field.type == Field.TYPE_MESSAGE and bool(inner.GetOptions().map_entry)


def name(field: Field) -> str:
    """Return `greeter.v1.HelloRequest.name`; an extension in brackets, since it may be declared in another file."""
    return f"[{field.full_name}]" if field.is_extension else field.full_name
