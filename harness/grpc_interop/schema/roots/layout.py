"""Finds the layout of protos in a repository without configuration: the roots that its imports are relative to, the
folders that are only imported from, and the files to leave out.

The root of an imported file follows from its name in imports. Other files belong to the innermost root around them, or
else to the root that their package tells.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from grpc_interop.output.plain_text import few
from grpc_interop.schema.roots.root import can_be_prefix, read_root
from grpc_interop.schema.roots.roots import are_copies, common_includes, resolve, root_files
from grpc_interop.schema.roots.statements import read_statements
from grpc_interop.schema.roots.walking import proto_files

IMPORTED_FROM = {"third_party", "third-party", "vendor", "vendored", "external", "googleapis", "deps", "node_modules"}
"""Common names of folders with protos of other projects."""

COPIED_TO = {"dist", "build", "out", "target", "docs", "doc", "public"}
"""Common names of folders with generated copies of a repository's own files."""

MOST_NAMED = 3
"""Names that a sentence lists."""


class ProtoFile(NamedTuple):
    path: PurePosixPath  # relative to the repository
    package: str
    imports: tuple[str, ...]
    rpcs: tuple[str, ...]


class RelativeRoot(NamedTuple):
    folder: PurePosixPath  # relative to the repository
    prefix: str = ""  # the beginning of the names of its files in imports

    def name(self, path: PurePosixPath) -> str:
        """Return the name of a file or a folder in imports."""
        return str(PurePosixPath(self.prefix, path.relative_to(self.folder)))

    def __str__(self) -> str:
        return f"{self.prefix}={self.folder}" if self.prefix or "=" in str(self.folder) else str(self.folder)


@dataclass(slots=True)
class Layout:
    """The content of `[protos]` in an interop.toml. Folders are relative to the repository, which is "."."""

    roots: list[str] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    excludes: list[str] = field(default_factory=list)  # patterns of file names in imports
    notes: list[str] = field(default_factory=list)  # sentences for people: how it was found
    left_out: set[PurePosixPath] = field(default_factory=set)  # files that are left out with a reason
    buf: bool = False  # only buf has all imports


def read_files(repository: Path) -> list[ProtoFile]:
    """Return the proto files that a run of the whole repository would see."""
    names = sorted(PurePosixPath(file.name) for file in proto_files([repository]) if file.path.is_file())
    return [ProtoFile(name, *read_statements(repository / name)) for name in names]


def find_layout(repository: Path, files: Sequence[ProtoFile] | None = None, *, prefixes: bool = True, joined: bool = False) -> Layout:
    """Return the layout that imports and packages tell. Without `prefixes` no import is taken to begin with a prefix. Files
    whose root nothing tells are `joined` below one root, or each has its own folder as the root."""
    every = read_files(repository) if files is None else files
    copies = _copies(every)
    own = [file for file in every if file.path not in copies]
    root_of = _roots_of_files(own, prefixes=prefixes, joined=joined)
    layout = _laid_out(own, root_of)
    roots = sorted({root for root in root_of.values() if str(root) in layout.roots})
    _leave_out_copies(layout, roots, copies, own)
    layout.notes += _missing_imports(repository, own, layout)
    return layout


# -- the root of each file ---------------------------------------------------------------------------------------------


def _roots_of_files(files: Sequence[ProtoFile], *, prefixes: bool, joined: bool) -> dict[PurePosixPath, RelativeRoot]:
    """Return the root of each file."""
    imported = _roots_by_imports(files, prefixes=prefixes)
    root_of = dict(imported)
    roots = _by_folder(imported.values())
    for file in files:
        if file.path not in imported:
            root = _innermost(file.path, roots) or _root_by_package(file)
            if root is not None:
                root_of[file.path] = root
    known = _by_folder(root_of.values())
    for file in files:  # not imported, and its folders do not have the names of its package
        if file.path not in root_of and (around := _innermost(file.path, known)):
            root_of[file.path] = around
    rest = [file.path.parent for file in files if file.path not in root_of]
    together = RelativeRoot(PurePosixPath(os.path.commonpath(rest))) if rest and joined else None
    return {file.path: root_of.get(file.path) or together or RelativeRoot(file.path.parent) for file in files}


