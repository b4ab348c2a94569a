"""The roots, whose files are driven, and the folders in which imports are looked up."""

import filecmp
import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from grpc_interop.errors import UsageError
from grpc_interop.schema.git.submodules import how_to_check_out
from grpc_interop.schema.roots.root import Folder, Root, rooted
from grpc_interop.schema.roots.walking import proto_files

RENAMED = Path(__file__).parent.parent / "include"
"""Common protos whose installed names differ from their names in imports."""


class Tree(NamedTuple):
    roots: tuple[Root, ...]
    includes: tuple[Root, ...] = ()
    excludes: tuple[str, ...] = ()


class ProtoError(UsageError):
    """The protos cannot be used as they are."""


def root_files(roots: Sequence[Folder], excludes: Sequence[str] = ()) -> dict[str, Path]:
    """Return the .proto files of the roots by their names in imports, sorted. Names that match a pattern of `excludes` (as in
    a shell, where * crosses folders) are left out. A file may have copies of the same name and content in other roots.

    Raise ProtoError for a root that is missing or empty, for a name that has different contents in two roots, for a file
    with two names since one root lies within another, and for a link to nothing.
    """
    every = list(map(rooted, roots))
    for root in every:
        refuse_no_folder(root, "no such folder of protos", "check --proto-path, or the roots in interop.toml")
    below: dict[Root, dict[str, Path]] = {root.resolved(): {} for root in every}
    for file in proto_files(list(below), lambda name: bool(tested([name], excludes))):
        _refuse_broken(file.path)
        below[file.root][readable(file.name, file.path)] = file.path
    _refuse_two_names(below)
    every_file: dict[str, Path] = {}
    for files in below.values():
        for name in files.keys() & every_file.keys():
            if are_copies(every_file[name], files[name]):
                continue
            raise ProtoError(
                f"{name} is in two roots, with different content: {every_file[name]} and {files[name]}",
                "in one run a name can mean only one file: give trees of their own a run each, with --proto-path and the root of"
                " one; if one of the folders is only imported from, give it with --include",
            )
        every_file = files | every_file
    for root in every:
        if not below[root.resolved()]:
            what = "no .proto file lies here or below" + (", but for files that interop.toml excludes" if excludes else "")
            raise ProtoError(f"{root}: {what}", how_to_check_out(root.folder) or "check --proto-path, or the roots in interop.toml")
    return {name: _first_of_copies(name, every_file[name], below) for name in sorted(every_file)}


def _first_of_copies(name: str, path: Path, roots: Iterable[Root]) -> Path:
    """Return the file that protoc takes for a name: an earlier root may have a link to it, which was not walked."""
    first = resolve(name, roots)
    return first if first is not None and first != path and are_copies(first, path) else path


def are_copies(file: Path, other: Path) -> bool:
    """Return whether two files have the same content."""
    return filecmp.cmp(file, other, shallow=False)


def tested(names: Iterable[str], excludes: Sequence[str]) -> list[str]:
    """Return the names that match no pattern of `excludes`."""
    return [name for name in names if not any(fnmatchcase(name, pattern) for pattern in excludes)]


def refuse_no_folder(root: Root, what: str, remedy: str) -> None:
    """Raise ProtoError for a root whose folder does not exist, or is a file."""
    if root.folder.is_file():
        raise ProtoError(f"{root}: a file, not a folder", "give the folder that imports are relative to; a descriptor set is an --image")
    if not root.folder.is_dir():
        raise ProtoError(f"{root}: {what}", remedy)


def _refuse_two_names(below: Mapping[Root, Mapping[str, Path]]) -> None:
    """Raise ProtoError for a file below two roots: it would be compiled twice, and define everything twice."""
    names: dict[Path, tuple[Root, str]] = {}
    for root, files in below.items():
        for name, path in files.items():
            if path in names:
                other, other_name = names[path]
                inner, outer = sorted((root, other), key=lambda known: len(known.folder.parts), reverse=True)
                how, remedy = "is", "give only the folder that the imports are relative to"
                if inner.folder != outer.folder:
                    away = PurePosixPath(outer.prefix, inner.folder.relative_to(outer.folder)).as_posix()
                    how, remedy = (
                        "lies within",
                        f'{remedy}; or leave it out of the outer one, with excludes = ["{escape(away)}/*"] in interop.toml',
                    )
                raise ProtoError(f"{inner} {how} {outer}, so {path} would have two names: {name} and {other_name}", remedy)
            names[path] = root, name


def _refuse_broken(path: Path) -> None:
    """Raise ProtoError for a link to nothing: protoc would only say that a listed file does not exist."""
    if path.is_symlink() and not path.exists():
        raise ProtoError(
            f"{path} is a link to nothing: it leads to {path.readlink()}",
            "mend or remove the link, or name the file under `excludes` in interop.toml",
        )


def readable(name: str, path: Path) -> str:
    """Return a name that Python could decode. Raise ProtoError for other names: no descriptor and no interop.toml can have them."""
    try:
        name.encode()
    except UnicodeEncodeError:
        shown, encoding = os.fsencode(path).decode(errors="backslashreplace"), sys.getfilesystemencoding()
        if encoding == "utf-8":
            raise ProtoError(f"{shown}: the name is not UTF-8, and no proto file can have such a name", "rename it") from None
        raise ProtoError(f"{shown}: the name is not {encoding}, as file names must be in this locale", "set LC_ALL=C.UTF-8") from None
    return name


def common_includes() -> list[Root]:
    """Return the folders that are always searched: google/protobuf, which comes with protoc, and google/api, google/rpc,
    google/type and so on where googleapis-common-protos is installed."""
    folders = list(map(Root, _of_protoc()))
    google = importlib.util.find_spec("google.rpc") if importlib.util.find_spec("google") else None
    for place in (google.submodule_search_locations if google else None) or ():
        if Path(place, "status.proto").is_file():
            folders += [Root(Path(place).parent.parent), Root(RENAMED)]
    return folders


def brought_by_protoc() -> dict[str, Path]:
    """Return protoc's own google/protobuf/*.proto by name. Every runtime has its own version of them."""
    return {path.relative_to(folder).as_posix(): path for folder in _of_protoc() for path in sorted(folder.rglob("*.proto"))}


def _of_protoc() -> list[Path]:
    tools = importlib.util.find_spec("grpc_tools")
    return [Path(place, "_proto") for place in (tools.submodule_search_locations if tools else None) or ()]


def resolve(name: str, roots: Iterable[Root]) -> Path | None:
    """Return the file that an import means: the first in the order of the roots."""
    return next((path for root in roots if (path := root.file_of(name)) is not None and path.is_file()), None)
