"""Two versions of a proto, and what is seen of a message that one writes and the other reads: in this process, with the
harness' own reader in the place of a runtime."""

from pathlib import Path
from typing import Any

from google.protobuf import json_format, message_factory, text_format
from google.protobuf.message import DecodeError, Message

from grpc_interop.compat.diff.match_types import MatchedSchemas
from grpc_interop.compat.judge.observe import attributed, observe
from grpc_interop.compat.vocabulary.observation import Effect, ElementOutcome, Flow, Format, Refusal, Version
from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.meaning import Meaning, complete, meaning
from grpc_interop.wire.protojson import ProtoJson
from grpc_interop.wire.records import NotWireError
from grpc_interop.wire.shapes import Shape, Shapes
from grpc_interop.wire.view import canonical_nans

OLD_TO_NEW, NEW_TO_OLD = Flow.OLD_TO_NEW, Flow.NEW_TO_OLD
Told = dict[str, ElementOutcome]


def compiled(folder: Path, files: dict[str, str]) -> Catalog:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return Catalog.load([folder], [], folder.parent / "cache")


class TwoVersions:
    """Messages are given in text format, of type `t.M` unless named."""

    def __init__(self, base: Catalog, head: Catalog) -> None:
        self.shapes = {Version.BASE: Shapes(base), Version.HEAD: Shapes(head)}
        self.schemas = MatchedSchemas(self.shapes[Version.BASE], self.shapes[Version.HEAD])

    def written(self, version: Version, text: str, type_name: str) -> bytes:
        return bytes(text_format.Parse(text, self._class(version, type_name)()).SerializePartialToString())

    def meant(self, version: Version, text: str, type_name: str) -> Meaning:
        """What a message in text format means."""
        shape = self.shapes[version].of(type_name)
        return canonical_nans(shape, meaning(shape, self.written(version, text, type_name)))

    def _class(self, version: Version, type_name: str) -> type[Message]:
        return message_factory.GetMessageClass(self.shapes[version].catalog.message(type_name))

    def binary(self, flow: Flow, text: str | bytes, type_name: str = "t.M", to_type: str = "") -> list[Effect]:
        """What is seen of a message in binary, given in text format or as bytes."""
        data = text if isinstance(text, bytes) else self.written(flow.writer, text, type_name)
        return self._seen(flow, data, type_name, to_type or type_name)

    def _seen(self, flow: Flow, data: bytes, type_name: str, to_type: str) -> list[Effect]:
        names = (type_name, to_type) if flow is OLD_TO_NEW else (to_type, type_name)
        pair = self.schemas.pair(*names)
        mine = pair.of(flow.writer)
        sent = canonical_nans(mine, meaning(mine, data))
        found = observe(pair, flow.writer, flow.reader, Format.BINARY, sent, self._read(pair.of(flow.reader), data))
        control = observe(pair, flow.writer, flow.writer, Format.BINARY, sent, self._read(mine, data))
        return attributed(found, control)

    def _read(self, shape: Shape, data: bytes) -> Meaning | Refusal:
        """As a runtime that demands what is required."""
        try:
            read = meaning(shape, data)
        except NotWireError as error:
            return Refusal(str(error))
        return canonical_nans(shape, read) if complete(shape, read) else Refusal("not complete")

    def json(self, flow: Flow, text: str, type_name: str = "t.M", *, zeros: bool = False, carried: Format = Format.JSON) -> list[Effect]:
        """What is seen of a message in ProtoJSON, as Python's runtime writes and reads it."""
        message = text_format.Parse(text, self._class(flow.writer, type_name)())
        own_names = carried is Format.PROTO_NAMES
        written = json_format.MessageToJson(message, always_print_fields_with_no_presence=zeros, preserving_proto_field_name=own_names)
        return self.json_text(flow, written, type_name, carried)

    def json_text(self, flow: Flow, text: str, type_name: str = "t.M", carried: Format = Format.JSON) -> list[Effect]:
        pair = self.schemas.pair(type_name, type_name)
        sent = ProtoJson(self.shapes[flow.writer]).read(pair.of(flow.writer), text)
        received: Meaning | Refusal
        try:
            empty = self._class(flow.reader, type_name)()
            pool: Any = empty.DESCRIPTOR.file.pool
            read = json_format.Parse(text, empty, ignore_unknown_fields=carried is not Format.STRICT_JSON, descriptor_pool=pool)
            there = self._read(pair.of(flow.reader), read.SerializePartialToString())
            received = there if isinstance(there, Refusal) else ProtoJson(self.shapes[flow.reader]).kept(pair.of(flow.reader), there)
        except (json_format.ParseError, DecodeError) as error:
            received = Refusal(str(error))
        return observe(pair, flow.writer, flow.reader, carried, sent, received)


def outcomes(seen: list[Effect]) -> Told:
    """By element, without what is preserved; of several the worst."""
    order = list(ElementOutcome)
    told: Told = {}
    for one in seen:
        if one.outcome is not ElementOutcome.PRESERVED:
            told[one.element] = max(told.get(one.element, one.outcome), one.outcome, key=order.index)
    return told
