"""The examples of each case of the `messages` suite, by the case's name."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain, islice, repeat
from typing import NamedTuple

from grpc_interop.core.case import AnyCase, MessageCase
from grpc_interop.core.tags import tags_of
from grpc_interop.values import boundaries, malformed, well_known
from grpc_interop.values.encodings import TOGETHER, WAYS, boldest, reencodings
from grpc_interop.values.generator import Generator
from grpc_interop.values.holders import with_capitals
from grpc_interop.values.json_unrepresentable import JsonFilter, Unrepresentable
from grpc_interop.wire import wire_format
from grpc_interop.wire.byte_lru import OVERHEAD, ByteLru
from grpc_interop.wire.meaning import Validity, validity
from grpc_interop.wire.records import read, write, write_one
from grpc_interop.wire.shapes import FieldShape, Shape, Shapes

DEFAULT_COUNT = 10
"""Random messages in a case where nobody asks for more: with the boundaries a few milliseconds."""

REENCODED = 2
"""Boundary messages, and as many random ones, that are written in every other encoding; of further ones only
the fields that those do not hold, in all encodings at once."""

MOST_KEPT = 32 * 1024 * 1024
"""Bytes of examples that are kept for the next pair: a slow pair may be as many cases behind the others as wait for their
drivers (256) or are in flight, of some 10 to 100 KiB each. With those of 64, the examples of nine pairs were made three
times."""

MOST_TAGS_KEPT = 4 * 1024 * 1024
"""Bytes of the tags that are kept for the next pair: those of 16,000 cases."""

LARGE, MOST_LARGE = 64 * 1024, 512 * 1024
"""Bytes of a large text, and of a message of such texts: below a frame of the driver contract."""

LARGE_FIELDS, LESS_LARGE = 64, 16 * 1024
"""Text fields of a type that hold a large text, and the bytes in each further one, whose length has three bytes as well:
a thousand fields of 64 KiB took a case 15 seconds."""

DEEP, DEEPER, TOO_DEEP = 25, (60, 90), (101, 120)
"""Levels of nesting. A view of more than some 30 exceeds what runtimes take for a message of the driver contract; the
strictest runtime takes 100, others 10,000."""

MOST_ANYS = 40
"""Types that one Any field is filled with, of a larger tree other ones in each field: a thousand would say the same."""


class Example(NamedTuple):
    """A message to carry."""

    data: bytes
    what: str
    """What is special about the message, in a few words for a report."""
    file: str = ""
    """The file that declares the type that an Any in the message holds."""
    tags: frozenset[str] = frozenset()
    """Facts about the message, for known failures to match."""


class Group(NamedTuple):
    """A group of examples, which a case asks about in one way. The case has the group's name."""

    why: str
    """What the case proves, for the reader of a report."""
    make: Callable[[Examples, Shape, random.Random, int], Iterator[Example]]
    """Makes the examples of a type, with as many random messages as the last argument says."""
    tags: tuple[str, ...] = ()
    """Tags of every example in the group."""
    json: bool = False
    """The messages are carried as ProtoJSON."""
    alike: bool = False
    """Both sides have to agree whether a message is valid; either answer will do."""
    keeps_unknown: bool = False
    """The messages hold fields that their type does not declare."""

    @property
    def requires(self) -> frozenset[str]:
        """The capabilities that a driver needs for such a case."""
        form = ["json"] if self.json else [] if self.alike else ["view"]
        return frozenset({"transcode", *form, *(["unknown_fields"] if self.keeps_unknown else [])})


