"""What one field of the sender can hold, aimed at what the receiver has in its place: values, lists, maps, messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.compat.diff.match_fields import is_utf8
from grpc_interop.compat.probes.scalar_values import scalars, tagged
from grpc_interop.values.generator import Generator
from grpc_interop.wire import wire_format
from grpc_interop.wire.shapes import TEXTS, FieldShape, Shape

FEW = 3
"""Messages of a type that is not the change itself: how its fields fare is seen where it is."""


class FieldValues:
    """Makes them. `sent` and `received` generate messages of the two versions."""

    def __init__(self, sent: Generator, received: Generator) -> None:
        self._sent = sent
        self._received = received

    def of(self, field: FieldShape, receivers: Sequence[FieldShape] = ()) -> list[bytes]:
        """With its tag, a plain one first; nothing where no message of the field's type can exist."""
        if field.key is not None and field.mapped is not None:
            return self._maps(field, field.key, field.mapped, receivers)
        if field.inner is not None:
            framed = [wire_format.message_field(field.descriptor, content) for content in self._contents(field.inner, receivers)]
            return _lists(framed) if field.repeated else framed
        values = self._scalars(field, receivers)
        if field.repeated:
            return _scalar_lists(field, values, receivers)
        # Without presence a zero is not written: that is the message without the field.
        return [tagged(field, value) for value in values if field.presence or any(value)]

    def plain(self, field: FieldShape) -> bytes:
        """An ordinary value, with its tag; empty where there is none."""
        return next(iter(self.of(field)), b"")

    def _scalars(self, field: FieldShape, receivers: Sequence[FieldShape]) -> list[bytes]:
        """Without tags. In a text that is a message elsewhere, such messages."""
        values = scalars(field, receivers)
        if field.type in TEXTS:
            inner = [one.inner for one in receivers if one.inner is not None]
            contents = [content for shape in inner for content in self._received.boundaries(shape, 1)[:FEW]]
            values += [wire_format.delimited(content) for content in contents if field.type == Field.TYPE_BYTES or is_utf8(content)]
        return list(dict.fromkeys(values))

    # -- messages ------------------------------------------------------------------------------------------------------

    def _contents(self, inner: Shape, receivers: Sequence[FieldShape]) -> list[bytes]:
        """With one field set, then the least, then with all fields; before them, where the receiver has a map, whatever
        it may take for an entry."""
        least = self._sent.least(inner)
        if least is None:
            return []
        contents = [entry for one in receivers if one.key and one.mapped for entry in self._entries(inner, one.key, one.mapped)]
        contents += [self._small(inner, least), least, *self._sent.boundaries(inner, 1)[: FEW + 1]]
        return list(dict.fromkeys(contents))

    def _small(self, inner: Shape, least: bytes) -> bytes:
        if inner.special:
            return next(iter(self._sent.boundaries(inner, 1)), least)
        scalar = (one for one in inner.ordered if one.inner is None and one.mapped is None and not one.required)
        found = next(scalar, None)
        return least if found is None else least + self.plain(found)

    def _entries(self, inner: Shape, key: FieldShape, mapped: FieldShape) -> Iterator[bytes]:
        """Two with one key, and one without a key; one without a value, and with more than both, are among the others."""
        keys = self.of(inner.fields[1], [key])[:1] if 1 in inner.fields else []
        values = self.of(inner.fields[2], [mapped])[:2] if 2 in inner.fields else []
        yield from (name + value for name in keys for value in values)
        yield from values[:1]

    # -- maps ----------------------------------------------------------------------------------------------------------

    def _maps(self, field: FieldShape, key: FieldShape, mapped: FieldShape, receivers: Sequence[FieldShape]) -> list[bytes]:
        """Of one entry, of two, of one that is all zero; then with every key and every value. What is no map at the
        receiver is compared with the entries' type."""
        keys = [tagged(key, value) for value in self._scalars(key, _parts(receivers, 1))]
        values = self._within(mapped, _parts(receivers, 2))
        if not values:
            return []
        plain, zero = keys[0] + values[0], keys[:FEW][-1] + values[:FEW][-1]
        maps = [(plain,), (plain, keys[1] + values[1 % len(values)]), (zero,)]
        maps += [(name + values[0],) for name in keys[1:]]
        maps += [(keys[0] + value,) for value in values[1:]]
        return [b"".join(wire_format.message_field(field.descriptor, entry) for entry in entries) for entries in maps]

    def _within(self, mapped: FieldShape, receivers: Sequence[FieldShape]) -> list[bytes]:
        """The values of a map: there zeros are written."""
        if mapped.inner is not None:
            return self.of(mapped, receivers)
        return [tagged(mapped, value) for value in self._scalars(mapped, receivers)]


def _parts(receivers: Sequence[FieldShape], number: int) -> list[FieldShape]:
    """The fields of that number in what the receivers take an entry for."""
    found = []
    for one in receivers:
        if one.key is not None and one.mapped is not None:
            found.append(one.key if number == 1 else one.mapped)
        elif one.inner is not None and number in one.inner.fields:
            found.append(one.inner.fields[number])
    return found


_LISTS: tuple[tuple[int, ...], ...] = ((0,), (0, 1), (0, 1, 2), (0, 0))
"""Which values stand in a list: one, two, three, and one of them twice."""


def _choices(number: int) -> list[tuple[int, ...]]:
    """The lists above as far as there are so many values, then each further value alone."""
    return [one for one in _LISTS if max(one) < number] + [(index,) for index in range(1, number)]


def _lists(framed: Sequence[bytes]) -> list[bytes]:
    return [b"".join(framed[index] for index in one) for one in _choices(len(framed))]


def _scalar_lists(field: FieldShape, values: Sequence[bytes], receivers: Sequence[FieldShape]) -> list[bytes]:
    unpacked = [tagged(field, value) for value in values]
    if field.type in TEXTS:
        return _lists(unpacked)
    lists = _lists(unpacked)
    if field.packed:
        lists = [_packed(field, [values[index] for index in one]) for one in _choices(len(values))]
    if any(one.packed != field.packed for one in receivers):
        few = values[:FEW]
        lists += [b"".join(unpacked[:FEW]), _packed(field, few), unpacked[0] + _packed(field, few[1:])]
    return lists


def _packed(field: FieldShape, values: Sequence[bytes]) -> bytes:
    return wire_format.tag(field.number, wire_format.LENGTH) + wire_format.delimited(b"".join(values))
