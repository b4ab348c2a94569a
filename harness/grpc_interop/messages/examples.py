"""The examples of each case of the `messages` suite, by the case's name."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, islice, repeat
from typing import NamedTuple

from grpc_interop.core.case import MessageCase
from grpc_interop.values import boundaries, malformed, well_known
from grpc_interop.values.encodings import boldest, reencodings
from grpc_interop.values.field_names import FieldNames
from grpc_interop.values.generator import Generator
from grpc_interop.values.json_unrepresentable import JsonFilter, Unrepresentable
from grpc_interop.values.utf8 import must_be_utf8
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
    """A message, and in a few words what is special about it. `file` declares the type that an Any in it holds."""

    data: bytes
    what: str
    file: str = ""


class Examples:
    """Makes the examples of a catalog's cases."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.generator = Generator(shapes)
        self._names = FieldNames(shapes)
        self._json_filter = JsonFilter(shapes)
        self._kept: ByteLru[MessageCase, tuple[Example, ...]] = ByteLru(MOST_KEPT)

    @staticmethod
    def can_make(case: MessageCase) -> bool:
        """Return whether the case holds its examples, or has a name by which they can be made."""
        return bool(case.examples) or case.name in _GROUPS

    def of(self, case: MessageCase) -> Iterable[Example]:
        """In the same order each time; those that the case holds itself, if it holds any."""
        if case.examples:
            return [Example(data, "") for data in case.examples]
        return self._made(case) if case.count <= DEFAULT_COUNT else self._make(case)

    def _made(self, case: MessageCase) -> tuple[Example, ...]:
        made = self._kept.get(case)
        if made is None:
            made = tuple(self._make(case))
            self._kept.put(case, made, sum(len(example.data) + OVERHEAD for example in made))
        return made

    def _make(self, case: MessageCase) -> Iterator[Example]:
        shape = self.shapes.of(case.type_name)
        chance = random.Random(f"{case.seed}/{case.name}/{case.type_name}")
        return _GROUPS[case.name](self, shape, chance, case.count or DEFAULT_COUNT)

    def names(self, type_name: str) -> list[str]:
        """The names of the cases that have an example of this type; none where no message of it can exist."""
        shape = self.shapes.of(type_name)
        if self.generator.least(shape) is None:
            return []
        return [name for name, group in _GROUPS.items() if next(group(self, shape, random.Random(name), 1), None) is not None]

    def _least(self, shape: Shape) -> bytes:
        """What every message of the type holds."""
        least = self.generator.least(shape)
        assert least is not None
        return least

    def _values(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._valid(shape, chance, count)
        yield from self._reencoded(shape, chance)
        for texts in malformed.large(shape, chain(repeat(LARGE, LARGE_FIELDS), repeat(LESS_LARGE)), MOST_LARGE):
            yield Example(self._least(shape) + texts, "large texts")
        yield from self._deep(shape, (DEEP,))
        # Some writer or reader of ProtoJSON gets these wrong, and no reader of bytes does.
        yield from self._of_fields(shape, boundaries.minus_zeros, "-0.0")
        yield from self._of_fields(shape, boundaries.greatest_floats, "FLT_MAX")

    def _reencoded(self, shape: Shape, chance: random.Random) -> Iterator[Example]:
        """A few messages in every other encoding, and each further field in the boldest."""
        known = self.generator.boundaries(shape)[1:]
        by_chance = [self.generator.by_chance(shape, chance) for _ in range(REENCODED)]
        for data in (*known[:REENCODED], *by_chance):
            yield from (Example(changed, what) for what, changed in reencodings(shape, data, chance))
        seen = {record.number for data in known[:REENCODED] for record in read(data)}
        for data in known[REENCODED:]:
            further = [record for record in read(data) if record.number not in seen]
            if further:
                yield Example(boldest(shape, self._least(shape) + write(further), chance), "every encoding of further fields together")
            seen |= {record.number for record in further}

    def _json(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        if not self._names.have_capitals(shape):
            yield from self._parts(shape, self._valid(shape, chance, count))

    def _json_capitals(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        if self._names.have_capitals(shape):
            yield from self._parts(shape, self._valid(shape, chance, count))

    def _parts(self, shape: Shape, examples: Iterable[Example]) -> Iterator[Example]:
        """Of each what ProtoJSON can say; what is the same without the rest is there once."""
        seen = set()
        for example in examples:
            part = self._json_filter.part(shape, example.data)
            if part == example.data:
                yield example
            elif part is not None and part not in seen:
                seen.add(part)
                yield example._replace(data=part)

    def _json_equal_names(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._that_hold(shape, Unrepresentable.ONE_NAME)

    def _json_null_elements(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._that_hold(shape, Unrepresentable.NULL_ELEMENT)

    def _json_type_field(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._that_hold(shape, Unrepresentable.TYPE_FIELD)

    def _that_hold(self, shape: Shape, what: Unrepresentable) -> Iterator[Example]:
        """None of the random ones: with each seed, what has such a case must have an example of it."""
        for example in (*self._boundaries(shape), *self._anys(shape)):
            if what in self._json_filter.found(shape, example.data):
                yield example

    def _valid(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._boundaries(shape)
        for number in range(count):
            yield Example(self.generator.by_chance(shape, chance), f"random message {number}")
        yield from self._anys(shape)

    def _boundaries(self, shape: Shape) -> Iterator[Example]:
        for data in self.generator.boundaries(shape):
            yield Example(data, "boundary values")

    def _anys(self, shape: Shape) -> Iterator[Example]:
        """An Any field holds a message of each type of the tree, and one within another Any."""
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
                for depth, one in enumerate((holder, _any("google.protobuf.Any", holder))):
                    data = self._alone(shape, field, wire_format.message_field(field.descriptor, one))
                    yield Example(data, f"Any of {name}, level {depth + 1}", file)

    def _unknown_fields(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        extra = malformed.undeclared(shape)
        for one in extra:
            yield Example(self._least(shape) + one, "a field that the type does not declare")
        full = self.generator.by_chance(shape, chance)
        yield Example(b"".join(extra) + full + extra[0], "fields that the type does not declare, around those that it does")
        for field in shape.ordered:
            if field.inner is None or (inner := self.generator.least(field.inner)) is None or field.inner.special:
                continue
            content = inner + malformed.undeclared(field.inner)[0]
            yield Example(
                self._alone(shape, field, wire_format.message_field(field.descriptor, content)), f"an undeclared field within {field.name}"
            )

    def _malformed(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        *_, some = self.generator.few(shape)[:2]
        whole = self._least(shape) + min(map(write_one, read(some)), key=len, default=b"")
        for what, data in malformed.malformed(shape, whole, some):
            # What could be read, were it whole and its texts texts, is another case's affair.
            if validity(shape, data) not in (Validity.INCOMPLETE, Validity.NOT_UTF8):
                yield Example(data, what)
        for what, data in malformed.NUMBER_ZERO.items() if shape.can_hold else ():
            yield Example(whole + data, what)

    def _not_utf8(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._texts_not_utf8(shape, lambda field: not _strict_extension(field))

    def _not_utf8_extensions(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        """Some reader does not look at those that must be UTF-8."""
        yield from self._texts_not_utf8(shape, _strict_extension)

    def _texts_not_utf8(self, shape: Shape, chosen: Callable[[FieldShape], bool]) -> Iterator[Example]:
        for what, data in malformed.not_utf8(replace(shape, ordered=tuple(filter(chosen, shape.ordered))), self.generator.least):
            yield Example(self._least(shape) + data, what)

    def _closed_enums(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        """Numbers that a closed enum does not declare: kept as unknown fields (protobuf.dev/programming-guides/enum)."""
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

    def _missing_required(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        """Each required field left out."""
        whole = self.generator.required(shape) or {}
        for number in whole:
            rest = b"".join(content for other, content in whole.items() if other != number)
            yield Example(rest, f"the required {shape.fields[number].name} is missing")

    def _nesting(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._deep(shape, DEEPER)

    def _nesting_limits(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._deep(shape, TOO_DEEP)

    def _zero_in_empty(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        """Field number 0 in a type that can hold no field, which some reader may not look into at all."""
        for what, data in malformed.NUMBER_ZERO.items() if not shape.can_hold else ():
            yield Example(data, what)

    def _deep(self, shape: Shape, depths: tuple[int, ...]) -> Iterator[Example]:
        """Messages within messages, so many levels, where a type holds itself."""
        field = next((one for one in shape.ordered if one.inner is shape and not one.required), None)
        least = self._least(shape)
        if field is None:
            return
        for depth in depths:
            data = least
            for _ in range(depth - 1):
                data = least + wire_format.message_field(field.descriptor, data)
            yield Example(data, f"{depth} levels of {field.name}")

    def _json_float_max(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._whole(shape, self._of_fields(shape, boundaries.greatest_floats, "FLT_MAX"))

    def _json_minus_zero(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._whole(shape, self._of_fields(shape, boundaries.minus_zeros, "-0.0"))

    def _whole(self, shape: Shape, examples: Iterable[Example]) -> Iterator[Example]:
        """Those that ProtoJSON can say as they are."""
        yield from (example for example in examples if self._json_filter.part(shape, example.data) == example.data)

    def _of_fields(self, shape: Shape, values: Callable[[FieldShape], list[bytes]], what: str) -> Iterator[Example]:
        """Each field alone with each of its values."""
        for field in shape.ordered:
            for value in values(field):
                yield Example(self._alone(shape, field, wire_format.tag(field.number, field.wire_type) + value), f"{field.name} is {what}")

    def _json_beyond(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._of_well_known(shape, well_known.beyond, "beyond what ProtoJSON can say")

    def _json_unset_values(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._of_well_known(shape, well_known.unset_values, "with a value of no kind")

    def _of_well_known(self, shape: Shape, values: Callable[[str], list[bytes]], what: str) -> Iterator[Example]:
        """Each field of a well-known type alone with each of its values."""
        for field in shape.ordered:
            for value in values(field.inner.special) if field.inner else ():
                yield Example(self._alone(shape, field, wire_format.message_field(field.descriptor, value)), f"{field.name} {what}")

    def _alone(self, shape: Shape, field: FieldShape, content: bytes) -> bytes:
        """The field, beside what is required."""
        return self._least(shape) + content


def _strict_extension(field: FieldShape) -> bool:
    return bool(field.descriptor.is_extension) and must_be_utf8(field.descriptor)


def _any(name: str, content: bytes) -> bytes:
    url = wire_format.tag(1, wire_format.LENGTH) + wire_format.delimited(f"type.googleapis.com/{name}".encode())
    return url + (wire_format.tag(2, wire_format.LENGTH) + wire_format.delimited(content) if content else b"")


def _of_masks(name: str) -> Callable[[Examples, Shape, random.Random, int], Iterator[Example]]:
    """Return the group of a case about paths in a FieldMask."""

    def examples(self: Examples, shape: Shape, _chance: random.Random, _count: int) -> Iterator[Example]:
        yield from self._of_well_known(shape, partial(well_known.masks, name), f"with {well_known.MASKS[name][0]}")

    return examples


_GROUPS: dict[str, Callable[[Examples, Shape, random.Random, int], Iterator[Example]]] = {
    "values": Examples._values,
    "unknown_fields": Examples._unknown_fields,
    "json": Examples._json,
    "json_capitals": Examples._json_capitals,
    "json_equal_names": Examples._json_equal_names,
    "json_null_elements": Examples._json_null_elements,
    "json_type_field": Examples._json_type_field,
    "malformed": Examples._malformed,
    "not_utf8": Examples._not_utf8,
    "not_utf8_extensions": Examples._not_utf8_extensions,
    "closed_enums": Examples._closed_enums,
    "missing_required": Examples._missing_required,
    "nesting": Examples._nesting,
    "nesting_limits": Examples._nesting_limits,
    "zero_in_empty": Examples._zero_in_empty,
    "json_float_max": Examples._json_float_max,
    "json_minus_zero": Examples._json_minus_zero,
    "json_beyond": Examples._json_beyond,
    **{name: _of_masks(name) for name in well_known.MASKS},
    "json_unset_values": Examples._json_unset_values,
}
