"""How what a file declares differs, in words: all that no message shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from google.protobuf import descriptor_pb2

Reserving = TypeVar("Reserving", descriptor_pb2.DescriptorProto, descriptor_pb2.EnumDescriptorProto)


def moved(before: str, after: str) -> list[str]:
    """Of what a file declares."""
    return [f"moved from {before} to {after}"] if before != after else []


def deprecated(before: object, after: object) -> list[str]:
    """Of anything, by its options."""
    old, new = bool(getattr(before, "deprecated", False)), bool(getattr(after, "deprecated", False))
    return [] if old == new else ["deprecated" if new else "no longer deprecated"]


def reserved(before: Reserving, after: Reserving) -> list[str]:
    """What a message or an enum keeps from being used again."""
    old, new = _taken(before), _taken(after)
    told = [("reserved", [one for one in new if one not in old]), ("no longer reserved", [one for one in old if one not in new])]
    return [f"{what} {', '.join(which)}" for what, which in told if which]


def _taken(proto: Reserving) -> list[str]:
    """Reserved numbers and names, as they stand in a proto."""
    # A message's ranges end before their end, an enum's with it.
    beyond = 1 if isinstance(proto, descriptor_pb2.DescriptorProto) else 0
    found = []
    for taken in proto.reserved_range:
        last = taken.end - beyond
        found.append(str(taken.start) if taken.start == last else f"{taken.start} to {last}")
    return found + [f'"{name}"' for name in proto.reserved_name]


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
