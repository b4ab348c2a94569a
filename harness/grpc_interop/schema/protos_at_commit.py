"""A project's protos as they were at a commit, and what is said where git did not keep them.

Roots and includes are those of interop.toml as it was then. Whatever the repository does not know the history of (what git
ignores, what lies elsewhere, a submodule whose commit nobody fetched) is not taken from today: what cannot be compared is
no pass.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from grpc_interop.errors import UsageError
from grpc_interop.files import temporary
from grpc_interop.output.plain_text import few
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.git.repository import Repository, around, holders, repository_around
from grpc_interop.schema.git.snapshot import PathKind, ResolvedPath, Snapshot
from grpc_interop.schema.git.submodules import submodules_not_checked_out
from grpc_interop.schema.roots.root import Root, read_root
from grpc_interop.schema.roots.roots import ProtoError, Tree, brought_by_protoc, common_includes, resolve
from grpc_interop.schema.roots.walking import proto_files

SHORT = 10
"""Hexadecimal digits by which people are told a commit: as many as git itself shows of a large repository."""

MOST_TOLD = 5
"""Files that are named of many."""

BESIDE = "check that version out beside this one and give its folder of protos instead of a ref"


def repository_of(project: Path, root: Path, *, asked: bool) -> Repository:
    """Return the repository whose refs are meant: the one that holds the project's folder, also where the protos lie in a
    submodule of it. Roots that were asked for may lie elsewhere altogether: then the one that holds them, and whose submodule
    they are not. Raises UsageError where there is none."""
    if not asked:
        return repository_around(project)
    around_root = holders(repository_around(root))
    return next((one for one in around_root if one == around(project)), around_root[-1])


class MissingSubmodule(NamedTuple):
    """A submodule that is not here: the commit that is wanted, and what is to be said of it."""

    commit: str
    error: UsageError


@dataclass(frozen=True, slots=True)
class ExportedTree:
    """What lay in the folders of `tree`, written to a temporary place that stands for the repository's top. `not_here` are
    submodules below the roots whose commits are not here. `strangers` are includes whose history nobody knows, as they are
    today."""

    tree: Tree
    place: Path
    earlier: ProtosAtCommit
    not_here: Mapping[Path, MissingSubmodule]
    strangers: Mapping[Root, ResolvedPath]

    def spelled(self, name: str, path: Path) -> Path:
        """Return where a file lay, by the path that its root was given as."""
        if not path.is_relative_to(self.place):
            return path
        lay = self.earlier.snapshot.top / path.relative_to(self.place)
        roots = ((root, self.earlier.lay(root)) for root in self.earlier.tree.roots)
        return next((spelled for root, then in roots if then.file_of(name) == lay and (spelled := root.file_of(name))), lay)

    def folders(self, roots: Iterable[Root]) -> list[Root]:
        """Return what further folders of the project were, without those that were not there."""
        return [found for root in roots if (found := self.earlier.place(root, self.place)) and found.folder.is_dir()]

    def load(self, cache: Path, also: Mapping[str, Path] | None = None, more: Sequence[Root] = ()) -> Catalog:
        """Compile, with further files and folders to import from. Raises ProtoError where protoc refuses the protos, and
        UsageError where they import what nobody knows the history of."""
        try:
            catalog = Catalog.load(self.tree.roots, [*self.tree.includes, *more], cache, self.tree.excludes, also)
        except ProtoError as error:
            raise ProtoError(*(self.told(text) for text in (error.what, self._also(error.remedy)))) from error
        self._refuse_strangers(catalog)
        return catalog

    def told(self, text: str) -> str:
        """Return a text about files in the temporary place as one about where they lay."""
        return text.replace(str(self.place), str(self.earlier.snapshot.top))

    def warnings(self, catalog: Catalog) -> list[str]:
        """Return sentences about imports that were taken as they are today."""
        return [
            f"{shown}, which has no history here: both versions are compiled with what it is now" for _, shown in self._imported(catalog)
        ]

    def _imported(self, catalog: Catalog) -> Iterator[tuple[ResolvedPath, str]]:
        """Yield the strangers that files are imported from, with words about those."""
        own = {*catalog.files, *brought_by_protoc()}
        search = [*self.tree.roots, *self.tree.includes, *common_includes()]
        used: dict[Root, list[str]] = {}
        for name in (file.name for file in catalog.file_protos if file.name not in own):
            root = next((root for root in search if resolve(name, [root])), None)
            if root is not None and root in self.strangers:
                used.setdefault(root, []).append(name)
        for root, names in used.items():
            yield self.strangers[root], f"{few(names, MOST_TOLD)}: imported from {self.earlier.shown(root.folder)}"

    def _refuse_strangers(self, catalog: Catalog) -> None:
        for found, shown in self._imported(catalog):
            if found.kind is PathKind.NOT_HERE:
                raise self.earlier.not_here_error(found.path)
            if found.kind is not PathKind.OUTSIDE or around(found.path) is not None:
                raise UsageError(
                    f"{shown}, of which {self.earlier.snapshot.top} has no history; so nobody knows what it was in {self.earlier.words}",
                    f"keep them in the repository, or as a submodule of it; or {BESIDE}: then both are compiled with the imports of now",
                )

    def _also(self, remedy: str) -> str:
        """Return the remedy, and what of the repository could not be had besides."""
        lost = [str(self.earlier.not_here_error(path)).replace("\n ", ":") for path in self.earlier.snapshot.not_here]
        unfollowed = self.earlier.snapshot.unfollowed.items()
        lost += [f"{self.earlier.shown(path)} leads out of the repository" for path, found in unfollowed if found.kind is PathKind.OUTSIDE]
        return "\n  ".join([remedy, *lost])


class ProtosAtCommit:
    """`now` is what the project has today, and `file` its interop.toml, or None where other roots were asked for. `words` are
    how people are told of the commit. `tree` are the folders of then, as they were called in the work tree."""

    def __init__(self, snapshot: Snapshot, now: Tree, project: Path, file: Path | None, words: str) -> None:
        """Raises UsageError for roots that cannot be had as they were."""
        self.snapshot = snapshot
        self.now = now
        self.project = project
        self.words = words
        self.tree = self._tree(file)

    def shown(self, path: Path) -> str:
        """Return a path as seen from the project's folder."""
        return os.path.relpath(path, self.project)

    @contextmanager
    def exported(self, names: Iterable[str] = (), more: Sequence[Root] = ()) -> Iterator[ExportedTree]:
        """Write all of it, and further folders, to a place that is gone afterwards. Roots that held nothing are left out.
        `names` are files that are looked for there. Raises UsageError for what cannot be had as it was."""
        folders = [*self.tree.roots, *self.tree.includes, *more]
        self._refuse_unseen(folders, names)
        with tempfile.TemporaryDirectory(prefix="interop-history-", dir=temporary.place()) as folder:
            place = Path(folder).resolve()
            self.snapshot.write([root.folder for root in folders], place)
            self.refuse_unfollowed()
            roots = [found for root in self.tree.roots if (found := self.place(root, place)) and any(proto_files([found]))]
            includes, strangers = self._includes(place)
            tree = Tree(tuple(dict.fromkeys(roots)), tuple(dict.fromkeys(includes)), self.tree.excludes)
            yield ExportedTree(tree, place, self, self.lost(), strangers)

    def _includes(self, place: Path) -> tuple[list[Root], dict[Root, ResolvedPath]]:
        """Return the includes as they are written in a place, and those that nobody knows the history of, as they are today."""
        includes: list[Root] = []
        strangers: dict[Root, ResolvedPath] = {}
        for include in self.tree.includes:
            written, stranger = self.place(include, place), self._stranger(include.folder)
            if written is not None:
                includes.append(written)
            elif stranger is not None and include.folder.is_dir():
                includes.append(include)
                strangers[include] = stranger
        return includes, strangers

    def not_here_error(self, path: Path) -> UsageError:
        """Return what is to be said of a submodule whose commit is not here."""
        commit, shown, here = self.snapshot.not_here[path], self.shown(path), os.path.relpath(path)
        checked_out = around(path) if path.is_dir() else None
        if checked_out is not None and checked_out.top == path.resolve():
            remedy = f"get it with `git -C {here} fetch origin {commit}`"
        elif path.is_dir():
            remedy = f"get it with `git submodule update --init {here}`, and if it is not in there `git -C {here} fetch origin {commit}`"
        else:
            remedy = f"{BESIDE} (`git worktree add DIR {self.snapshot.commit[:SHORT]}`, and there `git submodule update --init`)"
        return UsageError(f"the submodule {shown} was at {commit[:SHORT]} in {self.words}, and that commit is not here", remedy)

    def no_history_error(self, path: Path) -> UsageError:
        """Return what is to be said of a root or a file that the repository does not keep."""
        real, top = Path(os.path.realpath(path)), self.snapshot.top
        why = "it ignores that, or it is a repository of its own" if real.is_relative_to(top) else f"it lies in {real}"
        return UsageError(
            f"{self.shown(path)} has no history in {top}: {why}. So nobody knows what it was in {self.words}",
            f"make it a submodule, or keep it in the repository; or compare other roots alone, with --proto-path; or {BESIDE}",
        )

    # -- which folders -------------------------------------------------------------------------------------------------

    def _tree(self, file: Path | None) -> Tree:
        if file is not None and (told := _told(self.snapshot.read(file))):
            roots, includes = ([read_root(name, self.project) for name in told.get(key, [])] for key in ("roots", "includes"))
            known = [root for root in roots if self._known_root(root.folder)]
            if known:
                return Tree(tuple(known), tuple(includes), tuple(told.get("excludes", [])))
        found = (root if self._known_root(root.folder) else self._moved(root) for root in self.now.roots)
        return Tree(tuple(dict.fromkeys(root for root in found if root is not None)), self.now.includes, self.now.excludes)

    def _known_root(self, root: Path) -> bool:
        """Return whether a root was there; one that was not is new. Raises UsageError where nobody knows."""
        found = self.snapshot.find(root)
        if found.kind is PathKind.NOT_HERE:
            raise self.not_here_error(found.path)
        if found.kind is not PathKind.FOLDER and self._stranger(root):
            raise self.no_history_error(root)
        return found.kind is PathKind.FOLDER

    def _stranger(self, folder: Path) -> ResolvedPath | None:
        """Return what a folder leads to that the repository has no history of; None for one that was simply not there."""
        found = self.snapshot.find(folder)
        if found.kind in (PathKind.OUTSIDE, PathKind.NOT_HERE):
            return found
        if found.kind is PathKind.NOTHING and without_history(self.snapshot.repository, [folder / "x.proto"]):
            return found
        return None

    def _moved(self, root: Root) -> Root | None:
        """Return the folder below which most of the root's files lay, by their names; None where it was not there yet."""
        names = [Path(one.name) for one in proto_files([root.folder])] if root.folder.is_dir() else []
        found = Counter(
            Path(*path.parts[: -len(name.parts)])
            for path in (self.snapshot.protos() if names else ())
            for name in names
            if path.parts[-len(name.parts) :] == name.parts
        )
        return replace(root, folder=found.most_common(1)[0][0]) if found else None

    def lay(self, root: Root) -> Root:
        """Return the root with the folder that it led to then."""
        return replace(root, folder=self.snapshot.find(root.folder).path)

    def place(self, root: Root, place: Path) -> Root | None:
        """Return where a folder is written, in a place that stands for the top; None where it was not there."""
        found = self.snapshot.find(root.folder)
        return replace(root, folder=self.snapshot.below(place, found.path)) if found.kind is PathKind.FOLDER else None

    # -- what could not be had -----------------------------------------------------------------------------------------

    def _refuse_unseen(self, roots: Iterable[Root], names: Iterable[str]) -> None:
        """Raise UsageError for a file that may have lain where nobody can look."""
        for path in (path for name in names for root in roots if (path := root.file_of(name)) is not None):
            found = self.snapshot.find(path)
            if found.kind is PathKind.NOT_HERE:
                raise self.not_here_error(found.path)
            if found.kind is PathKind.OUTSIDE and path.is_file():
                raise self.no_history_error(path)

    def refuse_unfollowed(self) -> None:
        """Raise UsageError for a link below a root, met while files were written, to where nobody can look."""
        for link, found in self.snapshot.unfollowed.items():
            if not self._matters(link):
                continue
            if found.kind is PathKind.NOT_HERE:
                raise self.not_here_error(found.path)
            where = f"out of {self.snapshot.top}"
            if found.kind is PathKind.NOTHING:
                where = "to what git ignores"
                if not without_history(self.snapshot.repository, [found.path / "x.proto"]):
                    continue
            if _may_hold_protos(link, found.path):
                raise UsageError(
                    f"{self.shown(link)} led {where} in {self.words}, to {found.path}: nobody knows what lay there",
                    f"name it under `excludes` in interop.toml; or {BESIDE}",
                )

    def lost(self) -> dict[Path, MissingSubmodule]:
        """Return the submodules below the roots, met while files were written, whose commits are not here."""
        lost = self.snapshot.not_here.items()
        return {path: MissingSubmodule(commit, self.not_here_error(path)) for path, commit in lost if self._matters(path)}

    def _matters(self, path: Path) -> bool:
        """Return whether a file or a folder is part of a root, and excluded neither then nor now."""
        excludes = (*self.tree.excludes, *self.now.excludes)
        return any(tests(self.lay(root), path, excludes) for root in self.tree.roots)


