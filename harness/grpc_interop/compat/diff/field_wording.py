"""Differences between the two versions of a field, in words."""

from collections.abc import Iterator

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.compat.diff.definitions import TYPE_NAMES
from grpc_interop.compat.diff.match_fields import FieldPair, TypePair, checks_utf8, default, shared_rivals
from grpc_interop.compat.vocabulary.observation import Version
from grpc_interop.schema.json_names import true_oneof_name
from grpc_interop.wire.shapes import FieldShape


def type_name(field: FieldShape) -> str:
    """Return the type as a proto writes it: `int32`, `p.Message`, `map<string, int32>`, without `repeated`."""
    if field.key is not None and field.mapped is not None:
        return f"map<{type_name(field.key)}, {type_name(field.mapped)}>"
    enum = field.descriptor.enum_type
    if field.inner is not None:
        return f"group {field.inner.name}" if field.type == Field.TYPE_GROUP else field.inner.name
    return str(enum.full_name) if enum is not None else TYPE_NAMES[field.type]


def differences(field: FieldPair, pair: TypePair) -> list[str]:
    """Return words such as `type int64 -> int32`; none where only its enum's values differ."""
    if field.base is None:
        return ["added"]
    if field.head is None:
        return ["removed"]
    return [*_of_shapes(field.base, field.head), *_of_oneof(field, pair), *_of_options(field.base, field.head)]


def _of_shapes(base: FieldShape, head: FieldShape) -> Iterator[str]:
    both = {
        "name": (base.name, head.name),
        "number": (base.number, head.number),
        "type": (_listed(base), _listed(head)),
        "JSON name": (base.json_name, head.json_name) if base.name == head.name else ("", ""),
    }
    yield from (f"{property_} {before} -> {after}" for property_, (before, after) in both.items() if before != after)
    if base.required != head.required:
        yield "required -> not required" if base.required else "not required -> required"
    elif base.presence != head.presence and base.repeated == head.repeated and base.mapped is head.mapped is None:
        yield f"presence {_presence(base)} -> {_presence(head)}"
    if base.repeated and head.repeated and base.packed != head.packed:
        yield "packed -> expanded" if base.packed else "expanded -> packed"
    if default(base) != default(head) and None not in (default(base), default(head)) and type_name(base) == type_name(head):
        yield f"default {_default(base)} -> {_default(head)}"
    if base.type == head.type == Field.TYPE_STRING and checks_utf8(base) != checks_utf8(head):
        yield "UTF-8 checked -> not checked" if checks_utf8(base) else "UTF-8 not checked -> checked"
    before, after = (base.mapped or base).enum, (head.mapped or head).enum
    if before is not None and after is not None and before.closed != after.closed:
        yield "enum closed -> open" if before.closed else "enum open -> closed"


def _listed(field: FieldShape) -> str:
    return f"repeated {type_name(field)}" if field.repeated and field.mapped is None else type_name(field)


def _presence(field: FieldShape) -> str:
    return "explicit" if field.presence else "implicit"


def _default(field: FieldShape) -> str:
    value = default(field)
    if field.enum is not None:
        return next((name for name, number in field.enum.names.items() if number == value), str(value))
    return f'"{repr(value)[2:-1]}"' if isinstance(value, bytes) else str(value)


def _of_oneof(field: FieldPair, pair: TypePair) -> Iterator[str]:
    assert field.base is not None and field.head is not None
    before, after = _oneof(field.base), _oneof(field.head)
    if before and not after:
        yield f"out of oneof {before}"
    elif after and not before:
        yield f"into oneof {after}"
    elif before != after:
        yield f"oneof {before} -> {after}"
    else:
        old, new = (shared_rivals(pair, version, field) for version in Version)
        if old != new:
            words = [f"with {name}" for name in sorted(new - old)] + [f"without {name}" for name in sorted(old - new)]
            yield f"oneof {before} {', '.join(words)}"


def _oneof(field: FieldShape) -> str:
    """Return the oneof that a field is in, even alone; not the oneof that protoc makes of a proto3 `optional`."""
    oneof = field.descriptor.containing_oneof
    return true_oneof_name(oneof.name) if oneof is not None and oneof.name != f"_{field.name}" else ""


def _of_options(base: FieldShape, head: FieldShape) -> Iterator[str]:
    """Yield the words for options, which no message shows."""
    before, after = base.descriptor.GetOptions(), head.descriptor.GetOptions()
    if before.deprecated != after.deprecated:
        yield "deprecated" if after.deprecated else "no longer deprecated"
