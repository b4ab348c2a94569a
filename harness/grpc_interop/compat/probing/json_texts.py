"""The other ProtoJSON texts of the same message that a writer may choose: names of fields, numbers and aliases of enums."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

from grpc_interop.protos.shapes import Enum, FieldShape, Shape


class JsonText(NamedTuple):
    """A text, and what is special about it; of what the writer wrote itself, nothing."""

    text: str
    what: str = ""


class _Number(str):
    """A JSON number as it was written: reading it would lose what a 64-bit integer or a double says."""

    __slots__ = ()


def json_texts(shape: Shape, written: str) -> list[JsonText]:
    """What the writer wrote, first; then the same message with each other alias of its enums' values, with their numbers,
    and with the fields' proto names, where that makes a difference. An Any's content is left as it is. Raises ValueError
    for what is no JSON."""
    value = json.loads(written, parse_int=_Number, parse_float=_Number)
    found, plain = [JsonText(written)], _text(value)

    def add(text: str, what: str) -> bool:
        if text != plain:
            found.append(JsonText(text, what))
        return text != plain

    for turn in count(1):
        if not add(_text(_message(shape, value, _Rewrite(value=_alias(turn)))), f"enums by alias {turn}"):
            break
    add(_text(_message(shape, value, _Rewrite(value=_number))), "enums as numbers")
    add(_text(_message(shape, value, _Rewrite(proto_names=True))), "fields by their proto names")
    return found


class _Rewrite(NamedTuple):
    """Whether fields go by their proto names, and what stands in place of the name of an enum's value."""

    proto_names: bool = False
    value: Callable[[Enum, str], str] = lambda _, name: name


def _number(enum: Enum, name: str) -> str:
    return _Number(enum.names[name]) if name in enum.names else name


def _alias(turn: int) -> Callable[[Enum, str], str]:
    """The other name of the same number whose turn it is, the name itself where there are not so many."""

    def alias(enum: Enum, name: str) -> str:
        number = enum.names.get(name)
        others = [other for other, same in enum.names.items() if same == number and other != name]
        return others[turn - 1] if turn <= len(others) else name

    return alias


# -- the texts as trees ------------------------------------------------------------------------------------------------


def _message(shape: Shape, value: Any, rewrite: _Rewrite) -> Any:
    if shape.special or not isinstance(value, dict):
        return value
    names = shape.json_fields()
    fields = {}
    for name, one in value.items():
        field = names.get(name)
        fields[field.name if field and rewrite.proto_names else name] = _field(field, one, rewrite) if field else one
    return fields


def _field(field: FieldShape, value: Any, rewrite: _Rewrite) -> Any:
    if field.mapped is not None and isinstance(value, dict):
        return {key: _one(field.mapped, one, rewrite) for key, one in value.items()}
    if isinstance(value, list):
        return [_one(field, one, rewrite) for one in value]
    return _one(field, value, rewrite)


def _one(field: FieldShape, value: Any, rewrite: _Rewrite) -> Any:
    if field.inner is not None:
        return _message(field.inner, value, rewrite)
    if field.enum is not None and isinstance(value, str) and not isinstance(value, _Number):
        return rewrite.value(field.enum, value)
    return value


def _text(value: Any) -> str:
    """As JSON, numbers as they were written."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return json.dumps(value)
