"""Where protos lie: the roots whose files are driven, and the folders in which their imports are looked up."""

from __future__ import annotations

import filecmp
import importlib.util
import os
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
"""Common protos that are installed under another name than they are imported by."""


class Tree(NamedTuple):
    """Where protos lie."""

    roots: tuple[Root, ...]
    includes: tuple[Root, ...] = ()
    excludes: tuple[str, ...] = ()


class ProtoError(UsageError):
    """The protos cannot be used as they are."""


def root_files(roots: Sequence[Folder], excludes: Sequence[str] = ()) -> dict[str, Path]:
    """Every .proto file of the roots: its name as other files import it, and where it lies; sorted by name. Names that
    match a pattern of `excludes` (as in a shell, where * crosses folders) are left out.

    Copies have one name and the same content in several roots: the first is taken.

    Raises ProtoError for a root that is missing or empty, for a name that means other files in two roots, for a file that has two names
    since one root lies within another, and for a link to nothing.
    """
    every = list(map(rooted, roots))
    for root in every:
        refuse_no_folder(root, "no such folder of protos", "check --proto-path, or the roots in interop.toml")
    below: dict[Root, dict[str, Path]] = {root.resolved(): {} for root in every}
    for one in proto_files(list(below), lambda name: bool(tested([name], excludes))):
        _refuse_broken(one.path)
        below[one.root][_readable(one.name, one.path)] = one.path
    _refuse_two_names(below)
    found: dict[str, Path] = {}
    for files in below.values():
        for name in files.keys() & found.keys():
            if are_copies(found[name], files[name]):
                continue
            raise ProtoError(
                f"{name} is in two roots, with other content: {found[name]} and {files[name]}",
                "in one run a name can mean only one file: give trees of their own a run each, with --proto-path and the root of"
                " one; if one of the folders is only imported from, give it with --include",
            )
        found = files | found
    for root in every:
        if not below[root.resolved()]:
            what = "no .proto file lies here or below" + (", but for what interop.toml excludes" if excludes else "")
            raise ProtoError(f"{root}: {what}", how_to_check_out(root.folder) or "check --proto-path, or the roots in interop.toml")
    return {name: _first_of_copies(name, found[name], below) for name in sorted(found)}


def _first_of_copies(name: str, path: Path, roots: Iterable[Root]) -> Path:
    """Return the file that protoc takes for a name: an earlier root may hold a link to it, which was not walked as the file is."""
    first = resolve(name, roots)
    return first if first is not None and first != path and are_copies(first, path) else path


def are_copies(one: Path, other: Path) -> bool:
    """Return whether two files have the same content: which of them is compiled makes no difference."""
    return filecmp.cmp(one, other, shallow=False)


def tested(names: Iterable[str], excludes: Sequence[str]) -> list[str]:
    """Return the names that match no pattern of `excludes`."""
    return [name for name in names if not any(fnmatchcase(name, pattern) for pattern in excludes)]


def refuse_no_folder(root: Root, what: str, remedy: str) -> None:
    """Raise ProtoError for a root whose folder is not there, or is a file."""
    if root.folder.is_file():
        raise ProtoError(f"{root}: a file, not a folder", "give the folder that imports are relative to; a descriptor set is an --image")
    if not root.folder.is_dir():
        raise ProtoError(f"{root}: {what}", remedy)


def _refuse_two_names(below: Mapping[Root, Mapping[str, Path]]) -> None:
    """A file below two roots would be compiled twice, and all that it defines would be defined twice."""
    names: dict[Path, tuple[Root, str]] = {}
    for root, files in below.items():
        for name, path in files.items():
            if path in names:
                other, other_name = names[path]
                inner, outer = sorted((root, other), key=lambda one: len(one.folder.parts), reverse=True)
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
    """What lies behind a link may be gone, and protoc would only say that there is no such file, of one that is listed."""
    if path.is_symlink() and not path.exists():
        raise ProtoError(
            f"{path} is a link to nothing: it leads to {path.readlink()}",
            "mend or remove the link, or name the file under `excludes` in interop.toml",
        )


def _readable(name: str, path: Path) -> str:
    """Raises ProtoError where the name is no text: a descriptor cannot hold it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        raise ProtoError(f"{shown}: the name is not UTF-8, and no proto file can have such a name", "rename it") from None
    return name


def common_includes() -> list[Root]:
    """Folders whose protos are found without being asked for: google/protobuf, which comes with protoc, and google/api,
    google/rpc, google/type and so on where googleapis-common-protos is installed."""
    folders = list(map(Root, _of_protoc()))
    google = importlib.util.find_spec("google.rpc") if importlib.util.find_spec("google") else None
    for place in (google.submodule_search_locations if google else None) or ():
        if Path(place, "status.proto").is_file():
            folders += [Root(Path(place).parent.parent), Root(RENAMED)]
    return folders


def brought_by_protoc() -> dict[str, Path]:
    """google/protobuf/*.proto as they come with protoc: what every runtime has of its own, too. By name."""
    return {path.relative_to(folder).as_posix(): path for folder in _of_protoc() for path in sorted(folder.rglob("*.proto"))}


def _of_protoc() -> list[Path]:
    tools = importlib.util.find_spec("grpc_tools")
    return [Path(place, "_proto") for place in (tools.submodule_search_locations if tools else None) or ()]


def resolve(name: str, roots: Iterable[Root]) -> Path | None:
    """The file that an import of `name` means: that of the first root that holds it."""
    return next((path for root in roots if (path := root.file_of(name)) is not None and path.is_file()), None)
