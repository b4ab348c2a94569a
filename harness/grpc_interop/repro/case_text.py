"""A case as text that works on another machine: the case, the pair, and the protos that its method needs.

    ic1:eJyrVkrOz0nV...

After the prefix, base64url of zlib of JSON. It holds no paths and no code. Bytes stand in the JSON as text with one
character per byte (latin-1): that compresses better than base64, and ASCII messages stay readable.
"""

from __future__ import annotations

import dataclasses
import re
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from grpc_interop.core.case import AnyCase, Case, Entry, Kind, MessageCase, Method, Status, Step
from grpc_interop.core.verdict import Pair
from grpc_interop.drivers.driver import CONTRACT
from grpc_interop.repro.packing import ReplayError, pack, unpack, without_blanks
from grpc_interop.schema import gate

PREFIX = "ic1:"
"""`interop case`, form 1. Another form gets another number."""

BETWEEN_VERSIONS = "iv1:"
"""How the texts of `interop compat` begin, which are read in compat/replaying.py."""

FORM = re.compile(r"ic\d+:")
"""How a text of any form begins."""

ANOTHER_HARNESS = "replay it with the version of the harness that printed it"

MOST_PLAYS, MOST_EXAMPLES = 1_000, 100_000
"""Plays, and random messages of a case, that a text may ask for: some seconds."""

PLAYERS = ("drivers", "programs")


class Replay(NamedTuple):
    """`descriptor_set`: a serialised FileDescriptorSet with the method's file and all that it imports. `plays`: how often
    it is played to be sure, more than once for a failure that comes and goes."""

    case: AnyCase
    pair: Pair
    descriptor_set: bytes
    plays: int = 1


def encode(case: AnyCase, pair: Pair, descriptor_set: bytes, plays: int = 1) -> str:
    """The text for `interop replay`: ASCII without blanks, safe in a shell."""
    value = {"contract": CONTRACT, "case": _plain(case), "pair": str(pair), "protos": descriptor_set.decode("latin-1")}
    if plays > 1:
        value["plays"] = plays
    return PREFIX + pack(value)


def decode(text: str) -> Replay:
    """The case in a text that `encode` made; blanks and line breaks, as mails and terminals add them, do no harm.

    Raises ReplayError for a text that is cut, garbled, of another form or of another version of the driver contract.
    """
    text = without_blanks(text)
    form = FORM.match(text)
    if form and form[0] != PREFIX:
        raise ReplayError(
            f"the replay text is of another version: it begins with {form[0][:30]}, and this harness reads {PREFIX}", ANOTHER_HARNESS
        )
    if not form:
        raise ReplayError(
            f"{_start(text)} is not a replay text: those begin with {PREFIX} or {BETWEEN_VERSIONS}", "copy the whole line from the report"
        )
    value = unpack(text.removeprefix(PREFIX))
    contract = value.get("contract")
    if contract != CONTRACT:
        raise ReplayError(
            f"the replay text is of version {_start(contract)} of the driver contract; this harness speaks {CONTRACT}", ANOTHER_HARNESS
        )
    try:
        client, _, server = value["pair"].partition(":")
        case = _checked(_rebuilt(value["case"]))
        return Replay(case, Pair(client, server), let_in(value["protos"]), _plays(value.get("plays", 1)))
    except gate.NotAdmitted as fault:
        raise ReplayError(f"the replay text {fault}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = gate.shown(str(error))
        raise ReplayError(f"the replay text holds something that this version does not know: {what}", ANOTHER_HARNESS) from error


def let_in(protos: str) -> bytes:
    """The descriptor set of a text, with a character per byte. Raises gate.NotAdmitted, or ValueError where it is none."""
    content = protos.encode("latin-1")
    gate.read(content)
    return content


def _checked(case: Any) -> AnyCase:
    """Raises TypeError or ValueError for what no suite yields: names are shown, and numbers are worked off."""
    if not isinstance(case, AnyCase):
        raise TypeError("no case")
    names = [case.suite, case.name]
    if isinstance(case, Case):
        names += [case.method.service, case.method.name, case.method.request, case.method.response, case.compression]
        if case.player not in PLAYERS:
            raise ValueError(f"player = {case.player!r}")
    else:
        names.append(case.type_name)
        if not 0 <= case.count <= MOST_EXAMPLES:
            raise ValueError(f"count = {case.count}")
    if wrong := [name for name in names if not name.isprintable() or len(name) > gate.LONGEST_NAME]:
        raise ValueError(f"the name {wrong[0]!r}")
    return case


def _plays(value: Any) -> int:
    """Raises ValueError for what is no reasonable number: the text may come from anywhere."""
    if type(value) is not int or not 1 <= value <= MOST_PLAYS:
        raise ValueError(f"plays = {value!r}")
    return value


def _start(text: Any) -> str:
    """What is shown of a part of a text."""
    return gate.shown(text) if isinstance(text, str) else gate.shown(repr(text))[1:-1]


# ----------------------------------------------------------------------------------------------------------------------
# Cases as JSON: whatever is not text, a number or a list is an object with one key, its type's name
# ----------------------------------------------------------------------------------------------------------------------

_TYPES: dict[str, Any] = {kind.__name__: kind for kind in (Case, MessageCase, Method, Entry, Status, *get_args(Step))}


def _plain(value: Any) -> Any:
    """The value for JSON. Fields that have their default are left out."""
    if isinstance(value, bytes):
        return {"bytes": value.decode("latin-1")}
    if isinstance(value, Kind):
        return {"Kind": value.value}
    if isinstance(value, frozenset):
        return {"set": sorted(value)}
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if not _is_default(value, field)}
        return {type(value).__name__: {name: _plain(one) for name, one in fields.items()}}
    if isinstance(value, Entry | Status):
        defaults = value._field_defaults
        fields = {name: one for name, one in value._asdict().items() if name not in defaults or one != defaults[name]}
        return {type(value).__name__: {name: _plain(one) for name, one in fields.items()}}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _is_default(value: Any, field: dataclasses.Field[Any]) -> bool:
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    return bool(getattr(value, field.name) == default)


def _rebuilt(value: Any) -> Any:
    """What `_plain` was given. Raises KeyError, TypeError or ValueError for what it did not make."""
    if isinstance(value, list):
        return tuple(_rebuilt(one) for one in value)
    if not isinstance(value, dict):
        return value
    ((name, content),) = value.items()
    if name == "bytes":
        return content.encode("latin-1")
    if name == "set":
        return frozenset(content)
    if name == "Kind":
        return Kind(content)
    kind, fields = _TYPES[name], {field: _rebuilt(one) for field, one in content.items()}
    for field, one in fields.items():
        if not _fits(one, _hints(kind)[field]):
            raise TypeError(f"{name}.{field} = {one!r}")
    return kind(**fields)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the type with which a field is annotated; numbers have 64 bits."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if origin in (tuple, frozenset):
        return isinstance(value, origin) and all(_fits(one, get_args(hint)[0]) for one in value)
    if hint is int:
        return type(value) is int and -(1 << 63) <= value < 1 << 63
    return type(value) is hint
