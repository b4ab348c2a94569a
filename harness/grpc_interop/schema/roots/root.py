"""A folder from which protos are imported, and how people spell it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grpc_interop.errors import UsageError


@dataclass(frozen=True, slots=True)
class Root:
    """A folder, and what the names of its files begin with where they are imported: `PREFIX=DIR`, as protoc has it. With the
    prefix `etcd`, the file api/kv.proto is imported as etcd/api/kv.proto."""

    folder: Path
    prefix: str = ""

    def name_of(self, path: Path) -> str | None:
        """Return how imports spell a file; None for one that does not lie below the folder."""
        return PurePosixPath(self.prefix, path.relative_to(self.folder)).as_posix() if path.is_relative_to(self.folder) else None

    def file_of(self, name: str) -> Path | None:
        """Return where the file of a name would lie; None where the name does not begin with the prefix."""
        head = f"{self.prefix}/" if self.prefix else ""
        return self.folder / name.removeprefix(head) if name.startswith(head) else None

    def resolved(self) -> Root:
        """Return the same root with the folder's real path."""
        return Root(self.folder.resolve(), self.prefix)

    def spelled(self, folder: str | Path | None = None) -> str:
        """Return what `read_root` and protoc read as this root, for a folder that is spelled in another way, if need be."""
        folder = str(self.folder if folder is None else folder)
        return f"{self.prefix}={folder}" if self.prefix or "=" in folder else folder

    def __str__(self) -> str:
        return f"{self.prefix}={self.folder}" if self.prefix else str(self.folder)


Folder = Path | Root
"""Where protos are imported from. A mere path is a root without a prefix."""


def rooted(folder: Folder) -> Root:
    """Return the folder as a root."""
    return folder if isinstance(folder, Root) else Root(folder)


def read_root(spelling: str, relative_to: Path) -> Root:
    """Return the root that is spelled `DIR` or `PREFIX=DIR`. A folder that is there and has a = in its own name is meant as
    such. Raises UsageError for a prefix that no import can begin with."""
    prefix, equals, folder = spelling.partition("=")
    if not equals or (relative_to / spelling).is_dir():
        return Root(relative_to / spelling)
    if not folder:
        raise UsageError(f"{spelling}: no folder follows the =", f"PREFIX=DIR, such as {spelling}.")
    if not can_be_prefix(prefix):
        raise UsageError(
            f"{spelling}: there is no such folder, and no import begins with {prefix!r}",
            "PREFIX=DIR puts PREFIX before the names of the files in DIR, such as github.com/acme/repo=.",
        )
    return Root(relative_to / folder, "/".join(PurePosixPath(prefix).parts))


def can_be_prefix(prefix: str) -> bool:
    """Return whether protoc takes imports that begin so."""
    return not (prefix.startswith("/") or ".." in PurePosixPath(prefix).parts or "\\" in prefix or not prefix.isprintable())
