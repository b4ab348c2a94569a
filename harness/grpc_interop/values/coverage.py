"""Which fields the passed cases carried: for each pair, RPC and direction, every field that its messages can reach.

A field counts as carried when a message that the other side was promised, and saw, held it with a value other than its
default; a field with presence counts when it was set. Memory grows with pairs, RPCs and fields, not with cases.
"""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.core.case import Cancel, Case, Lane, Method, Receive, ReceiveToEnd, Script, Send, WaitForTermination, steps
from grpc_interop.core.verdict import Pair
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.reach import branches, is_map, name, tree
from grpc_interop.schema.text import set_fields
from grpc_interop.values.scalars import non_default

FieldKey = tuple[str, int]
"""A field: the full name of its type, and its number."""


class Uncovered(NamedTuple):
    """Fields that no passed case carried, by full name, in one direction (`request` or `response`) of an RPC."""

    client: str
    server: str
    method: str
    direction: str
    fields: tuple[str, ...]


class Coverage:
    """Takes the passed cases of a run. Not thread-safe."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._fields: dict[str, dict[FieldKey, str]] = {}
        self._missing: dict[tuple[Pair, str, str], set[FieldKey]] = {}

    def add(self, case: Case, pair: Pair) -> None:
        """Count the messages of a case that passed on the pair: each side saw everything that the model promises."""
        for direction, type_name, script, other in (
            ("request", case.method.request, case.client, case.server),
            ("response", case.method.response, case.server, case.client),
        ):
            missing = self._missing_of(pair, case.method, direction, type_name)
            if not missing:
                continue
            for message in _promised(case, script, other):
                missing -= self.carried(type_name, message)

    def uncovered(self, pairs: Collection[Pair], methods: Collection[Method]) -> Iterator[Uncovered]:
        """Yield the fields that are still missing on these pairs, in these methods."""
        for method in methods:
            for direction, type_name in (("request", method.request), ("response", method.response)):
                names = self.reachable(type_name)
                for pair in pairs:
                    missing = self._missing_of(pair, method, direction, type_name)
                    if missing:
                        fields = tuple(names[key] for key in names if key in missing)
                        yield Uncovered(pair.client, pair.server, method.path, direction, fields)

    def reachable(self, type_name: str) -> dict[FieldKey, str]:
        """Return every field that a message of the type can hold, at any depth: its full name, by type and number."""
        if type_name not in self._fields:
            self._fields[type_name] = {
                _key(field): name(field) for branch in branches(tree(self._catalog, type_name)) for field in branch.fields
            }
        return self._fields[type_name]

    def carried(self, type_name: str, message: bytes) -> set[FieldKey]:
        """Return the fields that a message holds, at any depth, with a value other than their default."""
        return set(_carried(self._catalog.parse(type_name, message)))

    def _missing_of(self, pair: Pair, method: Method, direction: str, type_name: str) -> set[FieldKey]:
        key = (pair, method.path, direction)
        if key not in self._missing:
            self._missing[key] = set(self.reachable(type_name))
        return self._missing[key]


def _key(field: Field) -> FieldKey:
    assert field.containing_type is not None
    return field.containing_type.full_name, field.number


def _carried(message: Any) -> Iterator[FieldKey]:
    for field, value in set_fields(message):
        inner = field.message_type
        if inner is None:
            values = value if field.is_repeated else [value]
            if any(element != field.default_value for element in values) or non_default(field) == field.default_value:
                yield _key(field)
            continue
        yield _key(field)
        if is_map(field):
            values = value.values() if inner.fields_by_number[2].message_type is not None else ()
        else:
            values = value if field.is_repeated else [value]
        for element in values:
            yield from _carried(element)


def _promised(case: Case, script: Script, other: Script) -> Iterator[bytes]:
    """Yield the messages of a side's script that the other side surely receives: a termination may cut messages off."""
    if case.timeout_us is not None or any(isinstance(step, (Cancel, WaitForTermination)) for step in (*steps(script), *steps(other))):
        return
    sent: Lane = tuple(step for step in steps(script) if isinstance(step, Send))
    whole = any(isinstance(step, ReceiveToEnd) for step in steps(other))
    received = len(sent) if whole else sum(isinstance(step, Receive) for step in steps(other))
    yield from (step.message for step in sent[:received] if isinstance(step, Send))
