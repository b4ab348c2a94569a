"""Contents of a sender's field, aimed at the receiver's field in its place: values, lists, maps, messages."""

from collections.abc import Iterator, Sequence

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.compat.diff.match_fields import is_utf8
from grpc_interop.compat.probes.scalar_values import scalars, tagged
from grpc_interop.values.generator import Generator
from grpc_interop.wire import wire_format
from grpc_interop.wire.shapes import TEXTS, FieldShape, Shape

FEW = 3
"""Messages to send of an unchanged type: the effects on its own fields are observed elsewhere."""


class FieldValues:
    """Makes the contents of fields; `sent` and `received` generate messages of the two versions."""

    def __init__(self, sent: Generator, received: Generator) -> None:
        self._sent = sent
        self._received = received

    def of(self, field: FieldShape, receivers: Sequence[FieldShape] = ()) -> list[bytes]:
        """Return contents with their tag, a plain value first; nothing where no message of the field's type can exist."""
        if field.key is not None and field.mapped is not None:
            return self._maps(field, field.key, field.mapped, receivers)
        if field.inner is not None:
            framed = [wire_format.message_field(field.descriptor, content) for content in self._contents(field.inner, receivers)]
            return _lists(framed) if field.repeated else framed
        values = self._scalars(field, receivers)
        if field.repeated:
            return _scalar_lists(field, values, receivers)
        # Without presence a zero is not written: its message is the message without the field.
        return [tagged(field, value) for value in values if field.presence or any(value)]

    def plain(self, field: FieldShape) -> bytes:
        """Return an ordinary value with its tag; empty where there is none."""
        return next(iter(self.of(field)), b"")

    def _scalars(self, field: FieldShape, receivers: Sequence[FieldShape]) -> list[bytes]:
        """Return values without tags; for a text that is a message at a receiver, also such messages."""
        values = scalars(field, receivers)
        if field.type in TEXTS:
            inner = [receiver.inner for receiver in receivers if receiver.inner is not None]
            contents = [content for shape in inner for content in self._received.boundaries(shape, 1)[:FEW]]
            values += [wire_format.delimited(content) for content in contents if field.type == Field.TYPE_BYTES or is_utf8(content)]
        return list(dict.fromkeys(values))

    # -- messages ------------------------------------------------------------------------------------------------------

    def _contents(self, inner: Shape, receivers: Sequence[FieldShape]) -> list[bytes]:
        """Return a message with one field set, the least message, and messages with all fields; before them, where the receiver
        has a map, messages that it may take for entries."""
        least = self._sent.least(inner)
        if least is None:
            return []
        contents = [entry for other in receivers if other.key and other.mapped for entry in self._entries(inner, other.key, other.mapped)]
        contents += [self._small(inner, least), least, *self._sent.boundaries(inner, 1)[: FEW + 1]]
        return list(dict.fromkeys(contents))

    def _small(self, inner: Shape, least: bytes) -> bytes:
        if inner.special:
            return next(iter(self._sent.boundaries(inner, 1)), least)
        scalars_ = (field for field in inner.ordered if field.inner is None and field.mapped is None and not field.required)
        scalar = next(scalars_, None)
        return least if scalar is None else least + self.plain(scalar)

    def _entries(self, inner: Shape, key: FieldShape, mapped: FieldShape) -> Iterator[bytes]:
        """Yield two entries with the same key, and an entry without a key. The other contents have an entry without a value."""
        keys = self.of(inner.fields[1], [key])[:1] if 1 in inner.fields else []
        values = self.of(inner.fields[2], [mapped])[:2] if 2 in inner.fields else []
        yield from (name + value for name in keys for value in values)
        yield from values[:1]

    # -- maps ----------------------------------------------------------------------------------------------------------

    def _maps(self, field: FieldShape, key: FieldShape, mapped: FieldShape, receivers: Sequence[FieldShape]) -> list[bytes]:
        """Return maps with an entry, with two, with an entry of zeros; then with every key and every value. A receiver without a
        map is compared with the entries' type."""
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
        """Return the values of a map, where zeros are written."""
        if mapped.inner is not None:
            return self.of(mapped, receivers)
        return [tagged(mapped, value) for value in self._scalars(mapped, receivers)]


def _parts(receivers: Sequence[FieldShape], number: int) -> list[FieldShape]:
    """Return the fields of that number in the types that the receivers take an entry for."""
    parts = []
    for receiver in receivers:
        if receiver.key is not None and receiver.mapped is not None:
            parts.append(receiver.key if number == 1 else receiver.mapped)
        elif receiver.inner is not None and number in receiver.inner.fields:
            parts.append(receiver.inner.fields[number])
    return parts


_LISTS: tuple[tuple[int, ...], ...] = ((0,), (0, 1), (0, 1, 2), (0, 0))
"""The indices of values in a list: of length one, two, three, and with a value twice."""


def _choices(number: int) -> list[tuple[int, ...]]:
    """Return the lists above as far as there are so many values, then each further value alone."""
    return [indices for indices in _LISTS if max(indices) < number] + [(index,) for index in range(1, number)]


def _lists(framed: Sequence[bytes]) -> list[bytes]:
    return [b"".join(framed[index] for index in indices) for indices in _choices(len(framed))]


def _scalar_lists(field: FieldShape, values: Sequence[bytes], receivers: Sequence[FieldShape]) -> list[bytes]:
    unpacked = [tagged(field, value) for value in values]
    if field.type in TEXTS:
        return _lists(unpacked)
    lists = _lists(unpacked)
    if field.packed:
        lists = [_packed(field, [values[index] for index in indices]) for indices in _choices(len(values))]
    if any(receiver.packed != field.packed for receiver in receivers):
        few = values[:FEW]
        lists += [b"".join(unpacked[:FEW]), _packed(field, few), unpacked[0] + _packed(field, few[1:])]
    return lists


def _packed(field: FieldShape, values: Sequence[bytes]) -> bytes:
    return wire_format.tag(field.number, wire_format.LENGTH) + wire_format.delimited(b"".join(values))
