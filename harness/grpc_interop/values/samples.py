"""Sample messages of any type, the same on every machine, as bytes in field order.

Messages are numbered: the number can be read off their content, so that lost, doubled and swapped messages are seen.
"""

from collections import deque
from functools import lru_cache
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.reach import is_map
from grpc_interop.values.covering import covering
from grpc_interop.values.scalars import value_of
from grpc_interop.wire import wire_format

BUDGET = 512
"""Bytes of a full sample after which no further field is begun: so small that ten stay far below what may lie unread
(core/causality.py, CAPACITY), even with long names and required fields."""

CYCLE = 10
"""Successive samples over which every field of a type gets its turn; as many as the shorter scripts send."""

DEPTH = 5
"""How deep full samples go, required fields apart."""

_TEXTS = {Field.TYPE_STRING, Field.TYPE_BYTES}
_MESSAGES = {Field.TYPE_MESSAGE, Field.TYPE_GROUP}
_INDISTINCT = {Field.TYPE_BOOL, Field.TYPE_ENUM}
"""Types with too few values to carry a number."""

UNKNOWN_FIELDS = frozenset({"unknown_fields"})
"""The capability that a message needs if it has a field that its type does not declare."""


class Sample(NamedTuple):
    """A message, and the capabilities that a driver needs in order to pass it on whole."""

    data: bytes
    requires: frozenset[str] = frozenset()


