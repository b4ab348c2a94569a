"""Our own reader of ProtoJSON (protobuf.dev/programming-guides/json): a text as the meaning of a message.

Texts are equal if their meanings are equal: `1`, `"1"` and `1.0` in an integer field, `"RED"` and `0` in an enum field,
0, 3, 6 or 9 digits of a second's fraction.
"""

import base64
import json
import re
import struct
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.wire.meaning import Content, Meaning, SingleValue, Value, map_elements, meaning
from grpc_interop.wire.records import NotWireError
from grpc_interop.wire.shapes import FLOATING, TEXTS, FieldShape, Shape, Shapes
from grpc_interop.wire.view import NAN_32, NAN_64, canonical_nans


class NotProtoJson(ValueError):
    """The text is not valid ProtoJSON of the type; the text of the error says why."""


class JsonNumber(str):
    """A JSON number as it was written: a float would lose digits of a 64-bit integer."""

    __slots__ = ()


class Named(int):
    """The number of an enum value, equal to the plain number, with the name by which it was written."""

    name: str

    def __new__(cls, number: int, name: str) -> "Named":
        named = super().__new__(cls, number)
        named.name = name
        return named


class ProtoJson:
    """Reads ProtoJSON of a catalog's types, and reduces messages to their ProtoJSON part."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes

    def read(self, shape: Shape, text: str) -> Meaning:
        """Return the meaning of a text. Raise NotProtoJson."""
        try:
            value = json.loads(text, parse_int=JsonNumber, parse_float=JsonNumber, parse_constant=_refuse, object_pairs_hook=_object)
            return self._message(shape, value)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise NotProtoJson(str(error) or type(error).__name__) from None

    def kept(self, shape: Shape, message: Meaning) -> Meaning:
        """Return the ProtoJSON part of a message: no unknown fields, canonical NaNs, the message in an Any."""
        return self._kept(shape, canonical_nans(shape, message))

    def _kept(self, shape: Shape, message: Meaning) -> Meaning:
        if shape.special == "google.protobuf.Any":
            return self._kept_any(message)
        return Meaning({number: self._kept_value(shape.fields[number], value) for number, value in message.fields.items()}, [])

    def _kept_value(self, field: FieldShape, value: Value) -> Value:
        inner = field.inner or (field.mapped.inner if field.mapped else None)
        if inner is None:
            return value
        return map_elements(value, lambda element: self._kept(inner, element) if isinstance(element, Meaning) else element)

    def _kept_any(self, message: Meaning) -> Meaning:
        url, content = message.fields.get(1), message.fields.get(2, b"")
        if not isinstance(url, bytes) or not isinstance(content, bytes):
            return Meaning(dict(message.fields), [])
        try:
            shape = self._shapes.of(url.decode().rpartition("/")[2])
            kept = self.kept(shape, meaning(shape, content))
            return Meaning({1: url, 2: Content(kept.fields, [], shape)}, [])
        except (KeyError, NotWireError, UnicodeDecodeError):
            return Meaning(dict(message.fields), [])

    def _message(self, shape: Shape, value: Any) -> Meaning:
        if shape.special:
            return Meaning(self._special(shape, value), [])
        if not isinstance(value, dict):
            raise NotProtoJson(f"{value!r} is not a valid {shape.name}")
        return Meaning(self._fields(shape, value), [])

    def _fields(self, shape: Shape, value: dict[str, Any]) -> dict[int, Value]:
        names = shape.json_names
        fields: dict[int, Value] = {}
        for name, element in value.items():
            if name not in names:
                raise NotProtoJson(f"{shape.name} has no field {name!r}")
            field = names[name]
            if element is None and not _takes_null(field):
                continue
            read = self._field(field, element)
            if field.presence or read or isinstance(read, Meaning):
                fields[field.number] = read
        return fields

    def _field(self, field: FieldShape, value: Any) -> Value:
        if field.mapped is not None and field.key is not None:
            key, mapped = field.key, field.mapped
            return {self._key(key, name): self._element(mapped, element) for name, element in value.items()}
        if field.repeated:
            if not isinstance(value, list):
                raise NotProtoJson(f"{value!r} is not a list for {field.name}")
            return [self._element(field, element) for element in value]
        return self._element(field, value)

    def _key(self, field: FieldShape, name: str) -> int | bytes:
        if field.type == Field.TYPE_BOOL:
            return int(_of_name({"true": True, "false": False}, name, "a bool that is a key"))
        return name.encode() if field.type == Field.TYPE_STRING else int(name)

    def _element(self, field: FieldShape, value: Any) -> SingleValue:
        if field.inner is not None:
            return self._message(field.inner, value)
        return _scalar(field, value)

    def _special(self, shape: Shape, value: Any) -> dict[int, Value]:
        name = shape.special.rpartition(".")[2]
        if name == "Any":
            return self._any(value)
        if name in _READ_SPECIAL:
            return _READ_SPECIAL[name](value)
        if name == "Struct" and (mapped := shape.fields[1].mapped):
            return _present({1: {key.encode(): self._message(mapped.message, element) for key, element in value.items()}})
        if name == "ListValue":
            return _present({1: [self._message(shape.fields[1].message, element) for element in value]})
        if name == "Value":
            return self._value(shape, value)
        wrapped = _scalar(shape.fields[1], value)
        return {1: wrapped} if wrapped else {}

    def _value(self, shape: Shape, value: Any) -> dict[int, Value]:
        if value is None:
            return {1: 0}
        if isinstance(value, bool):
            return {4: int(value)}
        if isinstance(value, dict):
            return {5: self._message(shape.fields[5].message, value)}
        if isinstance(value, list):
            return {6: self._message(shape.fields[6].message, value)}
        if isinstance(value, JsonNumber):
            return {2: _double(value)}
        return {3: value.encode()}

    def _any(self, value: Any) -> dict[int, Value]:
        if not value:
            return {}
        if not isinstance(value, dict):
            raise NotProtoJson(f"{value!r} is not a valid Any")
        shape = self._type_of(url := _of_name(value, "@type", "an Any"))
        if shape.special or (shape.name == "google.protobuf.Empty" and "value" in value):
            content = self._message(shape, _of_name(value, "value", f"the Any of a {shape.name}"))
        else:
            content = self._message(shape, {key: element for key, element in value.items() if key != "@type"})
        return {1: url.encode(), 2: Content(content.fields, [], shape)}

    def _type_of(self, url: Any) -> Shape:
        """Return the type that the @type of an Any names."""
        if not isinstance(url, str) or isinstance(url, JsonNumber):
            raise NotProtoJson(f"the @type of an Any is {url}, which is not a type name")
        try:
            return self._shapes.of(url.rpartition("/")[2])
        except KeyError:
            raise NotProtoJson(f"the @type of an Any is {url!r}, which the protos do not have") from None


def _of_name(table: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in table:
        raise NotProtoJson(f"{what} has no {name!r}")
    return table[name]


def _present(fields: dict[int, Value]) -> dict[int, Value]:
    return {number: value for number, value in fields.items() if value}


def _refuse(constant: str) -> Any:
    raise NotProtoJson(f"{constant} is not valid JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotProtoJson("an object has the same name twice")
    return value


def _takes_null(field: FieldShape) -> bool:
    """Return whether null is a value of the field: in a Value, and in the enum NullValue."""
    of_value = field.inner is not None and field.inner.special == "google.protobuf.Value"
    return of_value or (field.enum is not None and field.enum.is_null)


# -- scalars -----------------------------------------------------------------------------------------------------------


def _scalar(field: FieldShape, value: Any) -> int | bytes:
    if field.enum is not None:
        if value is None and field.enum.is_null:
            return 0
        if isinstance(value, JsonNumber):
            return int(value)
        return Named(_of_name(field.enum.names, value, f"the enum of {field.name}"), value)
    if field.type == Field.TYPE_BOOL:
        if not isinstance(value, bool):
            raise NotProtoJson(f"{value!r} is not a bool for {field.name}")
        return int(value)
    if field.type in TEXTS:
        if not isinstance(value, str) or isinstance(value, JsonNumber):
            raise NotProtoJson(f"{value!r} is not text for {field.name}")
        return value.encode() if field.type == Field.TYPE_STRING else _base64(value)
    if field.type in FLOATING:
        return _single(value) if field.type == Field.TYPE_FLOAT else _double(value)
    return _integer(value)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if number != int(number):
            raise NotProtoJson(f"{text!r} is not an integer") from None
        return int(number)


_NOT_FINITE = {"NaN": (NAN_32, NAN_64), "Infinity": (0x7F800000, 0x7FF0 << 48), "-Infinity": (0xFF800000, 0xFFF0 << 48)}
"""By name: the bits of a float and of a double."""


def _single(text: str) -> int:
    if text in _NOT_FINITE:
        return _NOT_FINITE[text][0]
    return int.from_bytes(struct.pack("<f", float(text)), "little")


def _double(text: str) -> int:
    if text in _NOT_FINITE:
        return _NOT_FINITE[text][1]
    return int.from_bytes(struct.pack("<d", float(text)), "little")


def _base64(text: str) -> bytes:
    """Decode base64: standard or URL-safe, with or without padding."""
    plain = text.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


_TIMESTAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_DURATION = re.compile(r"(-?)(\d+)(?:\.(\d{1,9}))?s")
_EPOCH = date(1970, 1, 1).toordinal()


def _timestamp(text: str) -> dict[int, Value]:
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        raise NotProtoJson(f"{text!r} is not a valid timestamp")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    seconds = (date(year, month, day).toordinal() - _EPOCH) * 86_400 + hour * 3600 + minute * 60 + second
    zone = match[8]
    if zone != "Z":
        offset = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
        seconds += offset if zone[0] == "-" else -offset
    return _present({1: seconds, 2: _nanos(match[7])})


def _duration(text: str) -> dict[int, Value]:
    match = _DURATION.fullmatch(text)
    if not match:
        raise NotProtoJson(f"{text!r} is not a valid duration")
    sign = -1 if match[1] else 1
    return _present({1: sign * int(match[2]), 2: sign * _nanos(match[3])})


def _nanos(digits: str | None) -> int:
    return int((digits or "0").ljust(9, "0"))


def _field_mask(text: str) -> dict[int, Value]:
    paths = text.split(",") if text else []
    return _present({1: [re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", path).encode() for path in paths]})


_READ_SPECIAL: dict[str, Callable[[str], dict[int, Value]]] = {"Timestamp": _timestamp, "Duration": _duration, "FieldMask": _field_mask}
