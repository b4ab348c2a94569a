"""Match the message types of two versions, and find the RPC that can carry a message of a type.

Types match by position: as an RPC's request or response, or as the content of a field. Types that no RPC of both versions
reaches are matched by their full name.
"""

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
    """An RPC, named by its path, in both versions."""

    base: Method | None  # None where the version lacks it
    head: Method | None
    request: TypePair | None = None  # None unless both versions have the RPC
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
        """Return the pair of its request types, or of its response types."""
        return self.request if role is MessageRole.REQUEST else self.response

    @property
    def differs(self) -> bool:
        """Whether a version lacks the RPC, or has it in another kind or with another type."""
        return self.base != self.head


class Carrier(NamedTuple):
    """A path for messages of a type: within the request or response of an RPC, through fields."""

    method: MethodPair
    role: MessageRole
    path: tuple[FieldPair, ...]
    root: TypePair

    def wrap(self, content: bytes, writer: Version) -> bytes:
        """Return a whole request or response, as this version writes it, with the content at the end of the path. Nothing else
        is set but the fields that either version requires: a reader that misses a required field shows nothing of the content."""
        holders = [self.root, *(pair.inner for pair in self.path if pair.inner)]
        for holder, pair in reversed(list(zip(holders, self.path, strict=False))):
            field = pair.of(writer)
            assert field is not None
            least = minimal_message(holder.of(writer), without=field.number)
            content = least + _demanded(holder, writer, field) + field_holding(field, content)
        return content


def minimal_message(shape: Shape, without: int = 0, around: frozenset[str] = frozenset()) -> bytes:
    """Return a message with only the required fields, except the number `without`. No message of a type that requires itself
    can exist: it is left incomplete."""
    content = b""
    for field in shape.required:
        if field.number != without:
            content += _plain(field, around | {shape.name})
    return content


def _plain(field: FieldShape, around: frozenset[str] = frozenset()) -> bytes:
    """Return the field with an ordinary value, or with a minimal message."""
    if field.inner is None:
        return wire_format.scalar_field(field.descriptor, non_default(field.descriptor))
    if field.inner.name in around:
        return b""
    return wire_format.message_field(field.descriptor, minimal_message(field.inner, around=around))


def _demanded(holder: TypePair, writer: Version, besides: FieldShape) -> bytes:
    """Return the fields that the reader alone requires, as far as the writer has them."""
    wanted = (holder.field(writer.other, field.number).of(writer) for field in holder.of(writer.other).required)
    return b"".join(_plain(field) for field in wanted if field is not None and not field.required and field is not besides)


def field_holding(field: FieldShape, content: bytes) -> bytes:
    """Return the field with this message in it, in a map under an ordinary key."""
    if field.key is None or field.mapped is None:
        return wire_format.message_field(field.descriptor, content)
    key = wire_format.scalar_field(field.key.descriptor, non_default(field.key.descriptor))
    return wire_format.message_field(field.descriptor, key + wire_format.message_field(field.mapped.descriptor, content))


