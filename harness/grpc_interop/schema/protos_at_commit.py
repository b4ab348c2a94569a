"""A project's protos as they were at a commit, and the errors where git did not keep them.

Roots and includes are those of interop.toml at the commit. Files without a history in the repository (ignored by git,
outside of it, in a submodule whose commit was not fetched) are not replaced by those of today: a comparison that cannot be
made must not pass.
"""

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
"""Hexadecimal digits of a commit in messages: as many as git shows for a large repository."""

MOST_NAMED = 5
"""Files that a message lists."""

BESIDE = "check that version out beside this one and give its folder of protos instead of a ref"


def repository_of(project: Path, root: Path, *, asked: bool) -> Repository:
    """Return the repository in which refs are looked up: the repository of the project's folder, also where the protos lie in a
    submodule of it. Roots that were `asked` for may lie outside of it: then the outermost repository around the root. Raise
    UsageError without a repository."""
    if not asked:
        return repository_around(project)
    around_root = holders(repository_around(root))
    return next((repository for repository in around_root if repository == around(project)), around_root[-1])


class MissingSubmodule(NamedTuple):
    """A submodule whose wanted commit is not here."""

    commit: str
    error: UsageError  # to be raised where the submodule is needed


@dataclass(frozen=True, slots=True)
class ExportedTree:
    """The files of a commit, written to a temporary folder."""

    tree: Tree
    place: Path  # the temporary folder, in place of the repository's top
    protos: "ProtosAtCommit"
    not_here: Mapping[Path, MissingSubmodule]  # submodules below the roots
    untracked: Mapping[Root, ResolvedPath]  # includes without a history, as they are today

    def spelled(self, name: str, path: Path) -> Path:
        """Return the path at which a file lay, spelled as its root is."""
        if not path.is_relative_to(self.place):
            return path
        lay = self.protos.snapshot.top / path.relative_to(self.place)
        roots = ((root, self.protos.lay(root)) for root in self.protos.tree.roots)
        return next((spelled for root, then in roots if then.file_of(name) == lay and (spelled := root.file_of(name))), lay)

    def folders(self, roots: Iterable[Root]) -> list[Root]:
        """Return further folders of the project as they were written, but for folders that did not exist."""
        return [written for root in roots if (written := self.protos.place(root, self.place)) and written.folder.is_dir()]

    def load(self, cache: Path, also: Mapping[str, Path] | None = None, more: Sequence[Root] = ()) -> Catalog:
        """Compile, with further files and folders to import from. Raise ProtoError where protoc refuses the protos, and
        UsageError where they import files without a history."""
        try:
            catalog = Catalog.load(self.tree.roots, [*self.tree.includes, *more], cache, self.tree.excludes, also)
        except ProtoError as error:
            raise ProtoError(*(self.with_original_paths(text) for text in (error.what, self._also(error.remedy)))) from error
        self._refuse_untracked(catalog)
        return catalog

    def with_original_paths(self, text: str) -> str:
        """Return a text about temporary files as a text about the original files."""
        return text.replace(str(self.place), str(self.protos.snapshot.top))

    def warnings(self, catalog: Catalog) -> list[str]:
        """Return sentences about imports that are taken as they are today."""
        return [
            f"{shown}, which has no history here: both versions are compiled with its present files" for _, shown in self._imported(catalog)
        ]

    def _imported(self, catalog: Catalog) -> Iterator[tuple[ResolvedPath, str]]:
        """Yield the untracked folders that files are imported from, each with a phrase about these files."""
        own = {*catalog.files, *brought_by_protoc()}
        search = [*self.tree.roots, *self.tree.includes, *common_includes()]
        used: dict[Root, list[str]] = {}
        for name in (file.name for file in catalog.file_protos if file.name not in own):
            root = next((root for root in search if resolve(name, [root])), None)
            if root is not None and root in self.untracked:
                used.setdefault(root, []).append(name)
        for root, names in used.items():
            yield self.untracked[root], f"{few(names, MOST_NAMED)}: imported from {self.protos.shown(root.folder)}"

    def _refuse_untracked(self, catalog: Catalog) -> None:
        for target, shown in self._imported(catalog):
            if target.kind is PathKind.NOT_HERE:
                raise self.protos.not_here_error(target.path)
            if target.kind is not PathKind.OUTSIDE or around(target.path) is not None:
                raise UsageError(
                    f"{shown}, of which {self.protos.snapshot.top} has no history, so it is not known as it was in {self.protos.words}",
                    f"keep them in the repository, or as a submodule of it; or {BESIDE}: then both are compiled with the present imports",
                )

    def _also(self, remedy: str) -> str:
        """Return the remedy, and the parts of the repository that are missing besides."""
        lost = [str(self.protos.not_here_error(path)).replace("\n ", ":") for path in self.protos.snapshot.not_here]
        links = self.protos.snapshot.unfollowed.items()
        lost += [f"{self.protos.shown(link)} leads out of the repository" for link, target in links if target.kind is PathKind.OUTSIDE]
        return "\n  ".join([remedy, *lost])