def without_history(repository: Repository, paths: Iterable[Path]) -> list[Path]:
    """Return those of the paths that are none of a repository's matters: what it or a submodule of it ignores, what lies out
    of it, and what lies in another one that is no submodule of it."""
    real = {path: Path(os.path.realpath(path)) for path in paths}
    inner = {folder: around(folder) for folder in {place.parent for place in real.values()}}
    known: set[Path] = set()
    for one in {one for one in inner.values() if one is not None and repository.top in {outer.top for outer in holders(one)}}:
        within = {place for place in real.values() if inner[place.parent] == one}
        known |= within - one.ignored(within)
    return [path for path, place in real.items() if place not in known]


def not_checked_out(project: Path, tree: Tree) -> dict[Path, MissingSubmodule]:
    """Return the submodules below the roots, as they are now, of which nothing is here. They are not driven, either."""
    roots = [root.resolved() for root in tree.roots]
    return {path: lost for path, lost in _lost_now(project).items() if any(tests(root, path, tree.excludes) for root in roots)}


def refuse_unseen(project: Path, roots: Iterable[Root], names: Iterable[str]) -> None:
    """Raise UsageError where files of now may lie in a submodule of which nothing is here."""
    lost = _lost_now(project)
    files = [path for root in roots for name in names if (path := root.resolved().file_of(name))]
    for path in lost:
        if any(file.is_relative_to(path) for file in files):
            raise lost[path].error


