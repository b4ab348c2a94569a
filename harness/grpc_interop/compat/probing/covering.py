"""Few messages for an RPC whose types hold changed ones: together they set every changed field, and little else."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.compat.probing.differences import changed
from grpc_interop.protos.covering import DEEPEST, messages_of
from grpc_interop.protos.reach import Branch
from grpc_interop.protos.shapes import FieldShape, Shape, Shapes


class _Node(NamedTuple):
    """A pair of types where it is reached first, and the pairs that are reached through it, by the field's number."""

    sender: Shape
    receiver: Shape
    onward: dict[int, _Node]


def covering(shapes: Shapes, sender: Shape, receiver: Shape) -> list[bytes]:
    """Messages of the sender's type; none where nothing in it differs, or no message of the type can exist. `shapes` are
    the sender's."""
    branch = _pruned(shapes, _tree(sender, receiver))
    return [] if branch is None else messages_of(branch)


def _tree(sender: Shape, receiver: Shape) -> _Node:
    """Every pair of types that the two lead to, each by one shortest way through fields of one number."""
    root = _Node(sender, receiver, {})
    reached = {(sender.name, receiver.name)}
    queue = deque([(root, 1)])
    while queue:
        here, depth = queue.popleft()
        for field in here.sender.ordered:
            mine, theirs = _held(field), _held(here.receiver.fields.get(field.number))
            if mine is None or theirs is None or depth >= DEEPEST or (mine.name, theirs.name) in reached:
                continue
            reached.add((mine.name, theirs.name))
            here.onward[field.number] = _Node(mine, theirs, {})
            queue.append((here.onward[field.number], depth + 1))
    return root


def _held(field: FieldShape | None) -> Shape | None:
    """The type that a field holds, of a map its values' type."""
    if field is None:
        return None
    return field.inner or (field.mapped.inner if field.mapped else None)


def _pruned(shapes: Shapes, node: _Node) -> Branch | None:
    """Of a pair the fields that have changed or lead on to some, and what either side requires; None where there are no
    such."""
    onward = {number: branch for number, inner in node.onward.items() if (branch := _pruned(shapes, inner)) is not None}
    differing = {one.field.number for one in changed(node.sender, node.receiver)}
    if not onward and not differing:
        return None
    required = {one.number for one in (*node.sender.required, *node.receiver.required)}
    fields: list[Field] = [one.descriptor for one in node.sender.ordered if one.number in {*onward, *differing, *required}]
    return Branch(shapes.catalog.message(node.sender.name), tuple(fields), onward)
