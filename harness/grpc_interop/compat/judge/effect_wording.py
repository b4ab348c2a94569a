"""The words of an effect: why a field is altered, and its values as people read them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from grpc_interop.compat.diff.equal import TypedValue, is_zero
from grpc_interop.compat.vocabulary.observation import OutcomeCause
from grpc_interop.wire.meaning import Value, show
from grpc_interop.wire.shapes import FieldShape


class Blame(NamedTuple):
    """The cause of an effect on a field."""

    cause: OutcomeCause
    why: str  # the cause in words


ELSEWHERE = Blame(OutcomeCause.NONE, "")
"""The value is wrong, and the effect is already attributed to another element: the enum's value."""


def worst(blames: Iterable[Blame | None]) -> Blame | None:
    """Return the first blame of the field itself, else ELSEWHERE if it is among the blames."""
    blamed = [blame for blame in blames if blame is not None]
    return next((blame for blame in blamed if blame is not ELSEWHERE), ELSEWHERE if blamed else None)


def blame_unset(before: Sequence[TypedValue], target: FieldShape) -> Blame:
    """Return why a field that was sent is not set at the reader."""
    if len(before) == 1 and is_zero(before[0]) and not target.presence and not target.repeated and target.mapped is None:
        return Blame(OutcomeCause.PRESENCE, "set to zero, which the reader cannot tell from not set")
    return Blame(OutcomeCause.VALUE, "nothing arrives")


def text(field: FieldShape, value: Value | None) -> str:
    """Return a field's value as text; `(not set)` for None."""
    if field.enum is not None and isinstance(value, int):
        name = next((label for label, number in field.enum.names.items() if number == value), "")
        return f"{name} ({value})" if name else str(value)
    return show(field, value)


def shown(part: TypedValue | None) -> str:
    """Return an arrived value as text; `(nothing)` for None."""
    return text(part.field, part.value) if part is not None else "(nothing)"


def plain(field: FieldShape, value: object) -> str:
    """Return a default, as match_fields.default gives it, as text."""
    if field.enum is not None and isinstance(value, int):
        return text(field, value)
    return f'"{repr(value)[2:-1]}"' if isinstance(value, bytes) else str(value)
