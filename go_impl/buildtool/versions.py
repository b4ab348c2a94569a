"""Build with other versions of gRPC and protobuf than go.mod's: the versions in a service's go.mod.

The driver's own go.mod stays as it is, since it may lie in a read-only folder. An altered copy is used in its place.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from buildtool import whole
from buildtool.toolchain import MODULE, GoError, Toolchain, Unavailable

# The modules under test: the runtimes, and the generator of the stubs. (protoc-gen-go is part of protobuf's module.)
MODULES = ("google.golang.org/grpc", "google.golang.org/protobuf", "google.golang.org/grpc/cmd/protoc-gen-go-grpc")


OLDEST = {"google.golang.org/grpc": (1, 64), "google.golang.org/protobuf": (1, 34)}
"""The oldest that are tested. The stubs that protoc-gen-go-grpc 1.5 and later write need grpc-go 1.64; plugins that take
editions need protobuf-go 1.34."""


def with_versions_of(toolchain: Toolchain, go_mod: Path) -> Toolchain:
    """Return the toolchain, building with the versions of another go.mod. Raise GoError, and Unavailable for versions
    that are too old."""
    wanted = check_versions(toolchain, go_mod)
    originals = {name: (MODULE / name).read_bytes() for name in ("go.mod", "go.sum")}
    key = hashlib.sha256(repr((sorted(wanted.items()), originals)).encode()).hexdigest()[:16]
    folder = toolchain.cache / f"versions-{key}"
    with whole.made_once(folder) as unfinished:
        if unfinished:
            for name, content in originals.items():
                (unfinished / name).write_bytes(content)
            # A requirement is only a lower bound, which our own tools would raise; a replacement is used as it is.
            replacements = [f"-replace={module}={version}" for module, version in wanted.items()]
            toolchain.run("mod", "edit", *replacements, str(unfinished / "go.mod"))
    return replace(toolchain, module_file=folder / "go.mod")


def check_versions(toolchain: Toolchain, go_mod: Path) -> dict[str, str]:
    """Return the requirements of a go.mod, by module. Raise GoError, and Unavailable for versions that are too old."""
    wanted = dict(_wanted(json.loads(toolchain.run("mod", "edit", "-json", str(go_mod))), go_mod.parent))
    if not wanted:
        raise GoError(f"{go_mod} requires none of {', '.join(MODULES)}")
    for module, oldest in OLDEST.items():
        found = re.search(r"@v(\d+)\.(\d+)", wanted.get(module, ""))
        if found and (int(found[1]), int(found[2])) < oldest:  # a fork in a folder has no version to compare
            needed = ".".join(map(str, oldest))
            given = wanted[module].partition("@v")[2]
            raise Unavailable(f"{module} {needed} or newer ({go_mod} gives {given})", "older ones lack what the driver needs")
    return wanted


def _wanted(go_mod: dict[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    """Return each module with its source: `path@version`, or the folder of a fork."""
    replaced = {entry["Old"]["Path"]: entry["New"] for entry in go_mod.get("Replace") or ()}
    for required in go_mod.get("Require") or ():
        if required["Path"] in MODULES:
            taken = replaced.get(required["Path"], required)
            version = taken.get("Version")
            yield required["Path"], f"{taken['Path']}@{version}" if version else str((folder / taken["Path"]).resolve())
