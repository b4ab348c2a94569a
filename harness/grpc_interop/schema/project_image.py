"""A project's protos where interop.toml names no roots: an image, or what buf builds of its modules; now, and at a commit."""

from __future__ import annotations

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
    """Where the protos are: an image, or if that is None what buf builds of the project's folder."""

    image: Path | None
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProjectImage:
    """An image of the protos. Where buf built it, `tree` are the modules by their folders in the work tree, `lost` submodules
    in them that are not here, and `then` what they were at a commit."""

    image: Path
    excludes: tuple[str, ...]
    tree: Tree | None = None
    then: ProtosAtCommit | None = None
    lost: Mapping[Path, MissingSubmodule] = field(default_factory=dict)

    def load(self) -> Catalog:
        """Read it. Raises ProtoError."""
        return Catalog.from_image(self.image, self.excludes)

    def located(self, names: Iterable[str]) -> dict[str, Path]:
        """Return where files of these names lie in the work tree, or lay, as far as they belong to modules."""
        found: dict[str, Path] = {}
        for name in names:
            paths = [path for root in (self.tree.roots if self.tree else ()) if (path := root.file_of(name)) is not None]
            there = next((path for path in paths if self._is_there(path)), None)
            if there is not None:
                found[name] = there
        return found

    def _is_there(self, path: Path) -> bool:
        return path.is_file() if self.then is None else self.then.snapshot.find(path).kind is PathKind.FILE


def current_image(source: ImageSource, project: Path, cache: Path) -> ProjectImage:
    """Return the image of now. Raises UsageError, also where the protos are wrong."""
    if source.image is not None:
        return ProjectImage(source.image, source.excludes)
    image = build_image(project, cache)
    tree = _modules(project, project, source)
    return ProjectImage(image, source.excludes, tree, lost=not_checked_out(project, tree))


def source_at_commit(content: bytes | None, project: Path, now: ImageSource | None) -> ImageSource | None:
    """Return what an interop.toml as it was says, or None where the protos were roots; without one they were what they are."""
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
    """Return the image of a commit, of which people are told in these words. Raises UsageError for what git did not keep."""
    if source.image is None:
        return _built_then(source, snapshot, project, cache, words)
    content = snapshot.read(source.image)
    if content is None:
        raise UsageError(
            f"{source.image} was not in {snapshot.top} at {words}, so nobody knows what it held",
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
        there = snapshot.below(place, project.resolve())
        try:
            tree = _modules(there, project, source)
            earlier = ProtosAtCommit(snapshot, tree, project, None, words)
            earlier.refuse_unfollowed()
            image = build_image(there, cache) if there.is_dir() else None
        except ProtoError as error:
            told = (error.what, f"{error.remedy}; or {BESIDE}")
            raise UsageError(*(text.replace(str(place), str(snapshot.top)) for text in told)) from error
        if image is None:
            raise UsageError(f"{project} was not there at {words}", BESIDE)
        return ProjectImage(image, source.excludes, tree, earlier, earlier.lost())


def _modules(folder: Path, project: Path, source: ImageSource) -> Tree:
    """Return buf's modules in a folder, as they are called in the project's."""
    layout = buf_config.read_layout(folder)
    roots = tuple(read_root(root, project) for root in layout.roots) if layout else ()
    return Tree(roots, (), (*(layout.excludes if layout else ()), *source.excludes))
