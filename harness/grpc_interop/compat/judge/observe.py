"""What became of each element in one exchange: the rule, pure.

Binary carries a field by its number, JSON by its JSON name or its proto name; what arrived is what the receiver's program
sees. Values are compared as mathematics, not as types (equal.py). Elements are those of a pair of types (pairing.py), so
that an element is called the same in either direction, and where both sides have one version.
"""

from __future__ import annotations

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
    """What is to be seen of the elements of a message that the writer's version means as `sent` and that the reader showed
    as `received`: every outcome but PRESERVED, and that of elements that differ.

    With one version on both sides it is what a control shows. A refusal that nothing in the message explains is `aimed`'s
    doing, or else the root's; with `only_zeros` it is that of zeros which JSON wrote and without which the message was
    taken. Of STRICT_JSON only refusals are seen.
    """
    if isinstance(received, Refusal):
        found = explain(root, writer, reader, carried, sent, aimed, only_zeros=only_zeros)
        return [one._replace(received=str(received)) for one in found]
    if carried is Format.STRICT_JSON:
        return []
    comparer = _Comparer(writer, reader, carried)
    comparer.message(root, sent, received)
    return list(dict.fromkeys(comparer.effects))


def attributed(effects: Iterable[Effect], control: Iterable[Effect]) -> list[Effect]:
    """What is the change's doing: all but the bad outcomes that the control shows as well, the same message between two
    sides of the writer's version."""
    known = {(one.element, one.outcome) for one in control if one.outcome not in GOOD}
    return [one for one in effects if (one.element, one.outcome) not in known]