def _roots_by_imports(files: Sequence[ProtoFile], *, prefixes: bool) -> dict[PurePosixPath, RelativeRoot]:
    """Return the roots of imported files. An import that could mean several files means the nearest."""
    named: dict[str, list[PurePosixPath]] = {}
    for file in files:
        named.setdefault(file.path.name, []).append(file.path)
    common = common_includes()
    roots: dict[PurePosixPath, RelativeRoot] = {}
    unmatched: list[tuple[ProtoFile, tuple[str, ...]]] = []
    for file in files:
        for name in file.imports:
            wanted = PurePosixPath(name).parts
            meant = [path for path in named.get(PurePosixPath(name).name, []) if path.parts[-len(wanted) :] == wanted]
            if meant:
                nearest = max(meant, key=lambda path: _folders_in_common(path, file.path))
                roots.setdefault(nearest, RelativeRoot(PurePosixPath(*nearest.parts[: -len(wanted)])))
            elif prefixes and resolve(name, common) is None:
                unmatched.append((file, wanted))
    for file, wanted in unmatched:
        # The common end of the import and a file's path is the file's name without the prefix.
        ends = {path: _ends_in_common(path.parts, wanted) for path in named.get(wanted[-1] if wanted else "", [])}
        ends = {path: end for path, end in ends.items() if can_be_prefix("/".join(wanted[:-end]))}
        if ends:
            nearest = max(ends, key=lambda path: (ends[path], _folders_in_common(path, file.path)))
            end = ends[nearest]
            roots.setdefault(nearest, RelativeRoot(PurePosixPath(*nearest.parts[:-end]), "/".join(wanted[:-end])))
    return roots


def _folders_in_common(path: PurePosixPath, other: PurePosixPath) -> int:
    return sum(parent in other.parents for parent in path.parents)


def _ends_in_common(parts: Sequence[str], other: Sequence[str]) -> int:
    same = [a == b for a, b in zip(reversed(parts), reversed(other), strict=False)]
    return same.index(False) if False in same else len(same)


def _root_by_package(file: ProtoFile) -> RelativeRoot | None:
    """Return the folder around the package's folders (acme/shop/v1 for acme.shop.v1) of a file that lies in these."""
    package, folders = tuple(file.package.split(".")), file.path.parent.parts
    return RelativeRoot(PurePosixPath(*folders[: -len(package)])) if file.package and folders[-len(package) :] == package else None


def _by_folder(roots: Iterable[RelativeRoot]) -> dict[PurePosixPath, RelativeRoot]:
    """Return the roots by their folders; a root with a prefix goes before a root without."""
    return {root.folder: root for root in sorted(set(roots), key=lambda root: root.prefix)}


def _innermost(path: PurePosixPath, roots: Mapping[PurePosixPath, RelativeRoot]) -> RelativeRoot | None:
    """Return the innermost root around a file. Protos of other projects do not belong to a root of the repository itself."""
    others = next((depth for depth, part in enumerate(path.parts) if part in IMPORTED_FROM), -1)
    return next((roots[folder] for folder in path.parents if folder in roots and len(folder.parts) > others), None)


# -- roots, includes and excludes --------------------------------------------------------------------------------------


def _laid_out(files: Sequence[ProtoFile], root_of: Mapping[PurePosixPath, RelativeRoot]) -> Layout:
    """Return roots and includes, and exclude from each root the files of roots within it."""
    layout = Layout()
    below: defaultdict[RelativeRoot, list[PurePosixPath]] = defaultdict(list)
    for file in files:
        below[root_of[file.path]].append(file.path)
    every = sorted(below, key=lambda root: (len(root.folder.parts), root))
    roots = [root for root in every if not IMPORTED_FROM.intersection(root.folder.parts)]
    for root in every:
        if root in roots:
            layout.notes.append(_how(root))
        else:
            layout.includes.append(str(root))
            layout.left_out.update(below[root])
            layout.notes.append(f"{root} looks like protos of another project: it is only imported from{_and_rpcs(files, below[root])}")
    layout.roots = [str(root) for root in roots]
    layout.excludes = _excludes(roots, files, root_of, layout)
    return layout


def _how(root: RelativeRoot) -> str:
    if root.prefix:
        return f"imports of files in {root.folder} begin with {root.prefix}"
    return f"imports and packages are relative to {root}" if str(root) != "." else "imports are relative to this folder"


def _and_rpcs(files: Iterable[ProtoFile], paths: Iterable[PurePosixPath]) -> str:
    wanted = set(paths)
    rpcs = [rpc for file in files if file.path in wanted for rpc in file.rpcs]
    return f", without its RPCs ({few(rpcs, MOST_NAMED)})" if rpcs else ""


def _excludes(
    roots: Sequence[RelativeRoot], files: Sequence[ProtoFile], root_of: Mapping[PurePosixPath, RelativeRoot], layout: Layout
) -> list[str]:
    """Return patterns with which each file below several roots belongs to one. Protos of other projects that lie below a root
    and are imported by its names are left out."""
    patterns: dict[str, None] = {}
    for root in roots:
        within = [file.path for file in files if file.path.is_relative_to(root.folder)]
        away = [path for path in within if root_of[path] != root]
        for path in within:
            inner = path.relative_to(root.folder).parts
            if root_of[path] == root and IMPORTED_FROM.intersection(inner[:-1]):
                away.append(path)
                layout.left_out.add(path)
        patterns |= dict.fromkeys(_patterns(root, away, within))
    return list(patterns)


