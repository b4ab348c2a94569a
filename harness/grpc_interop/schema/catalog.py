"""What a proto tree holds: its methods, its messages, and how to read a message of any of its types."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message

from grpc_interop.core.case import AnyCase, Kind, Method
from grpc_interop.schema import gate
from grpc_interop.schema.compiler import compile_tree
from grpc_interop.schema.image import read_image
from grpc_interop.schema.json_names import with_distinct_json_names
from grpc_interop.schema.roots.root import Folder
from grpc_interop.schema.roots.roots import tested
from grpc_interop.schema.text import one_line, parse, serialise


class Catalog:
    """A set of proto files in a descriptor pool of its own, so that no file of the harness' own can meet them.

    `files` are those of the roots, sorted: their methods are driven; what they merely import is not. `refused` says of
    files that protoc accepts why the harness' own protobuf does not, or imports one that it does not: they are left
    out. `whole` is the catalog that this one was narrowed from, or itself.
    """

    def __init__(self, files: Sequence[str], descriptor_set: bytes, refused: Mapping[str, str] | None = None) -> None:
        """`refused`: files to be left out as if the harness' own protobuf did not take them, and why."""
        self.whole: Catalog = self
        self._chosen: tuple[frozenset[Method], frozenset[str]] | None = None
        self.refused: dict[str, str] = dict(refused or {})
        parsed = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set)
        for file in parsed.file:
            file.ClearField("source_code_info")
        renamed: dict[str, str] = {}
        while not self._fill(parsed.file, renamed):
            pass
        self._refused = {file.name: file for file in parsed.file if file.name in self.refused}
        kept = (file for file in parsed.file if file.name not in self.refused)
        self._set = descriptor_pb2.FileDescriptorSet(file=kept) if self.refused else parsed
        self._by_name = {file.name: file for file in self._set.file}
        self.files = tuple(sorted(name for name in files if name not in self.refused))

    def _fill(self, files: Iterable[descriptor_pb2.FileDescriptorProto], renamed: dict[str, str]) -> bool:
        """Put all but what is refused into a new pool. Return whether it took them all: a pool that has refused a file may go on
        to point at what it had begun to make of it, and is of no further use. `renamed` says of files that are tried with
        distinct JSON names why they were refused as they are."""
        self._pool = descriptor_pool.DescriptorPool()
        self._descriptors: dict[str, FileDescriptor] = {}
        for file in files:
            if file.name in self.refused:
                continue
            missing = next((name for name in file.dependency if name in self.refused), None)
            if missing is not None:
                self.refused[file.name] = f"imports {missing}, which it refuses"
                continue
            version = with_distinct_json_names(file) if file.name in renamed else file
            try:
                # Kept, since a pool does not find files by names that are not ASCII.
                self._descriptors[file.name] = self._pool.AddSerializedFile(version.SerializeToString())
            except (TypeError, ValueError) as error:
                if file.name in renamed:
                    self.refused[file.name] = renamed[file.name]
                renamed.setdefault(file.name, str(error))
                return False
        return True

    @classmethod
    def load(
        cls,
        roots: Sequence[Folder],
        includes: Sequence[Folder],
        cache: Path,
        excludes: Sequence[str] = (),
        also: Mapping[str, Path] | None = None,
    ) -> Catalog:
        """Compiles the files under the roots, without those whose names match a pattern of `excludes`, and those of `also`;
        or takes them from the cache folder. Raises ProtoError."""
        return cls(*compile_tree(roots, includes, cache, excludes, also))

    def driving(self, files: Iterable[str]) -> Catalog:
        """Return the same catalog with more of its files driven, which were only imported."""
        widened = copy(self)
        widened.whole = widened
        widened.files = tuple(sorted({*self.files, *files}))
        widened.__dict__.pop("_root_messages", None)
        return widened

    @classmethod
    def from_image(cls, image: Path, excludes: Sequence[str] = ()) -> Catalog:
        """A descriptor set as protoc and buf write it; files whose names match a pattern of `excludes` are not driven. Raises
        ProtoError."""
        files, descriptor_set = read_image(image)
        return cls(tested(files, excludes), descriptor_set)

    def without(self, refused: Mapping[str, str]) -> Catalog:
        """Return the same catalog without these files, and why: they and what imports them are as if they were refused."""
        if not set(refused) - set(self.refused):
            return self
        whole = descriptor_pb2.FileDescriptorSet(file=[*self._set.file, *self._refused.values()])
        return Catalog([*self.files, *self._refused], whole.SerializeToString(), {**refused, **self.refused})

    def declares_alike(self, other: Catalog, file: str) -> bool:
        """Return whether a file, be it refused or not, is the same in another catalog."""
        mine, theirs = ({**one._by_name, **one._refused}.get(file) for one in (self, other))
        return mine == theirs

    def only(self, methods: Collection[Method], messages: Collection[str]) -> Catalog:
        """The same catalog with fewer methods and messages to drive; code is still generated for all of its files."""
        narrowed = copy(self)
        narrowed.whole = self
        narrowed._chosen = frozenset(methods), frozenset(messages)
        return narrowed

    def methods(self, without: Collection[str] = ()) -> Iterator[Method]:
        """Every RPC of the roots' files, in their order; none of the files `without`."""
        for name in self.files:
            if name not in without:
                found = (_method(method) for service in self._services(name) for method in service.methods)
                yield from (method for method in found if self._chosen is None or method in self._chosen[0])

    def messages(self) -> Iterator[str]:
        """The full name of every message type of the roots' files, nested ones included, map entries not."""
        yield from (message for message in self._root_messages if self._chosen is None or message in self._chosen[1])

    def every_message(self) -> Iterator[str]:
        """Yield the full name of every message type, also of imported files."""
        for file in self.file_descriptors:
            yield from _message_names(file.message_types_by_name.values())

    @cached_property
    def _root_messages(self) -> tuple[str, ...]:
        """Those of the narrowed catalog, too. Kept, since descriptors are slow to ask and each failure asks for all."""
        files = (self._descriptors[name] for name in self.files)
        return tuple(name for file in files for name in _message_names(file.message_types_by_name.values()))

    def _services(self, file: str) -> Iterable[ServiceDescriptor]:
        services: Iterable[ServiceDescriptor] = self._descriptors[file].services_by_name.values()
        return services

    def message(self, type_name: str) -> Descriptor:
        """Raises KeyError."""
        return self._pool.FindMessageTypeByName(type_name)

    def extensions(self, message: Descriptor) -> list[FieldDescriptor]:
        """The extension fields of a type that any file of the set declares."""
        return list(self._pool.FindAllExtensions(message))

    def file_of(self, case: AnyCase) -> str:
        """The name of the file that declares what the case is about: a method's service, or a message."""
        return case.file(self)

    def file_of_message(self, type_name: str) -> str:
        """The name of the file that declares a message. Raises KeyError."""
        return str(self.message(type_name).file.name)

    def file_of_service(self, service: str) -> str:
        """The name of the file that declares a service. Raises KeyError."""
        return self._pool.FindServiceByName(service).file.name

    def declares(self, case: AnyCase) -> bool:
        """Return whether the case's method, of its kind and with its types, or its message is among the protos."""
        try:
            return case.is_declared_by(self)
        except KeyError:
            return False

    def method(self, service: str, name: str) -> Method:
        """The method of a service by its name. Raises KeyError."""
        return _method(self._pool.FindServiceByName(service).methods_by_name[name])

    def files_of(self, case: AnyCase) -> list[str]:
        """The names of the files that the case needs: the one above, and those of the types that an Any in one of its
        messages may hold."""
        held = (name for name in self.messages() if any(name.encode() in data for data in case.examples)) if case.examples else ()
        return list(dict.fromkeys([self.file_of(case), *map(self.file_of_message, held)]))

    def parse(self, type_name: str, data: bytes) -> Message:
        """The message as the harness' own protobuf reads it. Raises google.protobuf.message.DecodeError."""
        return parse(message_factory.GetMessageClass(self.message(type_name)), data)

    def canonical(self, type_name: str, data: bytes) -> bytes:
        """The same message in the one form in which two of them can be compared: languages write fields of oneofs,
        extensions and map entries in different orders. Bytes that cannot be read stay as they are."""
        try:
            return serialise(self.parse(type_name, data))
        except DecodeError:
            return data

    def describe(self, type_name: str, data: bytes) -> str:
        """The message in text format on one line, for people; `(empty)` when it says nothing."""
        try:
            message = self.parse(type_name, data)
        except (DecodeError, KeyError):
            return f"(not a {type_name}) {data!r}"
        return one_line(message) or "(empty)"

    @property
    def file_protos(self) -> Sequence[descriptor_pb2.FileDescriptorProto]:
        """Every file, imports first."""
        return self._set.file

    @property
    def file_descriptors(self) -> Collection[FileDescriptor]:
        """Every file as protobuf resolved it, imports first."""
        return self._descriptors.values()

    def file_with_options(self, file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
        """The same, read with the tree's own extensions, so that its custom options are no unknown fields."""
        try:
            kind = message_factory.GetMessageClass(self._pool.FindMessageTypeByName(file.DESCRIPTOR.full_name))
        except KeyError:
            return file  # whoever declares a custom option imports descriptor.proto
        return cast(descriptor_pb2.FileDescriptorProto, parse(kind, file.SerializeToString()))

    def descriptor_set(self, files: Iterable[str] | None = None) -> bytes:
        """A serialised FileDescriptorSet of these files (all when None) and whatever they import, imports first; without
        source info, so that an edited comment asks for no new build."""
        if files is None:
            return self._set.SerializeToString(deterministic=True)
        wanted: set[str] = set()
        queue = list(files)
        while queue:
            name = queue.pop()
            if name not in wanted:
                wanted.add(name)
                file = self._by_name[name]
                queue += [*file.dependency, *(other for other in file.option_dependency if other in self._by_name)]
        part = descriptor_pb2.FileDescriptorSet(file=(file for file in self._set.file if file.name in wanted))
        return part.SerializeToString(deterministic=True)

    @cached_property
    def sent_names(self) -> Mapping[str, str]:
        """By what names files go into a text for others, of those that cannot keep their own (gate.py)."""
        return gate.new_names(self._by_name)

    def sent_set(self, files: Iterable[str]) -> bytes:
        """The same as `descriptor_set`, fit to be let in by others: with these names."""
        return gate.sendable(self.descriptor_set(files), self.sent_names)


_KINDS = {(kind.client_streams, kind.server_streams): kind for kind in Kind}


def _method(method: MethodDescriptor) -> Method:
    kind = _KINDS[method.client_streaming, method.server_streaming]
    return Method(method.containing_service.full_name, method.name, kind, method.input_type.full_name, method.output_type.full_name)


def _message_names(messages: Iterable[Descriptor]) -> Iterator[str]:
    for message in messages:
        if not message.GetOptions().map_entry:
            yield message.full_name
            yield from _message_names(message.nested_types)
