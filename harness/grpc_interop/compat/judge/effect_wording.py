"""The words of an effect: why a field is altered, and its values as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from grpc_interop.compat.diff.equal import TypedValue, is_zero
from grpc_interop.compat.vocabulary.observation import OutcomeCause
from grpc_interop.wire.meaning import Value, show
from grpc_interop.wire.shapes import FieldShape


class Blame(NamedTuple):
    """What it is, and in words."""

    cause: OutcomeCause
    why: str


ELSEWHERE = Blame(OutcomeCause.NONE, "")
"""Something is wrong with the value, and it has been seen of another element: of the enum's value."""


def worst(blames: Iterable[Blame | None]) -> Blame | None:
    """The first of the field's own, else ELSEWHERE if that is among them."""
    found = [blame for blame in blames if blame is not None]
    return next((blame for blame in found if blame is not ELSEWHERE), ELSEWHERE if found else None)


def blame_unset(before: Sequence[TypedValue], theirs: FieldShape) -> Blame:
    """Of a field that was sent and that the reader shows as not set."""
    if len(before) == 1 and is_zero(before[0]) and not theirs.presence and not theirs.repeated and theirs.mapped is None:
        return Blame(OutcomeCause.PRESENCE, "set to zero, which the reader cannot tell from not set")
    return Blame(OutcomeCause.VALUE, "nothing arrives")


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