class Values:
    """Samples of a catalog's message types. Types are given by full name; an unknown name raises KeyError."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._paths: dict[tuple[str, bool], tuple[Field, ...] | None] = {}
        # Every shape of a method draws the same few samples, of its two types.
        self._cached_full = lru_cache(maxsize=2 * CYCLE)(self._full)
        self._cached_of_size = lru_cache(maxsize=2)(self._of_size)
        self._cached_every_field = lru_cache(maxsize=2)(self._every_field)

    def empty(self, type_name: str) -> Sample:
        """Return a message with nothing but required fields."""
        return Sample(_joined(_required(self._catalog.message(type_name), 1)))

    def small(self, type_name: str, number: int) -> Sample:
        """Return message `number` (from 1), with little else in it."""
        message = self._catalog.message(type_name)
        path = self._path(message, texts_only=False)
        if path:
            return Sample(_along(message, path, value_of(path[-1], number), number))
        data = _joined(_required(message, number))
        field = wire_format.tag(_undeclared(message), wire_format.VARINT) + wire_format.varint(number)
        return Sample(data + field, UNKNOWN_FIELDS)

    def full(self, type_name: str, number: int) -> Sample:
        """Return message `number`, with as many of its fields set as a small message allows; over CYCLE successive numbers each
        field has its turn, and in a oneof the first CYCLE arms."""
        return self._cached_full(type_name, number)

    def of_size(self, type_name: str, size: int) -> Sample:
        """Return a message of `size` bytes (a byte or two less where a length prefix leaves no exact fit). Its text is in a text
        field where the type has any, else in a field that the type does not declare."""
        return self._cached_of_size(type_name, size)

    def every_field(self, type_name: str) -> tuple[bytes, ...]:
        """Return messages, at least one, that together set every field that is reachable from the type."""
        return self._cached_every_field(type_name)

    def _every_field(self, type_name: str) -> tuple[bytes, ...]:
        return tuple(covering(self._catalog, type_name)) or (self.empty(type_name).data,)

    def _full(self, type_name: str, number: int) -> Sample:
        message = self._catalog.message(type_name)
        filling = _Filling(number)
        data = filling.message(message, BUDGET, (message,))
        if filling.distinct:
            return Sample(data)
        if self._path(message, texts_only=False):
            return self.small(type_name, number)
        return Sample(data + wire_format.tag(_undeclared(message), wire_format.VARINT) + wire_format.varint(number), UNKNOWN_FIELDS)

    def _of_size(self, type_name: str, size: int) -> Sample:
        message = self._catalog.message(type_name)
        path = self._path(message, texts_only=True)
        text = _digits(size)
        while True:
            if path:
                value = text if path[-1].type == Field.TYPE_STRING else text.encode()
                sample = Sample(_along(message, path, value, 1))
            else:
                field = wire_format.tag(_undeclared(message), wire_format.LENGTH) + wire_format.delimited(text.encode())
                sample = Sample(_joined(_required(message, 1)) + field, UNKNOWN_FIELDS)
            excess = len(sample.data) - size
            if excess <= 0 or not text:
                return sample
            text = text[:-excess]

    def _path(self, message: Descriptor, *, texts_only: bool) -> tuple[Field, ...] | None:
        key = (message.full_name, texts_only)
        if key not in self._paths:
            self._paths[key] = _path_to_scalar(message, texts_only=texts_only)
        return self._paths[key]


def _path_to_scalar(message: Descriptor, *, texts_only: bool) -> tuple[Field, ...] | None:
    """Return the shortest path from the message to a field that can carry a number, or any text; texts are preferred, since
    people read them more easily."""
    queue: deque[tuple[Descriptor, tuple[Field, ...]]] = deque([(message, ())])
    visited = {message.full_name}
    while queue:
        here, way = queue.popleft()
        fields = [field for field in here.fields if not is_map(field)]
        scalars = [field for field in fields if field.type not in _MESSAGES | _INDISTINCT]
        texts = [field for field in scalars if field.type in _TEXTS]
        for field in texts or ([] if texts_only else scalars):
            return (*way, field)
        for field in fields:
            if field.type in _MESSAGES and (inner := _type(field)).full_name not in visited:
                visited.add(inner.full_name)
                queue.append((inner, (*way, field)))
    return None


def _along(message: Descriptor, path: tuple[Field, ...], value: wire_format.PythonScalar, number: int) -> bytes:
    """Return the message with this value at the end of the path, and with the required fields on the way."""
    field, *rest = path
    fields = _required(message, number)
    if rest:
        fields[field.number] = wire_format.message_field(field, _along(_type(field), tuple(rest), value, number))
    else:
        fields[field.number] = wire_format.scalar_field(field, value)
    return _joined(fields)


def _required(message: Descriptor, number: int, within: frozenset[str] = frozenset()) -> dict[int, bytes]:
    """Return the required fields. A message that requires a message of its own type cannot exist: it is left incomplete."""
    fields = {}
    around = within | {message.full_name}
    for field in message.fields:
        if not field.is_required or (field.message_type and field.message_type.full_name in around):
            continue
        if field.type in _MESSAGES:
            fields[field.number] = wire_format.message_field(field, _joined(_required(_type(field), number, around)))
        else:
            fields[field.number] = wire_format.scalar_field(field, value_of(field, number))
    return fields


class _Filling:
    """Fills one message."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.distinct = False  # a value was written that only this number has

    def message(self, message: Descriptor, budget: int, within: tuple[Descriptor, ...]) -> bytes:
        """Return the message's content in about `budget` bytes; `within` are the types around it, itself included."""
        fields = _required(message, self.number)
        size = sum(map(len, fields.values()))
        for field in self._turns(message):
            if size >= budget:
                break
            if field.number in fields or (content := self._field(field, budget - size, within)) is None:
                continue
            fields[field.number] = content
            size += len(content)
        return _joined(fields)

    def _turns(self, message: Descriptor) -> list[Field]:
        """Return the fields in an order that begins elsewhere with each number; in a oneof only the arm whose turn it is."""
        fields = []
        for field in message.fields:
            arms = field.containing_oneof.fields if field.containing_oneof else [field]
            if arms[self.number % len(arms)] is field or len(arms) == 1:
                fields.append(field)
        stride = -(-len(fields) // CYCLE)
        start = (self.number - 1) * stride % len(fields) if fields else 0
        return fields[start:] + fields[:start]

    def _field(self, field: Field, budget: int, within: tuple[Descriptor, ...]) -> bytes | None:
        if is_map(field):
            key, mapped = _type(field).fields
            entry = wire_format.scalar_field(key, value_of(key, self.number))
            content = self._field(mapped, budget // 2, within)
            return None if content is None else wire_format.message_field(field, entry + content)
        if field.type not in _MESSAGES:
            if not (value := value_of(field, self.number)) and not field.has_presence and not field.is_repeated:
                return None  # an enum that has only its zero, which is not written
            self.distinct |= field.type not in _INDISTINCT
            return wire_format.scalar_field(field, value)
        kind = _type(field)
        if len(within) >= DEPTH or within.count(kind) > 1:
            return None
        return wire_format.message_field(field, self.message(kind, budget // 2, (*within, kind)))


def _type(field: Field) -> Descriptor:
    """Return the type of a message or group field."""
    assert field.message_type is not None
    return field.message_type


def _undeclared(message: Descriptor) -> int:
    """Return the highest number that is not a field of the type."""
    number = wire_format.MAX_FIELD_NUMBER
    while number in message.fields_by_number:
        number -= 1
    return number


@lru_cache(maxsize=2)
def _digits(length: int) -> str:
    """Return a text that counts, so that a part that was cut out or shifted is seen."""
    return "".join(f"{at:08d}" for at in range(0, length + 8, 8))[:length]


def _joined(fields: dict[int, bytes]) -> bytes:
    return b"".join(fields[number] for number in sorted(fields))
