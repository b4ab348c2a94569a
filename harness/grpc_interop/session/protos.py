"""Which protos a run is about: the tree or image that the options name, now and at a commit."""

import os
from pathlib import Path

from grpc_interop.config import Options
from grpc_interop.drivers.manifest import FILE
from grpc_interop.errors import UsageError
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.changed_since import Fingerprints, changed_between, changed_since
from grpc_interop.schema.git.repository import Repository, commit_of
from grpc_interop.schema.git.snapshot import Snapshot
from grpc_interop.schema.project_image import ImageSource, ProjectImage, current_image, image_at_commit, source_at_commit
from grpc_interop.schema.protos_at_commit import ProtosAtCommit, not_checked_out, refuse_missing, repository_of
from grpc_interop.schema.roots.roots import Tree


def load_catalog(options: Options) -> Catalog:
    """Load the protos that the options name, narrowed to changed types and methods where they say so. Raise UsageError."""
    if options.changed and options.image != options.project.image:
        raise UsageError("--changed compares with a git ref, and an --image has no history", "give proto roots with --proto-path")
    cache, source = cache_folder(options), source_now(options)
    now = current_image(source, options.project.folder, cache) if source else None
    if now is None and not options.roots:
        raise UsageError("no protos: neither --proto-path nor interop.toml names any", "such as: interop run --proto-path proto")
    tree = tree_now(options)
    catalog = now.load() if now else Catalog.load(tree.roots, tree.includes, cache, tree.excludes)
    if not options.changed:
        return catalog
    repository = repository_now(options)
    commit = commit_of(repository, options.changed, "--changed")
    then = image_at(options, repository, commit, options.changed)
    if then is not None:
        refuse_missing(then.lost, now.lost if now else not_checked_out(options.project.folder, tree))
        touched = changed_between(Fingerprints(then.load()), catalog)
    else:
        touched = changed_since(protos_at(options, repository, commit, options.changed), catalog, cache)
    return catalog.only(touched.methods, touched.messages)


def unseen(options: Options) -> dict[str, str]:
    """Return the submodules below the roots that are not checked out, whose protos are not driven, with a sentence about each."""
    lost = not_checked_out(options.project.folder, tree_now(options))
    return {os.path.relpath(path): f"{submodule.error.what}; {submodule.error.remedy}" for path, submodule in lost.items()}


def tree_now(options: Options) -> Tree:
    """Return where the protos lie that the options name."""
    return Tree(options.roots, options.includes, options.project.excludes)


def repository_now(options: Options) -> Repository:
    """Return the repository in which the options' refs are looked up. Raise UsageError."""
    root = options.roots[0].folder if options.roots else options.project.folder
    return repository_of(options.project.folder, root, asked=options.roots != options.project.roots)


def protos_at(options: Options, repository: Repository, commit: str, words: str) -> ProtosAtCommit:
    """Return the same protos as they were at a commit, which messages name in these words. Raise UsageError."""
    file = options.project.folder / FILE if options.roots == options.project.roots else None
    return ProtosAtCommit(Snapshot(repository, commit), tree_now(options), options.project.folder, file, words)


def source_now(options: Options) -> ImageSource | None:
    """Return the image that the options name, or that buf builds; None where they name roots."""
    if options.image is None and not options.buf:
        return None
    return ImageSource(options.image, options.project.excludes if options.image == options.project.image else ())


def image_at(options: Options, repository: Repository, commit: str, words: str) -> ProjectImage | None:
    """Return the image of a commit, where the project's protos were an image then; None where they were roots. Raise UsageError."""
    project, snapshot, now = options.project, Snapshot(repository, commit), source_now(options)
    asked = options.roots != project.roots
    source = None if asked else source_at_commit(snapshot.read(project.folder / FILE), project.folder, now)
    return image_at_commit(source, snapshot, project.folder, cache_folder(options), words) if source else None


def cache_folder(options: Options) -> Path:
    return options.project.make_state_folder() / "cache"
