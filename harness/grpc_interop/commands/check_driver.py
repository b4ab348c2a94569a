"""`interop check-driver NAME`: whether an implementation, built with greeter.v1, keeps the contract."""

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import click

from grpc_interop.check_driver.promises import GUIDE, CheckResult
from grpc_interop.check_driver.sequence import checks
from grpc_interop.commands.options import IMPLEMENTATION, with_options
from grpc_interop.config import Options, find_implementation, home
from grpc_interop.drivers.build import Builder, Built, Protos
from grpc_interop.drivers.manifest import Manifest
from grpc_interop.errors import BuildError
from grpc_interop.output.console import say
from grpc_interop.report.folder import LOGS, make_folder
from grpc_interop.schema.catalog import Catalog

GREETER = "greeter/v1/greeter.proto"

MARKS = {True: "kept    ", False: "NOT KEPT", None: "-       "}


@click.command("check-driver")
@with_options(IMPLEMENTATION)
@click.argument("name")
def command(options: Options, name: str) -> None:
    """Check whether a driver keeps the contract, promise by promise, and say what to do next."""
    sys.exit(check(options, name))


def check(options: Options, name: str) -> int:
    """Print a line for each check, and messages about long waits to stderr. `name` is the name or the folder of an
    implementation. Return 0, or 1 if a promise is not kept."""
    make_folder(options.report)
    built = _build(options, _find(options, name))
    logs = options.report / LOGS
    return tell(checks(built, logs, partial(say, err=True)), built.manifest.name, logs)


def tell(results: Iterable[CheckResult], name: str, logs: Path) -> int:
    """Print each result as it comes, then a summary. Return the exit status."""
    count = {True: 0, False: 0, None: 0}
    first: CheckResult | None = None
    for alike in _together(results):
        result = alike[0]
        count[result.kept] += len(alike)
        say(_line(alike))
        if result.kept is False and first is None:
            first = result
    say(f"{name}: {count[True]} kept, {count[False]} not kept, {count[None]} not asked")
    if first is None:
        return 0
    say(f"begin with {first.number}, {first.name}: {GUIDE}, {first.section}; what the driver printed is in {logs}")
    return 1


def _together(results: Iterable[CheckResult]) -> Iterator[list[CheckResult]]:
    """Yield each result as soon as it is there. Successive checks that were not asked for the same reason come together."""
    unasked: list[CheckResult] = []
    for result in results:
        if unasked and result.text != unasked[0].text:
            yield unasked
            unasked = []
        if result.kept is None:
            unasked.append(result)
        else:
            yield [result]
    if unasked:
        yield unasked


def _line(alike: list[CheckResult]) -> str:
    """Return the line of a result, or of several checks that were not asked for the same reason."""
    result = alike[0]
    if len(alike) > 1:
        return f"{MARKS[None]} {result.number:3}  to {alike[-1].number}: {len(alike)} checks {result.text}"
    return f"{MARKS[result.kept]} {result.number:3}  {result.name}{'' if result.kept else _indented(result)}"


def _indented(result: CheckResult) -> str:
    text = f"{result.text}\n{result.next_step}".strip()
    return "".join(f"\n              {line}" for line in text.splitlines())


def _find(options: Options, name: str) -> Manifest:
    known = {manifest.name: manifest for manifest in options.implementations}
    return known[name] if name in known else find_implementation(name, Path.cwd())


def _build(options: Options, manifest: Manifest) -> Built:
    say(f"{manifest.name}: building", err=True)
    catalog = Catalog.load([home() / "proto"], [], options.project.make_state_folder() / "cache")
    protos = Protos(catalog.descriptor_set([GREETER]), (GREETER,))
    built = Builder(options.project.make_state_folder(), home() / "proto").build(manifest, protos)
    if built.unavailable:
        what, remedy = built.unavailable
        raise BuildError(f"{manifest.name}: {what} is missing", remedy)
    for refused in built.refused:
        raise BuildError(f"{manifest.name}: its build refuses {refused.file}: {refused.text}")
    return built
