"""Generated messages of any type: every boundary of every field, then seeded random messages.

Random choices use only random.Random(text).random() and getrandbits, whose results are the same on every machine and in
every version of Python.
"""

import random
from collections.abc import Callable, Iterator

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.values import boundaries, well_known
from grpc_interop.wire import wire_format
from grpc_interop.wire.byte_lru import ByteLru
from grpc_interop.wire.shapes import FieldShape, Shape, Shapes

DEEPEST = 4
"""Levels of random messages; deeper messages are made on purpose (messages/example_maker.py)."""

BUDGET = 2048
"""Bytes after which a random message gets no further fields; ordinary messages are smaller."""

USUAL_FIELDS = 8
"""Fields of a wide type that a random message sets on average."""

FEW, FEW_BYTES = 3, 512
"""Messages of a nested type that is shown whole elsewhere, and the bytes of each beside its required fields. With all
boundaries in each field, the examples of a type that holds itself grew with the square of its fields."""

MOST_BYTES, LIST_BYTES = 16 * 1024, 4 * 1024
"""Bytes of a boundary message, and of a list or map in it, beyond which they go on in another message. Ordinary types stay
below; and the first messages are written in each encoding as well (messages/example_maker.py)."""

KEPT_BYTES = 16 * 1024 * 1024
"""Bytes of boundary messages: those of a large tree, with 1,000 types."""


