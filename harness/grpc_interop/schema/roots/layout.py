"""How a repository that nobody has described lays out its protos: the roots that its imports are relative to, the folders
that are only imported from, and what is best left out.

A file that is imported has the name by which others import it, and that says what its root is. The other files go with the
innermost root around them, or else by their packages.
"""

from __future__ import annotations

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
"""Folders with one of these names commonly hold other people's protos."""

COPIED_TO = {"dist", "build", "out", "target", "docs", "doc", "public"}
"""Folders with one of these names commonly hold copies that were made of a repository's own files."""

MOST_NAMED = 3
"""Names that a sentence lists of many."""


class ProtoFile(NamedTuple):
    """A proto file of a repository: its path from there, its package, what it imports, and its RPCs."""

    path: PurePosixPath
    package: str
    imports: tuple[str, ...]
    rpcs: tuple[str, ...]


class RelativeRoot(NamedTuple):
    """A root by its path from the repository, and the prefix of the names of its files."""

    folder: PurePosixPath
    prefix: str = ""

    def name(self, path: PurePosixPath) -> str:
        """Return how imports spell a file or a folder."""
        return str(PurePosixPath(self.prefix, path.relative_to(self.folder)))

    def __str__(self) -> str:
        return f"{self.prefix}={self.folder}" if self.prefix or "=" in str(self.folder) else str(self.folder)


@dataclass(slots=True)
class Layout:
    """What belongs into `[protos]` of an interop.toml. Folders are relative to the repository, "." for itself; `excludes`
    are patterns of file names as they are imported. `told` says how it was found, in sentences. The files of `others` are
    left out with a reason. `buf` says that only buf has all that they import."""

    roots: list[str] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    excludes: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    others: set[PurePosixPath] = field(default_factory=set)
    buf: bool = False


def read_files(repository: Path) -> list[ProtoFile]:
    """Return the proto files that a run of the whole repository would see."""
    names = sorted(PurePosixPath(found.name) for found in proto_files([repository]) if found.path.is_file())
    return [ProtoFile(name, *read_statements(repository / name)) for name in names]


def find_layout(repository: Path, files: Sequence[ProtoFile] | None = None, *, prefixes: bool = True, joined: bool = False) -> Layout:
    """Return the layout, told from imports and packages. Without `prefixes` no import is taken to begin with one. Files that
    nothing says the root of are `joined` below one root, or each has the folder that it lies in."""
    every = read_files(repository) if files is None else files
    copies = _copies(every)
    own = [file for file in every if file.path not in copies]
    place_of = _places(own, prefixes=prefixes, joined=joined)
    layout = _laid_out(own, place_of)
    roots = sorted({place for place in place_of.values() if str(place) in layout.roots})
    _leave_out_copies(layout, roots, copies, own)
    layout.told += _missing_imports(repository, own, layout)
    return layout


# ----------------------------------------------------------------------------------------------------------------------
# Which root a file belongs to
# ----------------------------------------------------------------------------------------------------------------------


def _places(files: Sequence[ProtoFile], *, prefixes: bool, joined: bool) -> dict[PurePosixPath, RelativeRoot]:
    """Return the root of each file."""
    imported = _places_by_imports(files, prefixes=prefixes)
    place_of = dict(imported)
    places = _by_folder(imported.values())
    for file in files:
        if file.path not in imported:
            place = _innermost(file.path, places) or _place_by_package(file)
            if place is not None:
                place_of[file.path] = place
    known = _by_folder(place_of.values())
    for file in files:  # without a package that its folders are called by, and no one imports it
        if file.path not in place_of and (around := _innermost(file.path, known)):
            place_of[file.path] = around
    rest = [file.path.parent for file in files if file.path not in place_of]
    together = RelativeRoot(PurePosixPath(os.path.commonpath(rest))) if rest and joined else None
    return {file.path: place_of.get(file.path) or together or RelativeRoot(file.path.parent) for file in files}


