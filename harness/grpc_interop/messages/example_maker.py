"""Examples: messages of a type with something special about them, each with tags that say so."""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import chain, islice, repeat
from typing import NamedTuple

from grpc_interop.values import boundaries, malformed
from grpc_interop.values.encodings import TOGETHER, boldest, reencodings
from grpc_interop.values.generator import Generator
from grpc_interop.values.holders import with_capitals
from grpc_interop.values.json_unrepresentable import JsonFilter, Unrepresentable
from grpc_interop.wire import wire_format
from grpc_interop.wire.meaning import Validity, validity
from grpc_interop.wire.records import read, write, write_one
from grpc_interop.wire.shapes import FieldShape, Shape, Shapes

REENCODED = 2
"""Boundary messages, and as many random messages, that are written in every other encoding. Fields that only further messages
hold are written in all encodings at once."""

LARGE, MOST_LARGE = 64 * 1024, 512 * 1024
"""Bytes of a large text, and of a message with such texts: below a frame of the driver contract."""

LARGE_FIELDS, LESS_LARGE = 64, 16 * 1024
"""Text fields of a type that hold a large text, and the bytes of the text in each further field. The length of either text takes
three bytes on the wire. A case with a thousand fields of 64 KiB took 15 seconds."""

DEEP, DEEPER, TOO_DEEP = 25, (60, 90), (101, 120)
"""Levels of nesting. A view of more than some 30 levels exceeds the limit of runtimes for a message of the driver contract;
the strictest runtime takes 100 levels, others take 10,000."""

MOST_ANYS = 40
"""Types with which one Any field is filled; in a larger tree each field takes other types. A thousand would say the same."""


class Example(NamedTuple):
    """A message to carry."""

    data: bytes
    what: str  # the special thing about the message, in a few words for a report
    file: str = ""  # the file that declares the type that an Any in the message holds
    tags: frozenset[str] = frozenset()  # facts about the message, which known failures match