class Generator:
    """Makes messages of a catalog's types."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self._own = frozenset(shapes.driven())  # types whose boundaries have cases of their own
        self._boundaries: ByteLru[tuple[str, int], list[bytes]] = ByteLru(KEPT_BYTES)
        self._few: dict[str, list[bytes]] = {}
        self._options: dict[FieldShape, list[bytes]] = {}
        self._least: dict[str, bytes | None] = {}

    # -- the least -----------------------------------------------------------------------------------------------------

    def least(self, shape: Shape) -> bytes | None:
        """Return a message with nothing but its required fields, and the content that a well-known type cannot do without; None
        where a type requires itself, so that no message of it can exist."""
        if shape.name not in self._least:
            self._least[shape.name] = None
            fields = self.required(shape)
            self._least[shape.name] = None if fields is None else well_known.least(shape.special) + b"".join(fields.values())
        return self._least[shape.name]

    def required(self, shape: Shape) -> dict[int, bytes] | None:
        """Return the required fields of a type, each as small as can be; None where the type requires itself."""
        fields = {}
        for field in shape.required:
            if field.inner is None:
                fields[field.number] = _tagged(field, boundaries.encoded(field)[0])
                continue
            inner = self.least(field.inner)
            if inner is None:
                return None
            fields[field.number] = wire_format.message_field(field.descriptor, inner)
        return fields

    # -- boundaries ----------------------------------------------------------------------------------------------------

    def boundaries(self, shape: Shape, depth: int = 0) -> list[bytes]:
        """Return messages that together hold every boundary of every field. The first has only the required fields; the next
        hold the first boundary of each field, then the second of each, and so on; a oneof takes its arms in turn. A field
        without a further boundary is left out, so that the messages are no larger together than the values they show."""
        key = (shape.name, min(depth, 2))
        messages = self._boundaries.get(key)
        if messages is None:
            messages = self._make_boundaries(shape, depth, {shape.name})
            self._boundaries.put(key, messages, sum(map(len, messages)))
        return messages

    def _make_boundaries(self, shape: Shape, depth: int, around: set[str]) -> list[bytes]:
        special = well_known.within(shape.special)
        if special is not None:
            return special
        least = self.least(shape)
        slots = self._slots(shape, depth, around)
        needed = self._needed(shape, slots)
        messages = [] if least is None else [least]
        for turn in range(max(map(len, slots.values()), default=0)):
            present = {number: options[turn] for number, options in slots.items() if turn < len(options)}
            for part in _parts(present, MOST_BYTES):
                messages.append(_joined(needed | part))
        return messages

    def few(self, shape: Shape) -> list[bytes]:
        """Return a few small boundary messages: the least, and two with as many fields as there is room for."""
        special = well_known.within(shape.special)
        if special is not None:
            return special[:FEW]
        if shape.name not in self._few:
            least = self.least(shape)
            slots = self._slots(shape, 1, {shape.name})
            needed = self._needed(shape, slots)
            fitting = [_joined(needed | _fitting(slots, turn)) for turn in range(FEW - 1)]
            self._few[shape.name] = [] if least is None else list(dict.fromkeys([least, *fitting]))
        return self._few[shape.name]

    def _slots(self, shape: Shape, depth: int, around: set[str]) -> dict[int, list[bytes]]:
        """Return the options for each slot of a message, by the slot's first field number, in field order; a oneof is one slot.
        `around` are the types that are shown whole elsewhere in the same message or around it, and gets the types that are
        shown here. Among several fields of one type, the first shows it."""
        shown = {}
        if depth < 2:
            for field in shape.ordered:
                inner = field.inner or (field.mapped and field.mapped.inner)
                if inner and inner.name not in self._own and inner.name not in around:
                    around.add(inner.name)
                    shown[field.number] = inner.name
        slots: dict[int, list[bytes]] = {}
        for field in shape.ordered:
            slot = shape.arms[field.oneof][0] if field.oneof else field.number
            slots.setdefault(slot, []).extend(self._options_of(field, depth, around, whole=field.number in shown))
        return dict(sorted(slots.items()))

    def _needed(self, shape: Shape, slots: dict[int, list[bytes]]) -> dict[int, bytes]:
        """Return the content of each required field once it has no further boundary."""
        return {field.number: min(slots[field.number], key=len, default=b"") for field in shape.required}

    def options(self, field: FieldShape, depth: int = 0) -> list[bytes]:
        """Return every boundary of a field, with its tag. A list has all boundaries together, then the first alone; a map has
        every key and every value, in as few maps as distinct keys allow."""
        inner = field.inner or (field.mapped and field.mapped.inner)
        return self._options_of(field, depth, {inner.name} if inner else set(), whole=True)

    def _options_of(self, field: FieldShape, depth: int, around: set[str], *, whole: bool) -> list[bytes]:
        if field.mapped is not None:
            return self._map_options(field, depth, around, whole=whole)
        if field.inner is not None:
            contents = self._inner_options(field.inner, depth, around, whole=whole)
            options = [wire_format.message_field(field.descriptor, content) for content in contents]
            return _in_lists(options) if field.repeated else options
        values = boundaries.encoded(field)
        return _list_options(field, values) if field.repeated else [_tagged(field, value) for value in values]

    def _inner_options(self, inner: Shape, depth: int, around: set[str], *, whole: bool) -> list[bytes]:
        special = well_known.within(inner.special)
        if special is not None:
            return special
        least = self.least(inner)
        if least is None:
            return []
        if whole and depth < 2 and inner.name not in self._own:
            return self._make_boundaries(inner, depth + 1, around)
        return [least] if depth else self.few(inner)

    def _map_options(self, field: FieldShape, depth: int, around: set[str], *, whole: bool) -> list[bytes]:
        key, mapped = field.key, field.mapped
        assert key is not None and mapped is not None
        # Within other messages a map is small: the cases of its own type show its keys.
        keys = [_tagged(key, value) for value in boundaries.encoded(key)][: FEW if depth else None]
        if mapped.inner is not None:
            inner = self._inner_options(mapped.inner, depth, around, whole=whole)
            values = [wire_format.message_field(mapped.descriptor, content) for content in inner]
        else:
            values = [_tagged(mapped, value) for value in boundaries.encoded(mapped)]
        if not values:
            return []
        rest = min(values, key=len)
        entries = [keys[turn % len(keys)] + (values[turn] if turn < len(values) else rest) for turn in range(max(len(keys), len(values)))]
        framed = [wire_format.message_field(field.descriptor, entry) for entry in entries]
        maps = [framed[start : start + len(keys)] for start in range(0, len(framed), len(keys))]
        return [b"".join(part) for entries in maps for part in _chunks(entries, LIST_BYTES)]

    # -- random --------------------------------------------------------------------------------------------------------

    def by_chance(self, shape: Shape, chance: random.Random) -> bytes:
        """Return a random message."""
        return self._random(shape, chance, BUDGET, 0)

    def _random(self, shape: Shape, chance: random.Random, budget: int, depth: int) -> bytes:
        if shape.special and (special := well_known.within(shape.special)) is not None:
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
                parts.append(wire_format.message_field(field.descriptor, content))
        return b"".join(parts)

    def _random_inner(self, inner: Shape, chance: random.Random, budget: int, depth: int) -> bytes | None:
        if self.least(inner) is None:
            return None
        return self.least(inner) if depth >= DEEPEST or budget < 0 else self._random(inner, chance, budget, depth + 1)

    def _random_entry(self, field: FieldShape, chance: random.Random, budget: int, depth: int) -> bytes | None:
        key, mapped = field.key, field.mapped
        assert key is not None and mapped is not None
        head = _tagged(key, self._random_value(key, chance))
        if mapped.inner is None:
            return head + _tagged(mapped, self._random_value(mapped, chance))
        content = self._random_inner(mapped.inner, chance, budget, depth)
        return None if content is None else head + wire_format.message_field(mapped.descriptor, content)

    def _random_scalars(self, field: FieldShape, chance: random.Random) -> bytes:
        if not field.repeated:
            return _tagged(field, self._random_value(field, chance))
        return _listed(field, [self._random_value(field, chance) for _ in range(int(chance.random() * 6))])

    def _random_value(self, field: FieldShape, chance: random.Random) -> bytes:
        """Return a boundary or, as often, any value of the type."""
        known = self._options.get(field)
        if known is None:
            known = self._options[field] = boundaries.encoded(field)
        if chance.random() < 0.5 or field.enum is not None or field.wire_type not in _RANDOM:
            return known[int(chance.random() * len(known))]
        return _RANDOM[field.wire_type](field, chance)


def _random_text(field: FieldShape, chance: random.Random) -> bytes:
    size = int(chance.random() * 24)
    if field.type == Field.TYPE_BYTES:
        return wire_format.delimited(chance.getrandbits(8 * size).to_bytes(size, "little") if size else b"")
    return wire_format.delimited("".join(_LETTERS[int(chance.random() * len(_LETTERS))] for _ in range(size)).encode())


def _random_varint(field: FieldShape, chance: random.Random) -> bytes:
    value = chance.getrandbits(64) >> int(chance.random() * 64)
    if field.type == Field.TYPE_BOOL:
        value &= 1
    elif field.type in (Field.TYPE_UINT32, Field.TYPE_SINT32):
        value &= 0xFFFFFFFF
    elif field.type == Field.TYPE_INT32:
        value = (value & 0xFFFFFFFF) - (value >> 31 & 1 and 1 << 32)
    return wire_format.varint(value)


def _random_fixed(chance: random.Random, bits: int, *, finite: bool) -> bytes:
    """Return any bits; a floating-point number is below 2, since NaNs are chosen on purpose only."""
    value = chance.getrandbits(bits)
    if finite:
        value &= ~(1 << bits - 2)
    return value.to_bytes(bits // 8, "little")


_LETTERS = "abcxyz ABC019_-.éß世界\U0001f600"
_RANDOM: dict[int, Callable[[FieldShape, random.Random], bytes]] = {
    wire_format.VARINT: _random_varint,
    wire_format.LENGTH: _random_text,
    wire_format.FIXED32: lambda field, chance: _random_fixed(chance, 32, finite=field.type == Field.TYPE_FLOAT),
    wire_format.FIXED64: lambda field, chance: _random_fixed(chance, 64, finite=field.type == Field.TYPE_DOUBLE),
}


def _tagged(field: FieldShape, value: bytes) -> bytes:
    return wire_format.tag(field.number, field.wire_type) + value


def _parts(present: dict[int, bytes], most: int) -> Iterator[dict[int, bytes]]:
    """Yield the contents in parts of at most so many bytes, or with a single content."""
    part: dict[int, bytes] = {}
    size = 0
    for number, content in present.items():
        if part and size + len(content) > most:
            yield part
            part, size = {}, 0
        part[number] = content
        size += len(content)
    yield part


def _fitting(slots: dict[int, list[bytes]], turn: int) -> dict[int, bytes]:
    """Return the first content of each slot, from this turn on, for which there is room."""
    chosen, left = {}, FEW_BYTES
    for number, options in slots.items():
        content = next((option for option in options[turn:] if len(option) <= left), None)
        if content is not None:
            chosen[number] = content
            left -= len(content)
    return chosen


def _joined(contents: dict[int, bytes]) -> bytes:
    """Join in the order of the fields."""
    return b"".join([contents[number] for number in sorted(contents)])


def _chunks(elements: list[bytes], most: int) -> Iterator[list[bytes]]:
    for part in _parts(dict(enumerate(elements)), most):
        yield list(part.values())


def _in_lists(elements: list[bytes]) -> list[bytes]:
    """Return all elements in as few lists as possible, then the first alone."""
    return [b"".join(part) for part in _chunks(elements, LIST_BYTES)] + elements[:1] if elements else []


def _list_options(field: FieldShape, values: list[bytes]) -> list[bytes]:
    return [_listed(field, values), _listed(field, values[:1])]


def _listed(field: FieldShape, values: list[bytes]) -> bytes:
    if field.packed:
        return wire_format.tag(field.number, wire_format.LENGTH) + wire_format.delimited(b"".join(values)) if values else b""
    return b"".join(_tagged(field, value) for value in values)
