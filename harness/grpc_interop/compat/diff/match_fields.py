"""Which field, and which enum value, of one version is which of the other; and whether the two differ.

A field may keep its number, its name, or both. Where each leads to another field, the one of exactly the same type was
meant, else the one with the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.compat.vocabulary.observation import Format, Version
from grpc_interop.wire.shapes import FLOATING, SUBMESSAGES, TEXTS, EnumShape, FieldShape, Shape


class Family(StrEnum):
    """Types whose values are of one sort: what replaces a field of another family is not that field anew."""

    INTEGER = "integer"
    BOOL = "bool"
    FLOAT = "float"
    TEXT = "text"
    ENUM = "enum"
    MESSAGE = "message"
    MAP = "map"


def family(field: FieldShape) -> Family:
    """Lists and single values of a type are of one family."""
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
    """Equal for fields of exactly the same type."""
    if field.key is not None and field.mapped is not None:
        return exact_type(field.key), exact_type(field.mapped)
    enum = field.descriptor.enum_type
    held = enum.full_name if enum is not None else field.inner.name if field.inner else ""
    return field.type, field.repeated, held


@dataclass(slots=True)
class ValuePair:
    """One enum value. `base` and `head` are what its names there stand for, None in a version that lacks it. A version
    that has the number under another name only has it `renamed` to that. `written`: head still declares the name, but
    writes JSON with this other name of the number, which does not stand for it in base."""

    element: str
    name: str
    base: int | None
    head: int | None
    now: str = ""
    written: str = ""

    @property
    def differs(self) -> bool:
        return self.base != self.head or bool(self.now or self.written)

    @property
    def loses_name(self) -> bool:
        """Whether base reads or head writes JSON in which the value has no name that the other side knows."""
        return self.head is None or bool(self.now or self.written)


@dataclass(slots=True, eq=False)
class FieldPair:
    """One element: a field as it is in both versions, or in one. `inner` pairs the messages that it holds, of a map its
    values. `differs`: its definition is another one, in what may show in binary or JSON; the message type's own elements
    count for nothing here, an enum's values do."""

    element: str
    base: FieldShape | None
    head: FieldShape | None
    differs: bool = False
    inner: TypePair | None = None
    values: tuple[ValuePair, ...] = ()

    def of(self, version: Version) -> FieldShape | None:
        return self.base if version is Version.BASE else self.head

    @property
    def any(self) -> FieldShape:
        """As base has it, else as head does."""
        field = self.base or self.head
        assert field is not None
        return field

    @property
    def now(self) -> str:
        """Its name in head where that is another one, else empty."""
        return self.head.name if self.base and self.head and self.base.name != self.head.name else ""


@dataclass(eq=False)
class TypePair:
    """A message type as both versions have it at one place. `name` is what its elements' names begin with: the type's full
    name, or the place where the types' names differ."""

    base: Shape
    head: Shape
    name: str
    fields: tuple[FieldPair, ...]

    def of(self, version: Version) -> Shape:
        return self.base if version is Version.BASE else self.head

    def field(self, version: Version, number: int) -> FieldPair:
        """The element that a field of a version is. Raises KeyError."""
        return self._by_number[version][number]

    @property
    def aims(self) -> list[FieldPair]:
        """The fields that differ."""
        return [one for one in self.fields if one.differs]

    @property
    def differs(self) -> bool:
        return any(one.differs for one in self.fields)

    @cached_property
    def _by_number(self) -> dict[Version, dict[int, FieldPair]]:
        return {
            Version.BASE: {one.base.number: one for one in self.fields if one.base},
            Version.HEAD: {one.head.number: one for one in self.fields if one.head},
        }


def pair_fields(base: Shape, head: Shape, name: str) -> TypePair:
    """The pair of two types, without what is within them."""
    matched = _matched(base, head)
    pairs = [FieldPair(_element(name, one), one, matched.get(one.number)) for one in base.ordered]
    taken = {one.number for one in matched.values()}
    names = {one.element for one in pairs}
    for one in head.ordered:
        if one.number not in taken:
            element = _element(name, one)
            # Its name may be that of a field of base which goes on under another one.
            pairs.append(FieldPair(f"{element} = {one.number}" if element in names else element, None, one))
    pair = TypePair(base, head, name, tuple(sorted(pairs, key=lambda one: one.any.number)))
    for each in pair.fields:
        each.values = _values(each.base, each.head)
        each.differs = _differs(each, pair)
    return pair


