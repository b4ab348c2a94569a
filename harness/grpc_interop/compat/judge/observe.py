"""The effects of an exchange on each element: the rule, pure.

Binary carries a field by its number, JSON by its JSON name or its proto name. A value has arrived if the receiver's program
sees it. Values are compared as mathematics, not as types (equal.py). The elements belong to a pair of types
(match_fields.py), so that an element has the same name in either direction, and where both sides have the same version.

`source` is the writer's field, `target` the reader's field of the same element, and `taker` the reader's field that takes
the value, which is another where numbers or names have been reused.
"""

from collections.abc import Iterable, Sequence

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.compat.diff.equal import (
    TypedValue,
    alike,
    bare,
    can_be_map,
    entries,
    is_float,
    is_number,
    is_zero,
    number,
    pair_types,
    typed_values,
    whole,
)
from grpc_interop.compat.diff.match_fields import FieldPair, TypePair, default, family, rivals, written_name
from grpc_interop.compat.judge.effect_wording import ELSEWHERE, Blame, blame_unset, plain, text, worst
from grpc_interop.compat.judge.enum_values import compare_enums, fate, see_value
from grpc_interop.compat.judge.refusal import explain
from grpc_interop.compat.vocabulary.observation import Effect, ElementOutcome, Format, OutcomeCause, Refusal, Version
from grpc_interop.wire.meaning import Content, Meaning, Value
from grpc_interop.wire.shapes import FieldShape, Shape

GOOD = frozenset({ElementOutcome.PRESERVED, ElementOutcome.RENAMED})
"""Outcomes in which the value arrived."""


def observe(
    root: TypePair,
    writer: Version,
    reader: Version,
    carried: Format,
    sent: Meaning,
    received: Meaning | Refusal,
    aimed: str = "",
    *,
    only_zeros: bool = False,
) -> list[Effect]:
    """Return the effects on the elements of a message that the writer's version means as `sent` and that the reader showed
    as `received`: every outcome but PRESERVED, which is returned only for elements that differ.

    A control has the same version on both sides. A refusal that nothing in the message explains is attributed to `aimed`,
    or else to the root; with `only_zeros` to zeros that JSON wrote, since without them the message was taken. In STRICT_JSON
    only refusals are effects.
    """
    if isinstance(received, Refusal):
        effects = explain(root, writer, reader, carried, sent, aimed, only_zeros=only_zeros)
        return [effect._replace(received=str(received)) for effect in effects]
    if carried is Format.STRICT_JSON:
        return []
    comparer = _Comparer(writer, reader, carried)
    comparer.message(root, sent, received)
    return list(dict.fromkeys(comparer.effects))


def attributed(effects: Iterable[Effect], control: Iterable[Effect]) -> list[Effect]:
    """Return the effects that the change caused: all but the bad outcomes that the control shows as well, which is the same
    message between two sides of the writer's version."""
    known = {(effect.element, effect.outcome) for effect in control if effect.outcome not in GOOD}
    return [effect for effect in effects if (effect.element, effect.outcome) not in known]


