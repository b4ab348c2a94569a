"""Probes of any edit, read by a real runtime, the harness' own: what is observed is what its reflection shows.

The rule is checked by other means than its own: fields are looked at through the runtime's messages, and a message of
which nothing bad is said must come back whole.
"""

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from google.protobuf import json_format, message_factory
from google.protobuf.message import DecodeError, Message
from hypothesis import given, settings
from hypothesis import strategies as st

from any_edit import any_edit
from grpc_interop.compat.diff.match_fields import FieldPair, TypePair
from grpc_interop.compat.diff.match_types import MatchedSchemas
from grpc_interop.compat.judge.observe import observe
from grpc_interop.compat.probes.covering import covering
from grpc_interop.compat.probes.prober import Prober
from grpc_interop.compat.vocabulary.observation import Effect, ElementOutcome, Format, OutcomeCause, Refusal, Version
from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.meaning import meaning
from grpc_interop.wire.shapes import FieldShape, Shape, Shapes
from grpc_interop.wire.view import canonical_nans

BAD = {ElementOutcome.LOST, ElementOutcome.ALTERED, ElementOutcome.REJECTED}


class Told(NamedTuple):
    """One exchange: the writer's message, the reader's or None where it refused, and what was observed."""

    written: Message
    read: Message | None
    format: Format
    seen: list[Effect]


class Edited:
    """Two versions of M, and the exchanges of all probes of it in both formats."""

    def __init__(self, folder: Path, old: str, new: str) -> None:
        texts = {Version.BASE: old, Version.HEAD: new}
        self.shapes = {version: _shapes(folder, version, text) for version, text in texts.items()}
        self.schemas = MatchedSchemas(self.shapes[Version.BASE], self.shapes[Version.HEAD])
        self.pair = self.schemas.pair("t.M", "t.M")

    def differing(self) -> set[str]:
        """The elements that differ, enum values among them."""
        fields = [one for pair in self.schemas.types for one in pair.aims]
        return {one.element for one in fields} | {value.element for one in fields for value in one.values if value.differs}

    def exchanges(self, writer: Version) -> Iterator[Told]:
        mine, theirs = self.shapes[writer], self.shapes[writer.other]
        found = [(one.data, one.field) for one in Prober(mine, theirs).probes(self.pair, writer).probes]
        found += [(data, 0) for data in covering(mine, self.pair, writer)]
        for data, number in found:
            aimed = self.pair.field(writer, number).element if number else ""
            written = _message(mine).FromString(data)
            for carried in (Format.BINARY, Format.JSON):
                read: Message | Refusal
                try:
                    read = _carried(written, _message(theirs), carried)
                except (DecodeError, json_format.ParseError) as error:
                    read = Refusal(str(error))
                sent = _meant(self.pair.of(writer), written)
                received = read if isinstance(read, Refusal) else _meant(self.pair.of(writer.other), read)
                seen = observe(self.pair, writer, writer.other, carried, sent, received, aimed)
                yield Told(written, read if isinstance(read, Message) else None, carried, seen)


def _shapes(folder: Path, version: Version, text: str) -> Shapes:
    root = folder / version
    root.mkdir()
    (root / "a.proto").write_text(text)
    return Shapes(Catalog.load([root], [], folder / "cache"))


def _message(shapes: Shapes) -> type[Message]:
    return message_factory.GetMessageClass(shapes.catalog.message("t.M"))


def _carried(message: Message, reader: type[Message], carried: Format) -> Message:
    if carried is Format.BINARY:
        return reader.FromString(message.SerializeToString())
    return json_format.Parse(json_format.MessageToJson(message), reader(), ignore_unknown_fields=True)


def _meant(shape: Shape, message: Message) -> object:
    return canonical_nans(shape, meaning(shape, message.SerializeToString()))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return (tmp_path_factory.mktemp("edit") for _ in iter(int, 1))


@settings(deadline=None, max_examples=15, derandomize=True)
@given(seed=st.integers(0, 1 << 32))
def test_what_is_observed_of_any_edit_is_what_the_readers_reflection_shows(folders: Iterator[Path], seed: int) -> None:
    """
    No element is blamed that does not differ, unless a oneof took it along; every refusal is of an element; a number or a
    text is said to be lost or altered if and only if it reads otherwise; and where nothing bad is said, nothing is gone.
    """
    edited = Edited(next(folders), *any_edit(random.Random(seed)))
    differing = edited.differing()
    for writer in Version:
        for told in edited.exchanges(writer):
            bad = [one for one in told.seen if one.outcome in BAD]
            assert [one for one in bad if one.element not in differing and one.cause is not OutcomeCause.ONEOF] == []
            if told.read is None:
                assert bad != []
                continue
            for one in edited.pair.fields:
                _check_scalar(one, writer, told)
            if not bad and told.format is Format.BINARY and _comes_back(edited.pair, writer):
                shape, back = edited.pair.of(writer), type(told.written).FromString(told.read.SerializeToString())
                assert _meant(shape, back) == _meant(shape, told.written)


def _check_scalar(one: FieldPair, writer: Version, told: Told) -> None:
    """Of a number or text that both versions have by the same name and number."""
    mine, theirs = one.of(writer), one.of(writer.other)
    assert told.read is not None
    if mine is None or theirs is None or not (_is_plain(mine) and _is_plain(theirs)):
        return
    if (mine.name, mine.number) != (theirs.name, theirs.number):
        return
    (set_before, before), (set_after, after) = _read(mine, told.written), _read(theirs, told.read)
    if set_before and not before and not mine.presence:
        return  # -0.0, which is written and is zero all the same: to an integer nothing is missing
    same = (set_before is set_after and _alike(before, after)) or not (set_before or set_after)
    said = {seen.outcome for seen in told.seen if seen.element == one.element} - {ElementOutcome.PRESERVED, ElementOutcome.RENAMED}
    assert (said == set()) is same, (one.element, told)


def _is_plain(field: FieldShape) -> bool:
    return not field.repeated and field.inner is None and field.mapped is None and field.enum is None


def _read(field: FieldShape, message: Message) -> tuple[bool, int | float | bytes]:
    """Whether the field is set, or would be written, and its value, text as its bytes."""
    value = getattr(message, field.name)
    there = message.HasField(field.name) if field.presence else any(one.name == field.name for one, _ in message.ListFields())
    return there, value.encode() if isinstance(value, str) else value


def _alike(before: float | bytes, after: float | bytes) -> bool:
    """As mathematics: 1 is 1.0, and two NaNs are alike; of two floating-point zeros the sign counts."""
    if isinstance(before, float) and isinstance(after, float):
        if math.isnan(before) or math.isnan(after):
            return math.isnan(before) and math.isnan(after)
        return before == after and math.copysign(1, before) == math.copysign(1, after)
    return before == after


def _comes_back(pair: TypePair, writer: Version) -> bool:
    """Whether what arrives unharmed can be read by its writer again: not a number that has become a packed list, nor one
    that another encoding happens to read as the same (a bool of a zigzag), nor texts and entries that hold messages."""
    return all(
        mine is None
        or theirs is None
        or (mine.repeated, mine.type, mine.mapped is None) == (theirs.repeated, theirs.type, theirs.mapped is None)
        for one in pair.fields
        for mine, theirs in ((one.of(writer), one.of(writer.other)),)
    )
