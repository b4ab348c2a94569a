"""Go code from proto files, by the three plugins: messages, stubs, and the typed code through which the driver plays."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from buildtool import whole
from buildtool.packages import Package, source_stems
from buildtool.toolchain import MODULE, Toolchain


class Refused(Exception):
    """A plugin refused its input; the text is its own."""


@dataclass(frozen=True)
class Source:
    """A generated Go file: its path in the module, what is in it, and the proto file that it comes from."""

    path: str
    content: bytes
    proto: str


@dataclass(frozen=True)
class Generator:
    """One plugin: the program, what its files' names end in, and the root in the module that they go to."""

    program: str
    suffixes: tuple[str, ...]
    root: str = "gen"

    def run(self, plugins: Path, files: Iterable[FileDescriptorProto], wanted: list[str], place: dict[str, Package]) -> list[Source]:
        """Generates the wanted files. `place` says where every file that has no linked code goes. Raises Refused."""
        parameters = ["paths=source_relative"]
        parameters += [f"M{name}={package.import_path};{package.name}" for name, package in place.items() if not _needs_option(name)]
        placed = [_with_option(file, place) if _needs_option(file.name) else file for file in files]
        request = CodeGeneratorRequest(file_to_generate=wanted, parameter=",".join(parameters), proto_file=placed)
        done = subprocess.run([plugins / self.program], input=request.SerializeToString(), capture_output=True, check=False)
        if done.returncode != 0:
            raise Refused(_head(done.stderr.decode(errors="replace").strip()))
        response = CodeGeneratorResponse.FromString(done.stdout)
        if response.error:
            raise Refused(_head(response.error))
        # The plugins name their files after the proto file; what the go command would read into such a name is avoided.
        origin = {name.removesuffix(".proto") + suffix: (name, suffix) for name in wanted for suffix in self.suffixes}
        stems = source_stems(place)
        sources = []
        for file in response.file:
            proto, suffix = origin[file.name]
            path = stems[proto].replace("gen/", f"{self.root}/", 1) + suffix
            sources.append(Source(path, file.content.encode(), proto))
        return sources


def _head(words: str) -> str:
    """Without the whole generated source that a plugin shows where it cannot parse that itself."""
    return "\n".join(takewhile(lambda line: not re.match(r" *\d+\t", line), words.splitlines()))


def _needs_option(name: str) -> bool:
    """Whether the parameter M cannot name the file: parameters end at a comma, and their names at an equals sign."""
    return "," in name or "=" in name


def _with_option(file: FileDescriptorProto, place: dict[str, Package]) -> FileDescriptorProto:
    """The file with an option that says what M says of others."""
    changed = FileDescriptorProto()
    changed.CopyFrom(file)
    if package := place.get(file.name):
        changed.options.go_package = f"{package.import_path};{package.name}"
    return changed


MESSAGES = Generator("protoc-gen-go", (".pb.go", "_protoopaque.pb.go"))
STUBS = Generator("protoc-gen-go-grpc", ("_grpc.pb.go",))
DRIVEN = Generator("protoc-gen-go-interop", ("_interop.pb.go",), "driven")
ALL = (MESSAGES, STUBS, DRIVEN)

PLUGINS = (
    "google.golang.org/protobuf/cmd/protoc-gen-go",
    "google.golang.org/grpc/cmd/protoc-gen-go-grpc",
    "./cmd/protoc-gen-go-interop",
)
PROGRAMS = (*PLUGINS, "./cmd/linked")


def build_plugins(toolchain: Toolchain, programs: tuple[str, ...] = PROGRAMS) -> Path:
    """The folder with the plugins and `linked`, or what else is asked for, built once for each version of their sources and
    of Go."""
    key = hashlib.sha256(f"{toolchain.version} {toolchain.module_file} {programs}".encode())
    sources = [path for part in ("cmd", "internal") for path in MODULE.glob(f"{part}/**/*.go")]
    for path in [MODULE / "go.mod", MODULE / "go.sum", *sorted(sources)]:
        key.update(path.read_bytes())
    folder = toolchain.cache / f"tools-{key.hexdigest()[:16]}"
    with whole.made_once(folder) as unfinished:
        if unfinished:
            toolchain.run("build", "-trimpath", "-buildvcs=false", "-o", str(unfinished), *programs)
    return folder
