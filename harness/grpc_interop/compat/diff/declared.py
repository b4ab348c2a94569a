"""The declarations in a version's files, and where they are."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Generic, NamedTuple, TypeVar

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)

from grpc_interop.compat.vocabulary.result import SourceLocation
from grpc_interop.schema.catalog import Catalog

Proto = TypeVar("Proto")

ElementLines = Callable[[str], Mapping[str, int]]
"""Gives, by a file's name, the line of each of its elements, as source_lines.py names them; empty where it is not known."""


class Declaration(NamedTuple, Generic[Proto]):
    """A definition: its descriptor, and its file."""

    proto: Proto
    file: str


class Declared:
    """All that a catalog's files declare, by full name; map entries left out. `own` are the roots' files; imported files are
    read as well."""

    def __init__(self, catalog: Catalog, lines: ElementLines) -> None:
        self.own = frozenset(catalog.files)
        self.files = {file.name: file for file in catalog.file_protos}
        self.messages: dict[str, Declaration[DescriptorProto]] = {}
        self.enums: dict[str, Declaration[EnumDescriptorProto]] = {}
        self.services: dict[str, Declaration[ServiceDescriptorProto]] = {}
        self.extensions: dict[str, Declaration[FieldDescriptorProto]] = {}
        self._lines = cache(lines)
        for file in catalog.file_protos:
            scope = f"{file.package}." if file.package else ""
            self._add(scope, file.name, file, file.message_type)
            self.services |= {scope + proto.name: Declaration(proto, file.name) for proto in file.service}

    def _add(self, scope: str, file: str, holder: FileDescriptorProto | DescriptorProto, messages: Iterable[DescriptorProto]) -> None:
        self.enums |= {scope + proto.name: Declaration(proto, file) for proto in holder.enum_type}
        self.extensions |= {scope + proto.name: Declaration(proto, file) for proto in holder.extension}
        for message in messages:
            if not message.options.map_entry:
                self.messages[scope + message.name] = Declaration(message, file)
                self._add(f"{scope}{message.name}.", file, message, message.nested_type)

    def elements(self) -> Iterator[tuple[str, str]]:
        """Yield the full name of each service, message, enum and extension, and its file."""
        for kind in (self.services, self.messages, self.enums, self.extensions):
            yield from ((name, declaration.file) for name, declaration in kind.items())

    # -- where ---------------------------------------------------------------------------------------------------------

    def of(self, name: str) -> SourceLocation | None:
        """Return the location of a message, enum, service or extension (`[p.extension]`) by its full name."""
        declaration = self.messages.get(name) or self.enums.get(name) or self.services.get(name) or self.extensions.get(name.strip("[]"))
        return self._location(declaration.file, name) if declaration else None

    def of_member(self, holder: str, name: str) -> SourceLocation | None:
        """Return the location of a message's field or oneof, of an enum's value, or of a service's RPC (`/name`)."""
        declaration = self.messages.get(holder) or self.enums.get(holder) or self.services.get(holder)
        return self._location(declaration.file, holder + (name if name.startswith("/") else f".{name}")) if declaration else None

    def _location(self, file: str, element: str) -> SourceLocation:
        return SourceLocation(file, self._lines(file).get(element, 0))
