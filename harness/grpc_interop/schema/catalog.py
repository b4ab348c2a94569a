"""The content of a proto tree: its methods, its message types, and a reader of messages of these types."""

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
    """A set of proto files in a descriptor pool of its own, apart from the harness' own files."""

    def __init__(self, files: Sequence[str], descriptor_set: bytes, refused: Mapping[str, str] | None = None) -> None:
        """`files` are the files of the roots. `refused`: files to leave out as if the harness' own protobuf refused them, and why."""
        self.whole: Catalog = self  # the catalog that this one was narrowed from, or itself
        self._chosen: tuple[frozenset[Method], frozenset[str]] | None = None
        self.refused: dict[str, str] = dict(refused or {})
        """Files that protoc accepts and the harness' own protobuf does not, or that import such a file; with the reason."""
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
        """The files of the roots: their methods are driven, not those of files that they merely import."""

    def _fill(self, files: Iterable[descriptor_pb2.FileDescriptorProto], renamed: dict[str, str]) -> bool:
        """Put all files that are not refused into a new pool, and return whether it took them. A pool that has refused a file is
        not used again: it may still point at the unfinished parts of that file. `renamed`: the files to try with distinct JSON
        names, and why they were refused without."""
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
                # Kept here: a pool does not find files whose names are not ASCII.
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
    ) -> "Catalog":
        """Compile the files of the roots whose names match no pattern of `excludes`, and the files of `also`; or take the result
        from the cache folder. Raise ProtoError."""
        return cls(*compile_tree(roots, includes, cache, excludes, also))

    def driving(self, files: Iterable[str]) -> "Catalog":
        """Return the same catalog with files driven that were only imported."""
        widened = copy(self)
        widened.whole = widened
        widened.files = tuple(sorted({*self.files, *files}))
        widened.__dict__.pop("_root_messages", None)
        return widened

    @classmethod
    def from_image(cls, image: Path, excludes: Sequence[str] = ()) -> "Catalog":
        """Read a descriptor set of protoc or buf. Files whose names match a pattern of `excludes` are not driven. Raise ProtoError."""
        files, descriptor_set = read_image(image)
        return cls(tested(files, excludes), descriptor_set)

    def without(self, refused: Mapping[str, str]) -> "Catalog":
        """Return the same catalog with these files, and the files that import them, refused for the given reasons."""
        if not set(refused) - set(self.refused):
            return self
        whole = descriptor_pb2.FileDescriptorSet(file=[*self._set.file, *self._refused.values()])
        return Catalog([*self.files, *self._refused], whole.SerializeToString(), {**refused, **self.refused})

    def declares_alike(self, other: "Catalog", file: str) -> bool:
        """Return whether a file, refused or not, is the same in another catalog."""
        own, others = ({**catalog._by_name, **catalog._refused}.get(file) for catalog in (self, other))
        return own == others

    def only(self, methods: Collection[Method], messages: Collection[str]) -> "Catalog":
        """Return the same catalog with fewer methods and messages to drive. Code is still generated for all files."""
        narrowed = copy(self)
        narrowed.whole = self
        narrowed._chosen = frozenset(methods), frozenset(messages)
        return narrowed

    def methods(self, without: Collection[str] = ()) -> Iterator[Method]:
        """Yield the RPCs of the roots' files in their order, but for the files `without`."""
        for name in self.files:
            if name not in without:
                services: Iterable[ServiceDescriptor] = self._descriptors[name].services_by_name.values()
                methods = (_method(method) for service in services for method in service.methods)
                yield from (method for method in methods if self._chosen is None or method in self._chosen[0])

    def messages(self) -> Iterator[str]:
        """Yield the full names of the message types of the roots' files: nested types as well, map entries not."""
        yield from (message for message in self._root_messages if self._chosen is None or message in self._chosen[1])

    def every_message(self) -> Iterator[str]:
        """Yield the full names of the message types of all files, also of imported files."""
        for file in self.file_descriptors:
            yield from _message_names(file.message_types_by_name.values())

    @cached_property
    def _root_messages(self) -> tuple[str, ...]:
        """Also the types that `only` left out. Kept: descriptors are slow, and each failure needs all names."""
        files = (self._descriptors[name] for name in self.files)
        return tuple(name for file in files for name in _message_names(file.message_types_by_name.values()))

    def message(self, type_name: str) -> Descriptor:
        """Return a type by its full name. Raise KeyError."""
        return self._pool.FindMessageTypeByName(type_name)

    def extensions(self, message: Descriptor) -> list[FieldDescriptor]:
        """Return the extension fields of a type that any file of the set declares."""
        return list(self._pool.FindAllExtensions(message))

    def file_of(self, case: AnyCase) -> str:
        """Return the name of the file that declares the case's service or message."""
        return case.file(self)

    def file_of_message(self, type_name: str) -> str:
        """Return the name of the file that declares a message. Raise KeyError."""
        return str(self.message(type_name).file.name)

    def file_of_service(self, service: str) -> str:
        """Return the name of the file that declares a service. Raise KeyError."""
        return self._pool.FindServiceByName(service).file.name

    def declares(self, case: AnyCase) -> bool:
        """Return whether the protos have the case's message, or its method with the same kind and types."""
        try:
            return case.is_declared_by(self)
        except KeyError:
            return False

    def method(self, service: str, name: str) -> Method:
        """Return the method of a service by its name. Raise KeyError."""
        return _method(self._pool.FindServiceByName(service).methods_by_name[name])

    def files_of(self, case: AnyCase) -> list[str]:
        """Return the names of the files that the case needs: `file_of`, and files of types that an Any in its messages may hold."""
        held = (name for name in self.messages() if any(name.encode() in data for data in case.examples)) if case.examples else ()
        return list(dict.fromkeys([self.file_of(case), *map(self.file_of_message, held)]))

    def parse(self, type_name: str, data: bytes) -> Message:
        """Read a message with the harness' own protobuf. Raise google.protobuf.message.DecodeError."""
        return parse(message_factory.GetMessageClass(self.message(type_name)), data)

    def canonical(self, type_name: str, data: bytes) -> bytes:
        """Return the canonical bytes of a message, for comparison: languages write fields of oneofs, extensions and map entries
        in different orders. Bytes that do not parse stay as they are."""
        try:
            return serialise(self.parse(type_name, data))
        except DecodeError:
            return data

    def describe(self, type_name: str, data: bytes) -> str:
        """Return the message in text format on one line; `(empty)` without fields."""
        try:
            message = self.parse(type_name, data)
        except (DecodeError, KeyError):
            return f"(not a {type_name}) {data!r}"
        return one_line(message) or "(empty)"

    @property
    def file_protos(self) -> Sequence[descriptor_pb2.FileDescriptorProto]:
        """All files, imports first."""
        return self._set.file

    @property
    def file_descriptors(self) -> Collection[FileDescriptor]:
        """All files as protobuf resolved them, imports first."""
        return self._descriptors.values()

    def file_with_options(self, file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
        """Return the file as read with the tree's own extensions, so that custom options are known fields."""
        try:
            kind = message_factory.GetMessageClass(self._pool.FindMessageTypeByName(file.DESCRIPTOR.full_name))
        except KeyError:
            return file  # a tree with custom options imports descriptor.proto
        return cast(descriptor_pb2.FileDescriptorProto, parse(kind, file.SerializeToString()))

    def descriptor_set(self, files: Iterable[str] | None = None) -> bytes:
        """Return a serialised FileDescriptorSet of these files (all when None) and their imports, imports first. It has no
        source info, so that an edited comment causes no new build."""
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
        """New names, in texts for others, for files whose own names the gate refuses (gate.py)."""
        return gate.new_names(self._by_name)

    def sent_set(self, files: Iterable[str]) -> bytes:
        """Return `descriptor_set` with the names of `sent_names`, so that the gate of others lets it in."""
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
