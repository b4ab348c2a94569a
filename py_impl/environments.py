"""Environments for the versions that a service runs with, apart from the harness' own and from the service's.

A project's settings for this implementation:

    python          the interpreter: a program on PATH, or a path, such as that of the service's own environment
    requirements    what pip installs; without it: the grpcio and protobuf that `python` has

The environment is made in the build's cache, keyed by what it is made of. The service's own is only asked for versions.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import whole

OLDEST = (3, 11)
"""The oldest Python whose syntax and standard library the driver is written for."""

# Asked of an interpreter, which may have anything or nothing installed.
FACTS = """
import importlib.metadata, json, sys
versions = {}
for name in ("grpcio", "grpcio-tools", "protobuf"):
    try:
        versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps([list(sys.version_info[:3]), versions]))
"""


# Asked of the environment's own interpreter: of what pip compiled, a full disk may have taken only a part, which neither
# pip nor Python notices before Python fails at it, each time.
DROP_HALVES = """
import marshal, pathlib, sys
for path in pathlib.Path(sys.argv[1]).rglob("*.pyc"):
    try:
        marshal.loads(path.read_bytes()[16:])
    except (EOFError, ValueError, TypeError):
        path.unlink()
"""


class Unavailable(Exception):
    """An environment cannot be had here. `what` is missing; `remedy` says what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}: {remedy}")
        self.what, self.remedy = what, remedy


def interpreter(settings: dict[str, str], cache: Path, *, install: bool = True) -> Path:
    """The Python of the environment that the settings describe; it is made if need be. Raises Unavailable."""
    base = _base(settings.get("python", sys.executable))
    version, packages = _facts(base)
    if version < OLDEST:
        raise Unavailable(f"Python {_dotted(OLDEST)} or newer ({base} is {_dotted(version)})", "name a newer one as settings.python")
    if "requirements" in settings:
        source = Path(settings["requirements"])
        wanted, content = ["--requirement", str(source)], source.read_text()
    else:
        if "grpcio" not in packages:
            raise Unavailable(f"grpcio for {base}", "name a requirements file as settings.requirements")
        wanted = [f"{name}=={found}" for name, found in packages.items() if name != "grpcio-tools"]
        content = "\n".join(wanted)
    key = hashlib.sha256(f"{base.resolve()} {version}\n{content}".encode()).hexdigest()[:16]
    folder = cache.absolute() / f"environment-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another build may be making the same one
        if not whole.is_whole(folder):
            if not install:
                raise Unavailable(f"the environment for {' '.join(wanted)}", "the first build makes it")
            _make(base, folder, wanted)
    return folder / "bin" / "python"


def _base(name: str) -> Path:
    found = shutil.which(name)
    if not found:
        raise Unavailable(f"the interpreter {name}", "install it, or name another one as settings.python")
    return Path(found)


def _make(base: Path, folder: Path, wanted: Sequence[str]) -> None:
    """An environment with what is wanted, and with the grpcio-tools that belong to its grpcio."""
    shutil.rmtree(folder, ignore_errors=True)  # what an interrupted build left, or what is no longer whole
    python = folder / "bin" / "python"
    _run([str(base), "-I", "-m", "venv", str(folder)], "it can make no environment")
    pip = [str(python), "-I", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _run([*pip, *wanted], f"pip cannot install {' '.join(wanted)}")
    _, packages = _facts(python)
    if "grpcio" not in packages:
        raise Unavailable(f"grpcio among {' '.join(wanted)}", "name the version that the service runs with")
    if "grpcio-tools" not in packages:
        # Of grpcio's version, since generated code refuses an older runtime; what was wanted must not move.
        tools = f"grpcio-tools=={packages['grpcio']}"
        kept = [f"{name}=={found}" for name, found in packages.items()]
        _run([*pip, tools, *kept], f"pip cannot install {tools} beside {' '.join(kept)}")
    _run([str(python), "-I", "-B", "-c", DROP_HALVES, str(folder)], "what pip compiled cannot be read")
    whole.finish(folder)


def _run(command: Sequence[str], failure: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode != 0:
        last = "\n".join(done.stdout.strip().splitlines()[-10:])
        raise Unavailable(f"the environment of settings.python and settings.requirements ({failure})", last)


def _facts(python: Path) -> tuple[tuple[int, ...], dict[str, str]]:
    """The version of an interpreter, and those of gRPC's packages that it has."""
    try:
        done = subprocess.run([python, "-I", "-c", FACTS], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(f"the interpreter {python} ({error})", "install it, or name another one as settings.python") from None
    version, packages = json.loads(done.stdout)
    return tuple(version), packages


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
