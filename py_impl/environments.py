"""Make environments with the versions that a service runs with, apart from the harness' environment and the service's
own.

A project's settings for this implementation:

    python          the interpreter: a program on PATH, or a path, such as the interpreter of the service's environment
    requirements    the requirements file for pip; without it: the grpcio and protobuf that `python` has

The environment lies in the build's cache, under a key of everything that goes into it. The service's own environment is
only asked for versions.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pip_words
import whole
from versions import OLDEST, OLDEST_PYTHON, Unavailable, dotted, facts, floor, last_line, numbers, refusal, too_old

# Runs in the environment's own interpreter. A full disk may have kept only a part of the files that pip compiled. Neither
# pip nor Python notices that before Python fails to load such a file, each time.
DROP_HALVES = """
import marshal, pathlib, sys
for path in pathlib.Path(sys.argv[1]).rglob("*.pyc"):
    try:
        marshal.loads(path.read_bytes()[16:])
    except (EOFError, ValueError, TypeError):
        path.unlink()
"""


class NotYetMade(Exception):
    """An environment is not there, but can be made; the text names it."""


@dataclass(frozen=True)
class Wanted:
    """The ingredients of an environment."""

    base: Path  # the interpreter
    version: tuple[int, ...]
    words: tuple[str, ...]  # arguments for pip
    content: str  # changes when the arguments mean something else
    source: str  # what a person would edit to have other versions

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.base.resolve()} {self.version}\n{self.content}".encode()).hexdigest()[:16]


def interpreter(settings: dict[str, str], cache: Path, *, install: bool = True) -> Path:
    """Return the Python of the environment that the settings describe, and make the environment where it is missing.
    Raise Unavailable, and NotYetMade if it is missing and `install` is false."""
    wanted = _wanted(settings)
    folder = cache.absolute() / f"environment-{wanted.key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another build may be making the same environment
        if not whole.is_whole(folder):
            if not install:
                raise NotYetMade(f"the environment of {wanted.source}")
            try:
                _make(wanted, folder)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    return folder / "bin" / "python"


def _wanted(settings: dict[str, str]) -> Wanted:
    base = _base(settings.get("python", sys.executable))
    version, packages = facts(base)
    if version < OLDEST_PYTHON:
        raise Unavailable(f"Python {dotted(OLDEST_PYTHON)} or newer ({base} is {dotted(version)})", "name a newer one as settings.python")
    if "requirements" in settings:
        source = Path(settings["requirements"])
        return Wanted(base, version, ("--requirement", str(source)), source.read_text("utf-8", "backslashreplace"), str(source))
    if "grpcio" not in packages:
        raise Unavailable(f"grpcio for {base}", "name a requirements file as settings.requirements")
    _refuse_too_old(packages, str(base))
    pins = tuple(f"{name}=={found}" for name, found in packages.items() if name != "grpcio-tools")
    return Wanted(base, version, pins, "\n".join(pins), str(base))


def _base(name: str) -> Path:
    found = shutil.which(name)
    if not found:
        raise Unavailable(f"the interpreter {name}", "install it, or name another one as settings.python")
    return Path(found)


def _refuse_too_old(packages: dict[str, str], source: str) -> None:
    for name in too_old(packages):
        raise Unavailable(
            f"{floor(name)} ({source} gives {packages[name]})", "older ones lack what the driver needs: give a newer one there"
        )


def _make(wanted: Wanted, folder: Path) -> None:
    """Make the environment, with grpcio-tools that fit its grpcio and protobuf. Raise Unavailable."""
    shutil.rmtree(folder, ignore_errors=True)  # left by an interrupted build, or no longer whole
    python = folder / "bin" / "python"
    made = _run([str(wanted.base), "-I", "-m", "venv", str(folder)])
    if made.returncode != 0:
        raise Unavailable(f"an environment of {wanted.base}", f"it can make none: {made.stdout.strip()}")
    if cause := _pip(python, wanted.words):
        raise Unavailable(f"what {wanted.source} asks for", f"pip cannot install it: {cause}")
    _, packages = facts(python)
    if "grpcio" not in packages:
        raise Unavailable(f"grpcio among what {wanted.source} asks for", "name the version that the service runs with")
    _refuse_too_old(packages, wanted.source)
    if "grpcio-tools" in packages:
        if why := refusal(python, folder):
            named = f"grpcio-tools {packages['grpcio-tools']}"
            raise _no_tools(packages, f"they refuse the code of {named} ({why}): name an older one in {wanted.source}, or none")
    else:
        _add_tools(python, folder, packages, wanted.source)
    read = _run([str(python), "-I", "-B", "-c", DROP_HALVES, str(folder)])
    if read.returncode != 0:
        raise Unavailable(f"the environment of {wanted.source}", f"what pip compiled cannot be read: {last_line(read.stdout)}")
    whole.finish(folder)


def _add_tools(python: Path, folder: Path, packages: dict[str, str], source: str) -> None:
    """Install the newest grpcio-tools whose code grpcio and protobuf accept; the requested versions stay. Raise
    Unavailable.

    These are often older than grpcio: pip accepts some versions of protobuf that are too old, such as 6.30 for the
    protoc of grpcio-tools 1.73 (https://github.com/grpc/grpc/issues/39912).
    """
    kept = [f"{name}=={found}" for name, found in packages.items()]
    bound, why = f"<={packages['grpcio']}", ""
    while True:
        cause = _pip(python, ["--only-binary=grpcio-tools", f"grpcio-tools{bound},>={dotted(OLDEST['grpcio'])}", *kept])
        if cause and not why and not _without_promises(python, folder, packages):
            return
        if cause:
            told = "; ".join(filter(None, (why, cause)))
            raise _no_tools(packages, f"there is none ({told}): have {source} name versions that belong together")
        why = refusal(python, folder)
        if not why:
            return
        _, now = facts(python)
        bound = f"<{dotted(numbers(now['grpcio-tools'])[:2])}"


def _without_promises(python: Path, folder: Path, packages: dict[str, str]) -> str:
    """Install the grpcio-tools of grpcio's version, whichever protobuf they ask for: an older protobuf often accepts
    their code. Return why that does not work, or nothing."""
    tools = f"grpcio-tools=={packages['grpcio']}"
    return _pip(python, ["--no-deps", "--only-binary=grpcio-tools", tools]) or refusal(python, folder)


def _no_tools(packages: dict[str, str], remedy: str) -> Unavailable:
    return Unavailable(f"a grpcio-tools for grpcio {packages['grpcio']} and protobuf {packages.get('protobuf', '(none)')}", remedy)


def _pip(python: Path, wanted: Sequence[str]) -> str:
    """Have pip install something; return the cause if it fails, else nothing."""
    done = _run([str(python), "-I", "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar=off", *wanted])
    return pip_words.cause(done.stdout) if done.returncode != 0 else ""


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
