"""Which elements of a message made a reader refuse it, as far as the two versions tell.

What the reader requires and did not get explains a refusal best; then text that is not UTF-8, and values that the reader's
type does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.compat.diff.equal import INTEGER_RANGES, TypedValue, is_float, is_number, number, pair_types, typed_values, whole
from grpc_interop.compat.diff.match_fields import FieldPair, TypePair, checks_utf8, exact_type, is_utf8, rivals, written_name
from grpc_interop.compat.judge.enum_values import elements_of
from grpc_interop.compat.vocabulary.observation import Effect, ElementOutcome, Format, OutcomeCause, Version
from grpc_interop.wire import wire_format
from grpc_interop.wire.meaning import Content, Meaning, SingleValue, Value, show, show_message
from grpc_interop.wire.protojson import Named
from grpc_interop.wire.shapes import TEXTS, FieldShape, Shape

_FLOAT_MAX = 3.4028234663852886e38


def explain(
    root: TypePair, writer: Version, reader: Version, carried: Format, sent: Meaning, aimed: str, *, only_zeros: bool = False
) -> list[Effect]:
    """What is REJECTED of a message that the reader refused. Where the message has several reasons, the one that it was
    aimed at; where it has none, `aimed`, or else the root. `only_zeros`: what the message holds was taken, and refused with
    the zeros that JSON may write besides."""
    found = list(dict.fromkeys(_reasons(root, writer, reader, carried, sent)))
    if carried is not Format.BINARY and (only_zeros or not found):
        with_zeros = dict.fromkeys(_reasons(root, writer, reader, carried, _with_zeros(root.of(writer), sent)))
        found = [one for one in with_zeros if one not in found]
    for chosen in (
        [one for one in found if one.element == aimed],
        [one for one in found if one.cause is OutcomeCause.REQUIRED],
        [one for one in found if one.cause is OutcomeCause.UTF8],
        found,
    ):
        if chosen:
            return chosen
    return [Effect(aimed or root.name, ElementOutcome.REJECTED, OutcomeCause.NONE, "the reader refuses the message", "")]


def _with_zeros(shape: Shape, message: Meaning) -> Meaning:
    """The message with the zeros of its fields without presence, here and in the messages in it."""
    fields: dict[int, Value] = {}
    for one in shape.ordered:
        value = message.fields.get(one.number)
        if value is None and not one.presence:
            value = {} if one.mapped is not None else [] if one.repeated else b"" if one.type in TEXTS else 0
        if isinstance(value, Meaning) and one.inner is not None and not isinstance(value.fields.get(2), Content):
            value = _with_zeros(one.inner, value)
        elif isinstance(value, list) and one.inner is not None:
            value = [_with_zeros(one.inner, each) if isinstance(each, Meaning) else each for each in value]
        if value is not None:
            fields[one.number] = value
    return Meaning(fields, message.unknown)


def _reasons(pair: TypePair, writer: Version, reader: Version, carried: Format, sent: Meaning) -> Iterator[Effect]:
    held = sent.fields.get(2)
    if isinstance(held, Content):
        yield Effect(held.shape.name, ElementOutcome.REJECTED, OutcomeCause.UNKNOWN, "an Any holds it", show_message(pair.of(writer), sent))
        return
    for one in pair.fields:
        mine, theirs = one.of(writer), one.of(reader)
        value = sent.fields.get(mine.number) if mine is not None else None
        if theirs is not None and theirs.required and (mine is None or value is None or not _delivered(mine, value, theirs, carried)):
            why = "the reader requires it, and it is missing"
            yield Effect(one.element, ElementOutcome.REJECTED, OutcomeCause.REQUIRED, why, "(not set)")
        if mine is None or value is None:
            continue
        there = pair.of(reader).fields.get(mine.number) if carried is Format.BINARY else _named(pair, reader, mine, carried)
        if there is None:
            if carried is Format.STRICT_JSON:
                why = "the reader does not know it and does not skip it"
                yield Effect(one.element, ElementOutcome.REJECTED, OutcomeCause.UNKNOWN, why, show(mine, value))
            continue
        if carried is not Format.BINARY and any(_rival_sent(other, writer, sent) for other in rivals(pair, reader, one)):
            yield Effect(
                one.element, ElementOutcome.REJECTED, OutcomeCause.ONEOF, f"the reader takes one member of {there.oneof}", show(mine, value)
            )
        if there is theirs:
            yield from _of_field(one, writer, reader, carried, mine, value, there)
        else:
            yield from _of_stray(one, carried, mine, value, there)


def _rival_sent(other: FieldPair, writer: Version, sent: Meaning) -> bool:
    field = other.of(writer)
    return field is not None and field.number in sent.fields


def _named(pair: TypePair, reader: Version, mine: FieldShape, carried: Format) -> FieldShape | None:
    return pair.of(reader).json_names.get(written_name(mine, carried))


def _delivered(mine: FieldShape, value: Value, theirs: FieldShape, carried: Format) -> bool:
    """Whether a value that was sent sets the reader's field."""
    if carried is not Format.BINARY:
        return written_name(mine, carried) in (theirs.json_name, theirs.name)
    if mine.number != theirs.number or (wire_format.LENGTH if mine.packed else mine.wire_type) != theirs.wire_type:
        return False
    return theirs.closed is None or any(part.value in theirs.closed for part in typed_values(mine, value))


