"""What becomes of an enum's values between two versions of the enum: the rule for fields, for values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grpc_interop.compat.blame import ELSEWHERE, Blame, nothing, worst
from grpc_interop.compat.equal import Part
from grpc_interop.compat.observation import Cause, Format, Outcome, Seen, Version
from grpc_interop.compat.pairing import FieldPair, ValuePair
from grpc_interop.compat.value_text import shown
from grpc_interop.protos.shapes import Enum, FieldShape


class Fate(NamedTuple):
    """What the rule says of one value. `number` is what must arrive where the outcome is good, else None; `label` is the
    name by which it went, empty of a number that the writer does not declare; `now` what the reader calls the number, empty
    for nothing. `declared`: either version declares it."""

    outcome: Outcome
    number: int | None
    label: str = ""
    now: str = ""
    declared: bool = True


def fate(value: int, writer: Enum, reader: Enum, carried: Format) -> Fate:
    """Of a value that was sent as `carried`: binary carries the number, JSON the first of the names."""
    names = [label for label, number in writer.names.items() if number == value]
    there = [label for label, number in reader.names.items() if number == value]
    if not names:
        return Fate(Outcome.PRESERVED, value, declared=bool(there))
    if carried is not Format.BINARY:
        return _by_name(names[0], there, reader)
    known = [label for label in names if label in reader.names]
    if any(label in there for label in known):
        return Fate(Outcome.PRESERVED, value, next(label for label in known if label in there))
    if not known:
        return Fate(Outcome.RENAMED, value, names[0], there[0]) if there else Fate(Outcome.IGNORED, None, names[0])
    return Fate(Outcome.ALTERED, None, known[0], there[0]) if there else Fate(Outcome.LOST, None, known[0])


def _by_name(name: str, there: Sequence[str], reader: Enum) -> Fate:
    if name in reader.names:
        return Fate(Outcome.PRESERVED, reader.names[name], name)
    return Fate(Outcome.LOST, None, name, there[0]) if there else Fate(Outcome.IGNORED, None, name)


def compare_enums(
    one: FieldPair, before: Sequence[Part], after: Sequence[Part], theirs: FieldShape, writer: Version, carried: Format
) -> tuple[Blame | None, list[Seen]]:
    """What is to be said of the field, and what is seen of the values: where the versions differ in a value that was sent,
    it is the value's. `theirs` is the reader's field, of a map its values'."""
    there = theirs.enum
    assert there is not None
    fates = [fate(_number(part), _enum(part), there, carried) for part in before]
    arrived = _aligned(before, fates, after)
    if arrived is None:
        return Blame(Cause.VALUE, f"of {len(before)} values {len(after)} arrive"), []
    seen: list[Seen] = []
    blames: list[Blame | None] = []
    for part, expected, got in zip(before, fates, arrived, strict=True):
        blame, found = _compare(one, part, expected, got, there, writer, carried)
        seen += found
        blames.append(blame)
    blamed = worst(blames)
    if blamed not in (None, ELSEWHERE) and not after:
        blamed = nothing(before, theirs)
    return blamed, seen


def _aligned(before: Sequence[Part], fates: Sequence[Fate], after: Sequence[Part]) -> list[Part | None] | None:
    """What arrived of each value, where a reader may have dropped those that it does not know; None if that cannot be."""
    if len(before) == len(after):
        return list(after)
    left = list(after)
    arrived: list[Part | None] = []
    for part, expected in zip(before, fates, strict=True):
        dubious = expected.number is None or not expected.declared
        taken = bool(left) and (not dubious or left[0].value == part.value)
        arrived.append(left.pop(0) if taken else None)
    return None if left else arrived


def _compare(
    one: FieldPair, part: Part, expected: Fate, got: Part | None, there: Enum, writer: Version, carried: Format
) -> tuple[Blame | None, list[Seen]]:
    value, number = _number(part), got.value if got is not None else None
    if not expected.declared and number != value:
        why = "neither version declares the number, and the reader does not keep it in the field"
        return ELSEWHERE, [Seen(one.element, Outcome.IGNORED, Cause.UNDECLARED, why, str(value), shown(got))]
    if expected.number is None:
        return ELSEWHERE, list(see_value(one, expected, value, got, writer))
    names = [name for name, other in _enum(part).names.items() if other == value]
    by_name = {there.names[name] for name in names if name in there.names} if carried is not Format.BINARY else set()
    if number in {expected.number, *by_name}:
        return None, list(see_value(one, expected, value, got, writer))
    unknown = [name for name in names if name not in there.names]
    if number is None and unknown and carried is not Format.BINARY:
        # It was written by another of its names.
        return ELSEWHERE, list(see_value(one, _by_name(unknown[0], [expected.label], there), value, got, writer))
    return Blame(Cause.VALUE, "another value arrives" if got is not None else "nothing arrives"), []


def see_value(one: FieldPair, found: Fate, value: int, got: Part | None, writer: Version) -> Iterator[Seen]:
    """What is seen of the value as an element; nothing where it is the same in both versions and arrived."""
    pair = element_of(one.values, found.label, writer) if found.label else None
    if pair is None or (found.outcome is Outcome.PRESERVED and not pair.differs):
        return
    cause, why = Cause.NONE, ""
    if found.outcome is Outcome.ALTERED:
        cause, why = Cause.MISDELIVERED, f"its number is {found.now}'s there"
    elif found.outcome is Outcome.RENAMED:
        why = f"it arrives as {found.now}"
    elif found.outcome in (Outcome.LOST, Outcome.IGNORED):
        kept = got is not None and got.value == value
        cause = Cause.KEPT if kept else Cause.UNKNOWN
        why = "the reader shows the number, which has no name there" if kept else "the reader shows nothing of it"
    yield Seen(pair.element, found.outcome, cause, why, f"{found.label} ({value})", shown(got))


def element_of(values: Sequence[ValuePair], label: str, version: Version) -> ValuePair | None:
    """The element that a version's name of a value is of."""
    for one in values:
        if one.name == label and (one.base if version is Version.BASE else one.head) is not None:
            return one
    return next((one for one in values if version is Version.HEAD and one.now == label), None)


def _enum(part: Part) -> Enum:
    assert part.field.enum is not None
    return part.field.enum


def _number(part: Part) -> int:
    assert isinstance(part.value, int)
    return part.value
