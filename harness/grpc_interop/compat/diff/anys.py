"""Types that an Any may hold and its reader does not know: declared in a single version, and sent where both versions have an
Any. No proto says which types an Any holds, so it may be any of them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, islice

from grpc_interop.compat.diff.match_fields import FieldPair, TypePair
from grpc_interop.compat.diff.match_types import MatchedSchemas
from grpc_interop.compat.vocabulary.observation import MessageRole, Version
from grpc_interop.output.plain_text import few
from grpc_interop.wire.shapes import FieldShape, Shape

ANY = "google.protobuf.Any"

FEW = 3
"""The least number of types to try in each Any. With many types each Any gets more, so that every type is tried in some Any."""

MOST_NAMED = 5
"""Elements that a note names."""


def is_any(shape: Shape | None) -> bool:
    return shape is not None and shape.special == ANY


def holds_any(field: FieldShape | None) -> bool:
    """Return whether an Any is in the field, or in its list or map."""
    return field is not None and is_any((field.mapped or field).inner)


class Anys:
    """The elements that hold an Any in both versions: fields, and requests and responses that are an Any."""

    def __init__(self, schemas: MatchedSchemas) -> None:
        self._roots = list(_roots(schemas))
        self._fields = [field for pair in schemas.types for field in any_fields(pair)]
        self.pairs = [pair for pair in schemas.types if any_fields(pair) or any(pair is root for _, root in self._roots)]
        own = {version: set(shapes.driven()) for version, shapes in ((Version.BASE, schemas.base), (Version.HEAD, schemas.head))}
        gone, new = (sorted(own[version] - own[version.other]) for version in (Version.BASE, Version.HEAD))
        self._held = {Version.BASE: self._share(gone), Version.HEAD: self._share(list(_successors(schemas, gone, new)))}

    def _share(self, foreign: Sequence[str]) -> dict[int, list[str]]:
        """Return the types for each pair: the pairs take turns."""
        turns = cycle(foreign)
        most = max(FEW, -(-len(foreign) // max(1, len(self.pairs))))
        return {id(pair): list(dict.fromkeys(islice(turns, most))) for pair in self.pairs}

    def held(self, pair: TypePair, writer: Version) -> list[str]:
        """Return the types that a version declares alone and that are to be sent within messages of this pair."""
        return self._held[writer].get(id(pair), [])

    def note(self) -> str:
        """Return the note on a type that is gone, empty where no element of both versions can hold it."""
        names = [name for name, _ in self._roots] + [field.element for field in self._fields]
        if not names:
            return ""
        return (
            f"an Any may hold it ({few(names, MOST_NAMED)}): new readers refuse such JSON and cannot unpack such bytes,"
            " and old readers do the same with a type that takes its place"
        )


def any_fields(pair: TypePair) -> list[FieldPair]:
    """Return the fields of both versions that hold an Any in both."""
    return [field for field in pair.fields if holds_any(field.base) and holds_any(field.head)]


def _successors(schemas: MatchedSchemas, gone: Iterable[str], new: Iterable[str]) -> Iterator[str]:
    """Yield the types of head that may replace a type that is gone: they match it by position, name or fields. Any other type is
    an addition, which programs with the base do not know or miss."""
    shapes = [schemas.base.of(name) for name in gone]
    names = {_last(shape.name) for shape in shapes}
    fields = {_fields(shape) for shape in shapes} - {()}
    matched = {pair.head.name for pair in schemas.types if pair.base in shapes}
    yield from (name for name in new if name in matched or _last(name) in names or _fields(schemas.head.of(name)) in fields)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _fields(shape: Shape) -> tuple[tuple[int, str], ...]:
    return tuple((field.number, field.name) for field in shape.ordered)


def _roots(schemas: MatchedSchemas) -> Iterator[tuple[str, TypePair]]:
    for method in schemas.methods:
        for role in (MessageRole.REQUEST, MessageRole.RESPONSE):
            root = method.root(role)
            if root is not None and is_any(root.base) and is_any(root.head):
                yield f"{method.element} {role}", root