class Examples:
    """Makes the examples of a catalog's cases."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.generator = Generator(shapes)
        self._json_filter = JsonFilter(shapes)
        self._kept: ByteLru[MessageCase, tuple[Example, ...]] = ByteLru(MOST_KEPT)
        self._tag_sets: ByteLru[MessageCase, frozenset[frozenset[str]]] = ByteLru(MOST_TAGS_KEPT)

    @staticmethod
    def can_make(case: AnyCase) -> bool:
        """Return whether the case needs no examples, holds them, or has a name by which they can be made."""
        return not isinstance(case, MessageCase) or bool(case.examples) or case.name in GROUPS

    def of(self, case: MessageCase) -> Iterable[Example]:
        """Return the examples that the case holds itself, or else those of its group, in the same order each time."""
        if case.examples:
            tags = frozenset(GROUPS[case.name].tags) if case.name in GROUPS else frozenset()
            return [Example(data, "", tags=tags) for data in case.examples]
        return self._made(case) if case.count <= DEFAULT_COUNT else self._make(case)

    def tag_sets(self, case: AnyCase) -> Iterable[frozenset[str]]:
        """Return the tags of a case; for a case of messages, a set of tags for each sort of example that it has."""
        if not isinstance(case, MessageCase):
            return (tags_of(case),)
        tag_sets = self._tag_sets.get(case)
        if tag_sets is None:
            tag_sets = self._keep_tags(case, self.of(case))
        return [tags_of(case) | tags for tags in tag_sets]

    def _keep_tags(self, case: MessageCase, examples: Iterable[Example]) -> frozenset[frozenset[str]]:
        tag_sets = frozenset(example.tags for example in examples)
        self._tag_sets.put(case, tag_sets, 0)
        return tag_sets

    def _made(self, case: MessageCase) -> tuple[Example, ...]:
        made = self._kept.get(case)
        if made is None:
            made = tuple(self._make(case))
            self._kept.put(case, made, sum(len(example.data) + OVERHEAD for example in made))
            self._keep_tags(case, made)
        return made

    def _make(self, case: MessageCase) -> Iterator[Example]:
        shape, group = self.shapes.of(case.type_name), GROUPS[case.name]
        chance = random.Random(f"{case.seed}/{case.name}/{case.type_name}")
        for example in group.make(self, shape, chance, case.count or DEFAULT_COUNT):
            yield example._replace(tags=example.tags.union(group.tags)) if group.tags else example

    def names(self, type_name: str) -> list[str]:
        """Return the names of the cases that have an example of this type; none where no message of it can exist."""
        shape = self.shapes.of(type_name)
        if self.generator.least(shape) is None:
            return []
        return [name for name, group in GROUPS.items() if next(group.make(self, shape, random.Random(name), 1), None) is not None]

    @cached_property
    def _capitals(self) -> frozenset[str]:
        return with_capitals(self.shapes)

    def _least(self, shape: Shape) -> bytes:
        """Return the content that every message of the type holds."""
        least = self.generator.least(shape)
        assert least is not None
        return least

    def _values(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._valid(shape, chance, count)
        yield from self._reencoded(shape, chance)
        for texts in malformed.large(shape, chain(repeat(LARGE, LARGE_FIELDS), repeat(LESS_LARGE)), MOST_LARGE):
            yield Example(self._least(shape) + texts, "large texts", tags=_LARGE)
        yield from self._deep(shape, (DEEP,))
        # Some writer or reader of ProtoJSON gets these wrong, and no reader of bytes does.
        yield from self._minus_zeros(shape)
        yield from self._greatest_floats(shape)

    def _reencoded(self, shape: Shape, chance: random.Random) -> Iterator[Example]:
        """Yield a few messages in every other encoding, and each further field in the boldest."""
        known = self.generator.boundaries(shape)[1:]
        by_chance = [self.generator.by_chance(shape, chance) for _ in range(REENCODED)]
        for data in (*known[:REENCODED], *by_chance):
            yield from (Example(changed, what, tags=_tagged(what)) for what, changed in reencodings(shape, data, chance))
        seen = {record.number for data in known[:REENCODED] for record in read(data)}
        for data in known[REENCODED:]:
            further = [record for record in read(data) if record.number not in seen]
            if further:
                reencoded = boldest(shape, self._least(shape) + write(further), chance)
                yield Example(reencoded, "every encoding of further fields together", tags=_tagged(TOGETHER))
            seen |= {record.number for record in further}

    def _json(self, shape: Shape, chance: random.Random, count: int, *, capitals: bool) -> Iterator[Example]:
        """Yield the part of each valid message that ProtoJSON can represent; equal parts are there once."""
        if (shape.name in self._capitals) is not capitals:
            return
        seen = set()
        for example in self._valid(shape, chance, count):
            part = self._json_filter.part(shape, example.data)
            if part == example.data:
                yield example
            elif part is not None and part not in seen:
                seen.add(part)
                yield example._replace(data=part)

    def _unrepresentable(self, shape: Shape, kind: Unrepresentable) -> Iterator[Example]:
        """Yield no random messages: whatever the seed, a type that has such a case must have an example for it."""
        for example in (*self._boundaries(shape), *self._anys(shape)):
            if kind in self._json_filter.found(shape, example.data):
                yield example

    def _valid(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._boundaries(shape)
        for number in range(count):
            yield Example(self.generator.by_chance(shape, chance), f"random message {number}", tags=_RANDOM)
        yield from self._anys(shape)

    def _boundaries(self, shape: Shape) -> Iterator[Example]:
        for data in self.generator.boundaries(shape):
            yield Example(data, "boundary values", tags=_BOUNDARY)

    def _anys(self, shape: Shape) -> Iterator[Example]:
        """Yield messages of each type of the tree in each Any field, alone and within another Any."""
        names = list(self.shapes.driven())
        for field in shape.ordered:
            if field.inner is None or field.inner.special != "google.protobuf.Any":
                continue
            start = int(random.Random(f"{shape.name}/{field.number}").random() * len(names))
            for name in islice([*names[start:], *names[:start]], MOST_ANYS):
                inner = self.shapes.of(name)
                content = self.generator.few(inner)[:2]
                if self.generator.least(inner) is None or not content:
                    continue
                file = str(self.shapes.catalog.message(name).file.name)
                holder = _any(name, content[-1])
                for level, held in enumerate((holder, _any("google.protobuf.Any", holder)), 1):
                    data = self._alone(shape, field, wire_format.message_field(field.descriptor, held))
                    yield Example(data, f"Any of {name}, level {level}", file, _ANY)

    def _unknown_fields(self, shape: Shape, chance: random.Random, _count: int) -> Iterator[Example]:
        extra = malformed.undeclared(shape)
        for content in extra:
            yield Example(self._least(shape) + content, "a field that the type does not declare")
        full = self.generator.by_chance(shape, chance)
        yield Example(b"".join(extra) + full + extra[0], "fields that the type does not declare, around those that it does")
        for field in shape.ordered:
            if field.inner is None or (inner := self.generator.least(field.inner)) is None or field.inner.special:
                continue
            content = wire_format.message_field(field.descriptor, inner + malformed.undeclared(field.inner)[0])
            yield Example(self._alone(shape, field, content), f"an undeclared field within {field.name}")

    def _malformed(self, shape: Shape) -> Iterator[Example]:
        *_, some = self.generator.few(shape)[:2]
        whole = self._least(shape) + min(map(write_one, read(some)), key=len, default=b"")
        for what, data in malformed.malformed(shape, whole, some):
            # Messages that only lack a required field, or hold a text that is not UTF-8, have cases of their own.
            if validity(shape, data) not in (Validity.INCOMPLETE, Validity.NOT_UTF8):
                yield Example(data, what, tags=_tagged(what))
        if shape.can_hold:
            yield from self._number_zero(whole)

    def _number_zero(self, whole: bytes) -> Iterator[Example]:
        yield from (Example(whole + data, what, tags=_tagged(what)) for what, data in malformed.NUMBER_ZERO.items())

    def _not_utf8(self, shape: Shape, *, extensions: bool) -> Iterator[Example]:
        """Yield texts that are not UTF-8: in the extensions that must be UTF-8, or in all other fields."""
        fields = tuple(field for field in shape.ordered if _strict_extension(field) is extensions)
        for what, data in malformed.not_utf8(replace(shape, ordered=fields), self.generator.least):
            yield Example(self._least(shape) + data, what)

    def _closed_enums(self, shape: Shape) -> Iterator[Example]:
        """Yield numbers that a closed enum does not declare: they are kept as unknown fields (protobuf.dev/programming-guides/enum)."""
        for field in shape.ordered:
            inside = field.mapped or field
            if inside.closed is None:
                continue
            for number in boundaries.UNKNOWN_NUMBERS:
                value = wire_format.tag(inside.number, wire_format.VARINT) + wire_format.varint(number)
                if field.mapped is not None and field.key is not None:
                    key = wire_format.tag(1, field.key.wire_type) + boundaries.encoded(field.key)[0]
                    value = wire_format.message_field(field.descriptor, key + value)
                yield Example(self._alone(shape, field, value), f"{field.name} is {number}, which its closed enum does not declare")

    def _missing_required(self, shape: Shape) -> Iterator[Example]:
        whole = self.generator.required(shape) or {}
        for number in whole:
            rest = b"".join(content for other, content in whole.items() if other != number)
            yield Example(rest, f"the required {shape.fields[number].name} is missing")

    def _deep(self, shape: Shape, depths: tuple[int, ...]) -> Iterator[Example]:
        """Yield messages within messages to these depths, where a type holds itself."""
        field = next((field for field in shape.ordered if field.inner is shape and not field.required), None)
        least = self._least(shape)
        for depth in depths if field else ():
            assert field is not None
            data = least
            for _ in range(depth - 1):
                data = least + wire_format.message_field(field.descriptor, data)
            yield Example(data, f"{depth} levels of {field.name}", tags=_NESTED)

    def _greatest_floats(self, shape: Shape) -> Iterator[Example]:
        return self._of_fields(shape, boundaries.greatest_floats, "FLT_MAX", "float_max")

    def _minus_zeros(self, shape: Shape) -> Iterator[Example]:
        return self._of_fields(shape, boundaries.minus_zeros, "-0.0", "minus_zero")

    def _of_fields(self, shape: Shape, values: Callable[[FieldShape], list[bytes]], what: str, tag: str) -> Iterator[Example]:
        """Yield each field alone with each of its values."""
        for field in shape.ordered:
            for value in values(field):
                content = wire_format.tag(field.number, field.wire_type) + value
                yield Example(self._alone(shape, field, content), f"{field.name} is {what}", tags=frozenset({tag}))

    def _whole(self, shape: Shape, examples: Iterable[Example]) -> Iterator[Example]:
        """Yield the examples that ProtoJSON can represent as they are."""
        yield from (example for example in examples if self._json_filter.part(shape, example.data) == example.data)

    def _of_well_known(self, shape: Shape, values: Callable[[str], list[bytes]], what: str) -> Iterator[Example]:
        """Yield each field of a well-known type alone with each of its values."""
        for field in shape.ordered:
            for value in values(field.inner.special) if field.inner else ():
                yield Example(self._alone(shape, field, wire_format.message_field(field.descriptor, value)), f"{field.name} {what}")

    def _alone(self, shape: Shape, field: FieldShape, content: bytes) -> bytes:
        """Return a message with the field beside the required fields."""
        return self._least(shape) + content


def _strict_extension(field: FieldShape) -> bool:
    return bool(field.descriptor.is_extension) and malformed.must_be_utf8(field.descriptor)


def _any(name: str, content: bytes) -> bytes:
    url = wire_format.tag(1, wire_format.LENGTH) + wire_format.delimited(f"type.googleapis.com/{name}".encode())
    return url + (wire_format.tag(2, wire_format.LENGTH) + wire_format.delimited(content) if content else b"")


def _mask_group(name: str) -> Group:
    """Return the group of a case about paths in a FieldMask."""
    what, masks = well_known.MASKS[name][0], partial(well_known.masks, name)
    tags = ("mask_path", name.removeprefix("json_").removesuffix("s"))
    return Group(_REFUSED, lambda made, shape, *_: made._of_well_known(shape, masks, f"with {what}"), tags, json=True, alike=True)


def _tagged(what: str) -> frozenset[str]:
    """Return the tag that says the same as a report: its words, with underscores between them."""
    return frozenset({re.sub(r"\W+", "_", what)})


_LARGE, _RANDOM, _BOUNDARY, _ANY, _NESTED = map(_tagged, ("large texts", "random", "boundary values", "any", "nested"))
_REFUSED = "What ProtoJSON has no text for is refused by both sides, or written as the same by both."

GROUPS: dict[str, Group] = {
    "values": Group("Every value of every field is carried whole, in every encoding that a reader must accept.", Examples._values),
    "unknown_fields": Group(
        "Fields that the type does not declare survive being read and written.",
        Examples._unknown_fields,
        ("undeclared_field",),
        keeps_unknown=True,
    ),
    "json": Group(
        "ProtoJSON that one side writes is read as the same message by the other.", partial(Examples._json, capitals=False), json=True
    ),
    "json_capitals": Group(
        "The same of types with fields that are not in lower_snake_case, as are names of generated code.",
        partial(Examples._json, capitals=True),
        ("capitals",),
        json=True,
    ),
    "json_equal_names": Group(
        _REFUSED, lambda made, shape, *_: made._unrepresentable(shape, Unrepresentable.ONE_NAME), ("equal_names",), json=True, alike=True
    ),
    "json_null_elements": Group(
        "A NullValue in a list or map passes through ProtoJSON.",
        lambda made, shape, *_: made._unrepresentable(shape, Unrepresentable.NULL_ELEMENT),
        ("null_element",),
        json=True,
    ),
    "json_type_field": Group(
        _REFUSED, lambda made, shape, *_: made._unrepresentable(shape, Unrepresentable.TYPE_FIELD), ("type_field",), json=True, alike=True
    ),
    "malformed": Group(
        "Bytes that are no message are refused by both sides or by neither.",
        lambda made, shape, *_: made._malformed(shape),
        ("malformed",),
        alike=True,
    ),
    "not_utf8": Group(
        "Strings that are not UTF-8 are refused by both sides or by neither.",
        lambda made, shape, *_: made._not_utf8(shape, extensions=False),
        ("not_utf8",),
        alike=True,
    ),
    "not_utf8_extensions": Group(
        "Extensions that must be UTF-8 and are not are refused by both sides or by neither.",
        lambda made, shape, *_: made._not_utf8(shape, extensions=True),
        ("not_utf8", "extension"),
        alike=True,
    ),
    "closed_enums": Group(
        "Numbers that a closed enum does not declare are kept as unknown fields.",
        lambda made, shape, *_: made._closed_enums(shape),
        ("closed_enum",),
        keeps_unknown=True,
    ),
    "missing_required": Group(
        "A message without a required field is refused by both or by neither.",
        lambda made, shape, *_: made._missing_required(shape),
        ("missing_required",),
        alike=True,
    ),
    "nesting": Group(
        "Messages of up to 90 levels are refused by both or by neither.", lambda made, shape, *_: made._deep(shape, DEEPER), alike=True
    ),
    "nesting_limits": Group(
        "Messages nested beyond 100 levels are refused by both or by neither.",
        lambda made, shape, *_: made._deep(shape, TOO_DEEP),
        ("beyond_100_levels",),
        alike=True,
    ),
    "zero_in_empty": Group(
        "Field number 0 in a type without fields is refused by both or by neither.",
        lambda made, shape, *_: iter(()) if shape.can_hold else made._number_zero(b""),
        ("empty_type",),
        alike=True,
    ),
    "json_float_max": Group(
        "The greatest float passes through ProtoJSON.", lambda made, shape, *_: made._whole(shape, made._greatest_floats(shape)), json=True
    ),
    "json_minus_zero": Group(
        "-0.0 passes through ProtoJSON with its sign.", lambda made, shape, *_: made._whole(shape, made._minus_zeros(shape)), json=True
    ),
    "json_beyond": Group(
        _REFUSED,
        lambda made, shape, *_: made._of_well_known(shape, well_known.beyond, "beyond what ProtoJSON can say"),
        ("beyond_json",),
        json=True,
        alike=True,
    ),
    **{name: _mask_group(name) for name in well_known.MASKS},
    "json_unset_values": Group(
        _REFUSED,
        lambda made, shape, *_: made._of_well_known(shape, well_known.unset_values, "with a value of no kind"),
        ("unset_value",),
        json=True,
        alike=True,
    ),
}
"""The cases of the `messages` suite by name, in the order in which they run."""

TAGS = frozenset(chain(("float_max", "minus_zero"), *(group.tags for group in GROUPS.values()))).union(
    _LARGE, _RANDOM, _BOUNDARY, _ANY, _NESTED, *map(_tagged, (*WAYS, *malformed.FAULTS))
)
"""All tags that an example may have."""
