"""`interop init`: write a commented interop.toml for a repository."""

import json
import shlex
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from pathlib import Path

import click

from grpc_interop.config import DEFAULT_SEED, find_project
from grpc_interop.drivers.manifest import FILE, Manifest, SettingKind
from grpc_interop.errors import UsageError
from grpc_interop.output.console import say
from grpc_interop.output.plain_text import counted, few
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.git.repository import around
from grpc_interop.schema.git.submodules import submodules_not_checked_out
from grpc_interop.schema.roots import buf_config
from grpc_interop.schema.roots.buf_build import build_image
from grpc_interop.schema.roots.layout import MOST_NAMED, Layout, ProtoFile, RootGroup, each_alone, find_layout, group_roots, read_files
from grpc_interop.schema.roots.root import read_root
from grpc_interop.schema.roots.roots import ProtoError, readable
from grpc_interop.session.known_failures import FILE as KNOWN_FAILURES
from grpc_interop.suites import SUITES


@click.command()
def command() -> None:
    """Write a commented interop.toml for the repository in the current folder."""
    sys.exit(init(Path.cwd(), find_project().implementations))


_EXAMPLES = {SettingKind.FILE: "path/to/file", SettingKind.PROGRAM: "path/to/program", SettingKind.TEXT: "text"}


def init(folder: Path, implementations: Iterable[Manifest]) -> int:
    """Write the file and print its content. Return 0, or 1 where the protos need more than that, or RPCs are left out.
    Raise UsageError when there is a file already, or no proto."""
    path = folder / FILE
    if path.exists():
        raise UsageError(f"{path} is there already", "delete it first, or edit it: `interop run` reads it")
    files = read_files(folder)
    layout = buf_config.read_layout(folder, files) or _find_layout(folder, files)
    if not layout.roots:
        raise UsageError(f"{folder}: no folder with .proto files of your own is here", _where_else(folder))
    groups = _groups(folder, layout)
    for name in (*layout.roots, *layout.includes, *layout.excludes):
        readable(name, folder / name)
    path.write_text(text(layout, implementations, groups), encoding="utf-8")
    for sentence in (*layout.notes, *_submodules(folder, files)):
        say(f"  {sentence}")
    includes = f", includes {', '.join(layout.includes)}" if layout.includes else ""
    say(f"{FILE} is written: " + ("buf = true" if layout.buf else f"roots {', '.join(layout.roots)}{includes}"))
    return _try(folder, layout, groups, files)


def _find_layout(folder: Path, files: Sequence[ProtoFile]) -> Layout:
    """Return the layout that the imports imply. Prefixes are only a guess, and so is a single root for files in many folders that
    hold the same names: both are taken where the protos compile with them."""
    layout = find_layout(folder, files)
    if len(_groups(folder, layout)) > 1 and _compiles(folder, joined := find_layout(folder, files, joined=True)):
        return joined
    if any("=" in root for root in layout.roots) and not _compiles(folder, layout):
        return find_layout(folder, files, prefixes=False)
    return layout


def _compiles(folder: Path, layout: Layout) -> bool:
    with suppress(ProtoError):
        _compile(folder, layout, RootGroup(layout.roots, layout.includes))
        return True
    return False


def _where_else(folder: Path) -> str:
    if (folder / ".gitmodules").is_file():
        return "if they lie in a submodule, `git submodule update --init` gets them; or write roots by hand"
    return "go to your repository, or write roots by hand"


def _submodules(folder: Path, files: Iterable[ProtoFile]) -> Iterator[str]:
    """Yield a sentence for each submodule that holds protos, or may hold some."""
    parents = dict.fromkeys(parent for file in files for parent in file.path.parents if parent.parts)
    for path in parents:
        if (folder / path / ".git").exists():
            yield f"{path} is a git submodule: its protos are tested as they are checked out"
    repository = around(folder)
    for place in submodules_not_checked_out(repository) if repository else ():
        if place.is_relative_to(folder.resolve()):
            shown = place.relative_to(folder.resolve())
            yield f"{shown} is a git submodule that is not checked out, so its protos are not seen: `git submodule update --init {shown}`"


def _groups(folder: Path, layout: Layout) -> list[RootGroup]:
    """Return the roots in groups that can each be part of one run. Errors in a root show when the groups are compiled."""
    whole = [RootGroup(layout.roots, layout.includes)]
    if layout.buf:
        return whole
    try:
        groups = group_roots(folder, layout)
        if len(groups) == 1 and len(layout.roots) > 1 and not _compiles(folder, layout):
            # One file under two names, or two files that define one thing: protoc takes them where they do not meet.
            groups = each_alone(folder, layout)
            for run in groups:
                _compile(folder, layout, run)
    except ProtoError:
        return whole
    return groups


