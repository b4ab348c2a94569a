"""What the files of a version declare, and on which line: descriptors as protoc wrote them, comments' places included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from google.protobuf import descriptor_pb2

from grpc_interop.compat.result import Place
from grpc_interop.protos.catalog import Catalog

Path = tuple[int, ...]
"""As in SourceCodeInfo: field numbers and indices from the file's descriptor on."""

_MESSAGES, _ENUMS, _SERVICES, _EXTENSIONS = 4, 5, 6, 7
_FIELDS, _NESTED, _NESTED_ENUMS, _NESTED_EXTENSIONS, _ONEOFS = 2, 3, 4, 6, 8
_VALUES = _METHODS = 2
"""Field numbers in descriptor.proto, of which paths are made."""

Proto = TypeVar("Proto")


class Declaration(NamedTuple, Generic[Proto]):
    """One definition: its descriptor, its file, and the path to it there."""

    proto: Proto
    file: str
    path: Path


class Declared:
    """All that a catalog's files declare, by full name; map entries left out. What is merely imported is there as well."""

    def __init__(self, catalog: Catalog) -> None:
        self.own = frozenset(catalog.files)
        self.files = {file.name: file for file in catalog.file_protos}
        self.messages: dict[str, Declaration[descriptor_pb2.DescriptorProto]] = {}
        self.enums: dict[str, Declaration[descriptor_pb2.EnumDescriptorProto]] = {}
        self.services: dict[str, Declaration[descriptor_pb2.ServiceDescriptorProto]] = {}
        self.extensions: dict[str, Declaration[descriptor_pb2.FieldDescriptorProto]] = {}
        self._lines: dict[str, dict[Path, int]] = {}
        for file in catalog.file_protos:
            scope = f"{file.package}." if file.package else ""
            self._add_messages(file.message_type, scope, file.name, (_MESSAGES,))
            self._add_enums(file.enum_type, scope, file.name, (_ENUMS,))
            self._add_extensions(file.extension, scope, file.name, (_EXTENSIONS,))
            for index, service in enumerate(file.service):
                self.services[scope + service.name] = Declaration(service, file.name, (_SERVICES, index))

    def _add_messages(self, messages: Iterable[descriptor_pb2.DescriptorProto], scope: str, file: str, path: Path) -> None:
        for index, message in enumerate(messages):
            if message.options.map_entry:
                continue
            here = (*path, index)
            self.messages[scope + message.name] = Declaration(message, file, here)
            inner = f"{scope}{message.name}."
            self._add_messages(message.nested_type, inner, file, (*here, _NESTED))
            self._add_enums(message.enum_type, inner, file, (*here, _NESTED_ENUMS))
            self._add_extensions(message.extension, inner, file, (*here, _NESTED_EXTENSIONS))

    def _add_enums(self, enums: Iterable[descriptor_pb2.EnumDescriptorProto], scope: str, file: str, path: Path) -> None:
        for index, enum in enumerate(enums):
            self.enums[scope + enum.name] = Declaration(enum, file, (*path, index))

    def _add_extensions(self, extensions: Iterable[descriptor_pb2.FieldDescriptorProto], scope: str, file: str, path: Path) -> None:
        for index, extension in enumerate(extensions):
            self.extensions[scope + extension.name] = Declaration(extension, file, (*path, index))

    # -- where ---------------------------------------------------------------------------------------------------------

    def of_file(self, name: str) -> Place:
        return Place(name, 1)

    def of(self, name: str) -> Place | None:
        """Of a message, enum, service or extension by its full name."""
        for kind in (self.messages, self.enums, self.services, self.extensions):
            if found := kind.get(name):
                return self._place(found.file, found.path)
        return None

    def of_field(self, message: str, name: str) -> Place | None:
        """Of a field, or of a oneof."""
        found = self.messages.get(message)
        if found is None:
            return None
        fields: Sequence[object] = found.proto.field
        kinds = ((_FIELDS, fields), (_ONEOFS, found.proto.oneof_decl))
        return self._within(found, [(kind, among) for kind, among in kinds if name in _names(among)], name)

    def of_value(self, enum: str, name: str) -> Place | None:
        found = self.enums.get(enum)
        return self._within(found, [(_VALUES, found.proto.value)], name) if found else None

    def of_method(self, service: str, name: str) -> Place | None:
        found = self.services.get(service)
        return self._within(found, [(_METHODS, found.proto.method)], name) if found else None

    def _within(self, holder: Declaration[Proto], kinds: Sequence[tuple[int, Sequence[object]]], name: str) -> Place | None:
        for kind, among in kinds:
            names = _names(among)
            if name in names:
                return self._place(holder.file, (*holder.path, kind, names.index(name)))
        return None

    def _place(self, file: str, path: Path) -> Place:
        lines = self._lines.get(file)
        if lines is None:
            located = self.files[file].source_code_info.location
            # The first that has a path is its definition.
            lines = self._lines[file] = {tuple(one.path): one.span[0] + 1 for one in reversed(located)}
        return Place(file, lines.get(path, 0))


def _names(among: Iterable[object]) -> list[str]:
    return [str(getattr(one, "name", "")) for one in among]