class _Comparer:
    """Compares a message, and the messages in it."""

    def __init__(self, writer: Version, reader: Version, carried: Format) -> None:
        self._writer = writer
        self._reader = reader
        self._carried = carried
        self.effects: list[Effect] = []

    def message(self, pair: TypePair, sent: Meaning, received: Meaning) -> None:
        if pair.of(self._writer).special == "google.protobuf.Any" and isinstance(sent.fields.get(2), Content):
            self._any(pair, sent, received)
            return
        strays: dict[int, str] = {}
        for field in pair.fields:
            source = field.of(self._writer)
            if source is not None and source.number in sent.fields:
                self._sent(pair, field, source, sent, received, strays)
        for field in pair.fields:
            source, target = field.of(self._writer), field.of(self._reader)
            if target is not None and (source is None or source.number not in sent.fields):
                self._not_sent(field, source, target, sent, received, strays)

    # -- fields that were sent -----------------------------------------------------------------------------------------

    def _sent(self, pair: TypePair, field: FieldPair, source: FieldShape, sent: Meaning, received: Meaning, strays: dict[int, str]) -> None:
        """Record the effect on a field that was sent. `strays` collects, by number, the fields that took a value of another
        element, with that element."""
        value = sent.fields[source.number]
        target = field.of(self._reader)
        taker = carried_to(source, pair.of(self._reader), self._carried)
        got = received.fields.get(target.number) if target is not None else None
        if target is not None and taker is target:
            self._arrived(pair, field, source, value, target, got, received)
        elif taker is not None and taker.number in received.fields:
            other = pair.field(self._reader, taker.number)
            strays[taker.number] = field.element
            why = f"it arrives in {other.element}"
            self._see(field, ElementOutcome.ALTERED, OutcomeCause.MISDELIVERED, why, source, value, taker, received.fields[taker.number])
        elif target is None:
            self._unknown(field, source, value, received)
        elif self._carried is not Format.BINARY or family(source) is family(target):
            by = {Format.BINARY: "number", Format.PROTO_NAMES: "name"}.get(self._carried, "JSON name")
            self._see(field, ElementOutcome.LOST, OutcomeCause.UNKNOWN, f"the reader expects it under another {by}", source, value)
        else:
            self._see(field, ElementOutcome.IGNORED, OutcomeCause.UNKNOWN, "the reader has another field of that name", source, value)

    def _unknown(self, field: FieldPair, source: FieldShape, value: Value, received: Meaning) -> None:
        kept = self._carried is Format.BINARY and any(record.number == source.number for record in received.unknown)
        why = "kept among the unknown fields, and written again" if kept else "dropped"
        self._see(field, ElementOutcome.IGNORED, OutcomeCause.KEPT if kept else OutcomeCause.UNKNOWN, why, source, value)

    def _arrived(
        self, pair: TypePair, field: FieldPair, source: FieldShape, value: Value, target: FieldShape, got: Value | None, received: Meaning
    ) -> None:
        renamed = source.name != target.name
        if renamed and family(source) is not family(target) and self._carried is Format.BINARY:
            if got is None:
                self._unknown(field, source, value, received)
            else:
                why = f"its number is that of {target.name} there, which is of another family"
                self._see(field, ElementOutcome.ALTERED, OutcomeCause.NUMBER_REUSED, why, source, value, target, got)
            return
        blame = self._compare(pair, field, source, value, target, got, received)
        if blame is ELSEWHERE:
            return
        if blame is not None:
            self._see(field, ElementOutcome.ALTERED, blame.cause, blame.why, source, value, target, got)
        elif renamed and self._carried is Format.BINARY:
            self._see(field, ElementOutcome.RENAMED, OutcomeCause.NONE, f"it arrives as {target.name}", source, value, target, got)
        elif field.differs:
            self._see(field, ElementOutcome.PRESERVED, OutcomeCause.NONE, "", source, value, target, got)

    # -- values --------------------------------------------------------------------------------------------------------

    def _compare(
        self, pair: TypePair, field: FieldPair, source: FieldShape, value: Value, target: FieldShape, got: Value | None, received: Meaning
    ) -> Blame | None:
        if source.mapped is not None or target.mapped is not None:
            return self._compare_entries(field, source, value, target, got)
        before, after = typed_values(source, value), typed_values(target, got)
        if source.enum is not None and target.enum is not None:
            return self._compare_enums(field, before, after, target)
        if len(before) == len(after):
            return self._compare_parts(field, zip(before, after, strict=True))
        if after:
            return Blame(OutcomeCause.VALUE, f"of {len(before)} values {len(after)} arrive" + _merging(before, after))
        if any(other.number in received.fields for rival in rivals(pair, self._reader, field) if (other := rival.of(self._reader))):
            return Blame(OutcomeCause.ONEOF, f"the reader keeps one member of the oneof {target.oneof}")
        if _equals_unset(source, before, target):
            return None
        return blame_unset(before, target)

    def _compare_parts(self, field: FieldPair, both: Iterable[tuple[TypedValue, TypedValue]]) -> Blame | None:
        for before, after in both:
            if isinstance(before.value, Meaning) and isinstance(after.value, Meaning):
                if whole(before.field.message, after.field.message):
                    if not self._is_same_whole(field, before, after):
                        return Blame(OutcomeCause.VALUE, "another value arrives")
                    continue
                self.message(self._inner(field, before, after), before.value, after.value)
            elif not alike(before, after):
                return Blame(OutcomeCause.VALUE, "another value arrives")
        return None

    def _is_same_whole(self, field: FieldPair, before: TypedValue, after: TypedValue) -> bool:
        before, after = bare(before), bare(after)
        if isinstance(before.value, Meaning) and isinstance(after.value, Meaning):
            if before.field.message.name == after.field.message.name:
                return before.value == after.value
            within = _Comparer(self._writer, self._reader, self._carried)
            within.message(self._pair_types(before.field.message, after.field.message, field.element), before.value, after.value)
            return all(effect.outcome in GOOD for effect in within.effects)
        return not isinstance(before.value, Meaning) and not isinstance(after.value, Meaning) and alike(before, after)

    def _inner(self, field: FieldPair, before: TypedValue, after: TypedValue) -> TypePair:
        source, target = before.field.message, after.field.message
        inner = field.inner
        if inner is not None and inner.of(self._writer) is source and inner.of(self._reader) is target:
            return inner
        return self._pair_types(source, target, field.element)

    def _pair_types(self, source: Shape, target: Shape, place: str) -> TypePair:
        base, head = (source, target) if self._writer is Version.BASE else (target, source)
        return pair_types(base, head, base.name if base.name == head.name else place)

    def _compare_entries(self, field: FieldPair, source: FieldShape, value: Value, target: FieldShape, got: Value | None) -> Blame | None:
        """Compare maps by key, or a map with a list of entries."""
        if not (can_be_map(source) and can_be_map(target)):
            return Blame(OutcomeCause.VALUE, "nothing arrives" if got is None else "a value that is not a map arrives")
        before, after = entries(source, value), entries(target, got)
        arrived = {key.value: mapped for key, mapped in after}
        repeats = len(arrived) != len(after) or len({key.value for key, _ in before}) != len(before)
        if repeats and len(before) != len(after):
            return Blame(OutcomeCause.VALUE, "a map keeps the last entry of a key")
        blames = [self._compare_mapped(field, mapped, arrived.pop(key.value)) for key, mapped in before if key.value in arrived]
        if arrived:
            return Blame(OutcomeCause.VALUE, "an entry arrives that was not sent")
        keys = {key.value for key, _ in after}
        lost = [mapped for key, mapped in before if mapped is not None and key.value not in keys]
        blames += [self._compare_dropped(field, lost, target)] if lost else []
        return worst(blames)

    def _compare_mapped(self, field: FieldPair, before: TypedValue | None, after: TypedValue | None) -> Blame | None:
        if before is None or after is None:
            return None if before is after else Blame(OutcomeCause.VALUE, "a map's values do not arrive")
        if before.field.enum is not None and after.field.enum is not None:
            return self._compare_enums(field, [before], [after], after.field)
        return self._compare_parts(field, [(before, after)])

    def _compare_dropped(self, field: FieldPair, lost: list[TypedValue], target: FieldShape) -> Blame | None:
        """Blame entries that did not arrive: a reader drops entries whose value its closed enum does not declare."""
        mapped = target.mapped
        if lost[0].field.enum is None or mapped is None or mapped.enum is None:
            return Blame(OutcomeCause.VALUE, f"{len(lost)} of the entries do not arrive")
        return self._compare_enums(field, lost, [], mapped)

    # -- enums ---------------------------------------------------------------------------------------------------------

    def _compare_enums(self, field: FieldPair, before: list[TypedValue], after: list[TypedValue], target: FieldShape) -> Blame | None:
        """Record effects on the enum's values where the versions differ in them, and return the blame of the field."""
        blame, effects = compare_enums(field, before, after, target, self._writer, self._carried)
        self.effects += effects
        return blame

    # -- fields that were not sent -------------------------------------------------------------------------------------

    def _not_sent(
        self, field: FieldPair, source: FieldShape | None, target: FieldShape, sent: Meaning, received: Meaning, strays: dict[int, str]
    ) -> None:
        got = received.fields.get(target.number)
        if target.number in strays:
            if field.base is not None:
                why = f"the value of {strays[target.number]} arrives in it"
                self._see(field, ElementOutcome.ALTERED, OutcomeCause.MISDELIVERED, why, source, None, target, got)
            return
        if source is None:
            if got is not None and not _in_unknown(sent, target.number):
                self._see(
                    field, ElementOutcome.ALTERED, OutcomeCause.UNSENT, "it arrives though it was never sent", None, None, target, got
                )
            return
        read, meant = _read(target, got), default(source)
        if got is not None and not _written_zero(source, target, got) and not _in_unknown(sent, target.number):
            self._see(field, ElementOutcome.ALTERED, OutcomeCause.UNSENT, "it arrives though it was never sent", source, None, target, got)
        elif source.enum is not None and target.enum is not None and isinstance(read, int) and isinstance(meant, int):
            self._compare_absent_enum(field, source, target, got, int(meant), int(read))
        elif meant is not None and read is not None and meant != read and _comparable(source, target, self._carried):
            self._see_default(field, source, target, meant, read)

    def _compare_absent_enum(
        self, field: FieldPair, source: FieldShape, target: FieldShape, got: Value | None, meant: int, read: int
    ) -> None:
        assert source.enum is not None and target.enum is not None
        carried = Format.BINARY if got is None else self._carried
        expected = fate(meant, source.enum, target.enum, carried)
        if expected.outcome is ElementOutcome.ALTERED and not source.presence:
            self.effects += see_value(field, expected, meant, TypedValue(target, read), self._writer)
        elif read != meant and expected.number != read:
            self._see_default(field, source, target, meant, read)

    def _see_default(self, field: FieldPair, source: FieldShape, target: FieldShape, meant: object, read: object) -> None:
        why = f"not set, it reads {plain(target, read)} instead of {plain(source, meant)}"
        self.effects.append(Effect(field.element, ElementOutcome.ALTERED, OutcomeCause.DEFAULT, why, "(not set)", plain(target, read)))

    # -- Any -----------------------------------------------------------------------------------------------------------

    def _any(self, pair: TypePair, sent: Meaning, received: Meaning) -> None:
        """Compare an Any that JSON wrote out by its content."""
        content, delivered = sent.fields.get(2), received.fields.get(2)
        if sent.fields.get(1) == received.fields.get(1) and isinstance(content, Content) and isinstance(delivered, Content):
            self.message(self._pair_types(content.shape, delivered.shape, pair.name), content, delivered)
        elif isinstance(content, Content):
            why = "the reader does not read the content of the Any"
            self.effects.append(
                Effect(content.shape.name, ElementOutcome.LOST, OutcomeCause.UNKNOWN, why, _bytes(sent.fields.get(1)), "(nothing)")
            )

    def _see(
        self,
        field: FieldPair,
        outcome: ElementOutcome,
        cause: OutcomeCause,
        why: str,
        source: FieldShape | None,
        value: Value | None,
        target: FieldShape | None = None,
        got: Value | None = None,
    ) -> None:
        sent = text(source, value) if source is not None else "(nothing)"
        received = text(target, got) if target is not None else "(nothing)"
        self.effects.append(Effect(field.element, outcome, cause, why, sent, received))


