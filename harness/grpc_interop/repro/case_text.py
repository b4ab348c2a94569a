"""A case as text that works on another machine: the case, the pair, and the protos that its method needs. It holds no
paths and no code.

    ic1:eJyrVkrOz0nV...
"""

import dataclasses
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from grpc_interop.core.case import KINDS, AnyCase, Entry, Kind, Method, Status, Step
from grpc_interop.core.endpoint import Endpoint
from grpc_interop.core.verdict import Pair
from grpc_interop.repro.packing import CASE, descriptors, pack, reading, to_bytes, to_text, unpack
from grpc_interop.schema import gate

MOST_PLAYS = 1_000
"""Plays that a text may ask for: some seconds."""


class Replay(NamedTuple):
    """A case and all that is needed to play it again."""

    case: AnyCase
    pair: Pair
    descriptor_set: bytes  # a serialised FileDescriptorSet with the method's file and all its imports
    plays: int = 1  # how often to play it: more than once for a failure that comes and goes


def encode(case: AnyCase, pair: Pair, descriptor_set: bytes, plays: int = 1) -> str:
    """Return the text for `interop replay`."""
    value = {"case": _plain(case), "pair": str(pair), "protos": to_text(descriptor_set)}
    return pack(CASE, value | ({"plays": plays} if plays > 1 else {}))


def decode(text: str) -> Replay:
    """Return the case in a text that `encode` made. Raise ReplayError."""
    value = unpack(CASE, text)
    with reading():
        client, _, server = value["pair"].partition(":")
        case = _checked(_rebuilt(value["case"]))
        return Replay(case, Pair(client, server), descriptors(value["protos"]), _plays(value.get("plays", 1)))


def _checked(case: Any) -> AnyCase:
    """Raise TypeError or ValueError for a case that no suite yields: names are shown, and numbers are worked off."""
    if not isinstance(case, AnyCase):
        raise TypeError("no case")
    if flaw := case.flaw():
        raise ValueError(flaw)
    if wrong := [name for name in case.names() if not name.isprintable() or len(name) > gate.LONGEST_NAME]:
        raise ValueError(f"the name {wrong[0]!r}")
    return case


def _plays(value: Any) -> int:
    """Raise ValueError for a number that is not reasonable: the text may come from anywhere."""
    if type(value) is not int or not 1 <= value <= MOST_PLAYS:
        raise ValueError(f"plays = {value!r}")
    return value


# ----------------------------------------------------------------------------------------------------------------------
# Cases as JSON: a value that is not text, a number or a list is an object with a single key, the name of its type
# ----------------------------------------------------------------------------------------------------------------------

_TYPES: dict[str, Any] = {kind.__name__: kind for kind in (*KINDS, Endpoint, Method, Entry, Status, *get_args(Step))}


def _plain(value: Any) -> Any:
    """Return the value for JSON. Fields that have their default are left out."""
    if isinstance(value, bytes):
        return {"bytes": to_text(value)}
    if isinstance(value, Kind):
        return {"Kind": value.value}
    if isinstance(value, frozenset):
        return {"set": sorted(value)}
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if not _is_default(value, field)}
        return {type(value).__name__: {name: _plain(field) for name, field in fields.items()}}
    if isinstance(value, Endpoint | Entry | Status):
        defaults = value._field_defaults
        fields = {name: field for name, field in value._asdict().items() if name not in defaults or field != defaults[name]}
        return {type(value).__name__: {name: _plain(field) for name, field in fields.items()}}
    if isinstance(value, tuple):
        return [_plain(element) for element in value]
    return value


def _is_default(value: Any, field: dataclasses.Field[Any]) -> bool:
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    return bool(getattr(value, field.name) == default)


def _rebuilt(value: Any) -> Any:
    """Undo `_plain`. Raise KeyError, TypeError or ValueError for JSON that it did not make."""
    if isinstance(value, list):
        return tuple(_rebuilt(element) for element in value)
    if not isinstance(value, dict):
        return value
    ((name, content),) = value.items()
    if name == "bytes":
        return to_bytes(content)
    if name == "set":
        return frozenset(content)
    if name == "Kind":
        return Kind(content)
    kind, fields = _TYPES[name], {field: _rebuilt(plain) for field, plain in content.items()}
    for field, rebuilt in fields.items():
        if not _fits(rebuilt, _hints(kind)[field]):
            raise TypeError(f"{name}.{field} = {rebuilt!r}")
    return kind(**fields)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: Any, hint: Any) -> bool:
    """Tell whether a value has the type with which a field is annotated. Numbers have 64 bits."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if origin in (tuple, frozenset):
        return isinstance(value, origin) and all(_fits(element, get_args(hint)[0]) for element in value)
    if hint is int:
        return type(value) is int and -(1 << 63) <= value < 1 << 63
    return type(value) is hint
