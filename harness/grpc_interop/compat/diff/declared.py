"""The declarations in a version's files, and where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Generic, NamedTuple, TypeVar

from google.protobuf import descriptor_pb2

from grpc_interop.compat.vocabulary.result import SourceLocation
from grpc_interop.schema.catalog import Catalog

Proto = TypeVar("Proto")

ElementLines = Callable[[str], Mapping[str, int]]
"""Gives, by a file's name, the line of each of its elements, as source_lines.py names them; empty where it is not known."""


class Declaration(NamedTuple, Generic[Proto]):
    """One definition: its descriptor, and its file."""

    proto: Proto
    file: str


class Declared:
    """All that a catalog's files declare, by full name; map entries left out. `own` are the roots' files; imported files are
    read as well."""

    def __init__(self, catalog: Catalog, lines: ElementLines) -> None:
        self.own = frozenset(catalog.files)
        self.files = {file.name: file for file in catalog.file_protos}
        self.messages: dict[str, Declaration[descriptor_pb2.DescriptorProto]] = {}
        self.enums: dict[str, Declaration[descriptor_pb2.EnumDescriptorProto]] = {}
        self.services: dict[str, Declaration[descriptor_pb2.ServiceDescriptorProto]] = {}
        self.extensions: dict[str, Declaration[descriptor_pb2.FieldDescriptorProto]] = {}
        self._lines = cache(lines)
        for file in catalog.file_protos:
            scope = f"{file.package}." if file.package else ""
            self._add(scope, file.name, file.message_type, file.enum_type, file.extension)
            self.services |= {scope + proto.name: Declaration(proto, file.name) for proto in file.service}

    def _add(
        self,
        scope: str,
        file: str,
        messages: Iterable[descriptor_pb2.DescriptorProto],
        enums: Iterable[descriptor_pb2.EnumDescriptorProto],
        extensions: Iterable[descriptor_pb2.FieldDescriptorProto],
    ) -> None:
        self.enums |= {scope + proto.name: Declaration(proto, file) for proto in enums}
        self.extensions |= {scope + proto.name: Declaration(proto, file) for proto in extensions}
        for message in messages:
            if not message.options.map_entry:
                self.messages[scope + message.name] = Declaration(message, file)
                self._add(f"{scope}{message.name}.", file, message.nested_type, message.enum_type, message.extension)

    def elements(self) -> Iterator[tuple[str, str]]:
        """Yield the full name of each service, message, enum and extension, and its file."""
        for kind in (self.services, self.messages, self.enums, self.extensions):
            yield from ((name, declaration.file) for name, declaration in kind.items())

    # -- where ---------------------------------------------------------------------------------------------------------

    def of_file(self, name: str) -> SourceLocation:
        return SourceLocation(name, 1)

    def of(self, name: str) -> SourceLocation | None:
        """Return the location of a message, enum or service by its full name."""
        declaration = self.messages.get(name) or self.enums.get(name) or self.services.get(name)
        return self._location(declaration.file, name) if declaration else None

    def of_extension(self, name: str) -> SourceLocation | None:
        declaration = self.extensions.get(name)
        return self._location(declaration.file, f"[{name}]") if declaration else None

    def of_member(self, holder: str, name: str) -> SourceLocation | None:
        """Return the location of a message's field or oneof, or of an enum's value."""
        declaration = self.messages.get(holder) or self.enums.get(holder)
        return self._location(declaration.file, f"{holder}.{name}") if declaration else None

    def of_method(self, service: str, name: str) -> SourceLocation | None:
        declaration = self.services.get(service)
        return self._location(declaration.file, f"{service}/{name}") if declaration else None

    def _location(self, file: str, element: str) -> SourceLocation:
        return SourceLocation(file, self._lines(file).get(element, 0))
