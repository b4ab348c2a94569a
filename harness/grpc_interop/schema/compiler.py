"""Compiles proto sources to a descriptor set with protoc, and caches the result by the content of all files that it read."""

import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from google.protobuf import descriptor_pb2

from grpc_interop.errors import InteropError
from grpc_interop.files import temporary
from grpc_interop.files.atomic import write_whole
from grpc_interop.schema.refusal import explain
from grpc_interop.schema.roots.root import Folder, Root, rooted
from grpc_interop.schema.roots.roots import ProtoError, brought_by_protoc, common_includes, refuse_no_folder, resolve, root_files

FORMAT = "4"
"""Part of every cache key: raise it when the form of cached files changes."""


def compile_tree(
    roots: Sequence[Folder], includes: Sequence[Folder], cache: Path, excludes: Sequence[str] = (), also: Mapping[str, Path] | None = None
) -> tuple[tuple[str, ...], bytes]:
    """Return the names of the files, and a serialised FileDescriptorSet of them and their imports, imports first, without
    source info. The files are those of the roots whose names match no pattern of `excludes`, and those of `also`, which must
    lie where an import of their names leads.

    Nothing is run when the cache folder holds the result for equal contents, wherever they lay. Raise ProtoError with
    protoc's own words.
    """
    files = dict(sorted({**root_files(roots, excludes), **(also or {})}.items()))
    for include in map(rooted, includes):
        refuse_no_folder(include, "no such folder to import protos from", "check --include, or the includes in interop.toml")
    own = list(dict.fromkeys(map(rooted, roots)))
    search = list(dict.fromkeys([*own, *map(rooted, includes), *common_includes()]))
    sources = _sources(files, own, search)
    compiled = next((kept for source in sources if (kept := _cached(cache, source)) is not None), None)
    if compiled is None:
        compiled = _compiled(sources, cache)
    return tuple(files), compiled


class _ProtocInput(NamedTuple):
    files: Mapping[str, Path]  # the files to compile, by name
    roots: Sequence[Root]  # for the error when protoc refuses them
    search: Sequence[Root]  # where imports are looked up

    def entry(self, cache: Path) -> Path:
        """Return the path of the cached result, without suffix."""
        return cache / "protos" / _key(self.files)


def _sources(files: Mapping[str, Path], roots: Sequence[Root], search: Sequence[Root]) -> list[_ProtocInput]:
    """Return the inputs to try in turn. First with protoc's own google/protobuf/*.proto: runtimes bring theirs along, and a
    tree's copy may have fields that they lack. A tree that needs more than protoc's files declare is compiled as it is."""
    as_it_is = _ProtocInput(files, roots, search)
    brought = brought_by_protoc()
    if all(resolve(name, search) == path for name, path in brought.items()):
        return [as_it_is]
    folders = dict.fromkeys(Root(path.parents[name.count("/")]) for name, path in brought.items())
    return [_ProtocInput({name: brought.get(name, path) for name, path in files.items()}, roots, [*folders, *search]), as_it_is]


def _compiled(sources: Sequence[_ProtocInput], cache: Path) -> bytes:
    """Compile the first input that protoc accepts. Raise ProtoError about the last."""
    *others, last = sources
    for source in others:
        with suppress(ProtoError):
            return _keep(source, cache, _protoc(source))
    return _keep(last, cache, _protoc(last))


def _key(files: Mapping[str, Path]) -> str:
    digest = hashlib.sha256(f"{FORMAT} {importlib.metadata.version('grpcio-tools')}".encode())
    for name, path in files.items():
        digest.update(f"\0{name}\0{_digest(path)}".encode())
    return digest.hexdigest()[:32]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _cached(cache: Path, source: _ProtocInput) -> bytes | None:
    """Return the cached result if it is whole and the imports still lead to files of the same content."""
    entry = source.entry(cache)
    try:
        kept = json.loads(entry.with_suffix(".json").read_bytes())
        whole, imports = kept["digest"], dict(kept["imports"])
        descriptor_set = entry.with_suffix(".binpb").read_bytes()
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    if whole != hashlib.sha256(descriptor_set).hexdigest():
        return None
    for name, digest in imports.items():
        path = resolve(name, source.search)
        if path is None or _digest(path) != digest:
            return None
    return descriptor_set


def _keep(source: _ProtocInput, cache: Path, descriptor_set: bytes) -> bytes:
    entry, parsed = source.entry(cache), descriptor_pb2.FileDescriptorSet.FromString(descriptor_set)
    names = [file.name for file in parsed.file if file.name not in source.files]
    imports = {name: _digest(path) for name in names if (path := resolve(name, source.search))}
    write_whole(entry.with_suffix(".binpb"), descriptor_set)
    kept = {"digest": hashlib.sha256(descriptor_set).hexdigest(), "imports": imports}
    write_whole(entry.with_suffix(".json"), json.dumps(kept, indent=1))
    return descriptor_set


def _spelled(files: Mapping[str, Path], search: Sequence[Root]) -> Iterator[str]:
    """Yield protoc's argument for each file: its path, as a name that begins with a dash would look like an option; or its
    name, where protoc would derive another name from the path of a file below several roots."""
    for name, path in files.items():
        called = next((called for root in search if (called := root.name_of(path)) is not None), None)
        yield name if called != name else str(path)


def _protoc(source: _ProtocInput) -> bytes:
    files, roots, search = source
    with tempfile.TemporaryDirectory(prefix="interop-protoc-", dir=temporary.place()) as folder:
        out, arguments = Path(folder, "set.binpb"), Path(folder, "arguments")
        lines = [
            *(f"--proto_path={root.resolved().spelled()}" for root in search),
            "--include_imports",
            f"--descriptor_set_out={out}",
            *_spelled(files, [root.resolved() for root in search]),
        ]
        # In a file: the names of a large tree exceed the limit of a command line. A name with a line break would be two names there.
        arguments.write_bytes(os.fsencode("\n".join(line for line in lines if "\n" not in line)))
        program = "import sys; from grpc_tools import protoc; sys.exit(protoc.main(sys.argv))"
        command = [sys.executable, "-c", program, f"@{arguments}", *(line for line in lines if "\n" in line)]
        # In a folder of its own: protoc would prefer a file of the same name in the current folder.
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            if f"{out}: " in done.stderr:  # an error of writing, not of the protos
                raise InteropError(f"protoc cannot write {done.stderr.strip()}", "make room there, or let TMPDIR name another folder")
            raise ProtoError(*explain(done.stderr, files, roots, search))
        return out.read_bytes()
