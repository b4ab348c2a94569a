"""`interop doctor`: the implementations and their toolchains."""

import platform
import shutil
import subprocess
import sys
from importlib.metadata import version

import click

from grpc_interop.commands.options import IMPLEMENTATION, with_options
from grpc_interop.config import Options, home
from grpc_interop.drivers.build import Builder, Tool
from grpc_interop.errors import BuildError
from grpc_interop.output.console import say


@click.command()
@with_options(IMPLEMENTATION)
def command(options: Options) -> None:
    """Say which tools are installed, which are missing, and what to do."""
    sys.exit(doctor(options))


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
    """Return a tool's line. A tool that is `ok` and has a remedy is not there yet: the first build makes it."""
    state = ("later  " if tool.remedy else "ok     ") if tool.ok else "missing"
    place = f" ({tool.where})" if tool.where else ""
    remedy = f": {tool.remedy}" if tool.remedy else ""
    return f"  {state}  {' '.join(filter(None, (tool.name, tool.version)))}{place}{remedy}"


def _git() -> str:
    """Return git's line. Only commands that compare with an earlier version need git."""
    git = shutil.which("git")
    if git is None:
        return "  without  git: `compat --base REF` and `run --changed REF` ask it"
    words = subprocess.run([git, "--version"], capture_output=True, text=True, errors="replace", check=False).stdout.split()
    return f"  ok       git {words[2] if len(words) > 2 else ''} ({git})"