def _of_field(
    one: FieldPair, writer: Version, reader: Version, carried: Format, mine: FieldShape, value: Value, there: FieldShape
) -> Iterator[Effect]:
    if carried is not Format.BINARY:
        yield from _unknown_names(one, writer, mine, value, there)
    yield from _of_stray(one, carried, mine, value, there)
    inner_mine, inner_theirs = mine.mapped or mine, there.mapped or there
    if inner_mine.inner is None or inner_theirs.inner is None or whole(inner_mine.inner, inner_theirs.inner):
        return
    inner = one.inner
    if inner is None or inner.of(writer) is not inner_mine.inner or inner.of(reader) is not inner_theirs.inner:
        base, head = (inner_mine.inner, inner_theirs.inner) if writer is Version.BASE else (inner_theirs.inner, inner_mine.inner)
        inner = pair_types(base, head, one.element)
    for message in _messages(value):
        yield from _reasons(inner, writer, reader, carried, message)


def _messages(value: Value) -> list[Meaning]:
    values = value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
    return [one for one in values if isinstance(one, Meaning)]


def _of_stray(one: FieldPair, carried: Format, mine: FieldShape, value: Value, there: FieldShape) -> Iterator[Effect]:
    """What the field that takes it cannot take."""
    if carried is Format.BINARY and (found := _bad_text(mine, value, there)) is not None:
        yield Effect(one.element, ElementOutcome.REJECTED, OutcomeCause.UTF8, "it is not UTF-8, which the reader demands", show(*found))
    elif _unreadable(mine, there) if carried is Format.BINARY else _no_json(mine, value, there):
        why = f"it is no {'value' if carried is Format.BINARY else 'JSON'} of the reader's type"
        yield Effect(one.element, ElementOutcome.REJECTED, OutcomeCause.VALUE, why, show(mine, value))


def _bad_text(mine: FieldShape, value: Value, there: FieldShape) -> tuple[FieldShape, Value] | None:
    if isinstance(value, dict) and mine.key is not None and mine.mapped is not None:
        key, mapped = there.key, there.mapped
        for name, held in value.items():
            for own, text, other in ((mine.key, name, key), (mine.mapped, held, mapped)):
                if other is not None and checks_utf8(other) and not is_utf8(text):
                    return own, text
        return None
    if not checks_utf8(there):
        return None
    return next(((mine, part.value) for part in typed_values(mine, value) if not is_utf8(part.value)), None)