class _Comparer:
    """Looks at one message, and at those in it."""

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
        for one in pair.fields:
            mine = one.of(self._writer)
            if mine is not None and mine.number in sent.fields:
                self._sent(pair, one, mine, sent, received, strays)
        for one in pair.fields:
            mine, theirs = one.of(self._writer), one.of(self._reader)
            if theirs is not None and (mine is None or mine.number not in sent.fields):
                self._not_sent(one, mine, theirs, sent, received, strays)

    # -- what was sent -------------------------------------------------------------------------------------------------

    def _sent(self, pair: TypePair, one: FieldPair, mine: FieldShape, sent: Meaning, received: Meaning, strays: dict[int, str]) -> None:
        """`strays` takes the numbers of fields in which something arrives that was sent in another element, and that
        element."""
        value = sent.fields[mine.number]
        theirs = one.of(self._reader)
        there = carried_to(mine, pair.of(self._reader), self._carried)
        got = received.fields.get(theirs.number) if theirs is not None else None
        if theirs is not None and there is theirs:
            self._arrived(pair, one, mine, value, theirs, got, received)
        elif there is not None and there.number in received.fields:
            other = pair.field(self._reader, there.number)
            strays[there.number] = one.element
            why = f"it arrives in {other.element}"
            self._see(one, ElementOutcome.ALTERED, OutcomeCause.MISDELIVERED, why, mine, value, there, received.fields[there.number])
        elif theirs is None:
            self._unknown(one, mine, value, received)
        elif self._carried is not Format.BINARY or family(mine) is family(theirs):
            by = {Format.BINARY: "number", Format.PROTO_NAMES: "name"}.get(self._carried, "JSON name")
            self._see(one, ElementOutcome.LOST, OutcomeCause.UNKNOWN, f"the reader expects it under another {by}", mine, value)
        else:
            self._see(one, ElementOutcome.IGNORED, OutcomeCause.UNKNOWN, "the reader has another field of that name", mine, value)

    def _unknown(self, one: FieldPair, mine: FieldShape, value: Value, received: Meaning) -> None:
        kept = self._carried is Format.BINARY and any(record.number == mine.number for record in received.unknown)
        why = "kept among the unknown fields, and written again" if kept else "dropped"
        self._see(one, ElementOutcome.IGNORED, OutcomeCause.KEPT if kept else OutcomeCause.UNKNOWN, why, mine, value)

    def _arrived(
        self, pair: TypePair, one: FieldPair, mine: FieldShape, value: Value, theirs: FieldShape, got: Value | None, received: Meaning
    ) -> None:
        renamed = mine.name != theirs.name
        if renamed and family(mine) is not family(theirs) and self._carried is Format.BINARY:
            if got is None:
                self._unknown(one, mine, value, received)
            else:
                why = f"its number is that of {theirs.name} there, which is of another family"
                self._see(one, ElementOutcome.ALTERED, OutcomeCause.NUMBER_REUSED, why, mine, value, theirs, got)
            return
        blame = self._compare(pair, one, mine, value, theirs, got, received)
        if blame is ELSEWHERE:
            return
        if blame is not None:
            self._see(one, ElementOutcome.ALTERED, blame.cause, blame.why, mine, value, theirs, got)
        elif renamed and self._carried is Format.BINARY:
            self._see(one, ElementOutcome.RENAMED, OutcomeCause.NONE, f"it arrives as {theirs.name}", mine, value, theirs, got)
        elif one.differs:
            self._see(one, ElementOutcome.PRESERVED, OutcomeCause.NONE, "", mine, value, theirs, got)

    # -- values --------------------------------------------------------------------------------------------------------

    def _compare(
        self, pair: TypePair, one: FieldPair, mine: FieldShape, value: Value, theirs: FieldShape, got: Value | None, received: Meaning
    ) -> Blame | None:
        if mine.mapped is not None or theirs.mapped is not None:
            return self._compare_entries(one, mine, value, theirs, got)
        before, after = typed_values(mine, value), typed_values(theirs, got)
        if mine.enum is not None and theirs.enum is not None:
            return self._compare_enums(one, before, after, theirs)
        if len(before) == len(after):
            return self._compare_parts(one, zip(before, after, strict=True))
        if after:
            return Blame(OutcomeCause.VALUE, f"of {len(before)} values {len(after)} arrive" + _merging(before, after))
        if any(other.number in received.fields for rival in rivals(pair, self._reader, one) if (other := rival.of(self._reader))):
            return Blame(OutcomeCause.ONEOF, f"the reader keeps one member of the oneof {theirs.oneof}")
        if _is_what_is_read(mine, before, theirs):
            return None
        return blame_unset(before, theirs)

    def _compare_parts(self, one: FieldPair, both: Iterable[tuple[TypedValue, TypedValue]]) -> Blame | None:
        for before, after in both:
            if isinstance(before.value, Meaning) and isinstance(after.value, Meaning):
                if whole(before.field.message, after.field.message):
                    if not self._is_same_whole(one, before, after):
                        return Blame(OutcomeCause.VALUE, "another value arrives")
                    continue
                self.message(self._inner(one, before, after), before.value, after.value)
            elif not alike(before, after):
                return Blame(OutcomeCause.VALUE, "another value arrives")
        return None

    def _is_same_whole(self, one: FieldPair, before: TypedValue, after: TypedValue) -> bool:
        before, after = bare(before), bare(after)
        if isinstance(before.value, Meaning) and isinstance(after.value, Meaning):
            if before.field.message.name == after.field.message.name:
                return before.value == after.value
            within = _Comparer(self._writer, self._reader, self._carried)
            within.message(self._pair_types(before.field.message, after.field.message, one.element), before.value, after.value)
            return all(effect.outcome in GOOD for effect in within.effects)
        return not isinstance(before.value, Meaning) and not isinstance(after.value, Meaning) and alike(before, after)

    def _inner(self, one: FieldPair, before: TypedValue, after: TypedValue) -> TypePair:
        mine, theirs = before.field.message, after.field.message
        inner = one.inner
        if inner is not None and inner.of(self._writer) is mine and inner.of(self._reader) is theirs:
            return inner
        return self._pair_types(mine, theirs, one.element)

    def _pair_types(self, mine: Shape, theirs: Shape, place: str) -> TypePair:
        base, head = (mine, theirs) if self._writer is Version.BASE else (theirs, mine)
        return pair_types(base, head, base.name if base.name == head.name else place)

    def _compare_entries(self, one: FieldPair, mine: FieldShape, value: Value, theirs: FieldShape, got: Value | None) -> Blame | None:
        """Maps, and lists of entries where one side has those: by key."""
        if not (can_be_map(mine) and can_be_map(theirs)):
            return Blame(OutcomeCause.VALUE, "nothing arrives" if got is None else "what is no map arrives")
        before, after = entries(mine, value), entries(theirs, got)
        arrived = {key.value: mapped for key, mapped in after}
        repeats = len(arrived) != len(after) or len({key.value for key, _ in before}) != len(before)
        if repeats and len(before) != len(after):
            return Blame(OutcomeCause.VALUE, "a map keeps the last entry of a key")
        blames = [self._compare_mapped(one, mapped, arrived.pop(key.value)) for key, mapped in before if key.value in arrived]
        if arrived:
            return Blame(OutcomeCause.VALUE, "an entry arrives that was not sent")
        there = {key.value for key, _ in after}
        lost = [mapped for key, mapped in before if mapped is not None and key.value not in there]
        blames += [self._compare_dropped(one, lost, theirs)] if lost else []
        return worst(blames)

    def _compare_mapped(self, one: FieldPair, before: TypedValue | None, after: TypedValue | None) -> Blame | None:
        if before is None or after is None:
            return None if before is after else Blame(OutcomeCause.VALUE, "a map's values do not arrive")
        if before.field.enum is not None and after.field.enum is not None:
            return self._compare_enums(one, [before], [after], after.field)
        return self._compare_parts(one, [(before, after)])

    def _compare_dropped(self, one: FieldPair, lost: list[TypedValue], theirs: FieldShape) -> Blame | None:
        """Entries that did not arrive: a reader drops those whose value its closed enum does not declare."""
        there = theirs.mapped
        if lost[0].field.enum is None or there is None or there.enum is None:
            return Blame(OutcomeCause.VALUE, f"{len(lost)} of the entries do not arrive")
        return self._compare_enums(one, lost, [], there)

    # -- enums ---------------------------------------------------------------------------------------------------------

    def _compare_enums(self, one: FieldPair, before: list[TypedValue], after: list[TypedValue], theirs: FieldShape) -> Blame | None:
        """Blames the enum's value where the versions differ in it, else the field."""
        blame, effects = compare_enums(one, before, after, theirs, self._writer, self._carried)
        self.effects += effects
        return blame

    # -- what was not sent ---------------------------------------------------------------------------------------------

    def _not_sent(
        self,
        one: FieldPair,
        mine: FieldShape | None,
        theirs: FieldShape,
        sent: Meaning,
        received: Meaning,
        strays: dict[int, str],
    ) -> None:
        got = received.fields.get(theirs.number)
        if theirs.number in strays:
            if one.base is not None:
                why = f"what was sent in {strays[theirs.number]} arrives in it"
                self._see(one, ElementOutcome.ALTERED, OutcomeCause.MISDELIVERED, why, mine, None, theirs, got)
            return
        if mine is None:
            if got is not None and not _in_unknown(sent, theirs.number):
                self._see(one, ElementOutcome.ALTERED, OutcomeCause.UNSENT, "it arrives though it was never sent", None, None, theirs, got)
            return
        read, meant = _read(theirs, got), default(mine)
        if got is not None and not _written_zero(mine, theirs, got) and not _in_unknown(sent, theirs.number):
            self._see(one, ElementOutcome.ALTERED, OutcomeCause.UNSENT, "it arrives though it was never sent", mine, None, theirs, got)
        elif mine.enum is not None and theirs.enum is not None and isinstance(read, int) and isinstance(meant, int):
            self._compare_absent_enum(one, mine, theirs, got, int(meant), int(read))
        elif meant is not None and read is not None and meant != read and _comparable(mine, theirs, self._carried):
            self._see_default(one, mine, theirs, meant, read)

    def _compare_absent_enum(self, one: FieldPair, mine: FieldShape, theirs: FieldShape, got: Value | None, meant: int, read: int) -> None:
        assert mine.enum is not None and theirs.enum is not None
        carried = Format.BINARY if got is None else self._carried
        expected = fate(meant, mine.enum, theirs.enum, carried)
        if expected.outcome is ElementOutcome.ALTERED and not mine.presence:
            self.effects += see_value(one, expected, meant, TypedValue(theirs, read), self._writer)
        elif read != meant and expected.number != read:
            self._see_default(one, mine, theirs, meant, read)

    def _see_default(self, one: FieldPair, mine: FieldShape, theirs: FieldShape, meant: object, read: object) -> None:
        why = f"not set, it reads {plain(theirs, read)} instead of {plain(mine, meant)}"
        self.effects.append(Effect(one.element, ElementOutcome.ALTERED, OutcomeCause.DEFAULT, why, "(not set)", plain(theirs, read)))

    # -- Any -----------------------------------------------------------------------------------------------------------

    def _any(self, pair: TypePair, sent: Meaning, received: Meaning) -> None:
        """One that JSON wrote out: by what is in it."""
        mine, theirs = sent.fields.get(2), received.fields.get(2)
        if sent.fields.get(1) == received.fields.get(1) and isinstance(mine, Content) and isinstance(theirs, Content):
            self.message(self._pair_types(mine.shape, theirs.shape, pair.name), mine, theirs)
        elif isinstance(mine, Content):
            why = "the reader does not read what the Any holds"
            self.effects.append(
                Effect(mine.shape.name, ElementOutcome.LOST, OutcomeCause.UNKNOWN, why, _bytes(sent.fields.get(1)), "(nothing)")
            )

    def _see(
        self,
        one: FieldPair,
        outcome: ElementOutcome,
        cause: OutcomeCause,
        why: str,
        mine: FieldShape | None,
        value: Value | None,
        theirs: FieldShape | None = None,
        got: Value | None = None,
    ) -> None:
        sent = text(mine, value) if mine is not None else "(nothing)"
        received = text(theirs, got) if theirs is not None else "(nothing)"
        self.effects.append(Effect(one.element, outcome, cause, why, sent, received))


