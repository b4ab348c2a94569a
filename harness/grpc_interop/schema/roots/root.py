"""A folder from which protos are imported, and its spelling."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grpc_interop.errors import UsageError


@dataclass(frozen=True, slots=True)
class Root:
    """A folder, with the prefix of its files' names in imports: protoc's `PREFIX=DIR`. With the prefix `etcd`, the file
    api/kv.proto is imported as etcd/api/kv.proto."""

    folder: Path
    prefix: str = ""

    def name_of(self, path: Path) -> str | None:
        """Return the name of a file in imports; None outside of the folder."""
        return PurePosixPath(self.prefix, path.relative_to(self.folder)).as_posix() if path.is_relative_to(self.folder) else None

    def file_of(self, name: str) -> Path | None:
        """Return the path for a name in imports; None for a name without the prefix."""
        head = f"{self.prefix}/" if self.prefix else ""
        return self.folder / name.removeprefix(head) if name.startswith(head) else None

    def resolved(self) -> "Root":
        """Return the same root with the folder's real path."""
        return Root(self.folder.resolve(), self.prefix)

    def spelled(self, folder: str | Path | None = None) -> str:
        """Return the spelling of this root for `read_root` and protoc, with another spelling of the folder if given."""
        folder = str(self.folder if folder is None else folder)
        return f"{self.prefix}={folder}" if self.prefix or "=" in folder else folder

    def __str__(self) -> str:
        return f"{self.prefix}={self.folder}" if self.prefix else str(self.folder)


Folder = Path | Root
"""A mere path is a root without a prefix."""


def rooted(folder: Folder) -> Root:
    """Return the folder as a root."""
    return folder if isinstance(folder, Root) else Root(folder)


def read_root(spelling: str, relative_to: Path) -> Root:
    """Return the root that is spelled `DIR` or `PREFIX=DIR`. An existing folder with a = in its name is taken as a folder. Raise
    UsageError for a prefix that no import can begin with."""
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
    """Return whether protoc accepts imports that begin with the prefix."""
    return not (prefix.startswith("/") or ".." in PurePosixPath(prefix).parts or "\\" in prefix or not prefix.isprintable())
