"""Content that ProtoJSON cannot represent with any value: no text for it is read back as the same. It is left out of
messages that ProtoJSON carries, and has cases of its own.
"""

from collections import defaultdict
from enum import Enum
from functools import cached_property

from grpc_interop.values.holders import ANY, leading_to
from grpc_interop.wire.records import WireRecord, read, write
from grpc_interop.wire.shapes import FieldShape, Shape, Shapes

TYPE = "@type"
"""The name under which the ProtoJSON of an Any says its type, among the fields of the message in it."""


class Unrepresentable(Enum):
    """Content of a message that ProtoJSON cannot represent."""

    NULL_ELEMENT = "a NullValue in a list or map"
    ONE_NAME = "two fields of one JSON name"
    TYPE_FIELD = "a field named @type in an Any"


class JsonFilter:
    """Takes out of messages the content that ProtoJSON cannot represent."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._kinds: dict[str, dict[int, Unrepresentable]] = {}

    def part(self, shape: Shape, data: bytes) -> bytes | None:
        """Return the part that ProtoJSON can represent; None where a required field is not in it."""
        if shape.name not in self._concerned:
            return data
        records = read(data)
        kept = self._kept(shape, records, set())
        if kept is None:
            return None
        return data if kept == records else write(kept)

    def left_out(self, shape: Shape, data: bytes) -> set[Unrepresentable]:
        """Return the kinds of content in the message that ProtoJSON cannot represent."""
        left_out: set[Unrepresentable] = set()
        if shape.name in self._concerned:
            self._kept(shape, read(data), left_out)
        return left_out

    @cached_property
    def _concerned(self) -> frozenset[str]:
        """The types that may hold such content: most trees have none, and all other types cost nothing."""
        return leading_to(self._shapes, lambda shape: bool(self._of(shape)))

    def _of(self, shape: Shape) -> dict[int, Unrepresentable]:
        """Return the fields of a type that ProtoJSON cannot represent, by number."""
        if shape.name not in self._kinds:
            self._kinds[shape.name] = {} if shape.special else _kinds(shape)
        return self._kinds[shape.name]

    def _kept(
        self, shape: Shape, records: tuple[WireRecord, ...], left_out: set[Unrepresentable], *, in_any: bool = False
    ) -> tuple[WireRecord, ...] | None:
        """Return the representable part of a message, None where a required field is not in it; add to `left_out`."""
        if shape.special:
            return self._kept_any(records, left_out) if shape.special == ANY else records
        kinds, kept, whole = self._of(shape), [], True
        named: dict[str, set[int]] = defaultdict(set)
        for record in records:
            field = shape.fields.get(record.number)
            kind = kinds.get(record.number)
            if field is None or (kind is Unrepresentable.TYPE_FIELD and not in_any):
                kept.append(record)
            elif kind is None:
                part = self._kept_record(field, record, left_out)
                kept += [part] if part is not None else []
                whole &= part is not None or not field.required
            else:
                whole &= not field.required
                if kind is Unrepresentable.ONE_NAME:
                    named[field.json_name].add(field.number)
                elif record.value != b"":  # a packed list may have no element
                    left_out.add(kind)
        if any(len(numbers) > 1 for numbers in named.values()):
            left_out.add(Unrepresentable.ONE_NAME)
        return tuple(kept) if whole else None

    def _kept_record(self, field: FieldShape, record: WireRecord, left_out: set[Unrepresentable]) -> WireRecord | None:
        """Return the representable part of a field, list element or map entry."""
        inner = field.inner or (field.mapped.inner if field.mapped else None)
        if inner is None or isinstance(record.value, int) or (inner.name not in self._concerned and inner.name != ANY):
            return record
        records = read(record.value) if isinstance(record.value, bytes) else record.value
        if field.mapped is not None:
            parts = [self._kept_record(field.mapped, part, left_out) if part.number == 2 else part for part in records]
            kept = None if None in parts else tuple(part for part in parts if part is not None)
        else:
            kept = self._kept(inner, records, left_out)
        if kept is None or kept == records:
            return None if kept is None else record
        return record._replace(value=write(kept) if isinstance(record.value, bytes) else kept)

    def _kept_any(self, records: tuple[WireRecord, ...], left_out: set[Unrepresentable]) -> tuple[WireRecord, ...] | None:
        parts = {record.number: record.value for record in records}
        url, content = parts.get(1), parts.get(2)
        if not isinstance(url, bytes) or not isinstance(content, bytes):
            return records
        try:
            shape = self._shapes.of(url.decode().rpartition("/")[2])
        except (KeyError, UnicodeDecodeError):
            return records
        kept = self._kept(shape, inside := read(content), left_out, in_any=True)
        if kept is None or kept == inside:
            return None if kept is None else records
        return tuple(record._replace(value=write(kept)) if record.number == 2 else record for record in records)


def _kinds(shape: Shape) -> dict[int, Unrepresentable]:
    taken = {field.json_name for field in shape.ordered if field.ambiguous}
    kinds = {}
    for field in shape.ordered:
        enum = (field.mapped or field).enum
        if field.repeated and enum is not None and enum.is_null:
            kinds[field.number] = Unrepresentable.NULL_ELEMENT
        elif not taken.isdisjoint((field.json_name, field.name)):
            kinds[field.number] = Unrepresentable.ONE_NAME
        elif field.json_name == TYPE:
            kinds[field.number] = Unrepresentable.TYPE_FIELD
    return kinds
