"""The sides of a comparison: a git ref, a folder, a descriptor set or the working tree, each read into a catalog.

For a branch the commit counts where head left it: commits that others have merged since are not our changes. A tag or a
commit was deployed, and is taken as it is. Roots may have moved since then: interop.toml as it was says where they lay, or
else the names of the files in them do.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from google.protobuf import descriptor_pb2

from grpc_interop.compat.diff.declared import ElementLines
from grpc_interop.compat.vocabulary.result import ComparedSide, SourceLocation
from grpc_interop.config import Options
from grpc_interop.errors import UsageError
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.git.repository import UnknownRefError, commit_of, is_branch, merge_base
from grpc_interop.schema.image import read_image
from grpc_interop.schema.project_image import ProjectImage, current_image
from grpc_interop.schema.protos_at_commit import SHORT, MissingSubmodule, ProtosAtCommit, not_checked_out
from grpc_interop.schema.roots.layout import find_layout
from grpc_interop.schema.roots.root import Root
from grpc_interop.schema.roots.roots import ProtoError, Tree, resolve, root_files, tested
from grpc_interop.schema.roots.walking import proto_files
from grpc_interop.schema.source_lines import compiled_lines, source_lines
from grpc_interop.session.protos import cache_folder, image_at, protos_at, repository_now, source_now, tree_now

HEAD = "HEAD"
"""git's name for the commit that the working tree was checked out from."""

_NO_IMPORT = "File not found"
"""protoc's words for an import that is not where it looks: a folder may contain the root."""

ReadAgain = Callable[[Iterable[str], Sequence[Root]], "Sources"]
"""Reads a side once more, with files that it does not list, from its own folders or from further folders."""

Load = Callable[[Mapping[str, Path]], Catalog]
"""Compiles a side's protos, with further files."""


@dataclass(frozen=True, slots=True)
class Sources:
    """A side: its origin and its protos."""

    side: ComparedSide
    catalog: Catalog
    files: Mapping[str, Path]  # the path of each file, now or in its time; empty for a descriptor set, which does not say
    lines: ElementLines
    seen_from: Path  # the folder to which people's paths are relative
    read_again: ReadAgain | None = None  # None for a descriptor set, which has no other files
    tree: Tree | None = None  # the project's folders that it was read from, as they were called; None outside the project
    at_commit: ProtosAtCommit | None = None  # for a git ref
    missing: Mapping[Path, MissingSubmodule] = field(default_factory=dict)  # submodules below its roots that are not here
    warnings: tuple[str, ...] = ()  # sentences about its origin

    def location(self, file: str, line: int = 0) -> SourceLocation:
        """Return a line of a file, for people."""
        path = self.files.get(file)
        if path is None:
            return SourceLocation(file, line)
        within = path.is_relative_to(self.seen_from)
        return SourceLocation(file, line, str(path.relative_to(self.seen_from) if within else path))


def read_head(spelling: str | None, options: Options) -> Sources:
    """Return the new version: the working tree as it is now, unless the user names another. Raise UsageError."""
    if spelling is None:
        source = source_now(options)
        if source is not None:
            make = partial(current_image, source, options.project.folder, cache_folder(options))
            return _of_project_image(ComparedSide("head", "working tree"), make, options)
        tree = _tree_now(options)
        side = _of_folders(ComparedSide("head", "working tree"), tree, options)
        return replace(side, tree=tree, missing=not_checked_out(options.project.folder, tree))
    return _read(spelling, "head", options, None)


def read_base(spelling: str, label: str, options: Options, head: str | None) -> Sources:
    """Return an old version; `head` is the user's spelling of the new version. Raise UsageError."""
    left = HEAD if head is None else head if _is_ref(head) else None
    return _read(spelling, label, options, left)


def _read(spelling: str, label: str, options: Options, left_by: str | None) -> Sources:
    place = Path.cwd() / spelling
    if place.is_file():
        return _of_image(place, ComparedSide(label, spelling), options)
    if _is_ref(spelling):
        try:
            return _of_ref(spelling, label, options, left_by)
        except UnknownRefError as error:
            raise _nothing_of_that_name(spelling, error) from error
    try:
        return _of_folders(ComparedSide(label, spelling), Tree((Root(place),), options.includes, options.project.excludes), options)
    except UsageError as error:
        roots = [root for root in find_layout(place).roots if root != "."] if _NO_IMPORT in error.what else []
        if not roots:
            raise
        raise UsageError(error.what, f"a folder is itself the root: is {Path(spelling, roots[0])} meant?") from error


def _nothing_of_that_name(spelling: str, error: UsageError) -> UsageError:
    """Return the error for a name that is not a ref: a folder or a file may have been meant."""
    if (Path.cwd() / spelling).is_dir():
        return UsageError(f"{spelling}: no .proto file lies here or below, and no branch, tag or commit is called so")
    if spelling.startswith((".", "/")):
        return UsageError(f"{spelling}: there is no such folder or descriptor set")
    return UsageError(f"{error.what}; nor is there a folder or a descriptor set of that name", error.remedy)


def _is_ref(spelling: str) -> bool:
    """Return whether a spelling is a ref. A folder of protos comes before a branch of the same name, which `refs/heads/NAME`
    names."""
    place = Path.cwd() / spelling
    if place.is_dir():
        return not any(proto_files([place]))
    return not place.is_file()


