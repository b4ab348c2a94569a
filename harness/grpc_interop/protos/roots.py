"""Where protos lie: the roots whose files are driven, and the folders in which their imports are looked up."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from grpc_interop.errors import UsageError
from grpc_interop.protos.walking import proto_files

RENAMED = Path(__file__).parent / "include"
"""Common protos that are installed under another name than they are imported by."""


class ProtoError(UsageError):
    """The protos cannot be used as they are."""


def root_files(roots: Sequence[Path], excludes: Sequence[str] = ()) -> dict[str, Path]:
    """Every .proto file of the roots: its name as other files import it, and where it lies; sorted by name. Names that
    match a pattern of `excludes` (as in a shell, where * crosses folders) are left out.

    Raises ProtoError for a root that is missing, empty or within another one, for a name that two roots hold, and for a link
    to nothing.
    """
    _refuse_nested(roots)
    below: dict[Path, dict[str, Path]] = {root.resolve(): {} for root in roots}
    for root in roots:
        if not root.is_dir():
            raise ProtoError(f"{root}: no such folder of protos", "check --proto-path, or the roots in interop.toml")
    for one in proto_files(list(below), lambda name: not any(fnmatchcase(name, pattern) for pattern in excludes)):
        _refuse_broken(one.path)
        below[one.root][_readable(one.name, one.path)] = one.path
    found: dict[str, Path] = {}
    for files in below.values():
        for name in files.keys() & found.keys():
            raise ProtoError(
                f"{name} is in two roots: {found[name]} and {files[name]}",
                "one name can mean only one file; if one of the folders is only imported from, give it with --include",
            )
        found |= files
    for root in roots:
        if not below[root.resolve()]:
            what = "no .proto file lies here or below" + (", but for what interop.toml excludes" if excludes else "")
            raise ProtoError(f"{root}: {what}", "check --proto-path, or the roots in interop.toml")
    return dict(sorted(found.items()))


def _refuse_nested(roots: Sequence[Path]) -> None:
    for outer in roots:
        for inner in roots:
            if outer.resolve() in inner.resolve().parents:
                raise ProtoError(
                    f"{inner} lies within {outer}, so its files would have two names each",
                    "give only the folder that the imports are relative to",
                )


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


def common_includes() -> list[Path]:
    """Folders whose protos are found without being asked for: google/protobuf, which comes with protoc, and google/api,
    google/rpc, google/type and so on where googleapis-common-protos is installed."""
    folders = _of_protoc()
    google = importlib.util.find_spec("google.rpc") if importlib.util.find_spec("google") else None
    for place in (google.submodule_search_locations if google else None) or ():
        if Path(place, "status.proto").is_file():
            folders += [Path(place).parent.parent, RENAMED]
    return folders


def brought_by_protoc() -> dict[str, Path]:
    """google/protobuf/*.proto as they come with protoc: what every runtime has of its own, too. By name."""
    return {path.relative_to(folder).as_posix(): path for folder in _of_protoc() for path in sorted(folder.rglob("*.proto"))}


def _of_protoc() -> list[Path]:
    tools = importlib.util.find_spec("grpc_tools")
    return [Path(place, "_proto") for place in (tools.submodule_search_locations if tools else None) or ()]


def resolve(name: str, folders: Iterable[Path]) -> Path | None:
    """The file that an import of `name` means: the first of the folders that holds it."""
    return next((path for folder in folders if (path := folder / name).is_file()), None)
