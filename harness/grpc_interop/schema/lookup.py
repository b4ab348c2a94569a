"""Finds a method or a message type by the name that a test uses, and builds a message from its fields or from ProtoJSON."""

import base64
import difflib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from grpc_interop.core.case import Method
from grpc_interop.errors import UsageError
from grpc_interop.output.plain_text import few
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.text import serialise

_CONFUSED = (AttributeError, OverflowError, RecursionError, TypeError, ValueError)
"""Errors that json_format raises beside its own, for wrong values and for fields that are named like its methods."""

_MOST_SHOWN = 8
"""Names that an error lists."""

_OWN_JSON = "google.protobuf."
"""The package of the well-known types, most of which have a ProtoJSON form of their own."""


def find_method(catalog: Catalog, path: str) -> Method:
    """Return the RPC `/package.Service/Method`, or the only RPC whose path ends in `path`. Raise UsageError."""
    methods = {method.path: method for method in catalog.methods()}
    return methods[_only("method", path, methods)]


def find_message_type(catalog: Catalog, name: str) -> Descriptor:
    """Return the message type of a full name, or the only type whose name ends in `name`. Raise UsageError."""
    return catalog.message(_only("message", name, catalog.every_message()))


def build_message(catalog: Catalog, name: str, given: str | Mapping[str, Any] | None, fields: Mapping[str, Any]) -> bytes:
    """Return the bytes of the message that `given` is in ProtoJSON (as text or as a dict), or that has the fields. Raise UsageError."""
    kind = find_message_type(catalog, name)
    if given is not None and fields:
        raise UsageError(f"{kind.name} is given as JSON and by its fields", "give all of it in one of the two ways")
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise UsageError(f"the JSON of a {kind.name} cannot be read: {error}") from None
    if given is None:
        given = fields
    message = message_factory.GetMessageClass(kind)()
    if not isinstance(given, Mapping) and not kind.full_name.startswith(_OWN_JSON):
        raise UsageError(f"no {kind.name} can be made of {_short(given)}: the JSON of a message is an object")
    try:
        json_format.ParseDict(_plain(kind, given), message, descriptor_pool=kind.file.pool)
    except (json_format.ParseError, *_CONFUSED) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"no {kind.name} can be made of {_short(given)}: {why}") from None
    return serialise(message)


def _only(what: str, name: str, known: Iterable[str]) -> str:
    """Return the known name that equals `name`, or the only known name that ends in it. Raise UsageError."""
    names = list(known)
    if name in names:
        return name
    matches = [full_name for full_name in names if full_name.endswith(tuple(mark + name.lstrip("/.") for mark in "/."))]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(f"several {what}s are called {name!r}: {few(matches, _MOST_SHOWN)}", "give more of the name")
    if not names:
        raise UsageError(f"the protos have no {what}s")
    endings = {ending: full_name for full_name in reversed(names) for ending in _endings(full_name)}
    near = difflib.get_close_matches(name, endings, n=3, cutoff=0.6)
    likely = dict.fromkeys(endings[ending] for ending in near)
    raise UsageError(
        f"the protos have no {what} {name!r}", f"did you mean {' or '.join(likely)}?" if likely else f"they have {few(names, _MOST_SHOWN)}"
    )


def _endings(name: str) -> Iterator[str]:
    """Yield the short forms of a name: `/p.v1.S/M`, `p.v1.S/M`, `v1.S/M`, `S/M`, `M`."""
    yield name
    for mark in re.finditer(r"[./]", name):
        yield name[mark.end() :]


def _short(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _plain(kind: Descriptor, given: Any) -> Any:
    """Return the value in the form that json_format takes. Raise UsageError for a name that no field has."""
    if kind.full_name.startswith(_OWN_JSON) or not isinstance(given, Mapping):
        return _special(given)
    # json_format itself looks up `[package.extension]` and `@type`.
    foreign = {name for name in given if isinstance(name, str) and name[:1] in ("[", "@")}
    return {name: value if name in foreign else _value(_field(kind, name), value) for name, value in given.items()}


def _field(kind: Descriptor, name: Any) -> FieldDescriptor:
    for field in kind.fields:
        if name in (field.name, field.json_name):
            return field
    names = [field.name for field in kind.fields]
    near = " or ".join(map(repr, difflib.get_close_matches(str(name), names, n=3, cutoff=0.6)))
    remedy = f"did you mean {near}?" if near else f"it has {few(names, _MOST_SHOWN)}" if names else "it has no fields"
    raise UsageError(f"{kind.name} has no field {name!r}", remedy)


def _value(field: FieldDescriptor, value: Any) -> Any:
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry and isinstance(value, Mapping):
        entry = inner.fields_by_name["value"]
        return {_key(key): _value(entry, element) for key, element in value.items()}
    if field.is_repeated and isinstance(value, (list, tuple)):
        return [_element(field, element) for element in value]
    return _element(field, value)


def _element(field: FieldDescriptor, value: Any) -> Any:
    return _special(value) if field.message_type is None else _plain(field.message_type, value)


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _special(value: Any) -> Any:
    """Return the ProtoJSON form of a value whose Python type JSON lacks: bytes, times, durations, infinities."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, timedelta):
        return f"{value // timedelta(microseconds=1) / 1_000_000:.6f}s"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
