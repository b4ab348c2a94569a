"""The answer to the export request."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from buildtool import generator, packages
from buildtool.generator import build_plugins
from buildtool.toolchain import MODULE, Toolchain, Unavailable
from buildtool.tree import Tree
from buildtool.versions import with_versions_of

from export.client import client_program
from export.message import message_program
from export.names import Names
from export.program import module_files, moved
from export.server import server_program

COMPRESSIONS = ("", "gzip")


IDENTIFIERS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def not_identifier(request: Mapping[str, Any]) -> str:
    """Return the first name in the request that is not an identifier, since the program would contain it; empty if
    there is none."""
    told = request.get("call") or request["message"]
    types = [told[key]["name"] for key in ("request", "response", "type") if key in told]
    names = [*types, *(told[key] for key in ("service", "method") if key in told)]
    return next((name for name in names if not IDENTIFIERS.fullmatch(name)), "")


def export(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the program as a module of its own, with the code generated from the protos."""
    if request.get("call", {}).get("compression", "") not in COMPRESSIONS:
        return {"unsupported": f"grpc-go has no compression {request['call']['compression']}"}
    if wrong := not_identifier(request):
        return {"unsupported": f"Go has no name for {wrong!r}"}
    try:
        toolchain = Toolchain.find(Path(request["cache"]))
        if go_mod := request.get("settings", {}).get("go_mod"):
            toolchain = with_versions_of(toolchain, Path(go_mod))
    except Unavailable as missing:
        return {"unsupported": str(missing)}
    tree = Tree.read(Path(request["descriptor_set"]), request["files"], build_plugins(toolchain))
    tree.generate()
    place = tree.linked | packages.assign([file for file in tree.files if file.name not in tree.linked])
    names = Names(place, {file.name: file.package for file in tree.files})
    if "message" in request:
        text = message_program(request["message"], names)
    else:
        text = (client_program if request["side"] == "client" else server_program)(request["call"], names)
    text = text.replace(f'"{packages.MODULE_PATH}/', '"reproduction/')
    generated = {source.path: moved(source.content) for source in tree.sources if not source.path.startswith(generator.DRIVEN.root)}
    return {"files": {"main.go": text, **module_files(toolchain.module_file or MODULE / "go.mod"), **generated}, "run": "go run ."}
