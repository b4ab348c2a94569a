"""Other ProtoJSON texts of the same message that writers of the same version may write: with other aliases of enum values,
and on demand with proto field names (Go's UseProtoNames, Python's preserving_proto_field_name).

Enums by number are left out: a writer writes them only when its program asks for it.
"""

import json
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

from grpc_interop.wire.protojson import JsonNumber
from grpc_interop.wire.shapes import EnumShape, FieldShape, Shape

CACHED_TEXTS = 4_096
"""ProtoJSON texts whose variants are cached: implementations write most messages alike."""


class JsonText(NamedTuple):
    """A text of a message."""

    text: str
    what: str = ""  # its difference from the writer's own text, in words


@lru_cache(maxsize=CACHED_TEXTS)
def json_texts(shape: Shape, written: str, *, by_proto_names: bool = False) -> list[JsonText]:
    """Return the writer's own text first; then the same message with each other alias of its enums' values in turn. An Any's
    content is left as it is. Raise ValueError for a text that is not JSON."""
    value = json.loads(written, parse_int=JsonNumber, parse_float=JsonNumber)
    rewriting = _Rewriting(by_proto_names)
    texts, plain = [JsonText(written)], _text(value)
    if by_proto_names:
        plain = _text(rewriting.message(shape, value))
        texts = [JsonText(plain, "fields by their own names")]
    for turn in count(1):
        if (text := _text(rewriting._replace(turn=turn).message(shape, value))) == plain:
            break
        texts.append(JsonText(text, f"enums by alias {turn}"))
    return texts


def _alias(enum: EnumShape, name: str, turn: int) -> str:
    """Return the other name of the same number whose turn it is; the name itself at turn 0, and where there are not so many."""
    if not turn:
        return name
    number = enum.names.get(name)
    others = [other for other, same in enum.names.items() if same == number and other != name]
    return others[turn - 1] if turn <= len(others) else name


# -- the texts as trees ------------------------------------------------------------------------------------------------


class _Rewriting(NamedTuple):
    """How a text is rewritten."""

    by_proto_names: bool
    turn: int = 0  # which alias of enums to write; 0 for the names in the text

    def message(self, shape: Shape, value: Any) -> Any:
        if shape.special or not isinstance(value, dict):
            return value
        names = shape.json_names
        return {self._name(names.get(key), key): self._field(names[key], item) if key in names else item for key, item in value.items()}

    def _name(self, field: FieldShape | None, name: str) -> str:
        return field.name if field is not None and self.by_proto_names else name

    def _field(self, field: FieldShape, value: Any) -> Any:
        if field.mapped is not None and isinstance(value, dict):
            return {key: self._single(field.mapped, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._single(field, item) for item in value]
        return self._single(field, value)

    def _single(self, field: FieldShape, value: Any) -> Any:
        if field.inner is not None:
            return self.message(field.inner, value)
        if field.enum is not None and isinstance(value, str) and not isinstance(value, JsonNumber):
            return _alias(field.enum, value, self.turn)
        return value


def _text(value: Any) -> str:
    """Return the value as JSON, numbers as they were written."""
    if isinstance(value, JsonNumber):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return json.dumps(value)
