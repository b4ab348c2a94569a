"""The cases of the `messages` suite by name, and the examples of each."""

import random
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from grpc_interop.core.case import AnyCase, MessageCase
from grpc_interop.core.tags import tags_of
from grpc_interop.messages.example_maker import DEEPER, GENERAL_TAGS, TOO_DEEP, Example, ExampleMaker, tagged
from grpc_interop.values import malformed, well_known
from grpc_interop.values.encodings import WAYS
from grpc_interop.values.json_unrepresentable import Unrepresentable
from grpc_interop.wire.byte_lru import OVERHEAD, ByteLru
from grpc_interop.wire.shapes import Shape, Shapes

DEFAULT_COUNT = 10
"""Random messages in a case, unless a run asks for more: with the boundaries they take a few milliseconds."""

MOST_KEPT = 32 * 1024 * 1024
"""Bytes of examples that are kept for the next pair. A slow pair may be many cases behind the others: as many as wait for their
drivers (256) or are in flight, with some 10 to 100 KiB each. With only 64 cases kept, the examples of nine pairs were made
three times."""

MOST_TAGS_KEPT = 4 * 1024 * 1024
"""Bytes of tags that are kept for the next pair: enough for 16,000 cases."""


class Group(NamedTuple):
    """A group of examples, and the way in which a case asks about them. The case has the group's name."""

    why: str  # the claim that the case proves, for the reader of a report
    make: Callable[[ExampleMaker, Shape, random.Random, int], Iterator[Example]]
    """Makes the examples of a type, with as many random messages as the last argument says."""
    tags: tuple[str, ...] = ()  # tags of every example in the group
    json: bool = False  # the messages are carried as ProtoJSON
    alike: bool = False  # both sides have to agree whether a message is valid; either answer will do
    keeps_unknown: bool = False  # the messages hold fields that their type does not declare

    @property
    def requires(self) -> frozenset[str]:
        """The capabilities that a driver needs for such a case."""
        form = ["json"] if self.json else [] if self.alike else ["view"]
        return frozenset({"transcode", *form, *(["unknown_fields"] if self.keeps_unknown else [])})


