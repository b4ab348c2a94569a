"""The rule of observe.py for the values of an enum between two versions of the enum."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grpc_interop.compat.diff.equal import TypedValue
from grpc_interop.compat.diff.match_fields import FieldPair, ValuePair
from grpc_interop.compat.judge.effect_wording import ELSEWHERE, Blame, blame_unset, shown, worst
from grpc_interop.compat.vocabulary.observation import Effect, ElementOutcome, Format, OutcomeCause, Version
from grpc_interop.wire.protojson import Named
from grpc_interop.wire.shapes import EnumShape, FieldShape


class Fate(NamedTuple):
    """The outcome that the rule expects for a value."""

    outcome: ElementOutcome
    number: int | None  # the number that must arrive where the outcome is good, else None
    label: str = ""  # the name under which the value was sent; empty for a number that the writer does not declare
    now: str = ""  # the reader's name of the number, empty for none
    declared: bool = True  # either version declares the number
    by_name: bool = False  # only the name was written, in JSON


def fate(value: int, writer: EnumShape, reader: EnumShape, carried: Format) -> Fate:
    """Return the fate of a value that was sent in the format `carried`: binary carries the number, JSON a name. Unless `value`
    tells the name, it is the first, with which every runtime writes."""
    names = [label for label, number in writer.names.items() if number == value]
    labels = [label for label, number in reader.names.items() if number == value]
    if not names:
        return Fate(ElementOutcome.PRESERVED, value, declared=bool(labels))
    if carried is not Format.BINARY:
        return _by_name(value.name if isinstance(value, Named) else names[0], labels, reader)
    known = [label for label in names if label in reader.names]
    if any(label in labels for label in known):
        return Fate(ElementOutcome.PRESERVED, value, next(label for label in known if label in labels))
    if not known:
        return Fate(ElementOutcome.RENAMED, value, names[0], labels[0]) if labels else Fate(ElementOutcome.IGNORED, None, names[0])
    return Fate(ElementOutcome.ALTERED, None, known[0], labels[0]) if labels else Fate(ElementOutcome.LOST, None, known[0])


def _by_name(name: str, labels: Sequence[str], reader: EnumShape) -> Fate:
    if name in reader.names:
        return Fate(ElementOutcome.PRESERVED, reader.names[name], name, by_name=True)
    outcome = ElementOutcome.LOST if labels else ElementOutcome.IGNORED
    return Fate(outcome, None, name, labels[0] if labels else "", by_name=True)


def compare_enums(
    field: FieldPair, before: Sequence[TypedValue], after: Sequence[TypedValue], target: FieldShape, writer: Version, carried: Format
) -> tuple[Blame | None, list[Effect]]:
    """Return the blame of the field and the effects on the enum's values: where the versions differ in a value that was sent,
    the effect belongs to the value. `target` is the reader's field, or the value field of the reader's map."""
    target_enum = target.enum
    assert target_enum is not None
    fates = [fate(_number(part), _enum(part), target_enum, carried) for part in before]
    arrived = _aligned(before, fates, after)
    if arrived is None:
        return Blame(OutcomeCause.VALUE, f"of {len(before)} values {len(after)} arrive"), []
    effects: list[Effect] = []
    blames: list[Blame | None] = []
    for part, expected, got in zip(before, fates, arrived, strict=True):
        blame, seen = _compare(field, part, expected, got, writer)
        effects += seen
        blames.append(blame)
    blamed = worst(blames)
    if blamed not in (None, ELSEWHERE) and not after:
        blamed = blame_unset(before, target)
    return blamed, effects


def _aligned(before: Sequence[TypedValue], fates: Sequence[Fate], after: Sequence[TypedValue]) -> list[TypedValue | None] | None:
    """Return the arrived value for each sent value, None where the reader dropped a value that it does not know. Return None
    if the values cannot be aligned so."""
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
    field: FieldPair, part: TypedValue, expected: Fate, got: TypedValue | None, writer: Version
) -> tuple[Blame | None, list[Effect]]:
    value, number = _number(part), got.value if got is not None else None
    if not expected.declared and number != value:
        why = "neither version declares the number, and the reader does not keep it in the field"
        return ELSEWHERE, [Effect(field.element, ElementOutcome.IGNORED, OutcomeCause.UNDECLARED, why, str(value), shown(got))]
    if expected.number in (None, number):
        return None if expected.number is not None else ELSEWHERE, list(see_value(field, expected, value, got, writer))
    return Blame(OutcomeCause.VALUE, "another value arrives" if got is not None else "nothing arrives"), []


def see_value(field: FieldPair, expected: Fate, value: int, got: TypedValue | None, writer: Version) -> Iterator[Effect]:
    """Yield the effects on the value as an element: none where it is the same in both versions and arrived."""
    sent = f"{expected.label} ({value})"
    for pair in elements_of(field.values, expected.label, writer) if expected.label else ():
        if expected.by_name and pair.written == expected.label and expected.number not in (None, value):
            why = f"head writes {pair.name} as {pair.written}, which is another value there"
            yield Effect(pair.element, ElementOutcome.ALTERED, OutcomeCause.MISDELIVERED, why, sent, shown(got))
        elif (expected.by_name or pair.written != expected.label) and (expected.outcome is not ElementOutcome.PRESERVED or pair.differs):
            cause, why = _why(pair, expected, value, got)
            yield Effect(pair.element, expected.outcome, cause, why, sent, shown(got))


def _why(pair: ValuePair, expected: Fate, value: int, got: TypedValue | None) -> tuple[OutcomeCause, str]:
    """Return the cause of an effect on an element, and the cause in words."""
    if expected.outcome is ElementOutcome.ALTERED:
        return OutcomeCause.MISDELIVERED, f"its number is {expected.now}'s there"
    if expected.outcome is ElementOutcome.RENAMED:
        return OutcomeCause.NONE, f"it arrives as {expected.now}"
    if expected.outcome not in (ElementOutcome.LOST, ElementOutcome.IGNORED):
        return OutcomeCause.NONE, ""
    if got is not None and got.value == value:
        return OutcomeCause.KEPT, "the reader shows the number, which has no name there"
    if pair.written == expected.label:
        return OutcomeCause.UNKNOWN, f"head writes {pair.name} as {pair.written}, which the reader does not know: it shows nothing of it"
    return OutcomeCause.UNKNOWN, "the reader shows nothing of it"


def elements_of(values: Sequence[ValuePair], label: str, version: Version) -> list[ValuePair]:
    """Return the elements that a version's name of a value refers to: the value of that name, and a value that is written so."""
    own = [pair for pair in values if pair.name == label and (pair.base if version is Version.BASE else pair.head) is not None]
    if version is Version.BASE:
        return own
    return (own or [pair for pair in values if pair.now == label][:1]) + [pair for pair in values if pair.written == label]


def _enum(part: TypedValue) -> EnumShape:
    assert part.field.enum is not None
    return part.field.enum


def _number(part: TypedValue) -> int:
    assert isinstance(part.value, int)
    return part.value
