"""How a repository that nobody has described lays out its protos: the roots that its imports are relative to, the folders
that are only imported from, and what is best left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from grpc_interop.protos.root import read_root
from grpc_interop.protos.roots import common_includes, resolve
from grpc_interop.protos.walking import proto_files

IMPORTED_FROM = {"third_party", "third-party", "vendor", "vendored", "external", "googleapis", "deps", "node_modules"}
"""Folders with one of these names commonly hold other people's protos."""

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r'(?:^|(?<=;))\s*import\s+(?:public\s+|weak\s+|option\s+)?"([^"]+)"\s*;', re.MULTILINE)
_PACKAGE = re.compile(r"(?:^|(?<=;))\s*package\s+([\w.]+)\s*;", re.MULTILINE)


@dataclass(slots=True)
class Layout:
    """What belongs into `[protos]` of an interop.toml. Folders are relative to the repository, "." for itself; `excludes`
    are patterns of file names as they are imported. `told` says how it was found, in sentences."""

    roots: list[str] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    excludes: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _File:
    """A proto file: its path in the repository, its package, and what it imports."""

    path: PurePosixPath
    package: str
    imports: tuple[str, ...]


def find_layout(repository: Path) -> Layout:
    """The layout, told from imports and packages: what a file is imported as says what its root is."""
    files = [_read(repository, PurePosixPath(name)) for name in sorted(found.name for found in proto_files([repository]))]
    root_of = _roots_by_imports(files)
    for file in files:
        root_of.setdefault(file.path, _root_by_package(file))
    known = {root for root in root_of.values() if root is not None}
    for file in files:
        if root_of[file.path] is None:  # no package and no one imports it: it goes with what it lies in
            around = [root for root in known if file.path.is_relative_to(root)]
            root_of[file.path] = max(around, key=lambda root: len(root.parts), default=file.path.parent)
    layout = _laid_out({root for root in root_of.values() if root is not None})
    layout.told += _missing_imports(repository, files, layout)
    return layout


def _read(repository: Path, path: PurePosixPath) -> _File:
    text = _COMMENT.sub("", (repository / path).read_text(encoding="utf-8", errors="replace"))
    package = _PACKAGE.search(text)
    return _File(path, package[1] if package else "", tuple(_IMPORT.findall(text)))


def _roots_by_imports(files: Sequence[_File]) -> dict[PurePosixPath, PurePosixPath | None]:
    """The roots of the files that others import. Of several that an import could mean, the nearest one is meant."""
    named: dict[str, list[PurePosixPath]] = {}
    for file in files:
        named.setdefault(file.path.name, []).append(file.path)
    roots: dict[PurePosixPath, PurePosixPath | None] = {}
    for file in files:
        for name in file.imports:
            wanted = PurePosixPath(name).parts
            meant = [path for path in named.get(wanted[-1], []) if path.parts[-len(wanted) :] == wanted]
            if meant:
                nearest = max(meant, key=lambda path: _folders_in_common(path, file.path))
                roots.setdefault(nearest, PurePosixPath(*nearest.parts[: -len(wanted)]))
    return roots


def _folders_in_common(one: PurePosixPath, other: PurePosixPath) -> int:
    return sum(1 for parent in one.parents if parent in other.parents)


def _root_by_package(file: _File) -> PurePosixPath | None:
    """The folder in which the package's own folders begin, where a file lies in such: acme/shop/v1 for acme.shop.v1."""
    package, folders = tuple(file.package.split(".")), file.path.parent.parts
    return PurePosixPath(*folders[: -len(package)]) if file.package and folders[-len(package) :] == package else None


def _laid_out(found: Iterable[PurePosixPath]) -> Layout:
    """Roots and includes. A root within another one can only be imported from, and the outer one does without it."""
    layout = Layout()
    every = sorted(found, key=lambda root: (len(root.parts), root))
    roots: list[PurePosixPath] = []
    for root in every:
        outer = next((other for other in roots if root.is_relative_to(other)), None)
        if outer is not None:
            layout.includes.append(str(root))
            layout.excludes.append(f"{root.relative_to(outer)}/*")
            layout.told.append(f"{root} is a root of its own within {outer}: it is only imported from")
        elif IMPORTED_FROM.intersection(root.parts):
            layout.includes.append(str(root))
            layout.told.append(f"{root} looks like other people's protos: it is only imported from")
        else:
            roots.append(root)
            layout.told.append(
                f"{root} is what imports and packages are relative to" if str(root) != "." else "imports are relative to this folder"
            )
    layout.roots = [str(root) for root in roots]
    return layout


def _missing_imports(repository: Path, files: Sequence[_File], layout: Layout) -> Iterator[str]:
    search = [*(read_root(root, repository) for root in (*layout.roots, *layout.includes)), *common_includes()]
    for name in sorted({name for file in files for name in file.imports}):
        if resolve(name, search) is None:
            user = next(file.path for file in files if name in file.imports)
            yield f"{user} imports {name}, which is nowhere here: add its folder to `includes`"
