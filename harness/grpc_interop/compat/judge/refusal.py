"""The elements of a message that made a reader refuse it, as far as the two versions tell.

A missing required field explains a refusal best; then text that is not UTF-8, and values that the reader's type does not
have. `source` and `taker` are as in observe.py.
"""

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
    """Return the REJECTED elements of a message that the reader refused. Among several reasons the element `aimed` counts;
    without any reason it is `aimed`, or else the root. `only_zeros`: the message was taken, and refused only with the zeros
    that JSON may write besides."""
    effects = list(dict.fromkeys(_reasons(root, writer, reader, carried, sent)))
    if carried is not Format.BINARY and (only_zeros or not effects):
        with_zeros = dict.fromkeys(_reasons(root, writer, reader, carried, _with_zeros(root.of(writer), sent)))
        effects = [effect for effect in with_zeros if effect not in effects]
    for chosen in (
        [effect for effect in effects if effect.element == aimed],
        [effect for effect in effects if effect.cause is OutcomeCause.REQUIRED],
        [effect for effect in effects if effect.cause is OutcomeCause.UTF8],
        effects,
    ):
        if chosen:
            return chosen
    return [Effect(aimed or root.name, ElementOutcome.REJECTED, OutcomeCause.NONE, "the reader refuses the message", "")]


def _with_zeros(shape: Shape, message: Meaning) -> Meaning:
    """Return the message with the zeros of its fields without presence, in inner messages as well."""
    fields: dict[int, Value] = {}
    for field in shape.ordered:
        value = message.fields.get(field.number)
        if value is None and not field.presence:
            value = {} if field.mapped is not None else [] if field.repeated else b"" if field.type in TEXTS else 0
        if isinstance(value, Meaning) and field.inner is not None and not isinstance(value.fields.get(2), Content):
            value = _with_zeros(field.inner, value)
        elif isinstance(value, list) and field.inner is not None:
            value = [_with_zeros(field.inner, each) if isinstance(each, Meaning) else each for each in value]
        if value is not None:
            fields[field.number] = value
    return Meaning(fields, message.unknown)


def _reasons(pair: TypePair, writer: Version, reader: Version, carried: Format, sent: Meaning) -> Iterator[Effect]:
    held = sent.fields.get(2)
    if isinstance(held, Content):
        yield Effect(held.shape.name, ElementOutcome.REJECTED, OutcomeCause.UNKNOWN, "an Any holds it", show_message(pair.of(writer), sent))
        return
    for field in pair.fields:
        source, target = field.of(writer), field.of(reader)
        value = sent.fields.get(source.number) if source is not None else None
        if target is not None and target.required and (source is None or value is None or not _delivered(source, value, target, carried)):
            why = "the reader requires it, and it is missing"
            yield Effect(field.element, ElementOutcome.REJECTED, OutcomeCause.REQUIRED, why, "(not set)")
        if source is None or value is None:
            continue
        taker = pair.of(reader).fields.get(source.number) if carried is Format.BINARY else _named(pair, reader, source, carried)
        if taker is None:
            if carried is Format.STRICT_JSON:
                why = "the reader does not know it and does not skip it"
                yield Effect(field.element, ElementOutcome.REJECTED, OutcomeCause.UNKNOWN, why, show(source, value))
            continue
        if carried is not Format.BINARY and any(_rival_sent(other, writer, sent) for other in rivals(pair, reader, field)):
            yield Effect(
                field.element,
                ElementOutcome.REJECTED,
                OutcomeCause.ONEOF,
                f"the reader takes one member of {taker.oneof}",
                show(source, value),
            )
        if taker is target:
            yield from _of_field(field, writer, reader, carried, source, value, taker)
        else:
            yield from _of_stray(field, carried, source, value, taker)


def _rival_sent(other: FieldPair, writer: Version, sent: Meaning) -> bool:
    field = other.of(writer)
    return field is not None and field.number in sent.fields


def _named(pair: TypePair, reader: Version, source: FieldShape, carried: Format) -> FieldShape | None:
    return pair.of(reader).json_names.get(written_name(source, carried))


def _delivered(source: FieldShape, value: Value, target: FieldShape, carried: Format) -> bool:
    """Tell whether a value that was sent sets the reader's field."""
    if carried is not Format.BINARY:
        return written_name(source, carried) in (target.json_name, target.name)
    if source.number != target.number or (wire_format.LENGTH if source.packed else source.wire_type) != target.wire_type:
        return False
    return target.closed is None or any(part.value in target.closed for part in typed_values(source, value))


def _of_field(
    field: FieldPair, writer: Version, reader: Version, carried: Format, source: FieldShape, value: Value, taker: FieldShape
) -> Iterator[Effect]:
    if carried is not Format.BINARY:
        yield from _unknown_names(field, writer, source, value, taker)
    yield from _of_stray(field, carried, source, value, taker)
    inner_source, inner_taker = source.mapped or source, taker.mapped or taker
    if inner_source.inner is None or inner_taker.inner is None or whole(inner_source.inner, inner_taker.inner):
        return
    inner = field.inner
    if inner is None or inner.of(writer) is not inner_source.inner or inner.of(reader) is not inner_taker.inner:
        base, head = (inner_source.inner, inner_taker.inner) if writer is Version.BASE else (inner_taker.inner, inner_source.inner)
        inner = pair_types(base, head, field.element)
    for message in _messages(value):
        yield from _reasons(inner, writer, reader, carried, message)