def _of_image(image: Path, side: ComparedSide, options: Options, excludes: Sequence[str] = ()) -> Sources:
    try:
        files, content = read_image(image)
        protos = {file.name: file for file in descriptor_pb2.FileDescriptorSet.FromString(content).file}
        catalog = Catalog(tested(files, excludes), content)
        return Sources(side, catalog, {}, lambda name: compiled_lines(protos[name]), options.project.folder)
    except ProtoError as error:
        raise UsageError(f"the {side.label} ({side.words}) cannot be read: {error.what}", error.remedy) from error


def _of_project_image(side: ComparedSide, make: Callable[[], ProjectImage], options: Options) -> Sources:
    """Return the image that a project's interop.toml asks for. For an image that buf built, it is known where files lie."""
    try:
        made = make()
    except ProtoError as error:
        raise UsageError(f"the {side.label} ({side.words}) cannot be used: {error.what}", error.remedy) from error
    sources = _of_image(made.image, side, options, made.excludes)
    return replace(sources, files=made.located(sources.catalog.files), tree=made.tree, at_commit=made.then, missing=made.lost)


def _tree_now(options: Options) -> Tree:
    if not options.roots:
        raise UsageError(
            "no protos: neither --proto-path nor interop.toml names any", "such as: interop compat --proto-path proto --base origin/main"
        )
    return tree_now(options)


def _of_folders(side: ComparedSide, tree: Tree, options: Options, names: Iterable[str] = (), more: Sequence[Root] = ()) -> Sources:
    """Return the protos of folders as they are, with the files of these names that are there, also in more folders."""
    more = [root for root in more if root.folder.is_dir()]

    def load(also: Mapping[str, Path]) -> Catalog:
        return Catalog.load(tree.roots, [*tree.includes, *more], cache_folder(options), tree.excludes, also)

    return replace(_loaded(side, tree, load, names, more, options), read_again=partial(_of_folders, side, tree, options))


def _loaded(side: ComparedSide, tree: Tree, load: Load, names: Iterable[str], more: Sequence[Root], options: Options) -> Sources:
    try:
        paths = root_files(tree.roots, tree.excludes)
        search = [root.resolved() for root in (*tree.roots, *tree.includes, *more)]
        also = {name: path for name in names if name not in paths and (path := resolve(name, search))}
        catalog, also = _with(also, load)
    except ProtoError as error:
        raise UsageError(f"the {side.label} ({side.words}) cannot be used: {error.what}", error.remedy) from error
    paths |= also
    # Read now: a temporary folder is gone by the time that a line is asked for.
    texts = {name: path.read_text(encoding="utf-8", errors="replace") for name, path in paths.items()}
    files = {name: _as_spelled(path, name, tree) for name, path in paths.items()}
    return Sources(side, catalog, files, lambda name: source_lines(texts.get(name, "")), options.project.folder)


def _as_spelled(path: Path, name: str, tree: Tree) -> Path:
    """Return a file of the roots, by the paths that the user gave."""
    return next((spelled for root in tree.roots if root.resolved().file_of(name) == path and (spelled := root.file_of(name))), path)


def _with(also: dict[str, Path], load: Load) -> tuple[Catalog, dict[str, Path]]:
    """Return the protos with as many of the other files as compile: the rest is of no use."""
    if not also:
        return load({}), {}
    try:
        return load(also), also
    except ProtoError:
        sound = {name: path for name, path in also.items() if len(also) > 1 and _compiles(load, {name: path})}
    return _with(sound, load) if len(sound) < len(also) else (load({}), {})


def _compiles(load: Load, also: Mapping[str, Path]) -> bool:
    with suppress(ProtoError):
        load(also)
        return True
    return False


# -- Git refs ----------------------------------------------------------------------------------------------------------


def _of_ref(ref: str, label: str, options: Options, left_by: str | None) -> Sources:
    if source_now(options) is None:
        _tree_now(options)
    option = "--head" if label == "head" else "--base"
    repository = repository_now(options)
    commit = commit_of(repository, ref, option)
    words = f"{ref}, {commit[:SHORT]}"
    if left_by is not None and is_branch(repository, ref):
        commit = merge_base(repository, ref, left_by, option)
        words = f"{ref}, merge base {commit[:SHORT]}"
    side = ComparedSide(label, words)
    made = image_at(options, repository, commit, f"the {label} ({words})")
    if made is not None:
        return _of_project_image(side, lambda: made, options)
    return _of_commit(side, protos_at(options, repository, commit, f"the {label} ({words})"), options)


def _of_commit(
    side: ComparedSide, earlier: ProtosAtCommit, options: Options, names: Iterable[str] = (), more: Sequence[Root] = ()
) -> Sources:
    """Return the protos of a commit, with the files of these names that were there, also in more folders."""
    with earlier.exported(names, more) as then:
        if not then.tree.roots:
            roots = ", ".join(os.path.relpath(root.folder, options.project.folder) for root in earlier.now.roots)
            raise UsageError(
                f"the {side.label} ({side.words}) has no protos in {roots}, nor any of their names elsewhere",
                "check --proto-path; or check that version out beside this one and give its folder of protos: --base DIR",
            )
        folders = then.folders(more)
        load = partial(then.load, cache_folder(options), more=folders)
        try:
            sources = _loaded(side, then.tree, load, names, folders, options)
        except UsageError as error:
            raise UsageError(then.with_original_paths(error.what), then.with_original_paths(error.remedy)) from error
        return replace(
            sources,
            files={name: then.spelled(name, path) for name, path in sources.files.items()},
            read_again=partial(_of_commit, side, earlier, options),
            tree=earlier.tree,
            at_commit=earlier,
            missing=then.not_here,
            warnings=tuple(then.warnings(sources.catalog)),
        )