# ----------------------------------------------------------------------------------------------------------------------
# Where a field goes
# ----------------------------------------------------------------------------------------------------------------------


def carried_to(mine: FieldShape, reader: Shape, carried: Format) -> FieldShape | None:
    """The field of the reader's type in which the format delivers it."""
    if carried is Format.BINARY:
        return reader.fields.get(mine.number)
    return reader.json_names.get(written_name(mine, carried))


def _comparable(mine: FieldShape, theirs: FieldShape, carried: Format) -> bool:
    """Whether the defaults of a field that is not set can be compared: not where its number was given to another."""
    same = mine.name == theirs.name or family(mine) is family(theirs) or carried is not Format.BINARY
    return same and is_number(mine) == is_number(theirs)


def _in_unknown(sent: Meaning, number: int) -> bool:
    """Whether the writer's program sent it unseen, in a field that its type does not declare."""
    return any(record.number == number for record in sent.unknown)


# ----------------------------------------------------------------------------------------------------------------------
# Values
# ----------------------------------------------------------------------------------------------------------------------


def _is_what_is_read(mine: FieldShape, before: Sequence[TypedValue], theirs: FieldShape) -> bool:
    """Whether what was sent is what a program reads of the field although it is not set: -0.0 is the 0 of an integer, and
    the bytes of a message that holds nothing are none."""
    field, value = before[0]
    if len(before) != 1 or theirs.presence or theirs.repeated:
        return False
    if isinstance(value, Meaning):
        return theirs.type == Field.TYPE_BYTES and not value.fields and not value.unknown
    minus_zero = is_float(field) and isinstance(value, int) and number(field, value) == 0 and is_number(theirs) and not is_float(theirs)
    return minus_zero and not mine.presence


def _merging(before: Sequence[TypedValue], after: Sequence[TypedValue]) -> str:
    merged = len(after) == 1 and isinstance(before[0].value, Meaning)
    return ", merged" if merged else ""


def _read(field: FieldShape, got: Value | None) -> int | float | bytes | None:
    """What a program reads of a singular field of a scalar type."""
    if got is None:
        return default(field)
    return got if isinstance(got, int | bytes) else None


def _written_zero(mine: FieldShape, theirs: FieldShape, got: Value) -> bool:
    """Whether it is the zero of a field without presence, which JSON may write although it says nothing."""
    if mine.presence or mine.repeated or mine.mapped is not None or isinstance(got, list | dict):
        return False
    if mine.enum is not None and theirs.enum is not None and isinstance(got, int):
        names = [name for name, number in mine.enum.names.items() if number == 0]
        return got == 0 or any(theirs.enum.names.get(name) == got for name in names)
    return is_zero(TypedValue(theirs, got))


def _bytes(value: Value | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else "(nothing)"
