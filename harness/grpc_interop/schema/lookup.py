"""What a person asks for by name in a test: a method, a message type, and a message by its fields or as ProtoJSON."""

from __future__ import annotations

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
"""What json_format raises beside its own errors, of values and of fields that are called like its methods."""

_MOST_SHOWN = 8
"""Names in a message for people."""

_OWN_JSON = "google.protobuf."
"""Well-known types, most of which ProtoJSON writes in a form of their own."""


def find_method(catalog: Catalog, path: str) -> Method:
    """Return the RPC `/package.Service/Method`, or the only one that ends so. Raise UsageError."""
    methods = {method.path: method for method in catalog.methods()}
    return methods[_only("method", path, methods)]


def find_message_type(catalog: Catalog, name: str) -> Descriptor:
    """Return the message type of that full name, or the only one that ends so. Raise UsageError."""
    return catalog.message(_only("message", name, _every_type(catalog)))


def build_message(catalog: Catalog, name: str, given: str | Mapping[str, Any] | None, fields: Mapping[str, Any]) -> bytes:
    """Return the bytes of a message: `given` as ProtoJSON (as text or as a dict), or by its fields. Raise UsageError."""
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


# -- names -------------------------------------------------------------------------------------------------------------


def _only(what: str, name: str, known: Iterable[str]) -> str:
    """Return the one of the known names that is this one or ends in it. Raise UsageError."""
    names = list(known)
    if name in names:
        return name
    found = [one for one in names if one.endswith(tuple(mark + name.lstrip("/.") for mark in "/."))]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"several {what}s are called {name!r}: {few(found, _MOST_SHOWN)}", "give more of the name")
    if not names:
        raise UsageError(f"the protos have no {what}s")
    endings = {ending: one for one in reversed(names) for ending in _endings(one)}
    near = difflib.get_close_matches(name, endings, n=3, cutoff=0.6)
    likely = dict.fromkeys(endings[ending] for ending in near)
    raise UsageError(
        f"the protos have no {what} {name!r}", f"did you mean {_or(likely)}?" if likely else f"they have {few(names, _MOST_SHOWN)}"
    )


def _endings(name: str) -> Iterator[str]:
    """Yield what a person may call it: `/p.v1.S/M` is `p.v1.S/M`, `v1.S/M`, `S/M`, `M` and itself."""
    yield name
    for mark in re.finditer(r"[./]", name):
        yield name[mark.end() :]


def _every_type(catalog: Catalog) -> Iterator[str]:
    """Yield the full names of all message types, those of imported files included."""
    for file in catalog.file_descriptors:
        yield from _names(file.message_types_by_name.values())


def _names(messages: Iterable[Descriptor]) -> Iterator[str]:
    for message in messages:
        if not message.GetOptions().map_entry:
            yield message.full_name
            yield from _names(message.nested_types)


def _or(names: Iterable[str]) -> str:
    return " or ".join(names)


def _short(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 80 else f"{text[:80]}…"


# -- values ------------------------------------------------------------------------------------------------------------


def _plain(kind: Descriptor, given: Any) -> Any:
    """Return the value as json_format takes it, each field known. Raise UsageError for a name that no field has."""
    if kind.full_name.startswith(_OWN_JSON) or not isinstance(given, Mapping):
        return _special(given)
    return {name: _value(_field(kind, name), value) if _is_field(name) else value for name, value in given.items()}


def _is_field(name: Any) -> bool:
    """Return whether the name is a field's own: `[package.extension]` and `@type` are json_format's to find."""
    return not (isinstance(name, str) and name[:1] in ("[", "@"))


def _field(kind: Descriptor, name: Any) -> FieldDescriptor:
    found = next((field for field in kind.fields if name in (field.name, field.json_name)), None)
    if found is not None:
        return found
    names = [field.name for field in kind.fields]
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.6)
    remedy = f"did you mean {_or(map(repr, near))}?" if near else f"it has {few(names, _MOST_SHOWN)}" if names else "it has no fields"
    raise UsageError(f"{kind.name} has no field {name!r}", remedy)


def _value(field: FieldDescriptor, value: Any) -> Any:
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry and isinstance(value, Mapping):
        entry = inner.fields_by_name["value"]
        return {_key(key): _value(entry, one) for key, one in value.items()}
    if field.is_repeated and isinstance(value, (list, tuple)):
        return [_one(field, one) for one in value]
    return _one(field, value)


def _one(field: FieldDescriptor, value: Any) -> Any:
    return _special(value) if field.message_type is None else _plain(field.message_type, value)


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _special(value: Any) -> Any:
    """Return as ProtoJSON what Python has types for and JSON has not: bytes, times, spans of time, infinities."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, timedelta):
        return f"{value // timedelta(microseconds=1) / 1_000_000:.6f}s"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