class ProtosAtCommit:
    """A project's protos as they were at a commit."""

    def __init__(self, snapshot: Snapshot, now: Tree, project: Path, file: Path | None, words: str) -> None:
        """`now`: the tree of today. `file`: the project's interop.toml, or None where other roots were asked for. `words`: the
        commit in messages. Raise UsageError for roots without a history."""
        self.snapshot = snapshot
        self.now = now
        self.project = project
        self.words = words
        self.tree = self._tree(file)  # the folders at the commit, by their paths in the work tree

    def shown(self, path: Path) -> str:
        """Return a path relative to the project's folder."""
        return os.path.relpath(path, self.project)

    @contextmanager
    def exported(self, names: Iterable[str] = (), more: Sequence[Root] = ()) -> Iterator[ExportedTree]:
        """Write the tree, and further folders, to a folder that is removed afterwards. Empty roots are left out. `names` are files
        that will be looked for there. Raise UsageError for files without a history."""
        folders = [*self.tree.roots, *self.tree.includes, *more]
        self._refuse_unseen(folders, names)
        with tempfile.TemporaryDirectory(prefix="interop-history-", dir=temporary.place()) as folder:
            place = Path(folder).resolve()
            self.snapshot.write([root.folder for root in folders], place)
            self.refuse_unfollowed()
            roots = [written for root in self.tree.roots if (written := self.place(root, place)) and any(proto_files([written]))]
            includes, untracked = self._includes(place)
            tree = Tree(tuple(dict.fromkeys(roots)), tuple(dict.fromkeys(includes)), self.tree.excludes)
            yield ExportedTree(tree, place, self, self.missing_submodules(), untracked)

    def _includes(self, place: Path) -> tuple[list[Root], dict[Root, ResolvedPath]]:
        """Return the includes as they are written in a place, and the includes without a history as they are today."""
        includes: list[Root] = []
        untracked: dict[Root, ResolvedPath] = {}
        for include in self.tree.includes:
            written, real = self.place(include, place), self._untracked(include.folder)
            if written is not None:
                includes.append(written)
            elif real is not None and include.folder.is_dir():
                includes.append(include)
                untracked[include] = real
        return includes, untracked

    def not_here_error(self, path: Path) -> UsageError:
        """Return the error about a submodule whose commit is not here."""
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
        """Return the error about a root or a file that the repository does not keep."""
        real, top = Path(os.path.realpath(path)), self.snapshot.top
        why = "it ignores that, or it is a repository of its own" if real.is_relative_to(top) else f"it lies in {real}"
        return UsageError(
            f"{self.shown(path)} has no history in {top}: {why}. So it is not known as it was in {self.words}",
            f"make it a submodule, or keep it in the repository; or compare other roots alone, with --proto-path; or {BESIDE}",
        )

    def _tree(self, file: Path | None) -> Tree:
        if file is not None and (table := _protos_table(self.snapshot.read(file))):
            roots, includes = ([read_root(name, self.project) for name in table.get(key, [])] for key in ("roots", "includes"))
            known = [root for root in roots if self._known_root(root.folder)]
            if known:
                return Tree(tuple(known), tuple(includes), tuple(table.get("excludes", [])))
        then = (root if self._known_root(root.folder) else self._moved(root) for root in self.now.roots)
        return Tree(tuple(dict.fromkeys(root for root in then if root is not None)), self.now.includes, self.now.excludes)

    def _known_root(self, root: Path) -> bool:
        """Return whether a root existed; otherwise it is new. Raise UsageError where that is not known."""
        target = self.snapshot.find(root)
        if target.kind is PathKind.NOT_HERE:
            raise self.not_here_error(target.path)
        if target.kind is not PathKind.FOLDER and self._untracked(root):
            raise self.no_history_error(root)
        return target.kind is PathKind.FOLDER

    def _untracked(self, folder: Path) -> ResolvedPath | None:
        """Return the place without a history that a folder leads to; None for other folders, also if they did not exist."""
        target = self.snapshot.find(folder)
        if target.kind in (PathKind.OUTSIDE, PathKind.NOT_HERE):
            return target
        if target.kind is PathKind.NOTHING and without_history(self.snapshot.repository, [folder / "x.proto"]):
            return target
        return None

    def _moved(self, root: Root) -> Root | None:
        """Return the root with the folder below which most of its files lay, by their names; None where there were none."""
        names = [Path(file.name) for file in proto_files([root.folder])] if root.folder.is_dir() else []
        folders = Counter(
            Path(*path.parts[: -len(name.parts)])
            for path in (self.snapshot.protos() if names else ())
            for name in names
            if path.parts[-len(name.parts) :] == name.parts
        )
        return replace(root, folder=folders.most_common(1)[0][0]) if folders else None

    def lay(self, root: Root) -> Root:
        """Return the root with the folder that it led to at the commit."""
        return replace(root, folder=self.snapshot.find(root.folder).path)

    def place(self, root: Root, place: Path) -> Root | None:
        """Return the root as it is written below a place in place of the top; None where it did not exist."""
        target = self.snapshot.find(root.folder)
        return replace(root, folder=self.snapshot.below(place, target.path)) if target.kind is PathKind.FOLDER else None

    def _refuse_unseen(self, roots: Iterable[Root], names: Iterable[str]) -> None:
        """Raise UsageError for a file that may have lain in a place without a history."""
        for path in (path for name in names for root in roots if (path := root.file_of(name)) is not None):
            target = self.snapshot.find(path)
            if target.kind is PathKind.NOT_HERE:
                raise self.not_here_error(target.path)
            if target.kind is PathKind.OUTSIDE and path.is_file():
                raise self.no_history_error(path)

    def refuse_unfollowed(self) -> None:
        """Raise UsageError for a link below a root, met while files were written, to a place without a history."""
        for link, target in self.snapshot.unfollowed.items():
            if not self._matters(link):
                continue
            if target.kind is PathKind.NOT_HERE:
                raise self.not_here_error(target.path)
            where = f"out of {self.snapshot.top}"
            if target.kind is PathKind.NOTHING:
                where = "to files that git ignores"
                if not without_history(self.snapshot.repository, [target.path / "x.proto"]):
                    continue
            if _may_hold_protos(link, target.path):
                raise UsageError(
                    f"{self.shown(link)} led {where} in {self.words}, to {target.path}: its files at that time are not known",
                    f"name it under `excludes` in interop.toml; or {BESIDE}",
                )

    def missing_submodules(self) -> dict[Path, MissingSubmodule]:
        """Return the submodules below the roots, met while files were written, whose commits are not here."""
        missing = self.snapshot.not_here.items()
        return {path: MissingSubmodule(commit, self.not_here_error(path)) for path, commit in missing if self._matters(path)}

    def _matters(self, path: Path) -> bool:
        """Return whether a file or a folder is part of a root, and excluded neither at the commit nor now."""
        excludes = (*self.tree.excludes, *self.now.excludes)
        return any(tests(self.lay(root), path, excludes) for root in self.tree.roots)


