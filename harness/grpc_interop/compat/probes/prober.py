"""The messages that one version of a type sends to another: small ones first, each aimed at one field that has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import NamedTuple

from grpc_interop.compat.diff.anys import any_fields, is_any
from grpc_interop.compat.diff.match_fields import FieldPair, TypePair
from grpc_interop.compat.diff.match_types import field_holding
from grpc_interop.compat.probes.changed_fields import ChangedField, changed_fields, competing_fields
from grpc_interop.compat.probes.field_values import FieldValues
from grpc_interop.compat.probes.scalar_values import not_text, tagged
from grpc_interop.compat.vocabulary.observation import Version
from grpc_interop.values import well_known
from grpc_interop.values.generator import Generator
from grpc_interop.wire import wire_format
from grpc_interop.wire.records import read, write
from grpc_interop.wire.shapes import FieldShape, Shape, Shapes

MOST_OF_A_FIELD = 64
"""Probes of one changed field. An integer that becomes another needs some 25, a map of two such 45: only an enum with more
changed values than that is cut."""

MOST_OF_A_TYPE = 400
"""Probes of a type, unless it has more changed fields: then each has its first one."""

FEW = 3
"""Other fields that a field is combined with."""


class Probe(NamedTuple):
    """A message of the sender's type, `data`, aimed at the sender's field of that number (0: at the message as a whole).
    `what` says in a few words what is special about it, if it is not the field's value alone. `malformed`: it holds a
    string that is not UTF-8, in a field of which the sender's version does not demand that."""

    data: bytes
    field: int = 0
    what: str = ""
    malformed: bool = False


class Probes(NamedTuple):
    """In the order in which to send them. `cut` is how many more there would have been without the limits above."""

    probes: tuple[Probe, ...]
    cut: int