def _try(folder: Path, layout: Layout, groups: Sequence[RootGroup], files: Iterable[ProtoFile]) -> int:
    """Compile the protos as a run would, and print their content and the RPCs left out. Return the exit status."""
    driven: set[str] = set()
    unreadable: set[str] = set()
    for run in groups:
        try:
            catalog = _compile(folder, layout, run)
        except ProtoError as error:
            say(f"but the protos do not compile so; edit its [protos], then `interop run`:\n{error}", err=True)
            return 1
        methods = [method.path.lstrip("/") for method in catalog.methods()]
        driven.update(methods)
        unreadable.update(catalog.refused)
        contents = ((len(catalog.files), "file"), (len(methods), "RPC"), (sum(1 for _ in catalog.messages()), "message"))
        more = f" in {', '.join(run.roots)}" if len(groups) > 1 else ""
        say(f"{', '.join(counted(*content) for content in contents)}{more}. Next: {_command(layout, run) if more else 'interop run'}")
    status = 0
    if len(groups) > 1:
        say("but these cannot be part of one run, in which a name means one file and is defined once: run them one by one", err=True)
        status = 1
    left = [file for file in files if not any(name.endswith(str(file.path)) or str(file.path).endswith(name) for name in unreadable)]
    return max(status, _tell_left_out(layout, driven, left))


def _tell_left_out(layout: Layout, driven: Set[str], files: Iterable[ProtoFile]) -> int:
    """Print the RPCs that would not be tested. Return 1 where nobody excluded them, or where no RPC is left."""
    left_out = {rpc: file for file in files for rpc in file.rpcs if rpc not in driven}
    unexplained = [rpc for rpc, file in left_out.items() if file.path not in layout.left_out]
    if not unexplained and (driven or not left_out):
        return 0
    rpcs = unexplained or list(left_out)
    files_of = dict.fromkeys(str(left_out[rpc].path) for rpc in rpcs)
    say(
        f"but {counted(len(rpcs), 'RPC')} would not be tested: {few(rpcs, MOST_NAMED)}, of {few(list(files_of), MOST_NAMED)}\n"
        "  edit roots, includes and excludes under [protos], or run that folder by itself with `interop run --proto-path DIR`",
        err=True,
    )
    return 1


def _command(layout: Layout, run: RootGroup) -> str:
    includes = run.includes if run.includes != layout.includes else []
    options = [("--proto-path", root) for root in run.roots] + [("--include", root) for root in includes]
    return shlex.join(["interop", "run", *(word for option in options for word in option)])


def _compile(folder: Path, layout: Layout, run: RootGroup) -> Catalog:
    with tempfile.TemporaryDirectory() as cache:
        if layout.buf:
            return Catalog.from_image(build_image(folder, Path(cache)))
        includes = [read_root(root, folder) for root in run.includes]
        return Catalog.load([read_root(root, folder) for root in run.roots], includes, Path(cache), layout.excludes)


def text(layout: Layout, implementations: Iterable[Manifest], groups: Sequence[RootGroup] = ()) -> str:
    """Return the content of the file."""
    known = list(implementations)
    lines = [
        "# What `interop run` does here. Every line may be left out; what is made lies in .interop/.",
        "",
        "# The implementations under test. A folder with a manifest of your own can be one, too.",
        f"# implementations = {_list(manifest.name for manifest in known)}",
        "",
        "# The suites that run.",
        f"# suites = {_list(SUITES)}",
        "",
        "# Known failures, with reason and link. They are run all the same, and fail the run once they pass.",
        f"# known_failures = {_list([KNOWN_FAILURES])}",
        "",
        "# Seed of generated values and conversations: the same seed gives the same cases on every machine.",
        f"# seed = {DEFAULT_SEED}",
        "",
        "[protos]",
        *_protos(layout, groups),
        *_variants(known),
    ]
    return "\n".join(lines) + "\n"


def _protos(layout: Layout, groups: Sequence[RootGroup]) -> Iterator[str]:
    """Yield the lines about the protos."""
    if layout.buf:
        yield "# The modules of buf.yaml are tested. buf has what they import, also from a registry."
        yield "buf = true"
        return
    yield from (
        "# Everything below these folders is tested. Imports are relative to them; with PREFIX=DIR they begin with PREFIX.",
        *(["# They cannot be part of one run, so each of these is one of its own:"] if len(groups) > 1 else []),
        *(f"#   {_command(layout, run)}" for run in groups if len(groups) > 1),
        f"roots = {_list(layout.roots)}",
        "# Where imports are looked up besides. Files there are not tested themselves.",
        f"includes = {_list(layout.includes)}",
        "# Files of the roots that are not tested themselves: patterns of the names by which they are imported.",
        f"excludes = {_list(layout.excludes)}",
    )


def _variants(implementations: Iterable[Manifest]) -> Iterator[str]:
    """Yield an example of each implementation that can be built in other versions."""
    yield from ("", "# An implementation again, in the versions that your service runs with. It is built apart from your environment.")
    for manifest in implementations:
        if manifest.known_settings:
            yield from ("#", "# [[implementation]]", f"# name = {_text(manifest.name + '-service')}", f"# from = {_text(manifest.name)}")
            for key, kind in manifest.known_settings:
                yield f"# settings.{key} = {_text(_EXAMPLES[kind])}"


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, items))}]"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # JSON's texts are TOML's, too
