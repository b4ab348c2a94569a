"""Match the fields and enum values of two versions, and say whether a pair differs.

A field may keep its number, its name, or both. Where number and name lead to different fields, the field of exactly the same
type is the match, else the field with the same name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.compat.vocabulary.observation import Format, Version
from grpc_interop.wire.shapes import FLOATING, SUBMESSAGES, TEXTS, EnumShape, FieldShape, Shape


class Family(StrEnum):
    """Types whose values are alike. A field that replaces a field of another family is a new field."""

    INTEGER = "integer"
    BOOL = "bool"
    FLOAT = "float"
    TEXT = "text"
    ENUM = "enum"
    MESSAGE = "message"
    MAP = "map"


def family(field: FieldShape) -> Family:
    """Return the family of a field: the same for lists and for single values of a type."""
    if field.mapped is not None:
        return Family.MAP
    if field.type in SUBMESSAGES:
        return Family.MESSAGE
    if field.type in TEXTS:
        return Family.TEXT
    if field.type in FLOATING:
        return Family.FLOAT
    if field.enum is not None:
        return Family.ENUM
    return Family.BOOL if field.type == Field.TYPE_BOOL else Family.INTEGER


def exact_type(field: FieldShape) -> tuple[object, ...]:
    """Return a key that is equal for fields of exactly the same type."""
    if field.key is not None and field.mapped is not None:
        return exact_type(field.key), exact_type(field.mapped)
    enum = field.descriptor.enum_type
    held = enum.full_name if enum is not None else field.inner.name if field.inner else ""
    return field.type, field.repeated, held


@dataclass(slots=True)
class ValuePair:
    """An enum value in both versions."""

    element: str
    name: str
    base: int | None  # the number of its name in base; None where base lacks it
    head: int | None
    now: str = ""  # its new name, where head has the number under another name only
    written: str = ""
    """The name with which head writes the number in JSON, although it still declares `name`; base does not have it for the number."""

    @property
    def differs(self) -> bool:
        return self.base != self.head or bool(self.now or self.written)

    @property
    def loses_name(self) -> bool:
        """Whether base may read, or head may write, JSON in which the value has no name that the other side knows."""
        return self.head is None or bool(self.now or self.written)


@dataclass(slots=True, eq=False)
class FieldPair:
    """An element: a field as both versions have it, or a single version."""

    element: str
    base: FieldShape | None
    head: FieldShape | None
    differs: bool = False
    """Whether its definition differs in a way that may show in binary or JSON: its enum's values count, the elements of its
    message type do not."""
    inner: "TypePair | None" = None  # the message types that it holds, or that its map's values hold
    values: tuple[ValuePair, ...] = ()

    def of(self, version: Version) -> FieldShape | None:
        return self.base if version is Version.BASE else self.head

    @property
    def any(self) -> FieldShape:
        """The field as base has it, else as head does."""
        field = self.base or self.head
        assert field is not None
        return field

    @property
    def now(self) -> str:
        """Its name in head where that is another one, else empty."""
        return self.head.name if self.base and self.head and self.base.name != self.head.name else ""


@dataclass(eq=False)
class TypePair:
    """A message type as both versions have it in the same position."""

    base: Shape
    head: Shape
    name: str  # the prefix of its elements' names: the type's full name, or its position where the types' names differ
    fields: tuple[FieldPair, ...]

    def of(self, version: Version) -> Shape:
        return self.base if version is Version.BASE else self.head

    def field(self, version: Version, number: int) -> FieldPair:
        """Return the pair of a version's field. Raise KeyError."""
        return self._by_number[version][number]

    @property
    def aims(self) -> list[FieldPair]:
        """The fields that differ."""
        return [field for field in self.fields if field.differs]

    @property
    def differs(self) -> bool:
        return any(field.differs for field in self.fields)

    @cached_property
    def _by_number(self) -> dict[Version, dict[int, FieldPair]]:
        return {
            Version.BASE: {field.base.number: field for field in self.fields if field.base},
            Version.HEAD: {field.head.number: field for field in self.fields if field.head},
        }


def pair_fields(base: Shape, head: Shape, name: str) -> TypePair:
    """Return the pair of two types, without the types in their fields."""
    matched = _match(base, head)
    pairs = [FieldPair(_element(name, field), field, matched.get(field.number)) for field in base.ordered]
    taken = {field.number for field in matched.values()}
    names = {pair.element for pair in pairs}
    for field in head.ordered:
        if field.number not in taken:
            element = _element(name, field)
            # A field of base may have had the name, and continue under another name.
            pairs.append(FieldPair(f"{element} = {field.number}" if element in names else element, None, field))
    types = TypePair(base, head, name, tuple(sorted(pairs, key=lambda pair: pair.any.number)))
    for pair in types.fields:
        pair.values = _values(pair.base, pair.head)
        pair.differs = _differs(pair, types)
    return types


def _element(name: str, field: FieldShape) -> str:
    return field.name if field.descriptor.is_extension else f"{name}.{field.name}"


