"""What becomes of an enum's values between two versions of the enum: the rule for fields, for values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grpc_interop.compat.diff.equal import TypedValue
from grpc_interop.compat.diff.match_fields import FieldPair, ValuePair
from grpc_interop.compat.judge.effect_wording import ELSEWHERE, Blame, blame_unset, shown, worst
from grpc_interop.compat.vocabulary.observation import Effect, ElementOutcome, Format, OutcomeCause, Version
from grpc_interop.wire.protojson import Named
from grpc_interop.wire.shapes import EnumShape, FieldShape


class Fate(NamedTuple):
    """What the rule says of one value. `number` is what must arrive where the outcome is good, else None; `label` is the
    name by which it went, empty of a number that the writer does not declare; `now` what the reader calls the number, empty
    for nothing. `declared`: either version declares it. `by_name`: only the name was written, in JSON."""

    outcome: ElementOutcome
    number: int | None
    label: str = ""
    now: str = ""
    declared: bool = True
    by_name: bool = False


def fate(value: int, writer: EnumShape, reader: EnumShape, carried: Format) -> Fate:
    """Return what becomes of a value that was sent as `carried`: binary carries the number, JSON a name. Without being told
    which, it is the first, with which every runtime writes."""
    names = [label for label, number in writer.names.items() if number == value]
    there = [label for label, number in reader.names.items() if number == value]
    if not names:
        return Fate(ElementOutcome.PRESERVED, value, declared=bool(there))
    if carried is not Format.BINARY:
        return _by_name(value.name if isinstance(value, Named) else names[0], there, reader)
    known = [label for label in names if label in reader.names]
    if any(label in there for label in known):
        return Fate(ElementOutcome.PRESERVED, value, next(label for label in known if label in there))
    if not known:
        return Fate(ElementOutcome.RENAMED, value, names[0], there[0]) if there else Fate(ElementOutcome.IGNORED, None, names[0])
    return Fate(ElementOutcome.ALTERED, None, known[0], there[0]) if there else Fate(ElementOutcome.LOST, None, known[0])


def _by_name(name: str, there: Sequence[str], reader: EnumShape) -> Fate:
    if name in reader.names:
        return Fate(ElementOutcome.PRESERVED, reader.names[name], name, by_name=True)
    outcome = ElementOutcome.LOST if there else ElementOutcome.IGNORED
    return Fate(outcome, None, name, there[0] if there else "", by_name=True)


def compare_enums(
    one: FieldPair, before: Sequence[TypedValue], after: Sequence[TypedValue], theirs: FieldShape, writer: Version, carried: Format
) -> tuple[Blame | None, list[Effect]]:
    """What is to be said of the field, and what is seen of the values: where the versions differ in a value that was sent,
    it is the value's. `theirs` is the reader's field, of a map its values'."""
    there = theirs.enum
    assert there is not None
    fates = [fate(_number(part), _enum(part), there, carried) for part in before]
    arrived = _aligned(before, fates, after)
    if arrived is None:
        return Blame(OutcomeCause.VALUE, f"of {len(before)} values {len(after)} arrive"), []
    effects: list[Effect] = []
    blames: list[Blame | None] = []
    for part, expected, got in zip(before, fates, arrived, strict=True):
        blame, found = _compare(one, part, expected, got, writer)
        effects += found
        blames.append(blame)
    blamed = worst(blames)
    if blamed not in (None, ELSEWHERE) and not after:
        blamed = blame_unset(before, theirs)
    return blamed, effects


def _aligned(before: Sequence[TypedValue], fates: Sequence[Fate], after: Sequence[TypedValue]) -> list[TypedValue | None] | None:
    """What arrived of each value, where a reader may have dropped those that it does not know; None if that cannot be."""
    if len(before) == len(after):
        return list(after)
    left = list(after)
    arrived: list[TypedValue | None] = []
    for part, expected in zip(before, fates, strict=True):
        dubious = expected.number is None or not expected.declared
        taken = bool(left) and (not dubious or left[0].value == part.value)
        arrived.append(left.pop(0) if taken else None)
    return None if left else arrived


def _compare(
    one: FieldPair, part: TypedValue, expected: Fate, got: TypedValue | None, writer: Version
) -> tuple[Blame | None, list[Effect]]:
    value, number = _number(part), got.value if got is not None else None
    if not expected.declared and number != value:
        why = "neither version declares the number, and the reader does not keep it in the field"
        return ELSEWHERE, [Effect(one.element, ElementOutcome.IGNORED, OutcomeCause.UNDECLARED, why, str(value), shown(got))]
    if expected.number in (None, number):
        return None if expected.number is not None else ELSEWHERE, list(see_value(one, expected, value, got, writer))
    return Blame(OutcomeCause.VALUE, "another value arrives" if got is not None else "nothing arrives"), []


def see_value(one: FieldPair, found: Fate, value: int, got: TypedValue | None, writer: Version) -> Iterator[Effect]:
    """Yield what is seen of the value as an element: nothing where it is the same in both versions and arrived."""
    sent = f"{found.label} ({value})"
    for pair in elements_of(one.values, found.label, writer) if found.label else ():
        if found.by_name and pair.written == found.label and found.number not in (None, value):
            why = f"head writes {pair.name} as {pair.written}, which is another value there"
            yield Effect(pair.element, ElementOutcome.ALTERED, OutcomeCause.MISDELIVERED, why, sent, shown(got))
        elif (found.by_name or pair.written != found.label) and (found.outcome is not ElementOutcome.PRESERVED or pair.differs):
            cause, why = _why(pair, found, value, got)
            yield Effect(pair.element, found.outcome, cause, why, sent, shown(got))


def _why(pair: ValuePair, found: Fate, value: int, got: TypedValue | None) -> tuple[OutcomeCause, str]:
    """The cause of what is seen of an element, and in words."""
    if found.outcome is ElementOutcome.ALTERED:
        return OutcomeCause.MISDELIVERED, f"its number is {found.now}'s there"
    if found.outcome is ElementOutcome.RENAMED:
        return OutcomeCause.NONE, f"it arrives as {found.now}"
    if found.outcome not in (ElementOutcome.LOST, ElementOutcome.IGNORED):
        return OutcomeCause.NONE, ""
    if got is not None and got.value == value:
        return OutcomeCause.KEPT, "the reader shows the number, which has no name there"
    if pair.written == found.label:
        return OutcomeCause.UNKNOWN, f"head writes {pair.name} as {pair.written}, which the reader does not know: it shows nothing of it"
    return OutcomeCause.UNKNOWN, "the reader shows nothing of it"


def elements_of(values: Sequence[ValuePair], label: str, version: Version) -> list[ValuePair]:
    """Return the elements that a version's name of a value tells of: the value of that name, and one that is written so."""
    own = [one for one in values if one.name == label and (one.base if version is Version.BASE else one.head) is not None]
    if version is Version.BASE:
        return own
    return (own or [one for one in values if one.now == label][:1]) + [one for one in values if one.written == label]


def _enum(part: TypedValue) -> EnumShape:
    assert part.field.enum is not None
    return part.field.enum


def _number(part: TypedValue) -> int:
    assert isinstance(part.value, int)
    return part.value