class MatchedSchemas:
    """The types and RPCs of two versions, matched. `types` holds every pair once, in the order in which they are reached;
    `methods` every RPC of either version."""

    def __init__(self, base: Shapes, head: Shapes) -> None:
        self.base = base
        self.head = head
        self._pairs: dict[tuple[str, str], TypePair] = {}
        self._queue: deque[TypePair] = deque()
        self.methods = tuple(self._methods())
        self._walk()
        common = set(head.driven())
        for name in base.driven():
            if name in common:
                self._match(base.of(name), head.of(name), name)
        self._walk()
        self.types = tuple(self._pairs.values())
        self._carriers = {role: self._reached(role) for role in (MessageRole.REQUEST, MessageRole.RESPONSE)}

    def pair(self, base: str, head: str) -> TypePair:
        """Return the pair of two types by their full names. Raise KeyError for types that match nowhere."""
        return self._pairs[base, head]

    def carrier(self, pair: TypePair, role: MessageRole) -> Carrier | None:
        """Return the shortest path to send a message of these types in a request, or in a response; None without an RPC."""
        return self._carriers[role].get(id(pair)) if role is not MessageRole.MESSAGE else None

    def differing(self) -> list[TypePair]:
        """Return the type pairs with an element that differs."""
        return [pair for pair in self.types if pair.differs]

    def touched(self) -> list[MethodPair]:
        """Return the RPCs that differ, or that reach a message that does."""
        differing = _differing_at_any_depth(self.types)
        return [
            method
            for method in self.methods
            if method.differs or any(root is not None and id(root) in differing for root in (method.request, method.response))
        ]

    # -- matching ------------------------------------------------------------------------------------------------------

    def _methods(self) -> Iterator[MethodPair]:
        head = {method.path: method for method in self.head.catalog.methods()}
        for method in self.base.catalog.methods():
            other = head.pop(method.path, None)
            if other is None:
                yield MethodPair(method, None)
                continue
            yield MethodPair(
                method,
                other,
                self._match(self.base.of(method.request), self.head.of(other.request), f"{method.path[1:]} request"),
                self._match(self.base.of(method.response), self.head.of(other.response), f"{method.path[1:]} response"),
            )
        yield from (MethodPair(None, method) for method in head.values())

    def _match(self, base: Shape, head: Shape, position: str) -> TypePair:
        key = base.name, head.name
        if key not in self._pairs:
            self._pairs[key] = pair_fields(base, head, base.name if base.name == head.name else position)
            self._queue.append(self._pairs[key])
        return self._pairs[key]

    def _walk(self) -> None:
        """Match the types in fields, breadth first, so that a position is named by the shortest path to it."""
        while self._queue:
            for field in self._queue.popleft().fields:
                if field.base and field.head:
                    base, head = _held_types(field.base, field.head)
                    if base and head and not whole(base, head):
                        field.inner = self._match(base, head, field.element)

    # -- carriers ------------------------------------------------------------------------------------------------------

    def _reached(self, role: MessageRole) -> dict[int, Carrier]:
        """Return the carrier of each pair, through equal fields where they lead there: a field that is lost carries nothing."""
        starts = [
            Carrier(method, role, (), root)
            for method in sorted(self.methods, key=lambda pair: not (pair.base and pair.head and pair.base.kind is pair.head.kind))
            if (root := method.root(role)) is not None
        ]
        reached: dict[int, Carrier] = {}
        _spread(starts, reached, through_differing=False)
        _spread([*reached.values()], reached, through_differing=True)
        return reached


def _spread(starts: Iterable[Carrier], reached: dict[int, Carrier], *, through_differing: bool) -> None:
    queue = deque(starts)
    for start in starts:
        reached.setdefault(id(start.root), start) if not start.path else None
    while queue:
        carrier = queue.popleft()
        here = carrier.path[-1].inner if carrier.path else carrier.root
        assert here is not None
        for field in here.fields:
            if field.inner is None or id(field.inner) in reached or (field.differs and not through_differing):
                continue
            reached[id(field.inner)] = carrier._replace(path=(*carrier.path, field))
            queue.append(reached[id(field.inner)])


def _held_types(base: FieldShape, head: FieldShape) -> tuple[Shape | None, Shape | None]:
    """Return the message types of two fields or of their maps' values, also where a list of entries stands for a map."""
    if (base.mapped is None) != (head.mapped is None):
        base, head = _entry_value(base), _entry_value(head)
    else:
        base, head = base.mapped or base, head.mapped or head
    return base.inner, head.inner


def _entry_value(field: FieldShape) -> FieldShape:
    if field.mapped is not None:
        return field.mapped
    return field.inner.fields.get(2, field) if field.inner and field.repeated else field


def _differing_at_any_depth(types: Iterable[TypePair]) -> set[int]:
    """Return the ids of pairs that differ, and of pairs that hold such a pair at any depth."""
    holders: dict[int, list[TypePair]] = {}
    queue = [pair for pair in types if pair.differs]
    for pair in types:
        for field in pair.fields:
            if field.inner is not None:
                holders.setdefault(id(field.inner), []).append(pair)
    differing = {id(pair) for pair in queue}
    for inner in queue:
        for holder in holders.get(id(inner), []):
            if id(holder) not in differing:
                differing.add(id(holder))
                queue.append(holder)
    return differing
