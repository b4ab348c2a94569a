"""protoc's errors for people: causes come before errors that follow from them, and a missing import is explained."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from grpc_interop.output.plain_text import few
from grpc_interop.schema.roots.root import Root, can_be_prefix
from grpc_interop.schema.roots.roots import common_includes

MOST_ERRORS = 20
"""As many lines as fit on a screen. A file that cannot be read causes an error at each use of its definitions."""

MOST_MISSING = 5
"""Imports that are explained, and candidate files for each."""

_WARNING = re.compile(r"^(?:WARNING: |W\d{4} \d\d:|\[libprotobuf WARNING|.*?: warning: )")
"""The beginnings of protoc's own warnings, and of its log and the log's first line."""

_FOLLOWS = re.compile(
    r'was not found or had errors\.$|is not defined\.$|seems to be defined in ".*", which is not imported|: Suggested field numbers'
)
"""Errors about the use of a definition that is missing or wrong itself, mostly."""

_MISSING_IMPORT = re.compile(r"^(?:\S+?:(?:\d+:\d+:)? )?(\S+\.proto): File not found\.$", re.MULTILINE)


def explain(output: str, files: Mapping[str, Path], roots: Sequence[Root], search: Sequence[Root]) -> tuple[str, str]:
    """Return protoc's words about the files of the roots, and a remedy. Imports were looked up in `search`."""
    missing = sorted(set(_MISSING_IMPORT.findall(output)))
    remedies = [
        *_missing_imports(missing, files, roots, search),
        "a file that need not compile is left out with `excludes` under [protos] in interop.toml",
    ]
    return "protoc refuses the protos:\n" + "\n".join(_errors(output)), "\n  ".join(remedies)


def _errors(output: str) -> Iterator[str]:
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if not _WARNING.match(line)]
    yield from sorted(errors, key=lambda line: bool(_FOLLOWS.search(line)))[:MOST_ERRORS]
    if len(errors) > MOST_ERRORS:
        yield f"... and {len(errors) - MOST_ERRORS} more, most of which may follow from these"


def _missing_imports(missing: Sequence[str], files: Mapping[str, Path], roots: Sequence[Root], search: Sequence[Root]) -> Iterator[str]:
    if not missing:
        return
    yield f"{few(missing, MOST_MISSING)}: looked for in"
    yield from (f"  {folder}" for folder in search)
    # Not the common includes: they contain all that Python has installed.
    places = [*files.values(), *_protos(root.folder for root in search if root not in [*roots, *common_includes()])]
    for name in missing[:MOST_MISSING]:
        if not can_be_prefix(name):
            yield f"{name}: no import can begin like this; spell it relative to a root"
            continue
        folders = [root.folder.resolve() for root in roots]
        yield from _where(name, places, folders)
        yield from _prefixed(name, folders)
    yield "if it lies elsewhere, name the folder with --include"


def _protos(folders: Iterable[Path]) -> Iterator[Path]:
    for top in folders:
        for folder, subfolders, names in os.walk(top.resolve()):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            yield from (Path(folder, name) for name in sorted(names) if name.endswith(".proto"))


def _where(name: str, places: Iterable[Path], roots: Sequence[Path]) -> Iterator[str]:
    """Yield the files whose paths end like the import, with the options with which the import would mean them."""
    wanted = PurePosixPath(name).parts
    ending = str(Path(os.sep, *wanted))
    candidates = dict.fromkeys(path for path in places if str(path).endswith(ending))
    for path in list(candidates)[:MOST_MISSING]:
        folder = path.parents[len(wanted) - 1]
        root = next((root for root in roots if root.is_relative_to(folder) or folder.is_relative_to(root)), None)
        if root is None:
            yield f"{path} would be {name} with --include {folder}"
            continue
        yield f"{path} would be {name} with --proto-path {folder} in place of {root}"
        if folder.is_relative_to(root):
            pattern = f"{folder.relative_to(root).as_posix()}/*"
            yield f'  or, untested, with --include {folder} and excludes = ["{pattern}"] under [protos] in interop.toml'


def _prefixed(name: str, roots: Sequence[Path]) -> Iterator[str]:
    """Yield the file that an import would mean if its root had a prefix: mostly the repository's name."""
    parts = PurePosixPath(name).parts
    for root in roots:
        for place in range(1, len(parts)):
            if (path := root.joinpath(*parts[place:])).is_file():
                yield f"{path} would be {name} with --proto-path {'/'.join(parts[:place])}={root} in place of {root}"
                break
