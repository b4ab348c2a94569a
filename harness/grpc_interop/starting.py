"""`interop init`: a commented interop.toml for a repository of one's own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from grpc_interop.config import DEFAULT_SEED
from grpc_interop.drivers.manifest import FILE, Kind, Manifest
from grpc_interop.errors import UsageError
from grpc_interop.known import FILE as KNOWN_FAILURES
from grpc_interop.protos import buf
from grpc_interop.protos.catalog import Catalog
from grpc_interop.protos.layout import Layout, find_layout
from grpc_interop.protos.root import read_root
from grpc_interop.protos.roots import ProtoError
from grpc_interop.report.plain_text import counted
from grpc_interop.suites import SUITES

_EXAMPLES = {Kind.FILE: "path/to/file", Kind.PROGRAM: "path/to/program", Kind.TEXT: "text"}


def init(folder: Path, implementations: Iterable[Manifest]) -> int:
    """Writes the file and says what it found. Gives 0, or 1 where the protos need something more. Raises UsageError when
    there is a file already, or no proto."""
    path = folder / FILE
    if path.exists():
        raise UsageError(f"{path} is there already", "delete it first, or edit it: `interop run` reads it")
    layout = buf.read_layout(folder) or find_layout(folder)
    if not layout.roots:
        raise UsageError(f"{folder}: no folder with .proto files of your own is here", "go to your repository, or write roots by hand")
    path.write_text(text(layout, implementations), encoding="utf-8")
    for sentence in layout.told:
        click.echo(f"  {sentence}")
    click.echo(
        f"{FILE} is written: roots {', '.join(layout.roots)}" + (f", includes {', '.join(layout.includes)}" if layout.includes else "")
    )
    return _try(folder, layout)


def _try(folder: Path, layout: Layout) -> int:
    """Compiles the protos as a run would, and says what is in them."""
    with tempfile.TemporaryDirectory() as cache:
        try:
            catalog = Catalog.load(
                [read_root(root, folder) for root in layout.roots],
                [read_root(root, folder) for root in layout.includes],
                Path(cache),
                layout.excludes,
            )
        except ProtoError as error:
            click.echo(f"but the protos do not compile so; edit its [protos], then `interop run`:\n{error}", err=True)
            return 1
    methods = sum(1 for _ in catalog.methods())
    found = ((len(catalog.files), "file"), (methods, "RPC"), (sum(1 for _ in catalog.messages()), "message"))
    click.echo(f"{', '.join(counted(*one) for one in found)}. Next: interop run")
    return 0


def text(layout: Layout, implementations: Iterable[Manifest]) -> str:
    """The file."""
    found = list(implementations)
    lines = [
        "# What `interop run` does here. Every line may be left out; what is made lies in .interop/.",
        "",
        "# The implementations under test. A folder with a manifest of your own can be one, too.",
        f"# implementations = {_list(manifest.name for manifest in found)}",
        "",
        "# The suites that run.",
        f"# suites = {_list(SUITES)}",
        "",
        "# What is known to fail, with reason and link. It is run all the same, and fails the run once it passes.",
        f"# known_failures = {_list([KNOWN_FAILURES])}",
        "",
        "# Seed of generated values and conversations: the same seed gives the same cases on every machine.",
        f"# seed = {DEFAULT_SEED}",
        "",
        "[protos]",
        "# Everything below these folders is tested. Imports are relative to them.",
        f"roots = {_list(layout.roots)}",
        "# Where imports are looked up besides. What lies there is not tested itself.",
        f"includes = {_list(layout.includes)}",
        "# Files of the roots that are not tested themselves: patterns of the names by which they are imported.",
        f"excludes = {_list(layout.excludes)}",
        *_variants(found),
    ]
    return "\n".join(lines) + "\n"


def _variants(implementations: Iterable[Manifest]) -> Iterator[str]:
    """An example of each implementation that can be had in other versions."""
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
