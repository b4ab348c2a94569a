"""Reads the layout of protos from a repository's buf.yaml or buf.work.yaml.

https://buf.build/docs/configuration/v2/buf-yaml/, .../v1/buf-yaml/ and .../v1/buf-work-yaml/ describe the files.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from grpc_interop.errors import UsageError
from grpc_interop.schema.roots.layout import Layout, ProtoFile, find_layout, read_files

FILE, WORKSPACE = "buf.yaml", "buf.work.yaml"

_REMEDY = "mend it, or move it away and run `interop init` again"

COMMON = "buf.build/googleapis/googleapis"
"""A module of the registry whose files are among the common includes."""


@dataclass(frozen=True, slots=True)
class _Module:
    folder: PurePosixPath
    includes: tuple[PurePosixPath, ...] = ()  # the folders that belong to it, relative to the module; empty: all
    excludes: tuple[PurePosixPath, ...] = ()  # the folders that do not belong to it, relative to the module


@dataclass(slots=True)
class _BufFiles:
    """The content of buf's files."""

    modules: list[_Module] = field(default_factory=list)
    deps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_layout(repository: Path, files: Sequence[ProtoFile] | None = None) -> Layout | None:
    """Return buf's layout, or None where buf is not configured. Raise UsageError for a file that cannot be read."""
    every = read_files(repository) if files is None else files
    folders = _configured(repository, every)
    if not folders:
        return None
    read = _BufFiles()
    for folder in folders:
        if (repository / folder / WORKSPACE).is_file():
            read.notes.append(f"{folder / WORKSPACE} says which folders are modules")
            for name in _texts(repository / folder / WORKSPACE, _load(repository / folder / WORKSPACE), "directories"):
                _add_file(read, repository, folder / name)
        else:
            read.notes.append(f"{folder / FILE} says which folders are modules")
            _add_file(read, repository, folder)
    layout = _laid_out(read)
    layout.buf = bool(read.deps) and folders == [PurePosixPath()]
    if layout.buf:
        layout.notes.append(f"{', '.join(read.deps)}: buf gets these from a registry, so buf builds the protos")
    elif read.deps:
        layout.notes.append(
            f"{', '.join(read.deps)}: these are in a registry; have buf write them into an image,"
            " `buf build -o image.binpb`, and give that with `interop run --image image.binpb`"
        )
    # A file outside of all modules was left out by people.
    layout.left_out = {file.path for file in every if any(file.path.is_relative_to(folder) for folder in folders)}
    if folders != [PurePosixPath()]:
        _add_rest(layout, repository, folders, every)
    return layout


def _add_rest(layout: Layout, repository: Path, folders: Sequence[PurePosixPath], files: Iterable[ProtoFile]) -> None:
    """Add the layout beside the folders that buf knows."""
    rest = find_layout(repository, [file for file in files if not any(file.path.is_relative_to(folder) for folder in folders)])
    layout.roots += rest.roots
    layout.includes += rest.includes
    layout.excludes += rest.excludes
    layout.notes += rest.notes
    layout.left_out |= rest.left_out
    for spelled in rest.roots:
        prefix, _, root = spelled.rpartition("=")
        layout.excludes += [
            f"{escape(str(PurePosixPath(prefix, folder.relative_to(root))))}/*" for folder in folders if folder.is_relative_to(root)
        ]


def _configured(repository: Path, files: Iterable[ProtoFile]) -> list[PurePosixPath]:
    """Return the outermost folders with a file of buf's: the repository itself, or else folders around its protos."""
    known: dict[PurePosixPath, bool] = {}
    outermost: set[PurePosixPath] = set()
    for folder in (PurePosixPath(), *(folder for file in files for folder in reversed(file.path.parents))):
        if folder not in known:
            known[folder] = any((repository / folder / name).is_file() for name in (FILE, WORKSPACE))
        if known[folder] and not outermost.intersection((folder, *folder.parents)):
            outermost.add(folder)
    return sorted(outermost)


def _add_file(read: _BufFiles, repository: Path, folder: PurePosixPath) -> None:
    """Add the modules of a folder's buf.yaml. In a workspace of version 1 a folder need not have one."""
    path = repository / folder / FILE
    content = _load(path) if path.is_file() else {}
    if content.get("version") == "v2":
        for module in _tables(path, content, "modules") or [{}]:
            place = PurePosixPath(str(module.get("path", ".")))
            includes, excludes = (_below(place, _texts(path, module, key)) for key in ("includes", "excludes"))
            read.modules.append(_Module(folder / place, includes, excludes))
    else:
        build = next(iter(_tables(path, {"build": [content.get("build") or {}]}, "build")), {})
        for root in _texts(path, build, "roots") or ["."]:  # only v1beta1 has several
            read.modules.append(_Module(folder / root, (), _below(PurePosixPath(root), _texts(path, build, "excludes"))))
    read.deps += [name for name in _texts(path, content, "deps") if name.split(":")[0] != COMMON]


def _below(module: PurePosixPath, names: Iterable[str]) -> tuple[PurePosixPath, ...]:
    """Return folders relative to the module: buf's files name them relative to themselves."""
    paths = map(PurePosixPath, names)
    return tuple(path.relative_to(module) for path in paths if path.is_relative_to(module))


def _laid_out(read: _BufFiles) -> Layout:
    """Return the modules as roots. One folder may have several modules, and one may include a folder that another excludes."""
    layout = Layout(notes=read.notes)
    for folder in dict.fromkeys(module.folder for module in read.modules):
        same = [module for module in read.modules if module.folder == folder]
        parts = [part for module in same for part in module.includes]
        if all(module.includes for module in same):
            outermost = [part for part in dict.fromkeys(parts) if not any(other in part.parents for other in parts)]
            layout.roots += [f"{part}={folder / part}" for part in outermost]
        else:
            layout.roots.append(str(folder))
        for exclude in dict.fromkeys(exclude for module in same for exclude in module.excludes):
            others = [module for module in same if exclude not in module.excludes]
            if not any(not other.includes or {exclude, *exclude.parents} & {*other.includes} for other in others):
                layout.excludes.append(escape(str(exclude)) + ("" if exclude.suffix == ".proto" else "/*"))
    layout.roots = list(dict.fromkeys(layout.roots))
    return layout


def _load(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not YAML: {error}", _REMEDY) from None
    if not isinstance(content, dict):
        raise UsageError(f"{path}: not a valid buf file", _REMEDY)
    return content


def _texts(path: Path, content: Mapping[str, Any], key: str) -> list[str]:
    return [str(item) for item in _items(path, content, key)]


def _tables(path: Path, content: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    tables = _items(path, content, key)
    if not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{path}: `{key}` is not a list of tables", _REMEDY)
    return tables


def _items(path: Path, content: Mapping[str, Any], key: str) -> list[Any]:
    items = content.get(key) or []
    if not isinstance(items, list):
        raise UsageError(f"{path}: `{key}` is not a list", _REMEDY)
    return items
