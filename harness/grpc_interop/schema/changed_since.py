"""The RPCs and messages that an edit of the protos changes, in their own definition or in that of a type they reach."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from google.protobuf import descriptor_pb2
from google.protobuf.message import Message

from grpc_interop.core.case import Method
from grpc_interop.errors import UsageError
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.protos_at_commit import ProtosAtCommit, not_checked_out, refuse_missing
from grpc_interop.schema.roots.roots import ProtoError


class ChangedElements(NamedTuple):
    """The changed and new elements of a tree. Removed elements are not part of it."""

    methods: frozenset[Method]
    messages: frozenset[str]


def changed_since(protos: ProtosAtCommit, catalog: Catalog, cache: Path) -> ChangedElements:
    """Return the difference from a project's protos at a commit. Raise UsageError when those do not compile, or are not known."""
    with protos.exported() as then:
        refuse_missing(then.not_here, not_checked_out(protos.project, protos.now))
        if not then.tree.roots:
            return changed_between(Fingerprints(None), catalog)
        try:
            return changed_between(Fingerprints(then.load(cache)), catalog)
        except ProtoError as error:
            raise UsageError(f"the protos of {protos.words} cannot be compared: {error.what}", error.remedy) from error


def changed_between(then: "Fingerprints", catalog: Catalog) -> ChangedElements:
    """Return the elements of the catalog whose fingerprints differ."""
    now = Fingerprints(catalog)
    return ChangedElements(
        frozenset(method for method in catalog.methods() if now.of_method(method) != then.of_method(method)),
        frozenset(name for name in catalog.messages() if now.of_message(name) != then.of_message(name)),
    )


class Fingerprints:
    """Digests of a catalog's definitions, each with all that it reaches: equal where generated code and the bytes that
    travel are the same. Comments do not count; a file's name, package and options do, since generators use them."""

    def __init__(self, catalog: Catalog | None) -> None:
        """Without a catalog there are no definitions."""
        self._methods: dict[str, tuple[bytes, list[str]]] = {}
        self._types: dict[str, tuple[bytes, list[str]]] = {}
        self._extensions: dict[str, list[tuple[bytes, list[str]]]] = defaultdict(list)
        for file in catalog.file_protos if catalog else ():
            self._index(file)

    def of_method(self, method: Method) -> bytes | None:
        """Return the digest of an RPC, or None when there is none of its path."""
        own, types = self._methods.get(method.path, (None, []))
        return own and _digest([own, *(self._whole(name) for name in types)])

    def of_message(self, type_name: str) -> bytes | None:
        """Return the digest of a message type, or None when there is none of that full name."""
        return self._whole(type_name) if type_name in self._types else None

    def _whole(self, type_name: str) -> bytes:
        reached, queue = {type_name}, [type_name]
        for name in queue:
            for _, types in (self._types.get(name, (b"", [])), *self._extensions.get(name, [])):
                queue += (new := set(types) - reached)
                reached |= new
        parts: list[bytes] = []
        for name in sorted(reached):
            parts += [name.encode(), self._types.get(name, (b"", []))[0], *sorted(own for own, _ in self._extensions.get(name, []))]
        return _digest(parts)

    def _index(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        head = _head(file)
        package = f"{file.package}." if file.package else ""
        self._index_types(file, package, head)
        for service in file.service:
            for method in service.method:
                own = _digest([head, _bytes(method), _bytes(service.options)])
                self._methods[f"/{package}{service.name}/{method.name}"] = own, [method.input_type[1:], method.output_type[1:]]

    def _index_types(self, scope: "FileOrMessage", prefix: str, head: bytes) -> None:
        """Add the types and extensions that a file or a message declares, also nested types."""
        nested = scope.message_type if isinstance(scope, descriptor_pb2.FileDescriptorProto) else scope.nested_type
        for message in nested:
            own = descriptor_pb2.DescriptorProto()
            own.CopyFrom(message)
            for part in ("nested_type", "enum_type", "extension"):
                own.ClearField(part)
            self._types[prefix + message.name] = _digest([head, _bytes(own)]), _types_of(message.field)
            self._index_types(message, f"{prefix}{message.name}.", head)
        for enum in scope.enum_type:
            self._types[prefix + enum.name] = _digest([head, _bytes(enum)]), []
        for extension in scope.extension:
            self._extensions[extension.extendee[1:]].append((_digest([head, _bytes(extension)]), _types_of([extension])))


FileOrMessage = descriptor_pb2.FileDescriptorProto | descriptor_pb2.DescriptorProto


def _types_of(fields: Iterable[descriptor_pb2.FieldDescriptorProto]) -> list[str]:
    """Return the full names of the message and enum types of fields."""
    return [field.type_name[1:] for field in fields if field.type_name]


def _head(file: descriptor_pb2.FileDescriptorProto) -> bytes:
    """Return the part of a file that concerns all its definitions."""
    own = descriptor_pb2.FileDescriptorProto(name=file.name, package=file.package, syntax=file.syntax, edition=file.edition)
    own.options.CopyFrom(file.options)
    return _bytes(own)


def _bytes(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def _digest(parts: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
