"""Build the Go driver and the hand-written programs for a tree of protos.

    python3 build.py REQUEST.json

The request and the answer are described in docs/manifest.md ("The build request").
"""

import json
import sys
from pathlib import Path
from typing import Any

from buildtool.generator import Refused, build_plugins
from buildtool.reasons import explain
from buildtool.toolchain import GoError, NotYetInstalled, Toolchain, Unavailable
from buildtool.tree import Tree
from buildtool.versions import check_versions, with_versions_of
from export.answer import export

PROGRAMS = ("greeter-server", "greeter-client")

# A tree may declare messages that the driver links for its own sake, such as google.rpc.Status, under another file name.
# protoc has already refused such a clash within the tree, so this clash is not the tree's fault, and not fatal.
IGNORE_CLASHES = "-X=google.golang.org/protobuf/reflect/protoregistry.conflictPolicy=ignore"


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    request = json.loads(Path(sys.argv[1]).read_text())
    actions = {"build": build, "doctor": doctor, "export": export}
    try:
        answer = actions[request["action"]](request)
    except (GoError, Refused, OSError) as error:
        print(f"the Go implementation cannot be built: {error}", file=sys.stderr)
        return 1
    Path(request["answer"]).write_text(json.dumps(answer, indent=1))
    return 0


def build(request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the programs to start, and with the files that Go refuses."""
    out = Path(request["out"])
    try:
        toolchain = Toolchain.find(Path(request["cache"]))
        if go_mod := request.get("settings", {}).get("go_mod"):
            toolchain = with_versions_of(toolchain, Path(go_mod))
    except Unavailable as missing:
        return {"unavailable": {"what": missing.what, "remedy": missing.remedy}}
    tree = Tree.read(Path(request["descriptor_set"]), request["files"], build_plugins(toolchain))
    tree.generate()
    while True:
        try:
            binaries = compile_programs(toolchain, tree, out)
            break
        except GoError as error:
            if not tree.blame(str(error)):
                raise
    programs = [name for name in PROGRAMS if (binaries / name).exists()]
    return {
        "driver": {"argv": [str(binaries / "driver")]},
        "programs": {name: {"argv": [str(binaries / name)]} for name in programs},
        "errors": [_error(tree, file, text) for file, text in sorted(tree.errors.items())],
    }


def _error(tree: Tree, file: str, said: str) -> dict[str, str]:
    element, text = explain(tree.described[file], said)
    return {"file": file, "element": element, "text": text}


def compile_programs(toolchain: Toolchain, tree: Tree, out: Path) -> Path:
    """Return the folder with the programs. Raise GoError."""
    overlay = tree.lay_over(out / "source")
    binaries = out / "bin"
    binaries.mkdir(exist_ok=True)
    toolchain.run(
        "build",
        "-trimpath",
        "-buildvcs=false",
        "-gcflags=-e",  # all errors of a package, not the first ten
        f"-ldflags={IGNORE_CLASHES}",
        f"-overlay={overlay}",
        f"-o={binaries}/",
        "./cmd/driver",
        *(f"./cmd/{name}" for name in PROGRAMS if tree.has_application),
    )
    return binaries


def doctor(request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the Go that a build would use, and with a remedy where it is missing."""
    tools = []
    try:
        found = Toolchain.find(Path(request["cache"]), install=False)
        tools.append({"name": "go", "version": found.version, "where": str(found.go), "ok": True, "remedy": ""})
        if go_mod := request.get("settings", {}).get("go_mod"):
            check_versions(found, Path(go_mod))
    except Unavailable as missing:
        later = isinstance(missing, NotYetInstalled)
        tools.append({"name": missing.what, "version": "", "where": "", "ok": later, "remedy": missing.remedy})
    return {"tools": tools}


if __name__ == "__main__":
    sys.exit(main())
