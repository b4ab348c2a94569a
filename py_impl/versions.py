"""Say which versions the driver works with, and whether an interpreter's packages fit together.

This module needs only the standard library, since it also examines interpreters that have nothing else.
"""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

OLDEST_PYTHON = (3, 11)
"""The oldest Python whose syntax and standard library the driver is written for."""

OLDEST = {"grpcio": (1, 60), "protobuf": (4, 25)}
"""The oldest versions that are tested. protobuf 4.24 and older lack functions of messages and descriptors that the
driver needs."""

# Runs in an interpreter that may have anything or nothing installed.
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

# Generated code refuses a runtime that is older than its generator; the packages' metadata do not always say so.
PROBE = """
import pathlib, sys, tempfile
from grpc_tools import protoc
with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
    pathlib.Path(folder, "probe.proto").write_text('syntax = "proto3"; message M {} service S { rpc R(M) returns (M); }')
    if protoc.main(["protoc", "-I" + folder, "--python_out=" + folder, "--grpc_python_out=" + folder, "probe.proto"]):
        sys.exit("protoc failed")
    sys.path.insert(0, folder)
    import probe_pb2_grpc
"""


class Unavailable(Exception):
    """An environment cannot be made here. `what` is missing; `remedy` says what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}: {remedy}")
        self.what, self.remedy = what, remedy


def facts(python: Path) -> tuple[tuple[int, ...], dict[str, str]]:
    """Return the version of an interpreter, and the versions of its gRPC packages. Raise Unavailable."""
    try:
        done = subprocess.run([python, "-I", "-c", FACTS], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(f"the interpreter {python} ({error})", "install it, or name another one as settings.python") from None
    version, packages = json.loads(done.stdout)
    return tuple(version), packages


def too_old(packages: Mapping[str, str]) -> list[str]:
    """Return the names of the packages that are older than the driver can use."""
    return [name for name, oldest in OLDEST.items() if name in packages and numbers(packages[name]) < oldest]


def floor(name: str) -> str:
    """Return the oldest version of a package that the driver can use, in words."""
    return f"{name} {dotted(OLDEST[name])} or newer"


def refusal(python: Path, folder: Path) -> str:
    """Return why code that the interpreter's grpcio-tools generate cannot be used with its grpcio and protobuf; empty if it
    can be. Files for the trial lie in the folder for as long as it takes."""
    done = subprocess.run([python, "-I", "-B", "-c", PROBE, folder], capture_output=True, text=True, errors="replace", check=False)
    return last_line(done.stderr) or f"exit status {done.returncode}" if done.returncode else ""


def last_line(words: str) -> str:
    """Return the last line that is not empty: in a traceback it names the exception."""
    return next((line.strip().rstrip(".") for line in reversed(words.splitlines()) if line.strip()), "")


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: (1, 73, 0) for 1.73.0rc1."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def dotted(version: Sequence[int]) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version))
