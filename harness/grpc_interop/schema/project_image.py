"""A project's protos where interop.toml names no roots: an image, or the image that buf builds of its modules; now or at a commit."""

import hashlib
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from grpc_interop.errors import UsageError
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.git.snapshot import PathKind, Snapshot
from grpc_interop.schema.protos_at_commit import BESIDE, MissingSubmodule, ProtosAtCommit, not_checked_out
from grpc_interop.schema.roots import buf_config
from grpc_interop.schema.roots.buf_build import FILES, build_image
from grpc_interop.schema.roots.root import read_root
from grpc_interop.schema.roots.roots import ProtoError, Tree


class ImageSource(NamedTuple):
    image: Path | None  # None: buf builds it from the project's folder
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProjectImage:
    """An image of the protos. The optional fields are for an image that buf built."""

    image: Path
    excludes: tuple[str, ...]
    tree: Tree | None = None  # the modules, by their folders in the work tree
    then: ProtosAtCommit | None = None
    lost: Mapping[Path, MissingSubmodule] = field(default_factory=dict)  # submodules in the modules that are not here

    def load(self) -> Catalog:
        """Read it. Raise ProtoError."""
        return Catalog.from_image(self.image, self.excludes)

    def located(self, names: Iterable[str]) -> dict[str, Path]:
        """Return the present or former paths in the work tree of those files that belong to modules."""
        located: dict[str, Path] = {}
        for name in names:
            paths = [path for root in (self.tree.roots if self.tree else ()) if (path := root.file_of(name)) is not None]
            path = next(filter(self._exists, paths), None)
            if path is not None:
                located[name] = path
        return located

    def _exists(self, path: Path) -> bool:
        return path.is_file() if self.then is None else self.then.snapshot.find(path).kind is PathKind.FILE


def current_image(source: ImageSource, project: Path, cache: Path) -> ProjectImage:
    """Return the image of the working tree. Raise UsageError, also for protos that do not compile."""
    if source.image is not None:
        return ProjectImage(source.image, source.excludes)
    image = build_image(project, cache)
    tree = _modules(project, project, source)
    return ProjectImage(image, source.excludes, tree, lost=not_checked_out(project, tree))


def source_at_commit(content: bytes | None, project: Path, now: ImageSource | None) -> ImageSource | None:
    """Return the source that the interop.toml of a commit names, or None where it names roots; without a table `protos`, `now`."""
    table: dict[str, Any] = {}
    with suppress(tomllib.TOMLDecodeError, UnicodeDecodeError):
        table = tomllib.loads((content or b"").decode()).get("protos", {})
    if not isinstance(table, dict) or not table:
        return now
    excludes = tuple(name for name in table.get("excludes", []) if isinstance(name, str))
    if isinstance(table.get("image"), str) and table["image"]:
        return ImageSource(project / table["image"], excludes)
    return ImageSource(None, excludes) if table.get("buf") is True else None


def image_at_commit(source: ImageSource, snapshot: Snapshot, project: Path, cache: Path, words: str) -> ProjectImage:
    """Return the image of a commit, which messages call `words`. Raise UsageError for files that git did not keep."""
    if source.image is None:
        return _built_then(source, snapshot, project, cache, words)
    content = snapshot.read(source.image)
    if content is None:
        raise UsageError(
            f"{source.image} was not in {snapshot.top} at {words}, so its content is not known",
            "add images to git, or keep the one of that version and give it instead of a ref: --base FILE",
        )
    kept = cache / "images" / f"{hashlib.sha256(content).hexdigest()[:32]}{source.image.suffix}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(content)
    return ProjectImage(kept, source.excludes)


def _built_then(source: ImageSource, snapshot: Snapshot, project: Path, cache: Path, words: str) -> ProjectImage:
    with tempfile.TemporaryDirectory(prefix="interop-history-") as temporary:
        place = Path(temporary).resolve()
        snapshot.write([project], place, FILES)
        folder = snapshot.below(place, project.resolve())
        try:
            tree = _modules(folder, project, source)
            protos = ProtosAtCommit(snapshot, tree, project, None, words)
            protos.refuse_unfollowed()
            image = build_image(folder, cache) if folder.is_dir() else None
        except ProtoError as error:
            texts = (error.what, f"{error.remedy}; or {BESIDE}")
            raise UsageError(*(text.replace(str(place), str(snapshot.top)) for text in texts)) from error
        if image is None:
            raise UsageError(f"{project} did not exist at {words}", BESIDE)
        return ProjectImage(image, source.excludes, tree, protos, protos.missing_submodules())


def _modules(folder: Path, project: Path, source: ImageSource) -> Tree:
    """Return buf's modules in a folder, by their paths in the project's folder."""
    layout = buf_config.read_layout(folder)
    roots = tuple(read_root(root, project) for root in layout.roots) if layout else ()
    return Tree(roots, (), (*(layout.excludes if layout else ()), *source.excludes))
