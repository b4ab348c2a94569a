"""`interop build` and `interop doctor`: the implementations and their toolchains."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from grpc_interop.config import Options, choose, home
from grpc_interop.drivers.build import Builder, Built, Launch, Protos, Tool
from grpc_interop.errors import BuildError
from grpc_interop.files.atomic import write_whole
from grpc_interop.output.console import say
from grpc_interop.session.session import load_catalog


def build(options: Options, names: tuple[str, ...]) -> int:
    """Builds the implementations and puts their programs into `.interop/bin`. Gives the exit status."""
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
    """A small shell script that starts a program as its build said."""
    env = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in launch.env.items())
    text = f'#!/bin/sh\ncd {shlex.quote(str(folder))} || exit 3\n{env}exec {shlex.join(launch.argv)} "$@"\n'
    write_whole(path, text, mode=0o755)


def _shown(path: Path) -> str:
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)


def doctor(options: Options) -> int:
    """Print a line for each tool. Return 0 when nothing is missing that no build would install, else 3."""
    say(f"  ok       interop {version('grpc-interop')}, {platform.python_implementation()} {platform.python_version()} ({sys.executable})")
    for package in ("grpcio", "grpcio-tools", "protobuf", "pytest", "pytest-xdist", "buf-bin"):
        say(f"  ok       {package} {version(package)}")
    say(_git())
    builder = Builder(options.project.make_state_folder(), home() / "proto")
    missing = 0
    for manifest in options.implementations:
        say(f"{manifest.name}  {manifest.folder}")
        try:
            tools = builder.doctor(manifest)
        except BuildError as error:
            say(f"  broken   {error}")
            missing += 1
            continue
        if not tools:
            say("  ok       nothing to look for: its manifest says how it is started")
        for tool in tools:
            say(_line(tool))
            missing += not tool.ok
    say("nothing is missing" if not missing else f"{missing} missing or broken")
    return 3 if missing else 0


def _line(tool: Tool) -> str:
    """Return a tool's line. One that is not there but can be used, `ok` with a remedy, is made by the first build."""
    state = ("later  " if tool.remedy else "ok     ") if tool.ok else "missing"
    place = f" ({tool.where})" if tool.where else ""
    remedy = f": {tool.remedy}" if tool.remedy else ""
    return f"  {state}  {' '.join(filter(None, (tool.name, tool.version)))}{place}{remedy}"


def _git() -> str:
    """Return git's line. Without it all but what asks for an earlier version works."""
    git = shutil.which("git")
    if git is None:
        return "  without  git: `compat --base REF` and `run --changed REF` ask it"
    words = subprocess.run([git, "--version"], capture_output=True, text=True, errors="replace", check=False).stdout.split()
    return f"  ok       git {words[2] if len(words) > 2 else ''} ({git})"
