"""The files of a repository at a commit, with the submodules pinned there and the links as they led then.

They are read from git's objects: no work tree, index or branch is touched. Paths are the absolute paths of the work tree:
`top/proto/a.proto` names the file of the commit, whatever is there now.
"""

import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from grpc_interop.errors import UsageError
from grpc_interop.schema.git.repository import Repository, words_of
from grpc_interop.schema.git.submodules import submodule_with

MOST_LINKS = 40
"""The links that Linux follows to one file (path_resolution(7)): more are a circle."""

_PROTO = ".proto"

_LINK, _SUBMODULE = "120000", "160000"
"""File modes of git's trees."""


class PathKind(Enum):
    FOLDER = "folder"
    FILE = "file"
    NOTHING = "nothing"
    OUTSIDE = "outside"  # not below the repository's top, or behind a link that led out of it
    NOT_HERE = "not here"  # in a submodule whose commit was not fetched


class ResolvedPath(NamedTuple):
    """A path with its links followed."""

    kind: PathKind
    path: Path  # the target, or the last place on the way to it


class _TreeEntry(NamedTuple):
    """A file, a link or a submodule."""

    mode: str
    object: str
    repository: Repository


class Snapshot:
    def __init__(self, repository: Repository, commit: str) -> None:
        self.repository = repository
        self.commit = commit
        self.not_here: dict[Path, str] = {}
        """The submodules that were met and whose commits, which are the values, are not here."""
        self.unfollowed: dict[Path, ResolvedPath] = {}
        """The written links that lead into such a submodule, out of the repository or to nothing."""
        # By paths as text, which is smaller: a large repository has many.
        self._entries: dict[str, _TreeEntry] = {}
        self._folders: dict[str, set[str]] = {str(repository.top): set()}
        self._add(repository, commit)

    @property
    def top(self) -> Path:
        """The repository's work tree."""
        return self.repository.top

    def find(self, path: Path) -> ResolvedPath:
        """Follow a path's links: within the repository as they led at the commit, outside of it as they lead now."""
        current, ahead, links = Path(path.anchor), deque(path.parts[1:]), 0
        while ahead:
            part = ahead.popleft()
            if part == "..":
                current = current.parent
                continue
            path = current / part
            target = self._link(path)
            if target is None:
                kind = self._kind(path)
                if kind in (PathKind.NOTHING, PathKind.NOT_HERE):
                    return ResolvedPath(kind, path)
                current = path
                continue
            links += 1
            if links > MOST_LINKS:
                return ResolvedPath(PathKind.NOTHING, path)
            current = Path(target.anchor) if target.is_absolute() else current
            ahead.extendleft(reversed(target.parts[1:] if target.is_absolute() else target.parts))
        return ResolvedPath(self._kind(current), current)

    def read(self, path: Path) -> bytes | None:
        """Return the content of a file, or None where there was no file."""
        target = self.find(path)
        return next(self._contents([str(target.path)])) if target.kind is PathKind.FILE else None

    def protos(self, folder: Path | None = None) -> Iterator[Path]:
        """Yield the .proto files below a folder (None: the repository). Links are not followed."""
        target = self.find(folder or self.top)
        if target.kind is PathKind.FOLDER:
            yield from (Path(path) for path in self._below(str(target.path)) if path.endswith(_PROTO) and not self._is_link(path))

    def write(self, folders: Iterable[Path], place: Path, more: Collection[str] = ()) -> None:
        """Write the files below folders that end in .proto or have a name of `more`, and the targets of links, to the same paths
        below a place in place of the top. Links stay links."""
        files: dict[str, None] = {}
        done: set[str] = set()
        queue = deque(target.path for folder in folders if (target := self.find(folder)).kind is PathKind.FOLDER)
        while queue:
            folder = queue.popleft()
            self.below(place, folder).mkdir(parents=True, exist_ok=True)
            for path in self._below(str(folder)):
                if path in done:
                    continue
                done.add(path)
                target = self._written_link(Path(path), place) if self._is_link(path) else ResolvedPath(PathKind.FILE, Path(path))
                if target.kind is PathKind.FOLDER:
                    queue.append(target.path)
                elif target.kind is PathKind.FILE and (path.endswith(_PROTO) or path.rpartition("/")[2] in more):
                    files[str(target.path)] = None
        for path, content in zip(files, self._contents(list(files)), strict=True):
            file = self.below(place, Path(path))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def below(self, place: Path, path: Path) -> Path:
        """Return a path of the repository below a place in place of its top."""
        return place / path.relative_to(self.top)

    def _written_link(self, path: Path, place: Path) -> ResolvedPath:
        spelled, target = self._link(path), self.find(path)
        assert spelled is not None
        exists = target.kind in (PathKind.FOLDER, PathKind.FILE)
        if not exists:
            self.unfollowed[path] = target
        if exists or (target.kind is PathKind.NOTHING and path.suffix == _PROTO):
            link = self.below(place, path)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(self.below(place, target.path) if exists else spelled)
        return target

    def _kind(self, path: Path) -> PathKind:
        if not path.is_relative_to(self.top):
            return PathKind.OUTSIDE
        if path in self.not_here:
            return PathKind.NOT_HERE
        entry = self._entries.get(str(path))
        if entry is not None and entry.mode == _SUBMODULE:
            return PathKind.FOLDER if self._enter(path, entry) else PathKind.NOT_HERE
        if str(path) in self._folders:
            return PathKind.FOLDER
        return PathKind.NOTHING if entry is None else PathKind.FILE

    def _is_link(self, path: str) -> bool:
        return path in self._entries and self._entries[path].mode == _LINK

    def _link(self, path: Path) -> Path | None:
        """Return the target that a link names, or None for other paths."""
        if not path.is_relative_to(self.top):
            return path.readlink() if path.is_symlink() else None
        return Path(os.fsdecode(next(self._contents([str(path)])))) if self._is_link(str(path)) else None

    def _below(self, folder: str) -> Iterator[str]:
        """Yield the files and links below a folder, also in submodules."""
        for name in sorted(self._folders.get(folder, ())):
            path = f"{folder.rstrip('/')}/{name}"
            entry = self._entries.get(path)
            if entry is not None and entry.mode != _SUBMODULE:
                yield path
            elif self._kind(Path(path)) is PathKind.FOLDER:
                yield from self._below(path)

    def _enter(self, path: Path, entry: _TreeEntry) -> bool:
        """Add the files of a submodule. Return whether its commit is here."""
        submodule = submodule_with(entry.repository, path.relative_to(entry.repository.top).as_posix(), entry.object)
        if submodule is None:
            self.not_here[path] = entry.object
            return False
        del self._entries[str(path)]
        self._folders[str(path)] = set()
        self._add(submodule, entry.object)
        return True

    def _add(self, repository: Repository, commit: str) -> None:
        done = repository.git("ls-tree", "-r", "-z", "--full-tree", commit)
        if done.returncode:
            raise UsageError(f"git cannot list the files of {repository.top} at {commit}: {words_of(done)}")
        for line in filter(None, done.stdout.split(b"\0")):
            head, _, name = line.partition(b"\t")
            mode, _, blob = head.decode().split()
            if b".." in name.split(b"/"):
                raise UsageError(f"{repository.top} had {name!r} at {commit}, which leads out of it", "git does not write such a tree")
            path = f"{str(repository.top).rstrip('/')}/{os.fsdecode(name)}"
            self._entries[path] = _TreeEntry(mode, blob, repository)
            self._add_folders(path)

    def _add_folders(self, path: str) -> None:
        """Add a path to the folders around it."""
        while True:
            folder, _, name = path.rpartition("/")
            folder = folder or "/"
            known = folder in self._folders
            self._folders.setdefault(folder, set()).add(name)
            if known:
                return
            path = folder

    def _contents(self, paths: Sequence[str]) -> Iterator[bytes]:
        """Yield the contents of files and links in order, read by one process a repository."""
        entries = [self._entries[path] for path in paths]
        contents: dict[_TreeEntry, bytes] = {}
        for repository in dict.fromkeys(entry.repository for entry in entries):
            wanted = list(dict.fromkeys(entry for entry in entries if entry.repository == repository))
            contents |= dict(zip(wanted, _blobs(repository, [entry.object for entry in wanted]), strict=True))
        yield from (contents[entry] for entry in entries)


def _blobs(repository: Repository, names: Sequence[str]) -> Iterator[bytes]:
    done = repository.git("cat-file", "--batch", given="\n".join(names).encode() + b"\n")
    if done.returncode:
        raise UsageError(f"git cannot read files of {repository.top}: {words_of(done)}")
    at = 0
    for name in names:
        end = done.stdout.index(b"\n", at)
        header = done.stdout[at:end].split()
        if header[-1:] == [b"missing"]:
            raise UsageError(f"{repository.top} lacks the object {name}", "a partial clone has to fetch it: `git fetch --refetch`")
        size = int(header[2])
        yield done.stdout[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
