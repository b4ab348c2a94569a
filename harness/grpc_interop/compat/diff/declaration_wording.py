"""Differences of declarations in words, as far as no message shows them."""

from collections.abc import Iterator
from typing import TypeVar

from google.protobuf import descriptor_pb2

from grpc_interop.wire import wire_format

MOST_OF_AN_ENUM = (1 << 31) - 1
"""The greatest number that a value of an enum can have."""

Reserving = TypeVar("Reserving", descriptor_pb2.DescriptorProto, descriptor_pb2.EnumDescriptorProto)


def moved(before: str, after: str) -> list[str]:
    """Return the words for a declaration that moved to another file."""
    return [f"moved from {before} to {after}"] if before != after else []


def deprecated(before: object, after: object) -> list[str]:
    """Return the words for options of an element that deprecate it, or no longer do."""
    old, new = bool(getattr(before, "deprecated", False)), bool(getattr(after, "deprecated", False))
    return [] if old == new else ["deprecated" if new else "no longer deprecated"]


def reserved(before: Reserving, after: Reserving) -> list[str]:
    """Return the words for numbers and names that a message or an enum newly reserves, and no longer reserves. Ranges are
    compared as sets of numbers, however they are split."""
    both = ("reserved", list(_more(after, before))), ("no longer reserved", list(_more(before, after)))
    return [f"{edit} {', '.join(reservations)}" for edit, reservations in both if reservations]


def _more(proto: Reserving, other: Reserving) -> Iterator[str]:
    """Yield the reservations of a message or an enum that another does not have, as a proto writes them."""
    most = wire_format.MAX_FIELD_NUMBER if isinstance(proto, descriptor_pb2.DescriptorProto) else MOST_OF_AN_ENUM
    for start, end in _without(_taken(proto), _taken(other)):
        yield str(start) if start == end else f"{start} to {'max' if end == most else end}"
    yield from (f'"{name}"' for name in proto.reserved_name if name not in other.reserved_name)


def _taken(proto: Reserving) -> list[tuple[int, int]]:
    """Return the reserved numbers as ranges, the least first, each with its end and apart from the others."""
    # A message's ranges exclude their end, an enum's include it.
    beyond = 1 if isinstance(proto, descriptor_pb2.DescriptorProto) else 0
    merged: list[tuple[int, int]] = []
    for start, end in sorted((taken.start, taken.end - beyond) for taken in proto.reserved_range):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def _without(ranges: list[tuple[int, int]], others: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the parts of the ranges that are in none of the others."""
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
    """Yield the words for changes of a file itself: package, syntax, options."""
    if before.package != after.package:
        yield f"package {before.package or '(none)'} -> {after.package or '(none)'}"
    if (before.syntax, before.edition) != (after.syntax, after.edition):
        yield f"{_syntax(before)} -> {_syntax(after)}"
    old, new = ({field.name: value for field, value in file.options.ListFields()} for file in (before, after))
    yield from (f"option {name}" for name in {**old, **new} if old.get(name) != new.get(name))


def _syntax(file: descriptor_pb2.FileDescriptorProto) -> str:
    if file.syntax == "editions":
        return f"edition {descriptor_pb2.Edition.Name(file.edition).removeprefix('EDITION_')}"
    return file.syntax or "proto2"


def oneof_members(message: descriptor_pb2.DescriptorProto) -> dict[str, frozenset[str]]:
    """Return the members of each oneof, without the oneofs that protoc made of a proto3 `optional`."""
    members: dict[str, list[str]] = {}
    for field in message.field:
        if field.HasField("oneof_index") and not field.proto3_optional:
            members.setdefault(message.oneof_decl[field.oneof_index].name, []).append(field.name)
    return {name: frozenset(names) for name, names in members.items()}
