"""Few messages for an RPC whose types hold changed types: together they set every changed field, and little else."""

from collections import deque
from typing import NamedTuple

from grpc_interop.compat.diff.match_fields import TypePair
from grpc_interop.compat.vocabulary.observation import Version
from grpc_interop.schema.reach import Branch
from grpc_interop.values.covering import DEEPEST, messages_of
from grpc_interop.wire.shapes import Shapes


class _Node(NamedTuple):
    """A pair of types where it is reached first."""

    pair: TypePair
    onward: "dict[int, _Node]"  # the pairs reached through it, by the writer's number of the field


def covering(shapes: Shapes, pair: TypePair, writer: Version) -> list[bytes]:
    """Return messages of the writer's type, whose `shapes` are given; none where nothing in it differs, or where no message of
    the type can exist."""
    branch = _pruned(shapes, _tree(pair, writer), writer)
    return [] if branch is None else messages_of(branch)


def _tree(pair: TypePair, writer: Version) -> _Node:
    """Return the tree of all pairs that this pair leads to, each by a shortest path."""
    root = _Node(pair, {})
    reached = {id(pair)}
    queue = deque([(root, 1)])
    while queue:
        here, depth = queue.popleft()
        for both in here.pair.fields:
            field = both.of(writer)
            if field is None or both.inner is None or depth >= DEEPEST or id(both.inner) in reached:
                continue
            reached.add(id(both.inner))
            here.onward[field.number] = _Node(both.inner, {})
            queue.append((here.onward[field.number], depth + 1))
    return root


def _pruned(shapes: Shapes, node: _Node, writer: Version) -> Branch | None:
    """Return the fields of a pair that differ, that lead on to fields that do, or that are required; None where nothing differs."""
    onward = {number: branch for number, inner in node.onward.items() if (branch := _pruned(shapes, inner, writer)) is not None}
    differing = {field.number for both in node.pair.aims if (field := both.of(writer))}
    if not onward and not differing:
        return None
    shape = node.pair.of(writer)
    fields = tuple(field.descriptor for field in shape.ordered if field.required or field.number in {*onward, *differing})
    return Branch(shapes.catalog.message(shape.name), fields, onward)