def _messages(value: Value) -> list[Meaning]:
    values = value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
    return [element for element in values if isinstance(element, Meaning)]


def _of_stray(field: FieldPair, carried: Format, source: FieldShape, value: Value, taker: FieldShape) -> Iterator[Effect]:
    """Yield the effect of a value that the taker cannot hold."""
    if carried is Format.BINARY and (bad := _bad_text(source, value, taker)) is not None:
        yield Effect(field.element, ElementOutcome.REJECTED, OutcomeCause.UTF8, "it is not UTF-8, which the reader demands", show(*bad))
    elif _unreadable(source, taker) if carried is Format.BINARY else _no_json(source, value, taker):
        why = f"it is not valid {'as a value' if carried is Format.BINARY else 'JSON'} of the reader's type"
        yield Effect(field.element, ElementOutcome.REJECTED, OutcomeCause.VALUE, why, show(source, value))


def _bad_text(source: FieldShape, value: Value, taker: FieldShape) -> tuple[FieldShape, Value] | None:
    if isinstance(value, dict) and source.key is not None and source.mapped is not None:
        key, mapped = taker.key, taker.mapped
        for name, held in value.items():
            for own, text, other in ((source.key, name, key), (source.mapped, held, mapped)):
                if other is not None and checks_utf8(other) and not is_utf8(text):
                    return own, text
        return None
    if not checks_utf8(taker):
        return None
    return next(((source, part.value) for part in typed_values(source, value) if not is_utf8(part.value)), None)


def _unreadable(source: FieldShape, taker: FieldShape) -> bool:
    """Tell whether bytes of the source may not parse as the taker's type: both types are lengths followed by content."""
    if exact_type(source) == exact_type(taker):
        return False
    if source.type not in TEXTS and source.inner is None and source.mapped is None and not source.repeated:
        return False
    holds = taker.inner is not None or taker.mapped is not None or (taker.repeated and is_number(taker))
    # The content of texts has been checked before; the bytes of a message, a map or packed numbers need not be UTF-8.
    return holds or (checks_utf8(taker) and source.type not in TEXTS)


def _no_json(source: FieldShape, value: Value, taker: FieldShape) -> bool:
    """Tell whether the JSON of the source may not parse as the taker's type."""
    if exact_type(source) == exact_type(taker):
        return False
    if source.mapped is not None and taker.mapped is not None and isinstance(value, dict):
        assert source.key is not None and taker.key is not None
        pairs = ((TypedValue(source.mapped, held), taker.mapped) for held in value.values())
        return any(_no_json_part(part, other) for part, other in pairs) or _no_json_keys(source.key, [*value], taker.key)
    if (source.mapped is None) != (taker.mapped is None) or source.repeated != taker.repeated:
        return True
    return any(_no_json_part(part, taker) for part in typed_values(source, value))


def _no_json_keys(source: FieldShape, keys: Iterable[int | bytes], taker: FieldShape) -> bool:
    """Tell whether a key may not parse. JSON writes all keys as text, so a string takes any key."""
    return taker.type != Field.TYPE_STRING and any(
        _no_json_part(TypedValue(source, key), taker) for key in keys if source.type != taker.type
    )


def _no_json_part(part: TypedValue, taker: FieldShape) -> bool:
    source, value = part
    if isinstance(value, Meaning):
        return taker.inner is None or whole(source.message, taker.inner)
    if source.type in TEXTS:
        # Not every text is base64; the empty text is, for no bytes.
        return taker.type not in TEXTS or (source.type, taker.type, bool(value)) == (Field.TYPE_STRING, Field.TYPE_BYTES, True)
    if not is_number(taker) or not isinstance(value, int) or Field.TYPE_BOOL in (source.type, taker.type):
        return True
    if source.enum is not None:
        return taker.enum is None
    if is_float(taker):
        return taker.type == Field.TYPE_FLOAT and abs(number(source, value)) > _FLOAT_MAX
    least, most = INTEGER_RANGES[taker.type]
    exact = number(source, value)
    return not (least <= exact <= most) or exact != int(exact) or (taker.closed is not None and exact not in taker.closed)


def _unknown_names(field: FieldPair, writer: Version, source: FieldShape, value: Value, taker: FieldShape) -> Iterator[Effect]:
    """Yield the effects of names and numbers of an enum that the reader does not know."""
    own, other = source.mapped or source, taker.mapped or taker
    if own.enum is None or other.enum is None:
        return
    sent = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    for name, number_named in own.enum.names.items():
        if name not in other.enum.names and any(_is_written(each, name, number_named) for each in sent):
            elements = [pair.element for pair in elements_of(field.values, name, writer)] or [field.element]
            for element in elements:
                value_shown = f"{name} ({number_named})"
                yield Effect(element, ElementOutcome.REJECTED, OutcomeCause.UNKNOWN, "the reader does not know its name", value_shown)
    declared = {*own.enum.names.values(), *other.enum.names.values()}
    for number_sent in sent:
        if isinstance(number_sent, int) and number_sent not in declared:
            why = "neither version declares the number, and the reader does not take it"
            yield Effect(field.element, ElementOutcome.REJECTED, OutcomeCause.UNDECLARED, why, str(number_sent))


def _is_written(value: SingleValue, name: str, number_named: int) -> bool:
    """Tell whether a value may have been written by this name of its number."""
    return value.name == name if isinstance(value, Named) else value == number_named