def _places_by_imports(files: Sequence[ProtoFile], *, prefixes: bool) -> dict[PurePosixPath, RelativeRoot]:
    """Return the roots of the files that others import. Where an import could mean several files, the nearest is meant."""
    named: dict[str, list[PurePosixPath]] = {}
    for file in files:
        named.setdefault(file.path.name, []).append(file.path)
    common = common_includes()
    places: dict[PurePosixPath, RelativeRoot] = {}
    unmatched: list[tuple[ProtoFile, tuple[str, ...]]] = []
    for file in files:
        for name in file.imports:
            wanted = PurePosixPath(name).parts
            meant = [path for path in named.get(PurePosixPath(name).name, []) if path.parts[-len(wanted) :] == wanted]
            if meant:
                nearest = max(meant, key=lambda path: _folders_in_common(path, file.path))
                places.setdefault(nearest, RelativeRoot(PurePosixPath(*nearest.parts[: -len(wanted)])))
            elif prefixes and resolve(name, common) is None:
                unmatched.append((file, wanted))
    for file, wanted in unmatched:
        # The end of the import that a file's path has in common is its name without the prefix.
        ends = {path: _ends_in_common(path.parts, wanted) for path in named.get(wanted[-1] if wanted else "", [])}
        ends = {path: end for path, end in ends.items() if can_be_prefix("/".join(wanted[:-end]))}
        if ends:
            nearest = max(ends, key=lambda path: (ends[path], _folders_in_common(path, file.path)))
            end = ends[nearest]
            places.setdefault(nearest, RelativeRoot(PurePosixPath(*nearest.parts[:-end]), "/".join(wanted[:-end])))
    return places


def _folders_in_common(one: PurePosixPath, other: PurePosixPath) -> int:
    return sum(1 for parent in one.parents if parent in other.parents)


def _ends_in_common(one: Sequence[str], other: Sequence[str]) -> int:
    same = [a == b for a, b in zip(reversed(one), reversed(other), strict=False)]
    return same.index(False) if False in same else len(same)


def _place_by_package(file: ProtoFile) -> RelativeRoot | None:
    """Return the folder in which the package's own folders begin, where a file lies in such: acme/shop/v1 for acme.shop.v1."""
    package, folders = tuple(file.package.split(".")), file.path.parent.parts
    return RelativeRoot(PurePosixPath(*folders[: -len(package)])) if file.package and folders[-len(package) :] == package else None


def _by_folder(places: Iterable[RelativeRoot]) -> dict[PurePosixPath, RelativeRoot]:
    """Return the roots by their folders; of several of one folder, the one with a prefix."""
    return {place.folder: place for place in sorted(set(places), key=lambda place: place.prefix)}


def _innermost(path: PurePosixPath, places: Mapping[PurePosixPath, RelativeRoot]) -> RelativeRoot | None:
    """Return the innermost root around a file; of other people's protos none that is the repository's own."""
    others = next((depth for depth, part in enumerate(path.parts) if part in IMPORTED_FROM), -1)
    return next((places[folder] for folder in path.parents if folder in places and len(folder.parts) > others), None)


# ----------------------------------------------------------------------------------------------------------------------
# Roots, includes and excludes
# ----------------------------------------------------------------------------------------------------------------------


def _laid_out(files: Sequence[ProtoFile], place_of: Mapping[PurePosixPath, RelativeRoot]) -> Layout:
    """Return roots and includes, and what each root leaves to another that lies within it."""
    layout = Layout()
    below: defaultdict[RelativeRoot, list[PurePosixPath]] = defaultdict(list)
    for file in files:
        below[place_of[file.path]].append(file.path)
    places = sorted(below, key=lambda place: (len(place.folder.parts), place))
    roots = [place for place in places if not IMPORTED_FROM.intersection(place.folder.parts)]
    for place in places:
        if place in roots:
            layout.told.append(_how(place))
        else:
            layout.includes.append(str(place))
            layout.others.update(below[place])
            layout.told.append(f"{place} looks like other people's protos: it is only imported from{_and_rpcs(files, below[place])}")
    layout.roots = [str(root) for root in roots]
    layout.excludes = _excludes(roots, files, place_of, layout)
    return layout