def _match(base: Shape, head: Shape) -> dict[int, FieldShape]:
    """Return the field of head that matches each field of base, by the number in base. Fields with the same name and number are
    matched first, then fields of exactly the same type; among equals the name decides."""
    names = {field.name: field for field in head.ordered}
    matched: dict[int, FieldShape] = {}
    taken: set[int] = set()

    def match(candidate: Callable[[FieldShape], FieldShape | None], *, exact: bool) -> None:
        for field in base.ordered:
            other = candidate(field)
            if field.number in matched or other is None or other.number in taken:
                continue
            if not exact or exact_type(field) == exact_type(other):
                matched[field.number] = other
                taken.add(other.number)

    def by_name(field: FieldShape) -> FieldShape | None:
        return names.get(field.name)

    def by_number(field: FieldShape) -> FieldShape | None:
        return head.fields.get(field.number)

    def by_both(field: FieldShape) -> FieldShape | None:
        other = by_name(field)
        return other if other is by_number(field) else None

    match(by_both, exact=False)
    for exact in (True, False):
        match(by_name, exact=exact)
        match(by_number, exact=exact)
    return matched


# -- Enum values -------------------------------------------------------------------------------------------------------


def _values(base: FieldShape | None, head: FieldShape | None) -> tuple[ValuePair, ...]:
    """Return the pairs of values of two fields' enums, or of their maps' values."""
    old, new = ((field.mapped or field) if field else None for field in (base, head))
    if old is None or new is None or old.enum is None or new.enum is None:
        return ()
    return tuple(pair_values(old.enum, new.enum, _enum_name(old), _enum_name(new)))


def pair_values(base: EnumShape, head: EnumShape, name: str, head_name: str) -> Iterator[ValuePair]:
    """Yield the values of both enums, base's first. A removed name continues as the first new name of its number. JSON is
    written with the first name of a number: if that name is new, the value of base's first name is written under another name."""
    new = {number: label for label, number in reversed(head.names.items()) if label not in base.names}
    written = {number: label for number, label in head.first_names.items() if base.names.get(label) != number}
    renamed = set()
    for label, number in base.names.items():
        if label in head.names:
            other = written.pop(number, "") if head.names[label] == number and number not in renamed else ""
            yield ValuePair(f"{name}.{label}", label, number, head.names[label], written=other)
        elif number in new and number not in renamed:
            renamed.add(number)
            yield ValuePair(f"{name}.{label}", label, number, number, new[number])
        else:
            yield ValuePair(f"{name}.{label}", label, number, None)
    gone_on = {new[number] for number in renamed}
    for label, number in head.names.items():
        if label not in base.names and label not in gone_on:
            yield ValuePair(f"{head_name}.{label}", label, None, number)


def _enum_name(field: FieldShape) -> str:
    enum = field.descriptor.enum_type
    assert enum is not None
    return str(enum.full_name)


# -- Differences that may show -----------------------------------------------------------------------------------------


def _differs(field: FieldPair, pair: TypePair) -> bool:
    if field.base is None or field.head is None or any(value.differs for value in field.values):
        return True
    return _definition(field.base) != _definition(field.head) or len({shared_rivals(pair, version, field) for version in Version}) > 1


def written_name(field: FieldShape, carried: Format) -> str:
    """Return the name by which this format, a kind of JSON, calls a field."""
    return field.name if carried is Format.PROTO_NAMES else field.json_name


def _definition(field: FieldShape | None) -> tuple[object, ...]:
    """Return the parts of a field's definition that may show. Its enum counts only by its default and by whether it is closed."""
    if field is None:
        return ()
    return (
        field.number,
        field.name,
        field.json_name,
        field.type,
        field.repeated,
        field.packed,
        field.presence,
        field.required,
        default(field),
        checks_utf8(field),
        field.enum is not None and field.enum.closed,
        field.inner.name if field.inner else "",
        _definition(field.key),
        _definition(field.mapped),
    )


def default(field: FieldShape) -> int | float | bytes | None:
    """Return the value that a program reads where the field is not set, as a number or as bytes; None for lists, maps and messages."""
    if field.repeated or field.mapped is not None or field.inner is not None:
        return None
    value = field.descriptor.default_value
    if isinstance(value, str):
        return value.encode()
    return int(value) if isinstance(value, bool) else value


def checks_utf8(field: FieldShape) -> bool:
    """Return whether runtimes must refuse text in the field that is not UTF-8."""
    if field.type != Field.TYPE_STRING:
        return False
    features = field.descriptor._GetFeatures()  # type: ignore[attr-defined]
    return bool(features.utf8_validation == features.Utf8Validation.VERIFY)


def is_utf8(value: object) -> bool:
    """Return whether a value is text in UTF-8, or of a type that is not text."""
    try:
        return not isinstance(value, bytes) or value.decode() is not None
    except UnicodeDecodeError:
        return False


def rivals(pair: TypePair, version: Version, field: FieldPair) -> list[FieldPair]:
    """Return the other members of the oneof that a version's field is in."""
    own = field.of(version)
    if own is None or not own.oneof:
        return []
    return [pair.field(version, number) for number in pair.of(version).arms[own.oneof] if number != own.number]


def shared_rivals(pair: TypePair, version: Version, field: FieldPair) -> frozenset[str]:
    """Return the rivals that both versions have: base promised nothing about the others."""
    return frozenset(other.element for other in rivals(pair, version, field) if other.base and other.head)