# ----------------------------------------------------------------------------------------------------------------------
# Where a field goes
# ----------------------------------------------------------------------------------------------------------------------


def carried_to(source: FieldShape, reader: Shape, carried: Format) -> FieldShape | None:
    """Return the field of the reader's type to which the format delivers a value."""
    if carried is Format.BINARY:
        return reader.fields.get(source.number)
    return reader.json_names.get(written_name(source, carried))


def _comparable(source: FieldShape, target: FieldShape, carried: Format) -> bool:
    """Tell whether the defaults of an unset field can be compared: not where its number was given to another field."""
    same = source.name == target.name or family(source) is family(target) or carried is not Format.BINARY
    return same and is_number(source) == is_number(target)


def _in_unknown(sent: Meaning, number: int) -> bool:
    """Tell whether the writer's program sent the number as an unknown field, which its type does not declare."""
    return any(record.number == number for record in sent.unknown)


# ----------------------------------------------------------------------------------------------------------------------
# Values
# ----------------------------------------------------------------------------------------------------------------------


def _equals_unset(source: FieldShape, before: Sequence[TypedValue], target: FieldShape) -> bool:
    """Tell whether a program reads the sent value from the unset field: -0.0 is the 0 of an integer, and an empty message
    has no bytes."""
    field, value = before[0]
    if len(before) != 1 or target.presence or target.repeated:
        return False
    if isinstance(value, Meaning):
        return target.type == Field.TYPE_BYTES and not value.fields and not value.unknown
    minus_zero = is_float(field) and isinstance(value, int) and number(field, value) == 0 and is_number(target) and not is_float(target)
    return minus_zero and not source.presence


def _merging(before: Sequence[TypedValue], after: Sequence[TypedValue]) -> str:
    merged = len(after) == 1 and isinstance(before[0].value, Meaning)
    return ", merged" if merged else ""


def _read(field: FieldShape, got: Value | None) -> int | float | bytes | None:
    """Return the value that a program reads from a singular field of a scalar type."""
    if got is None:
        return default(field)
    return got if isinstance(got, int | bytes) else None


def _written_zero(source: FieldShape, target: FieldShape, got: Value) -> bool:
    """Tell whether the value is the zero of a field without presence, which JSON may write although it has no meaning."""
    if source.presence or source.repeated or source.mapped is not None or isinstance(got, list | dict):
        return False
    if source.enum is not None and target.enum is not None and isinstance(got, int):
        names = [name for name, number in source.enum.names.items() if number == 0]
        return got == 0 or any(target.enum.names.get(name) == got for name in names)
    return is_zero(TypedValue(target, got))


def _bytes(value: Value | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else "(nothing)"
