"""How what a file declares differs, in words: all that no message shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from google.protobuf import descriptor_pb2

from grpc_interop.wire import wire_format

MOST_OF_AN_ENUM = (1 << 31) - 1
"""The greatest number that a value of an enum can have."""

Reserving = TypeVar("Reserving", descriptor_pb2.DescriptorProto, descriptor_pb2.EnumDescriptorProto)


def moved(before: str, after: str) -> list[str]:
    """Of what a file declares."""
    return [f"moved from {before} to {after}"] if before != after else []


def deprecated(before: object, after: object) -> list[str]:
    """Of anything, by its options."""
    old, new = bool(getattr(before, "deprecated", False)), bool(getattr(after, "deprecated", False))
    return [] if old == new else ["deprecated" if new else "no longer deprecated"]


def reserved(before: Reserving, after: Reserving) -> list[str]:
    """Return what a message or an enum keeps from being used again, and no longer keeps: ranges are sets of numbers, however
    they are split."""
    told = ("reserved", list(_more(after, before))), ("no longer reserved", list(_more(before, after)))
    return [f"{what} {', '.join(which)}" for what, which in told if which]


def _more(proto: Reserving, other: Reserving) -> Iterator[str]:
    """Yield what a message or an enum reserves and another does not, as it stands in a proto."""
    most = wire_format.MAX_FIELD_NUMBER if isinstance(proto, descriptor_pb2.DescriptorProto) else MOST_OF_AN_ENUM
    for start, end in _without(_taken(proto), _taken(other)):
        yield str(start) if start == end else f"{start} to {'max' if end == most else end}"
    yield from (f'"{name}"' for name in proto.reserved_name if name not in other.reserved_name)


def _taken(proto: Reserving) -> list[tuple[int, int]]:
    """Return the reserved numbers as ranges, the least first, each with its end and apart from the others."""
    # A message's ranges end before their end, an enum's with it.
    beyond = 1 if isinstance(proto, descriptor_pb2.DescriptorProto) else 0
    merged: list[tuple[int, int]] = []
    for start, end in sorted((taken.start, taken.end - beyond) for taken in proto.reserved_range):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def _without(ranges: list[tuple[int, int]], others: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what is in the ranges and in none of the others."""
    for start, end in ranges:
        rest = start
        for first, last in others:
            if first <= end and last >= rest:
                if first > rest:
                    yield rest, first - 1
                rest = last + 1
        if rest <= end:
            yield rest, end


def file_words(before: descriptor_pb2.FileDescriptorProto, after: descriptor_pb2.FileDescriptorProto) -> Iterator[str]:
    """Of a file itself: package, syntax, options."""
    if before.package != after.package:
        yield f"package {before.package or '(none)'} -> {after.package or '(none)'}"
    if (before.syntax, before.edition) != (after.syntax, after.edition):
        yield f"{_syntax(before)} -> {_syntax(after)}"
    old, new = ({field.name: value for field, value in one.options.ListFields()} for one in (before, after))
    yield from (f"option {name}" for name in {**old, **new} if old.get(name) != new.get(name))


def _syntax(file: descriptor_pb2.FileDescriptorProto) -> str:
    if file.syntax == "editions":
        return f"edition {descriptor_pb2.Edition.Name(file.edition).removeprefix('EDITION_')}"
    return file.syntax or "proto2"


def oneof_members(message: descriptor_pb2.DescriptorProto) -> dict[str, frozenset[str]]:
    """The members of each oneof, without those that protoc made of a proto3 `optional`."""
    members: dict[str, list[str]] = {}
    for one in message.field:
        if one.HasField("oneof_index") and not one.proto3_optional:
            members.setdefault(message.oneof_decl[one.oneof_index].name, []).append(one.name)
    return {name: frozenset(names) for name, names in members.items()}
