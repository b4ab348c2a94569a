"""The `messages` suite: every message type of the roots, carried from one implementation to another without an RPC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from grpc_interop.core.case import MessageCase
from grpc_interop.messages.examples import Examples
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites.protocol import Suite, SuiteOptions
from grpc_interop.values.well_known import MASKS
from grpc_interop.wire.shapes import Shapes

NAME = "messages"


class _Group(NamedTuple):
    """What a case of this name proves and how. `alike`: it is not said whether the messages are valid."""

    why: str
    json: bool = False
    alike: bool = False
    requires: tuple[str, ...] = ("transcode", "view")


_JSON = ("transcode", "json")
_UNSAYABLE = "What ProtoJSON has no text for is refused by both sides, or written as the same by both."

_GROUPS = {
    "values": _Group("Every value of every field is carried whole, in every encoding that a reader must accept."),
    "unknown_fields": _Group(
        "Fields that the type does not declare survive being read and written.", requires=("transcode", "view", "unknown_fields")
    ),
    "json": _Group("ProtoJSON that one side writes is read as the same message by the other.", json=True, requires=_JSON),
    "json_capitals": _Group(
        "The same of types with fields that are not in lower_snake_case, as are names of generated code.", json=True, requires=_JSON
    ),
    "json_equal_names": _Group(_UNSAYABLE, json=True, alike=True, requires=_JSON),
    "json_null_elements": _Group("A NullValue in a list or map passes through ProtoJSON.", json=True, requires=_JSON),
    "json_type_field": _Group(_UNSAYABLE, json=True, alike=True, requires=_JSON),
    "malformed": _Group("Bytes that are no message are refused by both sides or by neither.", alike=True, requires=("transcode",)),
    "not_utf8": _Group("Strings that are not UTF-8 are refused by both sides or by neither.", alike=True, requires=("transcode",)),
    "not_utf8_extensions": _Group(
        "Extensions that must be UTF-8 and are not are refused by both sides or by neither.", alike=True, requires=("transcode",)
    ),
    "closed_enums": _Group(
        "Numbers that a closed enum does not declare are kept as unknown fields.", requires=("transcode", "view", "unknown_fields")
    ),
    "missing_required": _Group("A message without a required field is refused by both or by neither.", alike=True, requires=("transcode",)),
    "nesting": _Group("Messages of up to 90 levels are refused by both or by neither.", alike=True, requires=("transcode",)),
    "nesting_limits": _Group("Messages nested beyond 100 levels are refused by both or by neither.", alike=True, requires=("transcode",)),
    "zero_in_empty": _Group(
        "Field number 0 in a type without fields is refused by both or by neither.", alike=True, requires=("transcode",)
    ),
    "json_float_max": _Group("The greatest float passes through ProtoJSON.", json=True, requires=_JSON),
    "json_minus_zero": _Group("-0.0 passes through ProtoJSON with its sign.", json=True, requires=_JSON),
    "json_beyond": _Group(_UNSAYABLE, json=True, alike=True, requires=_JSON),
    **{name: _Group(_UNSAYABLE, json=True, alike=True, requires=_JSON) for name in MASKS},
    "json_unset_values": _Group(_UNSAYABLE, json=True, alike=True, requires=_JSON),
}


def cases(catalog: Catalog, options: SuiteOptions) -> Iterator[MessageCase]:
    """One type after the other; of each the groups that have something to say about it."""
    shapes = Shapes(catalog)
    examples = Examples(shapes)
    for type_name in shapes.driven():
        for name in examples.names(type_name):
            group = _GROUPS[name]
            yield MessageCase(
                suite=NAME,
                name=name,
                type_name=type_name,
                json=group.json,
                alike=group.alike,
                seed=options.seed,
                count=options.count,
                why=group.why,
                requires=frozenset(group.requires),
            )


SUITE = Suite(NAME, "every message, written by one implementation and read by the other", cases)