def _unreadable(mine: FieldShape, there: FieldShape) -> bool:
    """Whether the bytes of one type may be no bytes of another: both are lengths followed by something."""
    if exact_type(mine) == exact_type(there):
        return False
    if mine.type not in TEXTS and mine.inner is None and mine.mapped is None and not mine.repeated:
        return False
    holds = there.inner is not None or there.mapped is not None or (there.repeated and is_number(there))
    # What another text holds has been looked at; of a message, a map or packed numbers the bytes may be no UTF-8.
    return holds or (checks_utf8(there) and mine.type not in TEXTS)


def _no_json(mine: FieldShape, value: Value, there: FieldShape) -> bool:
    """Whether what one type writes may be no JSON of another."""
    if exact_type(mine) == exact_type(there):
        return False
    if mine.mapped is not None and there.mapped is not None and isinstance(value, dict):
        assert mine.key is not None and there.key is not None
        pairs = ((TypedValue(mine.mapped, one), there.mapped) for one in value.values())
        return any(_no_json_part(part, other) for part, other in pairs) or _no_json_keys(mine.key, [*value], there.key)
    if (mine.mapped is None) != (there.mapped is None) or mine.repeated != there.repeated:
        return True
    return any(_no_json_part(part, there) for part in typed_values(mine, value))


def _no_json_keys(mine: FieldShape, keys: Iterable[int | bytes], there: FieldShape) -> bool:
    """Keys are text whatever their type: any of them is a string's."""
    return there.type != Field.TYPE_STRING and any(_no_json_part(TypedValue(mine, key), there) for key in keys if mine.type != there.type)


def _no_json_part(part: TypedValue, there: FieldShape) -> bool:
    mine, value = part
    if isinstance(value, Meaning):
        return there.inner is None or whole(mine.message, there.inner)
    if mine.type in TEXTS:
        # Not every text is base64 of something; none at all is of nothing.
        return there.type not in TEXTS or (mine.type, there.type, bool(value)) == (Field.TYPE_STRING, Field.TYPE_BYTES, True)
    if not is_number(there) or not isinstance(value, int) or Field.TYPE_BOOL in (mine.type, there.type):
        return True
    if mine.enum is not None:
        return there.enum is None
    if is_float(there):
        return there.type == Field.TYPE_FLOAT and abs(number(mine, value)) > _FLOAT_MAX
    least, most = INTEGER_RANGES[there.type]
    exact = number(mine, value)
    return not (least <= exact <= most) or exact != int(exact) or (there.closed is not None and exact not in there.closed)


def _unknown_names(one: FieldPair, writer: Version, mine: FieldShape, value: Value, there: FieldShape) -> Iterator[Effect]:
    """Of an enum, the names that the reader does not have."""
    own, other = mine.mapped or mine, there.mapped or there
    if own.enum is None or other.enum is None:
        return
    sent = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    for name, number_named in own.enum.names.items():
        if name not in other.enum.names and any(_is_written(each, name, number_named) for each in sent):
            elements = [pair.element for pair in elements_of(one.values, name, writer)] or [one.element]
            for element in elements:
                told = f"{name} ({number_named})"
                yield Effect(element, ElementOutcome.REJECTED, OutcomeCause.UNKNOWN, "the reader does not know its name", told)
    declared = {*own.enum.names.values(), *other.enum.names.values()}
    for number_sent in sent:
        if isinstance(number_sent, int) and number_sent not in declared:
            why = "neither version declares the number, and the reader does not take it"
            yield Effect(one.element, ElementOutcome.REJECTED, OutcomeCause.UNDECLARED, why, str(number_sent))


def _is_written(value: SingleValue, name: str, number_named: int) -> bool:
    """Whether a value may have been written by this name of its number."""
    return value.name == name if isinstance(value, Named) else value == number_named