def _how(place: RelativeRoot) -> str:
    if place.prefix:
        return f"imports of what lies in {place.folder} begin with {place.prefix}"
    return f"{place} is what imports and packages are relative to" if str(place) != "." else "imports are relative to this folder"


def _and_rpcs(files: Iterable[ProtoFile], paths: Iterable[PurePosixPath]) -> str:
    wanted = set(paths)
    rpcs = [rpc for file in files if file.path in wanted for rpc in file.rpcs]
    return f", without its RPCs ({few(rpcs, MOST_NAMED)})" if rpcs else ""


def _excludes(
    roots: Sequence[RelativeRoot], files: Sequence[ProtoFile], place_of: Mapping[PurePosixPath, RelativeRoot], layout: Layout
) -> list[str]:
    """Return patterns with which each file below several roots has the name of one. Those of other people's protos that lie
    below a root and are imported by its names are left out."""
    patterns: dict[str, None] = {}
    for root in roots:
        within = [file.path for file in files if file.path.is_relative_to(root.folder)]
        away = [path for path in within if place_of[path] != root]
        for path in within:
            inner = path.relative_to(root.folder).parts
            if place_of[path] == root and IMPORTED_FROM.intersection(inner[:-1]):
                away.append(path)
                layout.others.add(path)
        patterns |= dict.fromkeys(_patterns(root, away, within))
    return list(patterns)


def _patterns(root: RelativeRoot, away: Sequence[PurePosixPath], within: Iterable[PurePosixPath]) -> Iterator[str]:
    """Yield for each file that goes away the outermost folder of which all does, or the file itself."""
    needed = {folder for path in set(within) - set(away) for folder in path.parents}
    for path in away:
        folders = list(reversed(path.parents))[len(root.folder.parts) + 1 :]
        gone = next((folder for folder in folders if folder not in needed), None)
        yield escape(root.name(path)) if gone is None else f"{escape(root.name(gone))}/*"


class RootGroup(NamedTuple):
    """What can be part of one run: some of the roots, and the folders that they import from."""

    roots: list[str]
    includes: list[str]


def group_roots(repository: Path, layout: Layout) -> list[RootGroup]:
    """Return the roots in groups of which none holds two files of one name, as few as can be seen at once: more than one where
    they cannot be part of one run. Raises ProtoError."""
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
    """Return each root as a run of its own. Raises ProtoError."""
    found = {root: root_files([read_root(root, repository)], layout.excludes).values() for root in layout.roots}
    return [RootGroup([root], [*layout.includes, *_imported_from(repository, layout, [root], files)]) for root, files in found.items()]


def _imported_from(repository: Path, layout: Layout, members: Sequence[str], files: Iterable[Path]) -> Iterator[str]:
    """Yield the roots beside those of a run that its files import from, also by way of others."""
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


# ----------------------------------------------------------------------------------------------------------------------
# Copies, and what is missing
# ----------------------------------------------------------------------------------------------------------------------


def _copies(files: Sequence[ProtoFile]) -> dict[PurePosixPath, PurePosixPath]:
    """Return the files that were copied from others to a folder for what is made, each with the top of that folder."""
    tops = {file.path: top for file in files if (top := _copied_to(file.path))}
    originals: defaultdict[tuple[str, str], list[ProtoFile]] = defaultdict(list)
    for file in files:
        if file.path not in tops:
            originals[file.path.name, file.package].append(file)
    return {
        file.path: tops[file.path]
        for file in files
        if file.path in tops and any(file.package or file.rpcs == one.rpcs for one in originals[file.path.name, file.package])
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
        layout.told.append(
            f"{top} holds copies of files that lie elsewhere ({few([str(path) for path in paths], MOST_NAMED)}): they are left out"
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
            yield f"{user} imports {name}, which is nowhere here: add its folder to `includes`"
