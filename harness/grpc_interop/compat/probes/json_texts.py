"""The other ProtoJSON texts of the same message that writers of the same version write: enums by other aliases, and fields
by their own names if that is asked for (Go's UseProtoNames, Python's preserving_proto_field_name).

Nothing is said of numbers of enums, which a writer only chooses when it is told to.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any, NamedTuple

from grpc_interop.wire.protojson import JsonNumber
from grpc_interop.wire.shapes import EnumShape, FieldShape, Shape


class JsonText(NamedTuple):
    """A text, and what is special about it; of what the writer wrote itself, nothing."""

    text: str
    what: str = ""


def json_texts(shape: Shape, written: str, *, by_proto_names: bool = False) -> list[JsonText]:
    """What the writer wrote, first; then the same message with each other alias of its enums' values in turn. An Any's
    content is left as it is. Raises ValueError for what is no JSON."""
    value = json.loads(written, parse_int=JsonNumber, parse_float=JsonNumber)
    rewriting = _Rewriting(by_proto_names)
    found, plain = [JsonText(written)], _text(value)
    if by_proto_names:
        plain = _text(rewriting.message(shape, value))
        found = [JsonText(plain, "fields by their own names")]
    for turn in count(1):
        if (text := _text(rewriting._replace(turn=turn).message(shape, value))) == plain:
            break
        found.append(JsonText(text, f"enums by alias {turn}"))
    return found


def _alias(enum: EnumShape, name: str, turn: int) -> str:
    """The other name of the same number whose turn it is, the name itself where there are not so many, and at turn 0."""
    if not turn:
        return name
    number = enum.names.get(name)
    others = [other for other, same in enum.names.items() if same == number and other != name]
    return others[turn - 1] if turn <= len(others) else name


# -- the texts as trees ------------------------------------------------------------------------------------------------


class _Rewriting(NamedTuple):
    """How a text is written anew; the `turn` is that of the enums' aliases, 0 for the names that stand there."""

    by_proto_names: bool
    turn: int = 0

    def message(self, shape: Shape, value: Any) -> Any:
        if shape.special or not isinstance(value, dict):
            return value
        names = shape.json_names
        return {self._name(names.get(name), name): self._field(names[name], one) if name in names else one for name, one in value.items()}

    def _name(self, field: FieldShape | None, name: str) -> str:
        return field.name if field is not None and self.by_proto_names else name

    def _field(self, field: FieldShape, value: Any) -> Any:
        if field.mapped is not None and isinstance(value, dict):
            return {key: self._one(field.mapped, one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._one(field, one) for one in value]
        return self._one(field, value)

    def _one(self, field: FieldShape, value: Any) -> Any:
        if field.inner is not None:
            return self.message(field.inner, value)
        if field.enum is not None and isinstance(value, str) and not isinstance(value, JsonNumber):
            return _alias(field.enum, value, self.turn)
        return value


def _text(value: Any) -> str:
    """As JSON, numbers as they were written."""
    if isinstance(value, JsonNumber):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return json.dumps(value)
