"""Edits of a message M at random: what a person might do to a few fields, and to the types that they hold."""

from dataclasses import dataclass, replace
from random import Random

SCALARS = "int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool float double string bytes".split()
TYPES = [*SCALARS, "E", "F", "O", "R"]
KEYS = [*SCALARS[:11], "string"]
LABELS = ("", "", "optional ", "repeated ", "map")
IN_ONEOF, EDITED_TYPES = 0.3, 0.5
"""How many of the singular fields are arms of a oneof, and how many edits change what the fields hold."""

ENUM = "enum E { E0 = 0; E1 = 1; E2 = 2; }"
ENUMS = (
    "enum E { E0 = 0; E1 = 1; }",
    "enum E { E0 = 0; E2 = 1; E1 = 2; }",
    "enum E { option allow_alias = true; E0 = 0; E1 = 1; EX = 1; E2 = 2; E3 = 3; }",
    "enum E { E0 = 0; E1 = 1; E2 = 7; }",
    "enum E { E5 = 0; E1 = 1; E2 = 2; }",
    "enum E { E1 = 0; E0 = 1; E2 = 2; }",
)
HELD = "message O { optional int32 x = 1; repeated string y = 2; O o = 3; }"
HELDS = (
    "message O { int32 x = 1; repeated string y = 2; O o = 3; }",
    "message O { optional int64 x = 1; string y = 2; O o = 3; }",
    "message O { optional int32 x = 4; repeated bytes y = 2; O o = 3; }",
    "message O { repeated string y = 2; repeated O o = 3; }",
    "message O { oneof q { int32 x = 1; O o = 3; } repeated string y = 2; }",
)
ALIKE = "enum F { F0 = 0; E_1 = 1; F5 = 5; } message R { string key = 1; int32 value = 2; E e = 3; }"


@dataclass(frozen=True)
class _Field:
    label: str
    type: str
    name: str
    number: int
    arm: bool

    def __str__(self) -> str:
        return f"{'' if self.arm else self.label}{self.type} {self.name} = {self.number};"


def any_edit(chance: Random) -> tuple[str, str]:
    """The text of both versions, proto3, package t."""
    fields = [_any_field(chance, number) for number in chance.sample(range(1, 9), chance.randint(1, 4))]
    edited, enum, held = fields, ENUM, HELD
    if chance.random() < EDITED_TYPES:
        enum, held = chance.choice(ENUMS), chance.choice(HELDS)
    else:
        for _ in range(chance.choice((1, 1, 2))):
            edited = _edited(chance, edited)
    return _text(fields, ENUM, HELD), _text(edited, enum, held)


def _any_field(chance: Random, number: int) -> _Field:
    label, kind = chance.choice(LABELS), chance.choice(TYPES)
    if label == "map":
        return _Field("", f"map<{chance.choice(KEYS)}, {kind}>", f"f{number}", number, arm=False)
    return _Field(label, kind, f"f{number}", number, arm=not label and chance.random() < IN_ONEOF)


def _edited(chance: Random, fields: list[_Field]) -> list[_Field]:
    if not fields:
        return [_any_field(chance, 1)]
    one = chance.choice(fields)
    rest = [other for other in fields if other is not one]
    number = chance.randint(1, 9)
    other = next((other for other in rest if other.number == number), None)
    changed = {
        "type": [replace(_any_field(chance, one.number), name=one.name)],
        "name": [replace(one, name=f"g{one.number}")],
        "number": [replace(one, number=number)],
        "gone": [],
        "new": [one, *([] if other or number == one.number else [replace(_any_field(chance, number), name=f"h{number}")])],
        "oneof": [replace(one, arm=not one.arm and one.label == "" and not one.type.startswith("map"))],
    }
    kind = chance.choice([*changed])
    if kind == "number" and other is not None:
        rest = [replace(each, number=one.number) if each is other else each for each in rest]
    return [*rest, *changed[kind]]


def _text(fields: list[_Field], enum: str, held: str) -> str:
    arms = " ".join(str(one) for one in fields if one.arm)
    body = " ".join(str(one) for one in fields if not one.arm) + (f" oneof some {{ {arms} }}" if arms else "")
    return f'syntax = "proto3"; package t; message M {{ {body} }} {enum} {held} {ALIKE}'
