"""The sides of a comparison: a git ref, a folder, a descriptor set or the working tree, each read into a catalog.

Of a branch it is the commit where head left it that counts: what others have merged since is no change of ours. A tag or
a commit is what was deployed, and is taken as it is. Roots may have moved since then: where they lay, interop.toml as it
was says, or else the names of the files in them.
"""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from google.protobuf import descriptor_pb2

from grpc_interop.compat.declared import Lines
from grpc_interop.compat.lines import compiled_lines, lines
from grpc_interop.compat.result import Place, Side
from grpc_interop.config import Options
from grpc_interop.drivers.manifest import FILE
from grpc_interop.errors import UsageError
from grpc_interop.protos.catalog import Catalog
from grpc_interop.protos.history import UnknownRefError, commit_of, file_at, folders_at, in_repository, is_branch, merge_base, protos_at
from grpc_interop.protos.image import read_image
from grpc_interop.protos.layout import find_layout
from grpc_interop.protos.root import Root, read_root
from grpc_interop.protos.roots import ProtoError, root_files
from grpc_interop.protos.walking import proto_files
from grpc_interop.session import cache_folder

HEAD = "HEAD"
"""What git calls the commit that the working tree was checked out from."""

SHORT = 10
"""Hexadecimal digits by which people are told a commit: as many as git itself shows of a large repository."""

_NO_IMPORT = "File not found"
"""protoc's words for an import that is not where it looks: a folder may lie around the root instead of being it."""


class Tree(NamedTuple):
    """Where protos lie."""

    roots: tuple[Root, ...]
    includes: tuple[Root, ...] = ()
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """One side: what it is, and what its protos say. `files` gives for a file's name where it lies, or lay; of a descriptor
    set nobody knows. `lines` is as for `changes`."""

    side: Side
    catalog: Catalog
    files: Mapping[str, Path]
    lines: Lines
    seen_from: Path

    def place(self, file: str, line: int = 0) -> Place:
        """A line of one of its files, for people."""
        lies = self.files.get(file)
        if lies is None:
            return Place(file, line)
        within = lies.is_relative_to(self.seen_from)
        return Place(file, line, str(lies.relative_to(self.seen_from) if within else lies))


def read_head(spelling: str | None, options: Options) -> Sources:
    """The new version: the working tree as it is now, unless it is spelled out. Raises UsageError."""
    if spelling is None:
        tree = _tree_now(options)
        return _compiled(Side("head", "working tree"), tree, options)
    return _read(spelling, "head", options, None)


def read_base(spelling: str, label: str, options: Options, head: str | None) -> Sources:
    """An old version; `head` is how the new one was spelled out. Raises UsageError."""
    left = HEAD if head is None else head if _is_ref(head) else None
    return _read(spelling, label, options, left)


def _read(spelling: str, label: str, options: Options, left_by: str | None) -> Sources:
    place = Path.cwd() / spelling
    if place.is_file():
        return _of_image(place, Side(label, spelling), options)
    if _is_ref(spelling):
        try:
            return _of_ref(spelling, label, options, left_by)
        except UnknownRefError as error:
            raise _nothing_of_that_name(spelling, error) from error
    try:
        return _compiled(Side(label, spelling), Tree((Root(place),), options.includes, options.project.excludes), options)
    except UsageError as error:
        roots = [root for root in find_layout(place).roots if root != "."] if _NO_IMPORT in error.what else []
        if not roots:
            raise
        raise UsageError(error.what, f"a folder is itself the root: is {Path(spelling, roots[0])} meant?") from error


def _nothing_of_that_name(spelling: str, error: UsageError) -> UsageError:
    """What is wrong with a name that is no ref: a folder or a file may have been meant."""
    if (Path.cwd() / spelling).is_dir():
        return UsageError(f"{spelling}: no .proto file lies here or below, and no branch, tag or commit is called so")
    if spelling.startswith((".", "/")):
        return UsageError(f"{spelling}: there is no such folder or descriptor set")
    return UsageError(f"{error.what}; nor is there a folder or a descriptor set of that name", error.remedy)


def _is_ref(spelling: str) -> bool:
    """A folder of protos is meant as such, whatever branches there are; `refs/heads/NAME` names a branch beside it."""
    place = Path.cwd() / spelling
    if place.is_dir():
        return not any(proto_files([place]))
    return not place.is_file()


def _of_image(image: Path, side: Side, options: Options) -> Sources:
    try:
        files, content = read_image(image)
        told = {file.name: file for file in descriptor_pb2.FileDescriptorSet.FromString(content).file}
        return Sources(side, Catalog(files, content), {}, lambda name: compiled_lines(told[name]), options.project.folder)
    except ProtoError as error:
        raise UsageError(f"the {side.label} ({side.words}) cannot be read: {error.what}", error.remedy) from error