def _patterns(root: RelativeRoot, away: Sequence[PurePosixPath], within: Iterable[PurePosixPath]) -> Iterator[str]:
    """Yield for each file of `away` the outermost folder whose files all go away, or the file itself."""
    needed = {folder for path in set(within) - set(away) for folder in path.parents}
    for path in away:
        folders = list(reversed(path.parents))[len(root.folder.parts) + 1 :]
        gone = next((folder for folder in folders if folder not in needed), None)
        yield escape(root.name(path)) if gone is None else f"{escape(root.name(gone))}/*"


class RootGroup(NamedTuple):
    """Roots that can be part of one run, and the folders that they import from."""

    roots: list[str]
    includes: list[str]


def group_roots(repository: Path, layout: Layout) -> list[RootGroup]:
    """Return the roots in few groups without two files of one name: several groups cannot be part of one run. Raise ProtoError."""
    groups: list[tuple[list[str], dict[str, Path]]] = []
    for root in layout.roots:
        files = root_files([read_root(root, repository)], layout.excludes)
        for members, taken in groups:
            if all(are_copies(files[name], taken[name]) for name in files.keys() & taken.keys()):
                members.append(root)
                taken.update(files)
                break
        else:
            groups.append(([root], dict(files)))
    return [
        RootGroup(members, [*layout.includes, *_imported_from(repository, layout, members, taken.values())]) for members, taken in groups
    ]


def each_alone(repository: Path, layout: Layout) -> list[RootGroup]:
    """Return each root as a group of its own. Raise ProtoError."""
    files_of = {root: root_files([read_root(root, repository)], layout.excludes).values() for root in layout.roots}
    return [RootGroup([root], [*layout.includes, *_imported_from(repository, layout, [root], files)]) for root, files in files_of.items()]


def _imported_from(repository: Path, layout: Layout, members: Sequence[str], files: Iterable[Path]) -> Iterator[str]:
    """Yield the other roots that a group's files import from, directly or indirectly."""
    beside = {root: read_root(root, repository) for root in layout.roots if root not in members}
    search = [*(read_root(root, repository) for root in (*members, *layout.includes)), *common_includes()]
    waiting, seen = list(files), set[str]()
    while waiting:
        for name in read_statements(waiting.pop()).imports:
            if name in seen:
                continue
            seen.add(name)
            if resolve(name, search) is None and (root := next((root for root in beside if resolve(name, [beside[root]])), None)):
                search.append(beside.pop(root))
                yield root
            if path := resolve(name, search):
                waiting.append(path)


# -- copies, and missing imports ---------------------------------------------------------------------------------------


def _copies(files: Sequence[ProtoFile]) -> dict[PurePosixPath, PurePosixPath]:
    """Return the copies of other files in folders for generated files, each with the top of that folder."""
    tops = {file.path: top for file in files if (top := _copied_to(file.path))}
    originals: defaultdict[tuple[str, str], list[ProtoFile]] = defaultdict(list)
    for file in files:
        if file.path not in tops:
            originals[file.path.name, file.package].append(file)
    return {
        file.path: tops[file.path]
        for file in files
        if file.path in tops and any(file.package or file.rpcs == original.rpcs for original in originals[file.path.name, file.package])
    }


def _copied_to(path: PurePosixPath) -> PurePosixPath | None:
    depth = next((depth for depth, part in enumerate(path.parts[:-1], 1) if part in COPIED_TO), None)
    return None if depth is None else PurePosixPath(*path.parts[:depth])


def _leave_out_copies(
    layout: Layout, roots: Iterable[RelativeRoot], copies: Mapping[PurePosixPath, PurePosixPath], own: Sequence[ProtoFile]
) -> None:
    within = [*copies, *(file.path for file in own)]
    for top in dict.fromkeys(copies.values()):
        paths = [path for path, other in copies.items() if other == top]
        layout.notes.append(
            f"{top} has copies of files that lie elsewhere ({few([str(path) for path in paths], MOST_NAMED)}): they are left out"
        )
    for root in roots:
        below = [path for path in within if path.is_relative_to(root.folder)]
        away = [path for path in below if path in copies]
        layout.excludes += dict.fromkeys(_patterns(root, away, below))


def _missing_imports(repository: Path, files: Sequence[ProtoFile], layout: Layout) -> Iterator[str]:
    search = [*(read_root(root, repository) for root in (*layout.roots, *layout.includes)), *common_includes()]
    for name in sorted({name for file in files for name in file.imports}):
        if resolve(name, search) is None:
            user = next(file.path for file in files if name in file.imports)
            yield f"{user} imports {name}, which is not here: add its folder to `includes`"
