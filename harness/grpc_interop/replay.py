"""A case as text that works on another machine: the case, the pair, and the protos that its method needs.

    ic1:eJyrVkrOz0nV...

After the prefix, base64url of zlib of JSON. It holds no paths and no code. Bytes stand in the JSON as text with one
character per byte (latin-1): that compresses better than base64, and ASCII messages stay readable.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import re
import zlib
from typing import Any, NamedTuple, get_args

from grpc_interop.case import AnyCase, Case, Entry, Kind, MessageCase, Method, Status, Step
from grpc_interop.drivers.driver import CONTRACT
from grpc_interop.errors import UsageError
from grpc_interop.verdict import Pair

PREFIX = "ic1:"
"""`interop case`, form 1. Another form gets another number."""

FORM = re.compile(r"ic\d+:")
"""How a text of any form begins."""

ANOTHER_HARNESS = "replay it with the version of the harness that printed it"

MOST_BYTES = 256 * 1024 * 1024
"""Of the JSON. Some bytes of zlib can unpack to gigabytes, and a replay text may come from anywhere."""


MOST_FOR_A_LINE = 200_000
"""Bytes of JSON that may yet become a text of one line. What is larger goes into a file, and packing it as tightly as can
be takes a quarter of a second a megabyte, for nothing."""

MOST_PLAYS = 1_000
"""That a text may ask for: some seconds."""


class ReplayError(UsageError):
    """A text that cannot be replayed."""


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


def pack(value: dict[str, Any]) -> str:
    """A value of JSON as text for a command line."""
    plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    packed = zlib.compress(plain, 9 if len(plain) < MOST_FOR_A_LINE else 6)
    return base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def decode(text: str) -> Replay:
    """The case in a text that `encode` made; blanks and line breaks, as mails and terminals add them, do no harm.

    Raises ReplayError for a text that is cut, garbled, of another form or of another version of the driver contract.
    """
    text = "".join(text.split())
    form = FORM.match(text)
    if form and form[0] != PREFIX:
        raise ReplayError(
            f"the replay text is of another version: it begins with {form[0]}, and this harness reads {PREFIX}", ANOTHER_HARNESS
        )
    if not form:
        raise ReplayError(f"{_start(text)} is not a replay text: those begin with {PREFIX}", "copy the whole line from the report")
    value = unpack(text.removeprefix(PREFIX))
    contract = value.get("contract")
    if contract != CONTRACT:
        raise ReplayError(
            f"the replay text is of version {contract!r} of the driver contract; this harness speaks {CONTRACT}", ANOTHER_HARNESS
        )
    try:
        client, _, server = value["pair"].partition(":")
        case = _rebuilt(value["case"])
        if not isinstance(case, AnyCase):
            raise TypeError("no case")
        return Replay(case, Pair(client, server), value["protos"].encode("latin-1"), _plays(value.get("plays", 1)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReplayError(f"the replay text holds something that this version does not know: {error}", ANOTHER_HARNESS) from error


def _plays(value: Any) -> int:
    """Raises ValueError for what is no reasonable number: the text may come from anywhere."""
    if type(value) is not int or not 1 <= value <= MOST_PLAYS:
        raise ValueError(f"plays = {value!r}")
    return value


def unpack(text: str) -> dict[str, Any]:
    """What `pack` was given. Raises ReplayError for a text that is cut or garbled."""
    remedy = "copy the whole text from the report; nothing may be missing at its end"
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(packed, MOST_BYTES)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise ReplayError(f"the replay text is cut or garbled: {error}", remedy) from None
    if not unpacker.eof:
        why = "its end is missing" if len(unpacked) < MOST_BYTES else f"it unpacks to more than {MOST_BYTES:,} bytes"
        raise ReplayError(f"the replay text is cut or garbled: {why}", remedy)
    try:
        value = json.loads(unpacked)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ReplayError("the replay text is well packed but holds no case", remedy)
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # As an escape JSON can hold what no driver could be sent and no terminal shown.
        raise ReplayError("the replay text holds half a character (a lone surrogate), which no harness writes", remedy) from None
    return value


def _start(text: str) -> str:
    return repr(text if len(text) <= 30 else f"{text[:30]}…")


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
    return _TYPES[name](**{field: _rebuilt(one) for field, one in content.items()})
