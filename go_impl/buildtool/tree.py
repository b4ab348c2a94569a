"""A tree of protos as Go code: generate it, leave out the files that Go refuses, with the reason, and lay it over the module."""

import json
import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from buildtool import generator, linked, packages
from buildtool.generator import Source
from buildtool.packages import Package
from buildtool.toolchain import MODULE

# An error of the compiler: path, line, column, message. It names an overlaid file by its real place.
# Lines that begin with a tab follow one of these, and name other places, which are not to blame.
COMPLAINT = re.compile(r"^(?P<path>[^\t#].*?\.go):\d+(:\d+)?: .*", re.MULTILINE)

# Hand-written code for the quick-start service.
APPLICATION = re.compile(r"(^|/)(internal/greeter|cmd/greeter-(server|client))/")

# protoc-gen-go writes a file's name into a comment as it is, and protoc-gen-go-grpc between quotes.
IN_NO_LITERAL = re.compile(r"""["\\\x00-\x1f\x7f]""")
NOT_QUOTED = "the plugins write the file's name into Go as it is, where a quote, a backslash or a line break would end it"


@dataclass
class Tree:
    """The protos of one build. Files that Go refuses are left out one by one, until the rest builds."""

    files: list[FileDescriptorProto]  # imports first
    wanted: set[str]  # the files whose services are played
    plugins: Path
    errors: dict[str, str] = field(default_factory=dict)  # the files that were left out, with the tool's message
    sources: list[Source] = field(default_factory=list)
    has_application: bool = True  # the hand-written programs can be built
    laid_out: Path = MODULE  # where the sources were written last

    def __post_init__(self) -> None:
        self.linked: dict[str, Package] = linked.packages_of(self.plugins, self.files)
        self.has_application = packages.QUICK_START in self.wanted
        self.described = {file.name: file for file in self.files}  # the files left out, too
        for file in self.files:
            file.ClearField("source_code_info")  # an edited comment should not make Go compile anything

    @classmethod
    def read(cls, descriptor_set: Path, wanted: list[str], plugins: Path) -> "Tree":
        return cls(list(FileDescriptorSet.FromString(descriptor_set.read_bytes()).file), set(wanted), plugins)

    def generate(self) -> None:
        """Fill `sources`. Leave out the files that a plugin refuses."""
        if refused := {file.name: NOT_QUOTED for file in self.files if IN_NO_LITERAL.search(file.name)}:
            self.leave_out(refused)
        while refused := self._try_to_generate():
            self.leave_out(refused)

    def _try_to_generate(self) -> dict[str, str]:
        """Fill `sources`, or return the files that a plugin refuses, with its message."""
        own = [file for file in self.files if file.name not in self.linked]
        place = self.linked | packages.assign(own)
        self.sources = []
        for generates in generator.ALL:
            names = [f.name for f in own if generates is generator.MESSAGES or (f.service and f.name in self.wanted)]
            try:
                self.sources += generates.run(self.plugins, self.files, names, place)
            except generator.Refused:
                return self._refused_by(generates, names, place)
        return {}

    def _refused_by(self, generates: generator.Generator, names: list[str], place: dict[str, Package]) -> dict[str, str]:
        refused = {}
        for name in names:
            try:
                generates.run(self.plugins, self.files, [name], place)
            except generator.Refused as error:
                refused[name] = str(error)
        if not refused:
            raise generator.Refused(f"{generates.program} refuses the tree, but none of its files alone")
        return refused

    def blame(self, complaints: str) -> bool:
        """Leave out the files that the compiler refuses. Return False if its message is about no file of the tree."""
        proto_of = {source.path: source.proto for source in self.sources}
        refused: dict[str, list[str]] = defaultdict(list)
        application = []
        for found in COMPLAINT.finditer(complaints):
            path = os.path.relpath(MODULE / found["path"], self.laid_out)
            if path in proto_of:
                refused[proto_of[path]].append(found[0].replace(found["path"], path))
            elif APPLICATION.search(found["path"]):
                application.append(found[0])
        if refused:
            self.leave_out({proto: "\n".join(lines) for proto, lines in refused.items()})
            self.generate()
        elif self.has_application and application:
            self.has_application = False
            self.errors[packages.QUICK_START] = "\n".join(["the hand-written programs need another one:", *application])
        return bool(refused or application)

    def leave_out(self, refused: dict[str, str]) -> None:
        """Leave out files, and the files that import them."""
        self.errors |= refused
        gone = set(refused)
        for file in self.files:  # imports come first, so one pass finds all
            if missing := gone.intersection(file.dependency):
                gone.add(file.name)
                self.errors.setdefault(file.name, f"imports {min(missing)}, which Go cannot have")
        self.files = [file for file in self.files if file.name not in gone]
        self.wanted -= gone
        self.has_application = self.has_application and packages.QUICK_START not in gone

    def lay_over(self, folder: Path) -> Path:
        """Write the sources into a folder, and the file for `go build -overlay` that lays them over the module."""
        self.laid_out = folder
        replace: dict[str, str] = {}
        for root in ("gen", "driven"):  # code that is generated in the checkout is not part of this tree
            replace |= {str(path): "" for path in (MODULE / root).glob("**/*.go")}
        contents = {source.path: source.content for source in self.sources}
        contents["cmd/driver/tree.go"] = self._tree_go().encode()
        for name, content in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            replace[str(MODULE / name)] = str(path)
        overlay = folder / "overlay.json"
        overlay.write_text(json.dumps({"Replace": replace}))
        return overlay

    def _tree_go(self) -> str:
        """Return the driver's imports of all generated packages."""
        folders = {str(Path(source.path).parent) for source in self.sources}
        if self.has_application:
            folders.add("internal/greeter/application")
        imports = "".join(f'\t_ "{packages.MODULE_PATH}/{folder}"\n' for folder in sorted(folders))
        return f"package main\n\nimport (\n{imports})\n" if imports else "package main\n"