class Prober:
    """Makes probes for types of one version, the sender's, that aim at those of another, the receiver's."""

    def __init__(self, sender: Shapes, receiver: Shapes) -> None:
        self._sent = Generator(sender)
        self._options = FieldValues(self._sent, Generator(receiver))

    def probes(self, pair: TypePair, writer: Version, held: Sequence[str] = (), *, everything: bool = False) -> Probes:
        """For messages that this version writes: the same each time; none where no message of the type can exist. The
        first holds nothing but what is required. An Any holds the types `held`. `everything` adds the boundaries of what has
        not changed."""
        sender, receiver = pair.of(writer), pair.of(writer.other)
        base = self._base(sender, receiver)
        least = self._sent.least(sender)
        if base is None or least is None:
            return Probes((), 0)
        first = [Probe(least, what="nothing but what is required")]
        if (special := well_known.within(sender.special)) is not None:
            return Probes(tuple(_distinct([*first, *map(Probe, special), *self.anys(pair, writer, held)])), 0)
        differing = changed_fields(pair, writer)
        neighbour = _neighbour(sender, differing)
        aimed = [list(_distinct(self._of_field(sender, receiver, one, base, neighbour))) for one in differing]
        aimed.append(list(self.anys(pair, writer, held)))
        kept = [of_field[:MOST_OF_A_FIELD] for of_field in aimed]
        # One of each field after the other, so that a limit leaves none without.
        first += [one for turn in zip_longest(*kept) for one in turn if one is not None]
        if everything:
            first += self._of_unchanged(pair, writer, base)
        most = max(MOST_OF_A_TYPE, 1 + len(differing))
        cut = sum(map(len, aimed)) - sum(map(len, kept)) + max(0, len(first) - most)
        return Probes(tuple(_distinct(first[:most])), cut)

    def _base(self, sender: Shape, receiver: Shape) -> dict[int, bytes] | None:
        """What both sides require, as far as the sender has it: what is missing would hide everything else."""
        fields = self._sent.required(sender)
        if fields is None:
            return None
        for needed in receiver.required:
            if needed.number in sender.fields:
                fields.setdefault(needed.number, self._options.plain(sender.fields[needed.number]))
        return fields

    def _of_field(
        self, sender: Shape, receiver: Shape, one: ChangedField, base: dict[int, bytes], neighbour: FieldShape | None
    ) -> Iterator[Probe]:
        number = one.field.number
        options = self._options.of(one.field, one.receivers)
        for plain in options[:1]:
            yield Probe(_with(base, {number: plain}), number)
            if neighbour is not None:
                beside = {number: plain, neighbour.number: self._options.plain(neighbour)}
                yield Probe(_with(base, beside), number, f"beside {neighbour.name}")
            for other in islice(competing_fields(sender, receiver, one), FEW):
                # The last of two counts. The other one differs as well: among its own probes it comes first.
                yield Probe(_with(base, {}) + plain + self._options.plain(other), number, f"before {other.name}")
        for option in options[1:]:
            yield Probe(_with(base, {number: option}), number)
        if number in base and not one.field.required:
            yield Probe(_with(base, {number: b""}), number, f"without {one.field.name}")
        for content in not_text(one.field, one.receivers):
            yield Probe(_with(base, {number: tagged(one.field, content)}), number, "not UTF-8", malformed=True)

    def _of_unchanged(self, pair: TypePair, writer: Version, base: dict[int, bytes]) -> Iterator[Probe]:
        """Without what has changed: a message that is refused for that would show nothing of the rest."""
        alike = {field.number for one in pair.fields if (field := one.of(writer)) is not None and _is_alike(one, set())}
        needed = _with({number: content for number, content in base.items() if number not in alike}, {})
        for data in self._sent.boundaries(pair.of(writer)):
            rest = write(record for record in read(data) if record.number in alike)
            yield Probe(needed + rest, what="boundary values of every field that has not changed")

    def anys(self, pair: TypePair, writer: Version, held: Sequence[str]) -> Iterator[Probe]:
        """Yield messages of these types, which the receiver does not know, in every field that can hold any type."""
        sender = pair.of(writer)
        base = self._base(sender, pair.of(writer.other)) if held else None
        for name in held if base is not None else ():
            within = self._sent.boundaries(self._sent.shapes.of(name))[-1:]
            url = wire_format.tag(1, wire_format.LENGTH) + wire_format.delimited(f"type.googleapis.com/{name}".encode())
            content = url + b"".join(wire_format.tag(2, wire_format.LENGTH) + wire_format.delimited(one) for one in within)
            what = f"a {name}, which the reader does not know"
            if is_any(sender):
                yield Probe(content, what=what)
            for one in any_fields(pair):
                field = one.of(writer)
                assert field is not None and base is not None
                yield Probe(_with(base, {field.number: field_holding(field, content)}), field.number, what)


def _is_alike(one: FieldPair, competing_fields: set[int]) -> bool:
    """Whether neither the field differs nor anything within. `around` are the pairs that have been looked at."""
    if one.differs or one.inner is None or id(one.inner) in competing_fields:
        return not one.differs
    competing_fields.add(id(one.inner))
    return all(_is_alike(within, competing_fields) for within in one.inner.fields)


def _neighbour(sender: Shape, differing: Sequence[ChangedField]) -> FieldShape | None:
    """A field that has not changed: a singular scalar in no oneof."""
    unlike = {one.field.number for one in differing}
    for field in sender.ordered:
        scalar = field.inner is None and field.mapped is None and not field.repeated
        if scalar and not field.oneof and field.number not in unlike:
            return field
    return None


def _with(base: dict[int, bytes], fields: dict[int, bytes]) -> bytes:
    """The message with these fields, in the order of their numbers."""
    whole = base | fields
    return b"".join(whole[number] for number in sorted(whole))


def _distinct(probes: Iterable[Probe]) -> Iterator[Probe]:
    seen = set()
    for one in probes:
        if one.data not in seen:
            seen.add(one.data)
            yield one