class Examples:
    """Makes the examples of a catalog's cases."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.maker = ExampleMaker(shapes)
        self._kept: ByteLru[MessageCase, tuple[Example, ...]] = ByteLru(MOST_KEPT)
        self._tag_sets: ByteLru[MessageCase, frozenset[frozenset[str]]] = ByteLru(MOST_TAGS_KEPT)

    @staticmethod
    def can_make(case: AnyCase) -> bool:
        """Return whether the case needs no examples, holds them, or has the name of a group that makes them."""
        return not isinstance(case, MessageCase) or bool(case.examples) or case.name in GROUPS

    def of(self, case: MessageCase) -> Iterable[Example]:
        """Return the examples that the case holds itself, or else the examples of its group, in the same order each time."""
        if case.examples:
            tags = frozenset(GROUPS[case.name].tags) if case.name in GROUPS else frozenset()
            return [Example(data, "", tags=tags) for data in case.examples]
        return self._made(case) if case.count <= DEFAULT_COUNT else self._make(case)

    def tag_sets(self, case: AnyCase) -> Iterable[frozenset[str]]:
        """Return the tags of a case; for a case of messages, a set of tags for each sort of example that it has."""
        if not isinstance(case, MessageCase):
            return (tags_of(case),)
        tag_sets = self._tag_sets.get(case)
        if tag_sets is None:
            tag_sets = self._keep_tags(case, self.of(case))
        return [tags_of(case) | tags for tags in tag_sets]

    def _keep_tags(self, case: MessageCase, examples: Iterable[Example]) -> frozenset[frozenset[str]]:
        tag_sets = frozenset(example.tags for example in examples)
        self._tag_sets.put(case, tag_sets, 0)
        return tag_sets

    def _made(self, case: MessageCase) -> tuple[Example, ...]:
        made = self._kept.get(case)
        if made is None:
            made = tuple(self._make(case))
            self._kept.put(case, made, sum(len(example.data) + OVERHEAD for example in made))
            self._keep_tags(case, made)
        return made

    def _make(self, case: MessageCase) -> Iterator[Example]:
        shape, group = self.shapes.of(case.type_name), GROUPS[case.name]
        chance = random.Random(f"{case.seed}/{case.name}/{case.type_name}")
        for example in group.make(self.maker, shape, chance, case.count or DEFAULT_COUNT):
            yield example._replace(tags=example.tags.union(group.tags)) if group.tags else example

    def names(self, type_name: str) -> list[str]:
        """Return the names of the cases that have an example of this type; none where no message of it can exist."""
        shape = self.shapes.of(type_name)
        if self.maker.generator.least(shape) is None:
            return []
        return [name for name, group in GROUPS.items() if next(group.make(self.maker, shape, random.Random(name), 1), None) is not None]


_json, _either = partial(Group, json=True), partial(Group, alike=True)
_json_either = partial(_json, "What ProtoJSON has no text for is refused by both sides, or written as the same by both.", alike=True)


def _mask_group(name: str) -> Group:
    """Return the group of a case with paths in a FieldMask."""
    what, masks = well_known.MASKS[name][0], partial(well_known.masks, name)
    tags = ("mask_path", name.removeprefix("json_").removesuffix("s"))
    return _json_either(lambda maker, shape, *_: maker.of_well_known(shape, masks, f"with {what}"), tags)


GROUPS: dict[str, Group] = {
    "values": Group("Every value of every field is carried whole, in every encoding that a reader must accept.", ExampleMaker.values),
    "unknown_fields": Group(
        "Fields that the type does not declare survive being read and written.",
        ExampleMaker.unknown_fields,
        ("undeclared_field",),
        keeps_unknown=True,
    ),
    "json": _json(
        "ProtoJSON that one side writes is read as the same message by the other.", partial(ExampleMaker.in_json, capitals=False)
    ),
    "json_capitals": _json(
        "The same of types with fields that are not in lower_snake_case, as are names of generated code.",
        partial(ExampleMaker.in_json, capitals=True),
        ("capitals",),
    ),
    "json_equal_names": _json_either(lambda maker, shape, *_: maker.unrepresentable(shape, Unrepresentable.ONE_NAME), ("equal_names",)),
    "json_null_elements": _json(
        "A NullValue in a list or map passes through ProtoJSON.",
        lambda maker, shape, *_: maker.unrepresentable(shape, Unrepresentable.NULL_ELEMENT),
        ("null_element",),
    ),
    "json_type_field": _json_either(lambda maker, shape, *_: maker.unrepresentable(shape, Unrepresentable.TYPE_FIELD), ("type_field",)),
    "malformed": _either(
        "Bytes that are no message are refused by both sides or by neither.",
        lambda maker, shape, *_: maker.malformed(shape),
        ("malformed",),
    ),
    "not_utf8": _either(
        "Strings that are not UTF-8 are refused by both sides or by neither.",
        lambda maker, shape, *_: maker.not_utf8(shape, extensions=False),
        ("not_utf8",),
    ),
    "not_utf8_extensions": _either(
        "Extensions that must be UTF-8 and are not are refused by both sides or by neither.",
        lambda maker, shape, *_: maker.not_utf8(shape, extensions=True),
        ("not_utf8", "extension"),
    ),
    "closed_enums": Group(
        "Numbers that a closed enum does not declare are kept as unknown fields.",
        lambda maker, shape, *_: maker.closed_enums(shape),
        ("closed_enum",),
        keeps_unknown=True,
    ),
    "missing_required": _either(
        "A message without a required field is refused by both or by neither.",
        lambda maker, shape, *_: maker.missing_required(shape),
        ("missing_required",),
    ),
    "nesting": _either(
        "Messages of up to 90 levels are refused by both or by neither.", lambda maker, shape, *_: maker.nested(shape, DEEPER)
    ),
    "nesting_limits": _either(
        "Messages nested beyond 100 levels are refused by both or by neither.",
        lambda maker, shape, *_: maker.nested(shape, TOO_DEEP),
        ("beyond_100_levels",),
    ),
    "zero_in_empty": _either(
        "Field number 0 in a type without fields is refused by both or by neither.",
        lambda maker, shape, *_: iter(()) if shape.can_hold else maker.number_zero(b""),
        ("empty_type",),
    ),
    "json_float_max": _json(
        "The greatest float passes through ProtoJSON.",
        lambda maker, shape, *_: maker.representable(shape, maker.greatest_floats(shape)),
        ("float_max",),
    ),
    "json_minus_zero": _json(
        "-0.0 passes through ProtoJSON with its sign.",
        lambda maker, shape, *_: maker.representable(shape, maker.minus_zeros(shape)),
        ("minus_zero",),
    ),
    "json_beyond": _json_either(
        lambda maker, shape, *_: maker.of_well_known(shape, well_known.beyond, "beyond what ProtoJSON can say"), ("beyond_json",)
    ),
    **{name: _mask_group(name) for name in well_known.MASKS},
    "json_unset_values": _json_either(
        lambda maker, shape, *_: maker.of_well_known(shape, well_known.unset_values, "with a value of no kind"), ("unset_value",)
    ),
}
"""The cases of the `messages` suite by name, in the order in which they run."""

TAGS = GENERAL_TAGS.union(*(group.tags for group in GROUPS.values()), *map(tagged, (*WAYS, *malformed.FAULTS)))
"""All tags that an example may have."""