class ExampleMaker:
    """Makes examples of a catalog's types."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.generator = Generator(shapes)
        self._json_filter = JsonFilter(shapes)

    @cached_property
    def _capitals(self) -> frozenset[str]:
        return with_capitals(self.shapes)

    def _least(self, shape: Shape) -> bytes:
        """Return the content that every message of the type holds."""
        least = self.generator.least(shape)
        assert least is not None
        return least

    def values(self, shape: Shape, chance: random.Random, count: int) -> Iterator[Example]:
        yield from self._valid(shape, chance, count)
        yield from self._reencoded(shape, chance)
        for texts in malformed.large(shape, chain(repeat(LARGE, LARGE_FIELDS), repeat(LESS_LARGE)), MOST_LARGE):
            yield Example(self._least(shape) + texts, "large texts", tags=_LARGE)
        yield from self.nested(shape, (DEEP,))
        # Some writers or readers of ProtoJSON get these values wrong; no reader of bytes does.
        yield from self.minus_zeros(shape)
        yield from self.greatest_floats(shape)

    def _reencoded(self, shape: Shape, chance: random.Random) -> Iterator[Example]:
        """Yield a few messages in every other encoding, and each further field in the boldest."""
        known = self.generator.boundaries(shape)[1:]
        by_chance = [self.generator.by_chance(shape, chance) for _ in range(REENCODED)]
        for data in (*known[:REENCODED], *by_chance):
            yield from (Example(changed, what, tags=tagged(what)) for what, changed in reencodings(shape, data, chance))
        seen = {record.number for data in known[:REENCODED] for record in read(data)}
        for data in known[REENCODED:]:
            further = [record for record in read(data) if record.number not in seen]
            if further:
                reencoded = boldest(shape, self._least(shape) + write(further), chance)
                yield Example(reencoded, "every encoding of further fields together", tags=tagged(TOGETHER))
            seen |= {record.number for record in further}

    def in_json(self, shape: Shape, chance: random.Random, count: int, *, capitals: bool) -> Iterator[Example]:
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

    def unrepresentable(self, shape: Shape, kind: Unrepresentable) -> Iterator[Example]:
        """Yield no random messages: a type that has such a case must have an example for it with each seed."""
        for example in (*self._boundaries(shape), *self._anys(shape)):
            if kind in self._json_filter.left_out(shape, example.data):
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

    def unknown_fields(self, shape: Shape, chance: random.Random, _count: int) -> Iterator[Example]:
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

    def malformed(self, shape: Shape) -> Iterator[Example]:
        *_, some = self.generator.few(shape)[:2]
        whole = self._least(shape) + min(map(write_one, read(some)), key=len, default=b"")
        for what, data in malformed.malformed(shape, whole, some):
            # Messages that only lack a required field, or hold a text that is not UTF-8, have cases of their own.
            if validity(shape, data) not in (Validity.INCOMPLETE, Validity.NOT_UTF8):
                yield Example(data, what, tags=tagged(what))
        if shape.can_hold:
            yield from self.number_zero(whole)

    def number_zero(self, whole: bytes) -> Iterator[Example]:
        yield from (Example(whole + data, what, tags=tagged(what)) for what, data in malformed.NUMBER_ZERO.items())

    def not_utf8(self, shape: Shape, *, extensions: bool) -> Iterator[Example]:
        """Yield texts that are not UTF-8: in the extensions that must be UTF-8, or in all other fields."""
        fields = tuple(field for field in shape.ordered if _strict_extension(field) is extensions)
        for what, data in malformed.not_utf8(replace(shape, ordered=fields), self.generator.least):
            yield Example(self._least(shape) + data, what)

    def closed_enums(self, shape: Shape) -> Iterator[Example]:
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

    def missing_required(self, shape: Shape) -> Iterator[Example]:
        whole = self.generator.required(shape) or {}
        for number in whole:
            rest = b"".join(content for other, content in whole.items() if other != number)
            yield Example(rest, f"the required {shape.fields[number].name} is missing")

    def nested(self, shape: Shape, depths: tuple[int, ...]) -> Iterator[Example]:
        """Yield messages within messages to these depths, where a type holds itself."""
        field = next((field for field in shape.ordered if field.inner is shape and not field.required), None)
        least = self._least(shape)
        for depth in depths if field else ():
            assert field is not None
            data = least
            for _ in range(depth - 1):
                data = least + wire_format.message_field(field.descriptor, data)
            yield Example(data, f"{depth} levels of {field.name}", tags=_NESTED)

    def greatest_floats(self, shape: Shape) -> Iterator[Example]:
        return self._of_fields(shape, boundaries.greatest_floats, "FLT_MAX", "float_max")

    def minus_zeros(self, shape: Shape) -> Iterator[Example]:
        return self._of_fields(shape, boundaries.minus_zeros, "-0.0", "minus_zero")

    def _of_fields(self, shape: Shape, values: Callable[[FieldShape], list[bytes]], what: str, tag: str) -> Iterator[Example]:
        """Yield each field alone with each of its values."""
        for field in shape.ordered:
            for value in values(field):
                content = wire_format.tag(field.number, field.wire_type) + value
                yield Example(self._alone(shape, field, content), f"{field.name} is {what}", tags=frozenset({tag}))

    def representable(self, shape: Shape, examples: Iterable[Example]) -> Iterator[Example]:
        """Yield the examples that ProtoJSON can represent as they are."""
        yield from (example for example in examples if self._json_filter.part(shape, example.data) == example.data)

    def of_well_known(self, shape: Shape, values: Callable[[str], list[bytes]], what: str) -> Iterator[Example]:
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


def tagged(what: str) -> frozenset[str]:
    """Return the tag that says the same as a report: its words, with underscores between them."""
    return frozenset({re.sub(r"\W+", "_", what)})


_LARGE, _RANDOM, _BOUNDARY, _ANY, _NESTED = map(tagged, ("large texts", "random", "boundary values", "any", "nested"))

GENERAL_TAGS = frozenset().union(_LARGE, _RANDOM, _BOUNDARY, _ANY, _NESTED)
"""The tags that no group of examples has as a whole, apart from faults and encodings."""