def _element(name: str, field: FieldShape) -> str:
    return field.name if field.descriptor.is_extension else f"{name}.{field.name}"


def _matched(base: Shape, head: Shape) -> dict[int, FieldShape]:
    """By the number in base, the field of head that each field of base is: what has both name and number goes first, then
    what has the exact type, and of equals the name decides."""
    names = {one.name: one for one in head.ordered}
    matched: dict[int, FieldShape] = {}
    taken: set[int] = set()

    def match(candidate: Callable[[FieldShape], FieldShape | None], *, exact: bool) -> None:
        for one in base.ordered:
            other = candidate(one)
            if one.number in matched or other is None or other.number in taken:
                continue
            if not exact or exact_type(one) == exact_type(other):
                matched[one.number] = other
                taken.add(other.number)

    def by_both(one: FieldShape) -> FieldShape | None:
        other = by_name(one)
        return other if other is not None and other.number == one.number else None

    def by_name(one: FieldShape) -> FieldShape | None:
        return names.get(one.name)

    def by_number(one: FieldShape) -> FieldShape | None:
        return head.fields.get(one.number)

    match(by_both, exact=False)
    for exact in (True, False):
        match(by_name, exact=exact)
        match(by_number, exact=exact)
    return matched


# ----------------------------------------------------------------------------------------------------------------------
# Enum values
# ----------------------------------------------------------------------------------------------------------------------


def _values(base: FieldShape | None, head: FieldShape | None) -> tuple[ValuePair, ...]:
    """Those of the enums that two fields have, of maps their values."""
    old, new = (_enum_field(one) if one else None for one in (base, head))
    if old is None or new is None or old.enum is None or new.enum is None:
        return ()
    return tuple(pair_values(old.enum, new.enum, _enum_name(old), _enum_name(new)))


def pair_values(base: EnumShape, head: EnumShape, name: str, head_name: str) -> Iterator[ValuePair]:
    """The values of both, base's first. A name that is gone goes on as the first new name of its number. JSON is written
    with the first name of a number: where that is new, it is the first of base's names for it that is written otherwise."""
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


def _enum_field(field: FieldShape) -> FieldShape:
    return field.mapped or field


def _enum_name(field: FieldShape) -> str:
    enum = field.descriptor.enum_type
    assert enum is not None
    return str(enum.full_name)


# ----------------------------------------------------------------------------------------------------------------------
# Differences that may show
# ----------------------------------------------------------------------------------------------------------------------


def _differs(one: FieldPair, pair: TypePair) -> bool:
    if one.base is None or one.head is None:
        return True
    if any(value.differs for value in one.values):
        return True
    if _definition(one.base) != _definition(one.head):
        return True
    return _rivals(one, pair, Version.BASE) != _rivals(one, pair, Version.HEAD)


def written_name(field: FieldShape, carried: Format) -> str:
    """Return the name by which JSON of this sort calls a field."""
    return field.name if carried is Format.PROTO_NAMES else field.json_name


def _definition(field: FieldShape | None) -> tuple[object, ...]:
    """What may show of a field: of its enum nothing but whether it is closed and what it begins with."""
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
    """What a program reads where the field is not set, as a number or as bytes; None for lists, maps and messages."""
    if field.repeated or field.mapped is not None or field.inner is not None:
        return None
    value = field.descriptor.default_value
    if isinstance(value, str):
        return value.encode()
    return int(value) if isinstance(value, bool) else value


def checks_utf8(field: FieldShape) -> bool:
    """Whether runtimes must refuse what is not UTF-8 in the field."""
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


def rivals(pair: TypePair, version: Version, one: FieldPair) -> list[FieldPair]:
    """The other members of the oneof that the field is in."""
    field = one.of(version)
    if field is None or not field.oneof:
        return []
    arms: Sequence[int] = pair.of(version).arms[field.oneof]
    return [pair.field(version, number) for number in arms if number != field.number]


def _rivals(one: FieldPair, pair: TypePair, version: Version) -> set[str]:
    """Those that both versions have: with the others nothing can clash that was promised."""
    return {other.element for other in rivals(pair, version, one) if other.base and other.head}
