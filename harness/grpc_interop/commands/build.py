"""`interop build`: build implementations, and put launchers of their programs into `.interop/bin`."""

import os
import shlex
import sys
from pathlib import Path

import click

from grpc_interop.commands.options import TREE, with_options
from grpc_interop.config import Options, choose, home
from grpc_interop.drivers.build import Builder, Built, Launch, Protos
from grpc_interop.errors import BuildError
from grpc_interop.files.atomic import write_whole
from grpc_interop.output.console import say
from grpc_interop.session.protos import load_catalog


@click.command()
@with_options(TREE)
@click.argument("names", nargs=-1, metavar="[NAME]...")
def command(options: Options, names: tuple[str, ...]) -> None:
    """Only build the drivers and programs, all or the named implementations."""
    sys.exit(build(options, names))


def build(options: Options, names: tuple[str, ...]) -> int:
    """Build the implementations and put their programs into `.interop/bin`. Return the exit status."""
    chosen = choose("implementation", names, [manifest.name for manifest in options.implementations])
    catalog = load_catalog(options)
    protos = Protos(catalog.descriptor_set(), catalog.files)
    builder = Builder(options.project.make_state_folder(), home() / "proto")
    for file, why in catalog.refused.items():
        say(f"{file} cannot be driven: {why}", err=True)
    status = 1 if catalog.refused else 0
    for manifest in options.implementations:
        if manifest.name not in chosen:
            continue
        say(f"{manifest.name}: building", err=True)
        try:
            status = max(status, _say(builder.build(manifest, protos), options))
        except BuildError as error:
            say(str(error), err=True)
            status = 3
    return status


def _say(built: Built, options: Options) -> int:
    name = built.manifest.name
    if built.unavailable:
        say(f"{name}: {built.why_unavailable}", err=True)
        return 2
    for refused in built.refused:
        say(f"{name}: refuses {refused.file}: {refused.text}", err=True)
    say(f"{name}: {'built' if built.fresh else 'unchanged'}")
    for program, launch in built.programs.items():
        path = options.project.state / "bin" / f"{name}-{program}"
        write_launcher(path, launch, built.manifest.folder)
        say(f"{name}: {_shown(path)}")
    return 1 if built.refused else 0


def write_launcher(path: Path, launch: Launch, folder: Path) -> None:
    """Write a small shell script that starts a program as its build said."""
    env = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in launch.env.items())
    text = f'#!/bin/sh\ncd {shlex.quote(str(folder))} || exit 3\n{env}exec {shlex.join(launch.argv)} "$@"\n'
    write_whole(path, text, mode=0o755)


def _shown(path: Path) -> str:
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)
