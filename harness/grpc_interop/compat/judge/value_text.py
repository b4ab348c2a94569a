"""Values as people read them: an enum's with its name."""

from __future__ import annotations

from grpc_interop.compat.diff.equal import TypedValue
from grpc_interop.wire.meaning import Value, show
from grpc_interop.wire.shapes import FieldShape


def text(field: FieldShape, value: Value | None) -> str:
    """A field's value; `(not set)` for None."""
    if field.enum is not None and isinstance(value, int):
        name = next((label for label, number in field.enum.names.items() if number == value), "")
        return f"{name} ({value})" if name else str(value)
    return show(field, value)


def shown(part: TypedValue | None) -> str:
    """What arrived; `(nothing)` for None."""
    return text(part.field, part.value) if part is not None else "(nothing)"


def plain(field: FieldShape, value: object) -> str:
    """A default, as pairing.default gives it."""
    if field.enum is not None and isinstance(value, int):
        return text(field, value)
    return f'"{repr(value)[2:-1]}"' if isinstance(value, bytes) else str(value)
