"""Messages from a version of a type to the other version: small messages first, each aimed at a changed field."""

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
"""Probes of a changed field. An integer that becomes another type needs some 25, a map of two such types 45: the limit only
cuts an enum with more changed values."""

MOST_OF_A_TYPE = 400
"""Probes of a type, unless it has more changed fields: then each has its first probe."""

FEW = 3
"""Other fields that a field is combined with."""


class Probe(NamedTuple):
    """A message of the sender's type, aimed at a field."""

    data: bytes
    field: int = 0  # the sender's field that it aims at; 0 for the message as a whole
    what: str = ""  # a few words about the message, if it is special in more than the field's value
    malformed: bool = False  # whether it has a string that is not UTF-8, in a field where the sender's version does not check it


class Probes(NamedTuple):
    """The probes of a type."""

    probes: tuple[Probe, ...]  # in the order in which to send them
    cut: int  # how many more there would have been without the limits above


class Prober:
    """Makes probes of the sender's types that aim at the receiver's types."""

    def __init__(self, sender: Shapes, receiver: Shapes) -> None:
        self._sent = Generator(sender)
        self._values = FieldValues(self._sent, Generator(receiver))

    def probes(self, pair: TypePair, writer: Version, held: Sequence[str] = (), *, everything: bool = False) -> Probes:
        """Return the probes of messages that this version writes, always the same; none where no message of the type can exist.
        The first probe has only the required fields. An Any holds the types `held`. `everything` adds boundary values of
        unchanged fields."""
        sender, receiver = pair.of(writer), pair.of(writer.other)
        base = self._base(sender, receiver)
        least = self._sent.least(sender)
        if base is None or least is None:
            return Probes((), 0)
        first = [Probe(least, what="only the required fields")]
        if (special := well_known.within(sender.special)) is not None:
            return Probes(tuple(_distinct([*first, *map(Probe, special), *self.any_probes(pair, writer, held)])), 0)
        differing = changed_fields(pair, writer)
        neighbour = _neighbour(sender, differing)
        aimed = [list(_distinct(self._of_field(sender, receiver, changed, base, neighbour))) for changed in differing]
        aimed.append(list(self.any_probes(pair, writer, held)))
        kept = [of_field[:MOST_OF_A_FIELD] for of_field in aimed]
        # The fields take turns, so that a limit leaves no field without a probe.
        first += [probe for turn in zip_longest(*kept) for probe in turn if probe is not None]
        if everything:
            first += self._of_unchanged(pair, writer, base)
        most = max(MOST_OF_A_TYPE, 1 + len(differing))
        cut = sum(map(len, aimed)) - sum(map(len, kept)) + max(0, len(first) - most)
        return Probes(tuple(_distinct(first[:most])), cut)

    def _base(self, sender: Shape, receiver: Shape) -> dict[int, bytes] | None:
        """Return the fields that either side requires, as far as the sender has them: a missing field would hide all other effects."""
        fields = self._sent.required(sender)
        if fields is None:
            return None
        for needed in receiver.required:
            if needed.number in sender.fields:
                fields.setdefault(needed.number, self._values.plain(sender.fields[needed.number]))
        return fields

    def _of_field(
        self, sender: Shape, receiver: Shape, changed: ChangedField, base: dict[int, bytes], neighbour: FieldShape | None
    ) -> Iterator[Probe]:
        field, number = changed.field, changed.field.number
        values = self._values.of(field, changed.receivers)
        for plain in values[:1]:
            yield Probe(_with(base, {number: plain}), number)
            if neighbour is not None:
                beside = {number: plain, neighbour.number: self._values.plain(neighbour)}
                yield Probe(_with(base, beside), number, f"beside {neighbour.name}")
            for other in islice(competing_fields(sender, receiver, changed), FEW):
                # Readers keep the last of two. The other field differs as well, and comes first among its own probes.
                yield Probe(_with(base, {}) + plain + self._values.plain(other), number, f"before {other.name}")
        for value in values[1:]:
            yield Probe(_with(base, {number: value}), number)
        if number in base and not field.required:
            yield Probe(_with(base, {number: b""}), number, f"without {field.name}")
        for content in not_text(field, changed.receivers):
            yield Probe(_with(base, {number: tagged(field, content)}), number, "not UTF-8", malformed=True)

    def _of_unchanged(self, pair: TypePair, writer: Version, base: dict[int, bytes]) -> Iterator[Probe]:
        """Yield boundary values without the changed fields: a message that is refused for a change would show nothing of the rest."""
        alike = {field.number for both in pair.fields if (field := both.of(writer)) is not None and _is_alike(both, set())}
        needed = _with({number: content for number, content in base.items() if number not in alike}, {})
        for data in self._sent.boundaries(pair.of(writer)):
            rest = write(record for record in read(data) if record.number in alike)
            yield Probe(needed + rest, what="boundary values of every unchanged field")

    def any_probes(self, pair: TypePair, writer: Version, held: Sequence[str]) -> Iterator[Probe]:
        """Yield messages of these types, which the receiver does not know, in every field that can hold any type."""
        sender = pair.of(writer)
        base = self._base(sender, pair.of(writer.other)) if held else None
        for name in held if base is not None else ():
            within = self._sent.boundaries(self._sent.shapes.of(name))[-1:]
            url = wire_format.tag(1, wire_format.LENGTH) + wire_format.delimited(f"type.googleapis.com/{name}".encode())
            content = url + b"".join(wire_format.tag(2, wire_format.LENGTH) + wire_format.delimited(message) for message in within)
            what = f"a {name}, which the reader does not know"
            if is_any(sender):
                yield Probe(content, what=what)
            for both in any_fields(pair):
                field = both.of(writer)
                assert field is not None and base is not None
                yield Probe(_with(base, {field.number: field_holding(field, content)}), field.number, what)


def _is_alike(field: FieldPair, visited: set[int]) -> bool:
    """Return whether the field and everything in it are equal in both versions. `visited` holds the ids of visited type pairs."""
    if field.differs or field.inner is None or id(field.inner) in visited:
        return not field.differs
    visited.add(id(field.inner))
    return all(_is_alike(within, visited) for within in field.inner.fields)


def _neighbour(sender: Shape, differing: Sequence[ChangedField]) -> FieldShape | None:
    """Return an unchanged field: a singular scalar in no oneof."""
    unlike = {changed.field.number for changed in differing}
    for field in sender.ordered:
        scalar = field.inner is None and field.mapped is None and not field.repeated
        if scalar and not field.oneof and field.number not in unlike:
            return field
    return None


def _with(base: dict[int, bytes], fields: dict[int, bytes]) -> bytes:
    """Return the message with these fields, in the order of their numbers."""
    whole = base | fields
    return b"".join(whole[number] for number in sorted(whole))


def _distinct(probes: Iterable[Probe]) -> Iterator[Probe]:
    seen = set()
    for probe in probes:
        if probe.data not in seen:
            seen.add(probe.data)
            yield probe
