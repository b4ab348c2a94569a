"""Delta debugging (Zeller & Hildebrandt 2002) of a message: candidates with less content, on the tree of fields as it stands in
the bytes, so that an odd encoding is shrunk as well as an odd value."""

from collections.abc import Iterator

from grpc_interop.wire import wire_format
from grpc_interop.wire.records import NotWireError, WireRecord, pack, read, unpack, write
from grpc_interop.wire.shapes import FieldShape, Shape

MOST_DEEP = 64
"""Levels of nesting to look into: enough to find a value, few enough for any stack."""


def smaller(shape: Shape, data: bytes) -> Iterator[bytes]:
    """Yield messages with less content, the boldest first; each once, all simpler than `data` by `weight`."""
    seen = {data}
    for candidate in _candidates(shape, data):
        if candidate not in seen and weight(candidate) < weight(data):
            seen.add(candidate)
            yield candidate


def weight(data: bytes) -> tuple[int, bytes]:
    """Return the length, then the bytes in reverse, as numbers on the wire have their high bits last. Each step makes the
    weight smaller, so that shrinking ends."""
    return len(data), data[::-1]


def _candidates(shape: Shape, data: bytes) -> Iterator[bytes]:
    try:
        records = read(data)
    except NotWireError:
        yield from _shorter(data)
        return
    yield write(records)
    for candidate in _fewer(shape, records, 0):
        yield write(candidate)


def _fewer(shape: Shape | None, records: tuple[WireRecord, ...], depth: int) -> Iterator[tuple[WireRecord, ...]]:
    """Yield the records without a half, without a record, and with a simpler record."""
    half = len(records) // 2
    if half > 1:
        yield records[half:]
        yield records[:half]
    for at in range(len(records)):
        yield records[:at] + records[at + 1 :]
    for at, record in enumerate(records):
        field = shape.fields.get(record.number) if shape else None
        for simpler in _simpler(field, record, depth):
            yield (*records[:at], simpler, *records[at + 1 :])


def _simpler(field: FieldShape | None, record: WireRecord, depth: int) -> Iterator[WireRecord]:
    value = record.value
    if isinstance(value, tuple):
        for fewer in _fewer(field.inner if field else None, value, depth + 1):
            yield record._replace(value=fewer)
    elif isinstance(value, bytes):
        for content in _simpler_content(field, value, depth):
            yield record._replace(value=content)
    else:
        yield from (record._replace(value=number) for number in _lesser(value))


def _lesser(value: int) -> Iterator[int]:
    """Yield lesser numbers, the boldest first, as a binary search takes its steps."""
    if value:
        yield 0
    step = value
    while step := step >> 1:
        yield value - step
    if value > 1:
        yield value - 1


def _simpler_content(field: FieldShape | None, content: bytes, depth: int) -> Iterator[bytes]:
    inner = field.inner if field else None
    is_map = field is not None and field.mapped is not None
    if depth < MOST_DEEP and (inner is not None or is_map):
        try:
            records = read(content)
        except NotWireError:
            yield from _shorter(content)
            return
        for fewer in _fewer(inner, records, depth + 1):
            yield write(fewer)
        return
    if field is not None and field.repeated and field.wire_type not in (wire_format.LENGTH, wire_format.START_GROUP):
        yield from _simpler_packed(field.wire_type, content)
    else:
        yield from _shorter(content)


def _simpler_packed(wire_type: int, content: bytes) -> Iterator[bytes]:
    try:
        values = unpack(wire_type, content)
    except NotWireError:
        yield from _shorter(content)
        return
    half = len(values) // 2
    fewer = [values[half:], values[:half]] if half > 1 else []
    fewer += [values[:at] + values[at + 1 :] for at in range(len(values))]
    lesser = [[*values[:at], number, *values[at + 1 :]] for at, value in enumerate(values) for number in _lesser(value)]
    yield from (pack(wire_type, numbers) for numbers in fewer + lesser)


def _shorter(content: bytes) -> Iterator[bytes]:
    """Yield nothing, then the content without a part, down to a byte; and last the content with plainer characters."""
    if not content:
        return
    yield b""
    size = len(content) // 2
    while size:
        for start in range(0, len(content), size):
            yield content[:start] + content[start + size :]
        size //= 2
    for at, byte in enumerate(content[:64]):
        if byte > 0x61:
            yield content[:at] + b"a" + content[at + 1 :]
