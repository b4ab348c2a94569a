"""The other ProtoJSON texts of the same message that writers of the same version write: enums by other aliases.

Nothing is said of names and numbers that a writer only chooses when it is told to: fields go by their JSON names, enums
by a name.
"""

from __future__ import annotations

import json
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
    """What the writer wrote, first; then the same message with each other alias of its enums' values in turn. An Any's
    content is left as it is. Raises ValueError for what is no JSON."""
    value = json.loads(written, parse_int=_Number, parse_float=_Number)
    found, plain = [JsonText(written)], _text(value)
    for turn in count(1):
        if (text := _text(_message(shape, value, turn))) == plain:
            break
        found.append(JsonText(text, f"enums by alias {turn}"))
    return found


def _alias(enum: Enum, name: str, turn: int) -> str:
    """The other name of the same number whose turn it is, the name itself where there are not so many."""
    number = enum.names.get(name)
    others = [other for other, same in enum.names.items() if same == number and other != name]
    return others[turn - 1] if turn <= len(others) else name


# -- the texts as trees ------------------------------------------------------------------------------------------------


def _message(shape: Shape, value: Any, turn: int) -> Any:
    if shape.special or not isinstance(value, dict):
        return value
    names = shape.json_names
    return {name: _field(names[name], one, turn) if name in names else one for name, one in value.items()}


def _field(field: FieldShape, value: Any, turn: int) -> Any:
    if field.mapped is not None and isinstance(value, dict):
        return {key: _one(field.mapped, one, turn) for key, one in value.items()}
    if isinstance(value, list):
        return [_one(field, one, turn) for one in value]
    return _one(field, value, turn)


def _one(field: FieldShape, value: Any, turn: int) -> Any:
    if field.inner is not None:
        return _message(field.inner, value, turn)
    if field.enum is not None and isinstance(value, str) and not isinstance(value, _Number):
        return _alias(field.enum, value, turn)
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
