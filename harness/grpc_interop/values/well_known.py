"""Values of the types that ProtoJSON writes in a form of their own: valid up to the limits, and beyond the limits."""

from google.protobuf import any_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2
from google.protobuf.message import Message

LEAST_TIME, MOST_TIME = -62_135_596_800, 253_402_300_799
"""0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z (google/protobuf/timestamp.proto)."""

MOST_SPAN = 315_576_000_000
"""Seconds of a Duration, either way: about 10,000 years (google/protobuf/duration.proto)."""

_Time, _Span, _Mask, _Value = timestamp_pb2.Timestamp, duration_pb2.Duration, field_mask_pb2.FieldMask, struct_pb2.Value


def _nested(depth: int) -> struct_pb2.Value:
    value = _Value(bool_value=True)
    for level in range(depth):
        if level % 2:
            value = _Value(struct_value=struct_pb2.Struct(fields={"": value, "\U0001f600": value}))
        else:
            value = _Value(list_value=struct_pb2.ListValue(values=[value]))
    return value


_VALUES = [
    _Value(number_value=-1.5),
    _Value(null_value=struct_pb2.NULL_VALUE),
    _Value(number_value=0),
    _Value(number_value=1e300),
    _Value(string_value=""),
    _Value(string_value="NaN \0 \U0001f600"),
    _Value(bool_value=False),
    _Value(struct_value=struct_pb2.Struct()),
    _Value(list_value=struct_pb2.ListValue()),
    _nested(4),
]

_WITHIN: dict[str, list[Message]] = {
    "Timestamp": [
        _Time(seconds=1, nanos=1),
        _Time(),
        _Time(seconds=LEAST_TIME),
        _Time(seconds=MOST_TIME, nanos=999_999_999),
        _Time(seconds=-1, nanos=999_000_000),
        _Time(seconds=951_782_400, nanos=120_000),  # a leap day
    ],
    "Duration": [
        _Span(seconds=1, nanos=1),
        _Span(),
        _Span(seconds=-MOST_SPAN, nanos=-999_999_999),
        _Span(seconds=MOST_SPAN, nanos=999_999_999),
        _Span(nanos=-1),
        _Span(seconds=-1, nanos=-500_000_000),
    ],
    "FieldMask": [_Mask(paths=["a.b_c", "user.display_name"]), _Mask(), _Mask(paths=["f"])],
    "Struct": [struct_pb2.Struct(fields={"a": _VALUES[0], "": _VALUES[1]}), struct_pb2.Struct(), _nested(4).struct_value],
    "ListValue": [struct_pb2.ListValue(values=_VALUES), struct_pb2.ListValue()],
    "Value": [*_VALUES],
    "Any": [
        # Only of its own type: examples with the other types of a tree are made elsewhere (messages/example_maker.py).
        any_pb2.Any(type_url="type.googleapis.com/google.protobuf.Any"),
        any_pb2.Any(),
    ],
}

_BEYOND: dict[str, list[Message]] = {
    "Timestamp": [
        _Time(seconds=LEAST_TIME - 1),
        _Time(seconds=MOST_TIME + 1),
        _Time(nanos=-1),
        _Time(nanos=1_000_000_000),
        _Time(seconds=-(1 << 63), nanos=-(1 << 31)),
    ],
    "Duration": [
        _Span(seconds=MOST_SPAN + 1),
        _Span(seconds=-MOST_SPAN - 1),
        _Span(seconds=1, nanos=-1),
        _Span(nanos=1_000_000_000),
        _Span(seconds=(1 << 63) - 1, nanos=(1 << 31) - 1),
    ],
    "FieldMask": [_Mask(paths=["camelCase"]), _Mask(paths=["a__b"]), _Mask(paths=["trailing_"]), _Mask(paths=["a_1"])],
    "Value": [_Value(number_value=float("nan")), _Value(number_value=float("inf")), _Value(number_value=-0.0)],
    "Any": [
        any_pb2.Any(type_url="type.googleapis.com/no.such.Type", value=b"\x08\x01"),
        any_pb2.Any(type_url="no slash", value=b""),
        any_pb2.Any(type_url="", value=b"\x08\x01"),
        any_pb2.Any(type_url="type.googleapis.com/google.protobuf.Any", value=b"\x08"),
    ],
}


_LEAST: dict[str, list[Message]] = {"Value": [_Value(bool_value=False)]}
"""No null: a field with a null can hardly be told from a field that is not set."""

MASKS: dict[str, tuple[str, tuple[tuple[str, ...], ...]]] = {
    "json_empty_paths": ("an empty path", (("",), ("a", ""))),
    "json_star_paths": ("a path with a star", (("*",), ("a.*",))),
    "json_space_paths": ("a path with a space", (("a b",), (" a",), ("a ",))),
    "json_bracket_paths": ("a path with brackets", (("a[0]",), ('a["b"]',))),
    "json_dot_paths": ("a path with an empty name", (("a..b",), (".a",), ("a.",))),
    "json_sign_paths": ("a path with another sign", (("a-b",), ("a/b",), ("a`b",))),
    "json_digit_paths": ("a path with a name that begins with a digit", (("a.1",), ("1a",))),
    "json_foreign_paths": ("a path that is not ASCII", (("ünï",), ("a.字",))),
    "json_comma_paths": ("a path with a comma", (("a,b",),)),
}
"""Paths of a FieldMask that are not names of fields with dots between them, by the name of their case: some writer of
ProtoJSON takes them as they are, and another refuses them (github.com/golang/protobuf/issues/1435). For a reader, a comma
within a path makes two paths of it."""

_UNSET_VALUES: dict[str, list[Message]] = {
    "Struct": [struct_pb2.Struct(fields={"a": _Value()})],
    "ListValue": [struct_pb2.ListValue(values=[_Value()])],
    "Value": [_Value()],
}


def within(special: str) -> list[bytes] | None:
    """Return valid values of a well-known type with limits of its own; None for any other type (wrappers have no limits)."""
    return _bytes(_WITHIN, special)


def least(special: str) -> bytes:
    """Return the smallest valid value: the empty message for all types but Value."""
    return b"".join(_bytes(_LEAST, special) or [])


def beyond(special: str) -> list[bytes]:
    """Return values that binary carries, and for which ProtoJSON has no text, or no text that is read as the same."""
    return _bytes(_BEYOND, special) or []


def masks(name: str, special: str) -> list[bytes]:
    """Return field masks for a case of MASKS, each path alone; nothing for other types."""
    return _bytes({"FieldMask": [_Mask(paths=paths) for paths in MASKS[name][1]]}, special) or []


def unset_values(special: str) -> list[bytes]:
    """Return values of no kind: some writer writes null, another refuses."""
    return _bytes(_UNSET_VALUES, special) or []


def _bytes(values: dict[str, list[Message]], special: str) -> list[bytes] | None:
    messages = values.get(special.removeprefix("google.protobuf."))
    return None if messages is None else [value.SerializeToString(deterministic=True) for value in messages]
