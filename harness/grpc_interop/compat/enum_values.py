"""What should become of an enum's value between two versions of the enum."""

from __future__ import annotations

from typing import NamedTuple

from grpc_interop.compat.observation import Format, Outcome, Version
from grpc_interop.compat.pairing import ValuePair
from grpc_interop.protos.shapes import Enum


class Fate(NamedTuple):
    """What the rule says of one value. `number` is what must arrive where the outcome is good, else None; `label` is the
    name by which it went; `now` what the reader calls the number, empty for nothing. `declared`: either version declares
    it."""

    outcome: Outcome
    number: int | None
    label: str = ""
    now: str = ""
    declared: bool = True


def fate(value: int, writer: Enum, reader: Enum, carried: Format) -> Fate:
    """Of a value that was sent as `carried`: binary carries the number, JSON the first of the names."""
    names = [label for label, number in writer.names.items() if number == value]
    there = [label for label, number in reader.names.items() if number == value]
    if not names:
        return Fate(Outcome.PRESERVED, value, declared=bool(there))
    known = [label for label in names if label in reader.names]
    if carried is not Format.BINARY:
        return _by_name(names, there, known, reader)
    if any(label in there for label in known):
        return Fate(Outcome.PRESERVED, value, next(label for label in known if label in there))
    if not known:
        return Fate(Outcome.RENAMED, value, names[0], there[0]) if there else Fate(Outcome.IGNORED, None, names[0])
    return Fate(Outcome.ALTERED, None, known[0], there[0]) if there else Fate(Outcome.LOST, None, known[0])


def _by_name(names: list[str], there: list[str], known: list[str], reader: Enum) -> Fate:
    if names[0] in reader.names:
        return Fate(Outcome.PRESERVED, reader.names[names[0]], names[0])
    if known:
        return Fate(Outcome.IGNORED, None, names[0])
    return Fate(Outcome.LOST if there else Outcome.IGNORED, None, names[0], there[0] if there else "")


def element_of(values: tuple[ValuePair, ...], label: str, version: Version) -> ValuePair | None:
    """The element that a version's name of a value is of."""
    for one in values:
        if one.name == label and (one.base if version is Version.BASE else one.head) is not None:
            return one
    return next((one for one in values if version is Version.HEAD and one.now == label), None)