def without_history(repository: Repository, paths: Iterable[Path]) -> list[Path]:
    """Return the paths that a repository and its submodules do not keep: ignored, outside, or in other repositories."""
    real = {path: Path(os.path.realpath(path)) for path in paths}
    inner = {folder: around(folder) for folder in {place.parent for place in real.values()}}
    known: set[Path] = set()
    for keeper in {holder for holder in inner.values() if holder and repository.top in {outer.top for outer in holders(holder)}}:
        within = {place for place in real.values() if inner[place.parent] == keeper}
        known |= within - keeper.ignored(within)
    return [path for path, place in real.items() if place not in known]


def not_checked_out(project: Path, tree: Tree) -> dict[Path, MissingSubmodule]:
    """Return the submodules below the roots that are not checked out now. They are not driven, either."""
    roots = [root.resolved() for root in tree.roots]
    return {path: missing for path, missing in _not_checked_out(project).items() if any(tests(root, path, tree.excludes) for root in roots)}


def refuse_unseen(project: Path, roots: Iterable[Root], names: Iterable[str]) -> None:
    """Raise UsageError where files may lie in a submodule that is not checked out."""
    missing = _not_checked_out(project)
    files = [path for root in roots for name in names if (path := root.resolved().file_of(name))]
    for path in missing:
        if any(file.is_relative_to(path) for file in files):
            raise missing[path].error


