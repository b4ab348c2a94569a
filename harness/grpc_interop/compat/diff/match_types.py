"""Which message type of base meets which of head, and by which RPC a message of it can be sent.

Types meet at a place: an RPC's request or response, or a field that holds them. Those that no RPC of both versions
reaches are paired by their full name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from grpc_interop.compat.diff.equal import whole
from grpc_interop.compat.diff.match_fields import FieldPair, TypePair, pair_fields
from grpc_interop.compat.vocabulary.observation import MessageRole, Version
from grpc_interop.core.case import Method
from grpc_interop.values.scalars import non_default
from grpc_interop.wire import wire_format
from grpc_interop.wire.shapes import FieldShape, Shape, Shapes


class MethodPair(NamedTuple):
    """One RPC, named by its path; None in a version that lacks it. `request` and `response` are there if both have it."""

    base: Method | None
    head: Method | None
    request: TypePair | None = None
    response: TypePair | None = None

    @property
    def element(self) -> str:
        """`pkg.Service/Method`."""
        return self.any.path[1:]

    @property
    def any(self) -> Method:
        method = self.base or self.head
        assert method is not None
        return method

    def of(self, version: Version) -> Method | None:
        return self.base if version is Version.BASE else self.head

    def root(self, role: MessageRole) -> TypePair | None:
        """The types that meet as request, or as response."""
        return self.request if role is MessageRole.REQUEST else self.response

    @property
    def differs(self) -> bool:
        """Whether it is there in one version only, or of another kind or with another type."""
        return self.base != self.head


class Carrier(NamedTuple):
    """A way for messages of one pair of types to be sent: within the request or response of an RPC, through these fields."""

    method: MethodPair
    role: MessageRole
    way: tuple[FieldPair, ...]
    root: TypePair

    def wrap(self, content: bytes, writer: Version) -> bytes:
        """A whole request or response, as this version writes it, with this content in its place and nothing else set but
        what either version requires: a reader that refuses the rest shows nothing of the content. Without effect where
        there is no way to go."""
        holders = [self.root, *(one.inner for one in self.way if one.inner)]
        for holder, one in reversed(list(zip(holders, self.way, strict=False))):
            field = one.of(writer)
            assert field is not None
            content = (
                minimal_message(holder.of(writer), without=field.number) + _demanded(holder, writer, field) + field_holding(field, content)
            )
        return content


def minimal_message(shape: Shape, without: int = 0, around: frozenset[str] = frozenset()) -> bytes:
    """Nothing but the required fields, but for the number `without`. Of a type that requires itself no message can exist:
    it is left incomplete."""
    content = b""
    for one in shape.required:
        if one.number != without:
            content += _plain(one, around | {shape.name})
    return content


def _plain(field: FieldShape, around: frozenset[str] = frozenset()) -> bytes:
    """The field with an ordinary value; of a message the least."""
    if field.inner is None:
        return wire_format.scalar_field(field.descriptor, non_default(field.descriptor))
    return b"" if field.inner.name in around else wire_format.message_field(field.descriptor, minimal_message(field.inner, around=around))


def _demanded(holder: TypePair, writer: Version, besides: FieldShape) -> bytes:
    """What the reader alone requires, as far as the writer has it."""
    wanted = (holder.field(writer.other, one.number).of(writer) for one in holder.of(writer.other).required)
    return b"".join(_plain(one) for one in wanted if one is not None and not one.required and one is not besides)


def field_holding(field: FieldShape, content: bytes) -> bytes:
    """Return the field with one message in it, of a map under an ordinary key."""
    if field.key is None or field.mapped is None:
        return wire_format.message_field(field.descriptor, content)
    key = wire_format.scalar_field(field.key.descriptor, non_default(field.key.descriptor))
    return wire_format.message_field(field.descriptor, key + wire_format.message_field(field.mapped.descriptor, content))


class MatchedSchemas:
    """All that two versions have in common, by place. `types` holds every pair once, in the order in which they are
    reached; `methods` every RPC of either version."""

    def __init__(self, base: Shapes, head: Shapes) -> None:
        self.base = base
        self.head = head
        self._pairs: dict[tuple[str, str], TypePair] = {}
        self._queue: deque[TypePair] = deque()
        self.methods = tuple(self._methods())
        self._walk()
        held = set(head.driven())
        for name in base.driven():
            if name in held:
                self._meet(base.of(name), head.of(name), name)
        self._walk()
        self.types = tuple(self._pairs.values())
        self._carriers = {role: self._reached(role) for role in (MessageRole.REQUEST, MessageRole.RESPONSE)}

    def pair(self, base: str, head: str) -> TypePair:
        """The pair of two types by their full names. Raises KeyError for types that meet nowhere."""
        return self._pairs[base, head]

    def carrier(self, pair: TypePair, role: MessageRole) -> Carrier | None:
        """The shortest way to send a message of these types as (part of) a request, or as a response; None if none is."""
        return self._carriers[role].get(id(pair)) if role is not MessageRole.MESSAGE else None

    def differing(self) -> list[TypePair]:
        """Those with an element that differs."""
        return [one for one in self.types if one.differs]

    def touched(self) -> list[MethodPair]:
        """The RPCs that differ, or reach a message that does."""
        differing = _holding(self.types)
        return [
            one
            for one in self.methods
            if one.differs or any(root is not None and id(root) in differing for root in (one.request, one.response))
        ]

    # -- where types meet ----------------------------------------------------------------------------------------------

    def _methods(self) -> Iterator[MethodPair]:
        head = {method.path: method for method in self.head.catalog.methods()}
        for method in self.base.catalog.methods():
            other = head.pop(method.path, None)
            if other is None:
                yield MethodPair(method, None)
                continue
            place = method.path[1:]
            yield MethodPair(
                method,
                other,
                self._meet(self.base.of(method.request), self.head.of(other.request), f"{place} request"),
                self._meet(self.base.of(method.response), self.head.of(other.response), f"{place} response"),
            )
        yield from (MethodPair(None, method) for method in head.values())

    def _meet(self, base: Shape, head: Shape, place: str) -> TypePair:
        key = base.name, head.name
        if key not in self._pairs:
            self._pairs[key] = pair_fields(base, head, base.name if base.name == head.name else place)
            self._queue.append(self._pairs[key])
        return self._pairs[key]

    def _walk(self) -> None:
        """Breadth first, so that a place is named by the shortest way to it."""
        while self._queue:
            for one in self._queue.popleft().fields:
                if one.base and one.head:
                    base, head = _held_types(one.base, one.head)
                    if base and head and not whole(base, head):
                        one.inner = self._meet(base, head, one.element)

    # -- how they are reached ------------------------------------------------------------------------------------------

    def _reached(self, role: MessageRole) -> dict[int, Carrier]:
        """By pair; through what does not differ where that leads there, since a field that is lost carries nothing."""
        starts = [
            Carrier(method, role, (), root)
            for method in sorted(self.methods, key=lambda one: not (one.base and one.head and one.base.kind is one.head.kind))
            if (root := method.root(role)) is not None
        ]
        reached: dict[int, Carrier] = {}
        _spread(starts, reached, through_differing=False)
        _spread([*reached.values()], reached, through_differing=True)
        return reached


def _spread(starts: Iterable[Carrier], reached: dict[int, Carrier], *, through_differing: bool) -> None:
    queue = deque(starts)
    for start in starts:
        reached.setdefault(id(start.root), start) if not start.way else None
    while queue:
        carrier = queue.popleft()
        here = carrier.way[-1].inner if carrier.way else carrier.root
        assert here is not None
        for one in here.fields:
            if one.inner is None or id(one.inner) in reached or (one.differs and not through_differing):
                continue
            reached[id(one.inner)] = carrier._replace(way=(*carrier.way, one))
            queue.append(reached[id(one.inner)])


def _held_types(base: FieldShape, head: FieldShape) -> tuple[Shape | None, Shape | None]:
    """The message types of two fields; of maps their values', also where a list of entries stands for a map."""
    if (base.mapped is None) != (head.mapped is None):
        base, head = _entry_value(base), _entry_value(head)
    else:
        base, head = base.mapped or base, head.mapped or head
    return base.inner, head.inner


def _entry_value(field: FieldShape) -> FieldShape:
    if field.mapped is not None:
        return field.mapped
    return field.inner.fields.get(2, field) if field.inner and field.repeated else field


def _holding(types: Iterable[TypePair]) -> set[int]:
    """Pairs that differ, and those that hold such a pair at any depth."""
    holders: dict[int, list[TypePair]] = {}
    found = [one for one in types if one.differs]
    for pair in types:
        for one in pair.fields:
            if one.inner is not None:
                holders.setdefault(id(one.inner), []).append(pair)
    field_holding = {id(one) for one in found}
    for inner in found:
        for holder in holders.get(id(inner), []):
            if id(holder) not in field_holding:
                field_holding.add(id(holder))
                found.append(holder)
    return field_holding
