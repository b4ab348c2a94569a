"""Options that several commands share, read into an Options."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from grpc_interop.config import Options, choose, find_implementation, find_project, in_continuous_integration
from grpc_interop.errors import UsageError
from grpc_interop.schema.roots.root import read_root
from grpc_interop.session.selection import read_seconds, read_shard

Command = Callable[..., Any]

PROTO_PATHS = [
    click.option(
        "--proto-path",
        "roots",
        multiple=True,
        metavar="[PREFIX=]DIR",
        help="A proto root: everything below it is tested. May be repeated. Imports of its files begin with PREFIX.",
    ),
    click.option(
        "--include",
        "includes",
        multiple=True,
        metavar="[PREFIX=]DIR",
        help="Where imports are looked for; files there are not tested themselves.",
    ),
]
IMPLEMENTATION = [
    click.option("--implementation", "added", multiple=True, metavar="DIR", help="One more implementation: a folder with a manifest.")
]
TREE = [
    *PROTO_PATHS,
    click.option(
        "--image", type=click.Path(path_type=Path), metavar="FILE", help="A descriptor set (protoc, buf build) instead of proto roots."
    ),
    *IMPLEMENTATION,
]
PAIRS = [
    click.option("--client", "clients", multiple=True, metavar="NAME", help="Only these clients. May be repeated."),
    click.option("--server", "servers", multiple=True, metavar="NAME", help="Only these servers. May be repeated."),
]
CHOICE = [
    *PAIRS,
    click.option("--suite", "suites", multiple=True, metavar="NAME", help="Only these suites. May be repeated."),
    click.option("-k", "keyword", default="", metavar="EXPR", help='As with pytest: -k "AllStream and ping_pong".'),
    click.option("--seed", type=int, metavar="N", help="Seed of generated values and conversations."),
    click.option("--changed", default="", metavar="REF", help="Only RPCs and messages that have changed since a git ref."),
    click.option("--count", type=click.IntRange(0), default=0, metavar="N", help="Generated examples; 0: each suite's own number."),
]
BUDGET = click.option("--budget", metavar="60s", help="Play the most telling cases first, for so long (90s, 5m).")
REPORT = click.option(
    "--report", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Where reports go (default: .interop/report)."
)


def with_options(*groups: list[Any]) -> Callable[[Command], Command]:
    """Add options to a command, which gets an Options in their place."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapped(**given: Any) -> Any:
            return command(read_options(given), **given)

        for option in reversed([option for group in groups for option in group]):
            wrapped = option(wrapped)
        return wrapped

    return decorate


def read_options(given: dict[str, Any]) -> Options:
    """Take the parameters that belong to Options out of all parameters of a command. Raise UsageError."""
    project = find_project()
    roots = tuple(given.pop("roots", ()))
    implementations = {manifest.name: manifest for manifest in project.implementations}
    for name in given.pop("added", ()):
        manifest = find_implementation(name, Path.cwd())
        implementations[manifest.name] = manifest
    known = tuple(implementations)
    seed, image = given.pop("seed", None), given.pop("image", None)
    includes = tuple(given.pop("includes", ()))
    if image and roots:
        raise UsageError("--image and --proto-path name protos each", "give one of them: an image takes the place of all roots")
    if includes and not roots and (image or project.image or project.buf):
        raise UsageError("--include goes with --proto-path: an image contains its imports", "leave it out")
    of_project = not roots and not image
    return Options(
        project=project,
        roots=tuple(read_root(root, Path.cwd()) for root in roots) or project.roots,
        includes=tuple(read_root(root, Path.cwd()) for root in includes) or project.includes,
        image=project.image if of_project else image,
        buf=of_project and project.buf,
        implementations=tuple(implementations.values()),
        clients=choose("client", given.pop("clients", ()), known),
        servers=choose("server", given.pop("servers", ()), known),
        suites=tuple(given.pop("suites", ())) or project.suites,
        keyword=given.pop("keyword", ""),
        shard=read_shard(given.pop("shard", None) or "1/1"),
        seed=project.seed if seed is None else seed,
        count=given.pop("count", 0),
        budget=read_seconds(budget) if (budget := given.pop("budget", None)) is not None else 0,
        changed=given.pop("changed", ""),
        strict=given.pop("strict", False) or in_continuous_integration(),
        report=Path.cwd() / (given.pop("report", None) or project.state / "report"),
    )
