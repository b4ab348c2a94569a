"""What a google.protobuf.Any may hold that its reader does not know: types that only one version declares, and where the two
versions can meet one. No proto says which types an Any holds, so it may be any of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, islice

from grpc_interop.compat.diff.match_fields import FieldPair, TypePair
from grpc_interop.compat.diff.match_types import MatchedSchemas
from grpc_interop.compat.vocabulary.observation import MessageRole, Version
from grpc_interop.output.plain_text import few
from grpc_interop.wire.shapes import FieldShape, Shape

ANY = "google.protobuf.Any"

FEW = 3
"""Types that are tried at each place, at the least: all of them together, at one place or another."""

MOST_NAMED = 5
"""Places that a note names."""


def is_any(shape: Shape | None) -> bool:
    return shape is not None and shape.special == ANY


def holds_any(field: FieldShape | None) -> bool:
    """Return whether an Any is in the field, or in its list or map."""
    return field is not None and is_any((field.mapped or field).inner)


class Anys:
    """The places of two versions that hold an Any in both: fields, and requests and responses that are one."""

    def __init__(self, schemas: MatchedSchemas) -> None:
        self._schemas = schemas
        self._roots = list(_roots(schemas))
        self._fields = [one for pair in schemas.types for one in any_fields(pair)]
        self.pairs = [pair for pair in schemas.types if any_fields(pair) or any(pair is root for _, root in self._roots)]
        own = {version: set(shapes.driven()) for version, shapes in ((Version.BASE, schemas.base), (Version.HEAD, schemas.head))}
        gone, new = (sorted(own[version] - own[version.other]) for version in (Version.BASE, Version.HEAD))
        self._foreign = {Version.BASE: gone, Version.HEAD: list(_followers(schemas, gone, new))}
        self._held = {version: self._share(foreign) for version, foreign in self._foreign.items()}

    def _share(self, foreign: Sequence[str]) -> dict[int, list[str]]:
        """The types for each pair, by turns."""
        turns = cycle(foreign)
        most = max(FEW, -(-len(foreign) // max(1, len(self.pairs))))
        return {id(pair): list(dict.fromkeys(islice(turns, most))) for pair in self.pairs}

    def held(self, pair: TypePair, writer: Version) -> list[str]:
        """Return the types that a version declares alone and that are to be sent within messages of this pair."""
        return self._held[writer].get(id(pair), [])

    def note(self) -> str:
        """Return what to know of a type that is gone, empty where the two versions have no place for it."""
        names = [name for name, _ in self._roots] + [one.element for one in self._fields]
        if not names:
            return ""
        return (
            f"an Any may hold it ({few(names, MOST_NAMED)}): new readers refuse such JSON and cannot unpack such bytes,"
            " and old readers do the same with a type that takes its place"
        )


def any_fields(pair: TypePair) -> list[FieldPair]:
    """Return the fields of both versions that hold an Any in both."""
    return [one for one in pair.fields if holds_any(one.base) and holds_any(one.head)]


def _followers(schemas: MatchedSchemas, gone: Iterable[str], new: Iterable[str]) -> Iterator[str]:
    """Yield the types of head that may take the place of one that is gone: they meet it where it was used, have its name
    elsewhere, or its fields. Any other one is an addition, which nobody who has the base knows or misses."""
    shapes = [schemas.base.of(name) for name in gone]
    names = {_last(shape.name) for shape in shapes}
    fields = {_fields(shape) for shape in shapes} - {()}
    met = {pair.head.name for pair in schemas.types if pair.base in shapes}
    yield from (name for name in new if name in met or _last(name) in names or _fields(schemas.head.of(name)) in fields)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _fields(shape: Shape) -> tuple[tuple[int, str], ...]:
    return tuple((one.number, one.name) for one in shape.ordered)


def _roots(schemas: MatchedSchemas) -> Iterator[tuple[str, TypePair]]:
    for method in schemas.methods:
        for role in (MessageRole.REQUEST, MessageRole.RESPONSE):
            root = method.root(role)
            if root is not None and is_any(root.base) and is_any(root.head):
                yield f"{method.element} {role}", root
