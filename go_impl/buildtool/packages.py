"""Choose a Go package of ours for each proto file.

A file's own go_package says which files belong together, but never where. It may be missing, foreign, or a path that Go
would refuse in our module. These are pure functions, without I/O.
"""

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass

from google.protobuf.descriptor_pb2 import FileDescriptorProto

MODULE_PATH = "grpc-interop/go_impl"
GEN = "gen"
QUICK_START = "greeter/v1/greeter.proto"

# File systems accept names of 255 bytes, and the suffixes that the plugins add must fit in as well.
LONGEST = 200

# Path elements and package names that the go command or the language treats specially.
SPECIAL = frozenset(
    "internal vendor testdata main init documentation "
    "break case chan const continue default defer else fallthrough for func go goto if import interface map package "
    "range return select struct switch type var "
    # Within generated functions, parameters and variables with these names would hide an imported package.
    "application c call ctx dec err handler host in info interceptor m opts options over reply request s srv stream to typed x "
    # No folder on Windows may have such a name, so the go command refuses them everywhere.
    "con prn aux nul com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9".split()
)


@dataclass(frozen=True)
class Package:
    """A Go package: its folder in the module (`gen/greeter/v1`) and its name (`greeterv1`)."""

    folder: str
    name: str

    @property
    def import_path(self) -> str:
        return self.folder if "." in self.folder.split("/")[0] else f"{MODULE_PATH}/{self.folder}"


def assign(files: list[FileDescriptorProto]) -> dict[str, Package]:
    """Return the package of each file, by the file's name. Files whose packages would import each other in a circle are
    parted."""
    groups = _groups(files)
    circular = _circular(groups, files)
    members_of: dict[str, list[str]] = defaultdict(list)
    for name, group in groups.items():
        members_of[f"file {name}" if group in circular else group].append(name)
    packages: dict[str, Package] = {}
    taken: set[str] = set()
    # The hand-written programs import the quick-start service, so it has the first choice of its place.
    for names in sorted(members_of.values(), key=lambda names: (QUICK_START not in names, min(names))):
        packages |= dict.fromkeys(names, _place(QUICK_START if QUICK_START in names else min(names), taken))
    return packages


def _groups(files: list[FileDescriptorProto]) -> dict[str, str]:
    """Return a key for each file; files with the same key share a package."""
    groups: dict[str, str] = {}
    declared: dict[str, dict[str, str]] = defaultdict(dict)
    for file in files:
        go_package = file.options.go_package
        groups[file.name] = go_package or f"folder {posixpath.dirname(file.name)} package {file.package}"
    # A go_package for several proto packages works only as long as no two packages use the same name.
    clashing = set()
    for file in files:
        names = [d.name for kind in (file.message_type, file.enum_type, file.service, file.extension) for d in kind]
        for name in names:
            if declared[groups[file.name]].setdefault(name.lower(), file.package) != file.package:
                clashing.add(groups[file.name])
    for file in files:
        if groups[file.name] in clashing:
            groups[file.name] += f" package {file.package}"
    return groups


def _circular(groups: dict[str, str], files: list[FileDescriptorProto]) -> set[str]:
    """Return the groups that import each other in a circle."""
    imports: dict[str, set[str]] = {group: set() for group in groups.values()}
    for file in files:
        own = groups[file.name]
        imports[own] |= {groups[name] for name in file.dependency if name in groups} - {own}
    return {group for group in imports if group in _reachable(imports, imports[group])}


def _reachable(imports: dict[str, set[str]], start: set[str]) -> set[str]:
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        group = waiting.pop()
        if group not in seen:
            seen.add(group)
            waiting.extend(imports[group])
    return seen


def _place(file: str, taken: set[str]) -> Package:
    """Return a folder of its own, after the file's directory, and a name that joins the folder's elements."""
    elements = [_element(part) for part in posixpath.dirname(file).split("/") if part] or [_element(_stem(file))]
    last, number = elements[-1], 1
    # Compared in lower case: some file systems ignore case.
    while "/".join(elements).lower() in taken:
        number += 1
        elements[-1] = f"{last}_{number}"
    taken.add("/".join(elements).lower())
    return Package(posixpath.join(GEN, *elements), _element("".join(elements)))


def _element(text: str) -> str:
    """Return a path element, which is also a package name, that Go accepts."""
    clean = re.sub(r"[^a-z0-9_]", "_", text.lower())[:LONGEST].strip("_")
    if not clean or clean[0].isdigit():
        clean = f"p{clean}"
    if clean in SPECIAL or clean.endswith("_test"):
        clean += "_pb"
    return clean


def _stem(file: str) -> str:
    return posixpath.basename(file).removesuffix(".proto")


def source_stems(packages: dict[str, Package]) -> dict[str, str]:
    """Return the path in the module, without suffix, with which the Go sources of each proto file begin
    (`gen/greeter/v1/greeter`).

    The last element has no special meaning for the go command (such as `_linux`, or a leading dot), and is unique in
    its folder.
    """
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for file in sorted(packages):
        folder, name = packages[file].folder, _element(_stem(file))
        # Go reads the name up to its first dot: foo_windows.pb.go is for Windows only.
        if "_" in name:
            name += "_p"
        stem, number = posixpath.join(folder, name), 1
        while stem in taken:
            number += 1
            stem = posixpath.join(folder, f"{name}{number}")
        taken.add(stem)
        stems[file] = stem
    return stems
