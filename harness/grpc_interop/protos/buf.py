"""What a repository's buf.yaml or buf.work.yaml says of its protos.

https://buf.build/docs/configuration/v2/buf-yaml/, .../v1/buf-yaml/ and .../v1/buf-work-yaml/ describe the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from grpc_interop.errors import UsageError
from grpc_interop.protos.layout import Layout

FILE, WORKSPACE = "buf.yaml", "buf.work.yaml"

COMMON = "buf.build/googleapis/googleapis"
"""A module of the registry whose files are found without being asked for."""


def read_layout(repository: Path) -> Layout | None:
    """The layout that buf would use, or nothing where it is not configured. Raises UsageError for a file that cannot be
    read."""
    if (repository / WORKSPACE).is_file():
        layout = Layout(told=[f"{WORKSPACE} says which folders are modules"])
        for name in _texts(_load(repository / WORKSPACE), "directories"):
            _add_file(layout, repository, PurePosixPath(name))
        return layout
    if (repository / FILE).is_file():
        folders = [PurePosixPath()]
    else:
        beside = sorted(path.parent.relative_to(repository).as_posix() for path in repository.glob(f"*/{FILE}"))
        folders = [PurePosixPath(name) for name in beside if not name.startswith(".")]
    if not folders:
        return None
    layout = Layout(told=[f"{folder / FILE} says which folders are modules" for folder in folders])
    for folder in folders:
        _add_file(layout, repository, folder)
    return layout


def _add_file(layout: Layout, repository: Path, folder: PurePosixPath) -> None:
    """The modules of a folder's buf.yaml. In a workspace of version 1 a folder need not have one."""
    path = repository / folder / FILE
    content = _load(path) if path.is_file() else {}
    if content.get("version") == "v2":
        for module in content.get("modules") or [{"path": "."}]:
            place = PurePosixPath(module.get("path", "."))
            inner = (PurePosixPath(exclude) for exclude in _texts(module, "excludes"))  # these are relative to the file
            _add(layout, folder / place, (exclude.relative_to(place) for exclude in inner if exclude.is_relative_to(place)))
    else:
        build = content.get("build") or {}
        for root in _texts(build, "roots") or ["."]:  # only v1beta1 has several
            _add(layout, folder / root, map(PurePosixPath, _texts(build, "excludes")))
    _add_registry(layout, content)


def _add(layout: Layout, root: PurePosixPath, excludes: Iterable[PurePosixPath]) -> None:
    layout.roots.append(str(root))
    layout.excludes += [str(exclude) if exclude.suffix == ".proto" else f"{exclude}/*" for exclude in excludes]


def _add_registry(layout: Layout, content: Mapping[str, Any]) -> None:
    elsewhere = [name for name in _texts(content, "deps") if name.split(":")[0] != COMMON]
    if elsewhere:
        layout.told.append(
            f"{', '.join(elsewhere)}: these lie in a registry; have them written into an image,"
            " `buf build -o image.binpb`, and give that with `interop run --image image.binpb`"
        )


def _load(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not YAML: {error}", "mend it, or move it away and run `interop init` again") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path}: not what buf reads", "mend it, or move it away and run `interop init` again")
    return content


def _texts(content: Mapping[str, Any], key: str) -> list[str]:
    return [str(item) for item in content.get(key) or []]