def _compiled(side: Side, tree: Tree, options: Options, lay: Mapping[Path, Path] | None = None) -> Sources:
    """The protos of a tree. `lay` says of folders that lie somewhere temporary where they really lay: only that is told."""
    lay = lay or {}
    try:
        catalog = Catalog.load(tree.roots, tree.includes, cache_folder(options), tree.excludes)
        found = root_files(tree.roots, tree.excludes)
    except ProtoError as error:
        what, remedy = error.what, error.remedy
        for place, folder in lay.items():
            what, remedy = (words.replace(str(place.resolve()), str(folder)).replace(str(place), str(folder)) for words in (what, remedy))
        raise UsageError(f"the {side.label} ({side.words}) cannot be used: {what}", remedy) from error
    files = {
        name: lay.get(root.folder, root.folder) / path.relative_to(root.folder.resolve())
        for root in tree.roots
        for name, path in found.items()
        if root.resolved().file_of(name) == path
    }
    # Read now: a folder that lies somewhere temporary is gone when a line of it is asked for.
    texts = {name: path.read_text(encoding="utf-8", errors="replace") for name, path in found.items()}
    return Sources(side, catalog, files, lambda name: lines(texts.get(name, "")), options.project.folder)


def _tree_now(options: Options) -> Tree:
    if not options.roots:
        raise UsageError(
            "no protos: neither --proto-path nor interop.toml names any", "such as: interop compat --proto-path proto --base origin/main"
        )
    return Tree(options.roots, options.includes, options.project.excludes)


# ----------------------------------------------------------------------------------------------------------------------
# Git refs
# ----------------------------------------------------------------------------------------------------------------------


def _of_ref(ref: str, label: str, options: Options, left_by: str | None) -> Sources:
    now = _tree_now(options)
    around = now.roots[0].folder
    commit = commit_of(ref, around)
    words = f"{ref}, {commit[:SHORT]}"
    if left_by is not None and is_branch(ref, around):
        commit = merge_base(ref, left_by, around)
        words = f"{ref}, merge base {commit[:SHORT]}"
    side = Side(label, words)
    protos = protos_at(commit, around)
    tree = _tree_then(commit, now, protos, options)
    if not tree.roots:
        roots = ", ".join(os.path.relpath(root.folder, options.project.folder) for root in now.roots)
        raise UsageError(
            f"the {label} ({words}) has no protos in {roots}, nor any of their names elsewhere",
            "check --proto-path; or check that version out beside this one and give its folder of protos: --base DIR",
        )
    # A folder of imports that was not there then is taken as it is now.
    own = [include.folder for include in tree.includes if in_repository(include.folder, around) and _holds(include, protos)]
    with folders_at(commit, [*(root.folder for root in tree.roots), *own]) as then:
        there = Tree(_those(then, tree.roots), _those(then, tree.includes), tree.excludes)
        return _compiled(side, there, options, {place: folder for folder, place in then.items()})


def _tree_then(commit: str, now: Tree, protos: Sequence[Path], options: Options) -> Tree:
    """Where the protos lay at a commit: as the project's file said there, unless other roots were asked for."""
    project = options.project
    if options.roots == project.roots and (told := _told_then(file_at(commit, project.folder / FILE))):
        roots, includes, excludes = (told.get(key, []) for key in ("roots", "includes", "excludes"))
        those = tuple(root for name in roots if _holds(root := read_root(name, project.folder), protos))
        if those:
            return Tree(those, tuple(read_root(name, project.folder) for name in includes), tuple(excludes))
    found = (root if _holds(root, protos) else _moved(root, protos) for root in now.roots)
    return Tree(tuple(dict.fromkeys(root for root in found if root is not None)), now.includes, now.excludes)


def _those(then: Mapping[Path, Path], roots: Sequence[Root]) -> tuple[Root, ...]:
    return tuple(replace(root, folder=then.get(root.folder, root.folder)) for root in roots)


def _told_then(content: bytes | None) -> dict[str, list[str]]:
    """The table `protos` of a project's file; empty where there is none that this version can read."""
    with suppress(tomllib.TOMLDecodeError, UnicodeDecodeError):
        protos = tomllib.loads((content or b"").decode()).get("protos", {})
        if isinstance(protos, dict) and all(isinstance(value, list) for value in protos.values()):
            return protos
    return {}


def _moved(root: Root, protos: Sequence[Path]) -> Root | None:
    """The folder below which most of the root's files lay, by their names; None where it was not there yet."""
    names = [path.relative_to(root.folder) for path in root.folder.rglob("*.proto")] if root.folder.is_dir() else []
    found = Counter(
        Path(*path.parts[: -len(name.parts)]) for name in names for path in protos if path.parts[-len(name.parts) :] == name.parts
    )
    return replace(root, folder=found.most_common(1)[0][0]) if found else None


def _holds(root: Root, protos: Sequence[Path]) -> bool:
    return any(path.is_relative_to(root.folder.resolve()) for path in protos)
