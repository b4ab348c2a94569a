"""Generated messages of any type: every boundary of every field, then seeded random ones.

Random choices are made with random.Random(text).random() and getrandbits alone, whose results are the same on every
machine and in every version of Python.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.protos import boundaries, wellknown, wire
from grpc_interop.protos.shapes import FieldShape, Shape, Shapes

DEEPEST = 4
"""Levels of random messages; generated recursion that is about depth is made by hand (examples.py)."""

BUDGET = 2048
"""Bytes after which a random message gets no further fields: ordinary messages are smaller."""

USUAL_FIELDS = 8
"""How many fields of a wide type a random message sets on average."""

FEW = 3
"""Boundary messages of a nested type that has cases of its own."""


class Generator:
    """Makes messages of a catalog's types. `own` are the types whose boundaries are covered by cases of their own."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self._own = frozenset(shapes.driven())
        self._boundaries: dict[tuple[str, int], list[bytes]] = {}
        self._options: dict[FieldShape, list[bytes]] = {}
        self._least: dict[str, bytes | None] = {}

    # -- the least -----------------------------------------------------------------------------------------------------

    def least(self, shape: Shape) -> bytes | None:
        """Nothing but what is required, also by what a well-known type means; None where a type requires itself, so that
        no message of it can exist."""
        if shape.name not in self._least:
            self._least[shape.name] = None
            fields = self.required(shape)
            self._least[shape.name] = None if fields is None else wellknown.least(shape.special) + b"".join(fields.values())
        return self._least[shape.name]

    def required(self, shape: Shape) -> dict[int, bytes] | None:
        """The required fields of a type, each with as little as can be; None where it requires itself."""
        fields = {}
        for field in shape.required:
            if field.inner is None:
                fields[field.number] = _tagged(field, boundaries.encoded(field)[0])
                continue
            inner = self.least(field.inner)
            if inner is None:
                return None
            fields[field.number] = wire.message_field(field.descriptor, inner)
        return fields

    # -- boundaries ----------------------------------------------------------------------------------------------------

    def boundaries(self, shape: Shape, depth: int = 0) -> list[bytes]:
        """Messages that together hold every boundary of every field: the n-th holds the n-th of each, of a oneof one
        after the other of all its arms. Their number is that of the field with the most; a field that has no further
        one repeats its shortest."""
        key = (shape.name, min(depth, 2))
        if key not in self._boundaries:
            self._boundaries[key] = self._make_boundaries(shape, depth)
        return self._boundaries[key]

    def _make_boundaries(self, shape: Shape, depth: int) -> list[bytes]:
        special = wellknown.within(shape.special)
        if special is not None:
            return special
        slots = [list(slot) for slot in self._slots(shape, lambda field: self.options(field, depth))]
        number = max(map(len, slots), default=0)
        rests = [min(slot, key=len, default=b"") for slot in slots]
        messages = []
        for turn in range(number):
            chosen = [slot[turn] if turn < len(slot) else rest for slot, rest in zip(slots, rests, strict=True)]
            messages.append(b"".join(chosen))
        least = self.least(shape)
        return ([] if least is None else [least]) + messages

    def _slots(self, shape: Shape, options: Callable[[FieldShape], list[bytes]]) -> Iterator[list[bytes]]:
        """What can stand in each place of a message, in field order; a oneof is one place."""
        done = set()
        for field in shape.ordered:
            if not field.oneof:
                yield options(field)
            elif field.oneof not in done:
                done.add(field.oneof)
                yield [option for number in shape.arms[field.oneof] for option in options(shape.fields[number])]

    def options(self, field: FieldShape, depth: int = 0) -> list[bytes]:
        """Every boundary of a field, with its tag. Of a list: all in one, then the first alone. Of a map: every key and
        every value, in as few maps as distinct keys allow."""
        if field.mapped is not None:
            return self._map_options(field, depth)
        if field.inner is not None:
            options = [wire.message_field(field.descriptor, one) for one in self._inner_options(field.inner, depth)]
            return options if not field.repeated or not options else [b"".join(options), options[0]]
        values = boundaries.encoded(field)
        return _list_options(field, values) if field.repeated else [_tagged(field, value) for value in values]

    def _inner_options(self, inner: Shape, depth: int) -> list[bytes]:
        least = self.least(inner)
        if least is None:
            return []
        own = inner.name in self._own
        if depth >= (1 if own else 2):
            return [least]
        found = self.boundaries(inner, depth + 1)
        return found[:FEW] if own else found

    def _map_options(self, field: FieldShape, depth: int) -> list[bytes]:
        key, mapped = field.key, field.mapped
        assert key is not None and mapped is not None
        # Within other messages a map is a small one: its own type's cases see to its keys.
        keys = [_tagged(key, value) for value in boundaries.encoded(key)][: FEW if depth else None]
        if mapped.inner is not None:
            values = [wire.message_field(mapped.descriptor, one) for one in self._inner_options(mapped.inner, depth)]
        else:
            values = [_tagged(mapped, value) for value in boundaries.encoded(mapped)]
        if not values:
            return []
        entries = [keys[turn % len(keys)] + values[turn % len(values)] for turn in range(max(len(keys), len(values)))]
        framed = [wire.message_field(field.descriptor, entry) for entry in entries]
        return [b"".join(framed[start : start + len(keys)]) for start in range(0, len(framed), len(keys))]

    # -- random --------------------------------------------------------------------------------------------------------

    def by_chance(self, shape: Shape, chance: random.Random) -> bytes:
        """One message, as random as `chance`."""
        return self._random(shape, chance, BUDGET, 0)

    def _random(self, shape: Shape, chance: random.Random, budget: int, depth: int) -> bytes:
        if shape.special and (special := wellknown.within(shape.special)) is not None:
            return special[int(chance.random() * len(special))]
        draw = chance.random
        likely = USUAL_FIELDS / (len(shape.ordered) + 1)
        parts: list[bytes] = []
        chosen = {arms[int(draw() * len(arms))] for arms in shape.arms.values()} if shape.arms else ()
        for field in shape.ordered:
            if field.oneof and field.number not in chosen:
                continue
            if not field.required and (budget < 0 or draw() > likely or draw() < 0.25):
                continue
            part = self._random_field(field, chance, budget // 2, depth)
            parts.append(part)
            budget -= len(part)
        return b"".join(parts)

    def _random_field(self, field: FieldShape, chance: random.Random, budget: int, depth: int) -> bytes:
        if field.inner is None and field.mapped is None:
            return self._random_scalars(field, chance)
        number = 1 if not field.repeated else int(chance.random() * 4)
        parts = []
        for _ in range(number):
            if field.mapped is not None:
                content = self._random_entry(field, chance, budget, depth)
            else:
                content = self._random_inner(field.message, chance, budget, depth)
            if content is not None:
                parts.append(wire.message_field(field.descriptor, content))
        return b"".join(parts)

    def _random_inner(self, inner: Shape, chance: random.Random, budget: int, depth: int) -> bytes | None:
        if self.least(inner) is None:
            return None
        return self.least(inner) if depth >= DEEPEST else self._random(inner, chance, budget, depth + 1)

    def _random_entry(self, field: FieldShape, chance: random.Random, budget: int, depth: int) -> bytes | None:
        key, mapped = field.key, field.mapped
        assert key is not None and mapped is not None
        head = _tagged(key, self._random_value(key, chance))
        if mapped.inner is None:
            return head + _tagged(mapped, self._random_value(mapped, chance))
        content = self._random_inner(mapped.inner, chance, budget, depth)
        return None if content is None else head + wire.message_field(mapped.descriptor, content)

    def _random_scalars(self, field: FieldShape, chance: random.Random) -> bytes:
        if not field.repeated:
            return _tagged(field, self._random_value(field, chance))
        return _listed(field, [self._random_value(field, chance) for _ in range(int(chance.random() * 6))])

    def _random_value(self, field: FieldShape, chance: random.Random) -> bytes:
        """A boundary, or as often any value of the type."""
        known = self._options.get(field)
        if known is None:
            known = self._options[field] = boundaries.encoded(field)
        if chance.random() < 0.5 or field.enum is not None or field.wire_type not in _RANDOM:
            return known[int(chance.random() * len(known))]
        return _RANDOM[field.wire_type](field, chance)


def _random_text(field: FieldShape, chance: random.Random) -> bytes:
    size = int(chance.random() * 24)
    if field.type == Field.TYPE_BYTES:
        return wire.delimited(chance.getrandbits(8 * size).to_bytes(size, "little") if size else b"")
    return wire.delimited("".join(_LETTERS[int(chance.random() * len(_LETTERS))] for _ in range(size)).encode())


def _random_varint(field: FieldShape, chance: random.Random) -> bytes:
    value = chance.getrandbits(64) >> int(chance.random() * 64)
    if field.type == Field.TYPE_BOOL:
        value &= 1
    elif field.type in (Field.TYPE_UINT32, Field.TYPE_SINT32):
        value &= 0xFFFFFFFF
    elif field.type == Field.TYPE_INT32:
        value = (value & 0xFFFFFFFF) - (value >> 31 & 1 and 1 << 32)
    return wire.varint(value)


def _random_fixed(chance: random.Random, bits: int, *, finite: bool) -> bytes:
    """Any bits; of a floating-point number those of one below 2: NaNs are chosen on purpose only."""
    value = chance.getrandbits(bits)
    if finite:
        value &= ~(1 << bits - 2)
    return value.to_bytes(bits // 8, "little")


_LETTERS = "abcxyz ABC019_-.éß世界\U0001f600"
_RANDOM: dict[int, Callable[[FieldShape, random.Random], bytes]] = {
    wire.VARINT: _random_varint,
    wire.LENGTH: _random_text,
    wire.FIXED32: lambda field, chance: _random_fixed(chance, 32, finite=field.type == Field.TYPE_FLOAT),
    wire.FIXED64: lambda field, chance: _random_fixed(chance, 64, finite=field.type == Field.TYPE_DOUBLE),
}


def _tagged(field: FieldShape, value: bytes) -> bytes:
    return wire.tag(field.number, field.wire_type) + value


def _list_options(field: FieldShape, values: list[bytes]) -> list[bytes]:
    return [_listed(field, values), _listed(field, values[:1])]


def _listed(field: FieldShape, values: list[bytes]) -> bytes:
    if field.packed:
        return wire.tag(field.number, wire.LENGTH) + wire.delimited(b"".join(values)) if values else b""
    return b"".join(_tagged(field, value) for value in values)