def _not_checked_out(project: Path) -> dict[Path, MissingSubmodule]:
    repository = around(project)
    missing: dict[Path, MissingSubmodule] = {}
    for path, commit in submodules_not_checked_out(repository).items() if repository else ():
        shown = os.path.relpath(path, project)
        remedy = f"get it with `git submodule update --init {os.path.relpath(path)}`, or name it under `excludes` in interop.toml"
        error = UsageError(f"the submodule {shown} is not checked out, so its protos are not known", remedy)
        missing[path] = MissingSubmodule(commit, error)
    return missing


def refuse_missing(first: Mapping[Path, MissingSubmodule], second: Mapping[Path, MissingSubmodule]) -> None:
    """Raise UsageError for a submodule that only one version lacks, or that the versions have at different commits. A
    submodule that both lack at the same commit is the same in both."""
    for path in sorted({*first, *second}):
        missing = [version[path] for version in (first, second) if path in version]
        if len({submodule.commit for submodule in missing}) != 1 or len(missing) == 1:
            raise missing[0].error


def tests(root: Root, path: Path, excludes: Iterable[str]) -> bool:
    """Return whether a file or a folder is part of a root, and not excluded with all its content."""
    name = root.name_of(path)
    return name is not None and not any(fnmatchcase(path_name, pattern) for pattern in excludes for path_name in (name, f"{name}/x.proto"))


def _may_hold_protos(link: Path, target: Path) -> bool:
    """Return whether a link may have led to protos that git does not keep. A target that is gone may have held some."""
    if link.suffix == ".proto":
        return True
    return any(proto_files([target])) if target.is_dir() else not link.suffix and not target.exists()


def _protos_table(content: bytes | None) -> dict[str, list[str]]:
    """Return the table `protos` of an interop.toml; empty without a table that this version can read."""
    with suppress(tomllib.TOMLDecodeError, UnicodeDecodeError):
        protos = tomllib.loads((content or b"").decode()).get("protos", {})
        if isinstance(protos, dict) and all(isinstance(value, list) for value in protos.values()):
            return protos
    return {}
