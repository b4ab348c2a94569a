"""Go code from proto files, by the three plugins: messages, stubs, and the typed code through which the driver plays."""

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
    """A generated Go file."""

    path: str  # in the module
    content: bytes
    proto: str  # the proto file that it comes from


@dataclass(frozen=True)
class Generator:
    """One plugin of protoc."""

    program: str
    suffixes: tuple[str, ...]  # of its files' names
    root: str = "gen"  # the folder of its files in the module

    def run(self, plugins: Path, files: Iterable[FileDescriptorProto], wanted: list[str], place: dict[str, Package]) -> list[Source]:
        """Generate the wanted files. `place` says where every file goes that has no linked code. Raise Refused."""
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
        # The plugins name their files after the proto file; some of these names have a meaning for the go command.
        origin = {name.removesuffix(".proto") + suffix: (name, suffix) for name in wanted for suffix in self.suffixes}
        stems = source_stems(place)
        sources = []
        for file in response.file:
            proto, suffix = origin[file.name]
            path = stems[proto].replace("gen/", f"{self.root}/", 1) + suffix
            sources.append(Source(path, file.content.encode(), proto))
        return sources


def _head(words: str) -> str:
    """Return the message without the generated source, which a plugin shows in full where it cannot parse its own output."""
    return "\n".join(takewhile(lambda line: not re.match(r" *\d+\t", line), words.splitlines()))


def _needs_option(name: str) -> bool:
    """Return whether the parameter M cannot name the file: parameters end at a comma, and their names at an equals sign."""
    return "," in name or "=" in name


def _with_option(file: FileDescriptorProto, place: dict[str, Package]) -> FileDescriptorProto:
    """Return the file with an option that says the same as M says about other files."""
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
    """Return the folder with the plugins and `linked`, or with other programs. They are built once for each version of
    their sources and of Go."""
    key = hashlib.sha256(f"{toolchain.version} {toolchain.module_file} {programs}".encode())
    sources = [path for part in ("cmd", "internal") for path in MODULE.glob(f"{part}/**/*.go")]
    for path in [MODULE / "go.mod", MODULE / "go.sum", *sorted(sources)]:
        key.update(path.read_bytes())
    folder = toolchain.cache / f"tools-{key.hexdigest()[:16]}"
    with whole.made_once(folder) as unfinished:
        if unfinished:
            toolchain.run("build", "-trimpath", "-buildvcs=false", "-o", str(unfinished), *programs)
    return folder
