"""Few messages for an RPC whose types hold changed ones: together they set every changed field, and little else."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from grpc_interop.compat.diff.match_fields import TypePair
from grpc_interop.compat.vocabulary.observation import Version
from grpc_interop.schema.reach import Branch
from grpc_interop.values.covering import DEEPEST, messages_of
from grpc_interop.wire.shapes import Shapes


class _Node(NamedTuple):
    """A pair of types where it is reached first, and the pairs that are reached through it, by the writer's number of the
    field."""

    pair: TypePair
    onward: dict[int, _Node]


def covering(shapes: Shapes, pair: TypePair, writer: Version) -> list[bytes]:
    """Messages of the writer's type; none where nothing in it differs, or no message of the type can exist. `shapes` are
    the writer's."""
    branch = _pruned(shapes, _tree(pair, writer), writer)
    return [] if branch is None else messages_of(branch)


def _tree(pair: TypePair, writer: Version) -> _Node:
    """Every pair of types that this one leads to, each by one shortest way."""
    root = _Node(pair, {})
    reached = {id(pair)}
    queue = deque([(root, 1)])
    while queue:
        here, depth = queue.popleft()
        for one in here.pair.fields:
            field = one.of(writer)
            if field is None or one.inner is None or depth >= DEEPEST or id(one.inner) in reached:
                continue
            reached.add(id(one.inner))
            here.onward[field.number] = _Node(one.inner, {})
            queue.append((here.onward[field.number], depth + 1))
    return root


def _pruned(shapes: Shapes, node: _Node, writer: Version) -> Branch | None:
    """Of a pair the fields that differ or lead on to some that do, and those that are required; None where none does."""
    onward = {number: branch for number, inner in node.onward.items() if (branch := _pruned(shapes, inner, writer)) is not None}
    differing = {field.number for one in node.pair.aims if (field := one.of(writer))}
    if not onward and not differing:
        return None
    mine = node.pair.of(writer)
    fields = tuple(one.descriptor for one in mine.ordered if one.required or one.number in {*onward, *differing})
    return Branch(shapes.catalog.message(mine.name), fields, onward)