def _lost_now(project: Path) -> dict[Path, MissingSubmodule]:
    repository = around(project)
    lost: dict[Path, MissingSubmodule] = {}
    for path, commit in submodules_not_checked_out(repository).items() if repository else ():
        shown = os.path.relpath(path, project)
        remedy = f"get it with `git submodule update --init {os.path.relpath(path)}`, or name it under `excludes` in interop.toml"
        lost[path] = MissingSubmodule(commit, UsageError(f"the submodule {shown} is not checked out, so nobody knows its protos", remedy))
    return lost


def refuse_missing(one: Mapping[Path, MissingSubmodule], other: Mapping[Path, MissingSubmodule]) -> None:
    """Raise UsageError for a submodule that only one version lacks, or that they want in two commits. In a submodule that
    both lack in the same commit nothing can have changed."""
    for path in sorted({*one, *other}):
        lost = [version[path] for version in (one, other) if path in version]
        if len({version.commit for version in lost}) != 1 or len(lost) == 1:
            raise lost[0].error


def tests(root: Root, path: Path, excludes: Iterable[str]) -> bool:
    """Return whether a file or a folder is part of a root, and not excluded with all that it holds."""
    name = root.name_of(path)
    return name is not None and not any(fnmatchcase(one, pattern) for pattern in excludes for one in (name, f"{name}/x.proto"))


def _may_hold_protos(link: Path, target: Path) -> bool:
    """Return whether a link may have led to protos that git does not keep: of what is not there now nobody knows."""
    if link.suffix == ".proto":
        return True
    return any(proto_files([target])) if target.is_dir() else not link.suffix and not target.exists()


def _told(content: bytes | None) -> dict[str, list[str]]:
    """Return the table `protos` of a project's file; empty where there is none that this version can read."""
    with suppress(tomllib.TOMLDecodeError, UnicodeDecodeError):
        protos = tomllib.loads((content or b"").decode()).get("protos", {})
        if isinstance(protos, dict) and all(isinstance(value, list) for value in protos.values()):
            return protos
    return {}
