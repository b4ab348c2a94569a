"""The answer to the export request."""

import importlib.metadata
import importlib.util
import keyword
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from driver.generated import module_name
from google.protobuf import descriptor_pb2

from export.aio_client import aio_client_program
from export.aio_server import aio_server_program
from export.client import client_program
from export.message import message_program
from export.names import Names
from export.server import server_program

_PROGRAMS = {
    ("sync", "client"): client_program,
    ("sync", "server"): server_program,
    ("aio", "client"): aio_client_program,
    ("aio", "server"): aio_server_program,
}


def export(request: Mapping[str, Any], api: str) -> dict[str, Any]:
    """Return the program as text, and the commands that prepare and run it."""
    descriptors = descriptor_pb2.FileDescriptorSet.FromString(Path(request["descriptor_set"]).read_bytes()).file
    if unheard_of := _not_importable(request["files"]):
        return {"unsupported": unheard_of}
    if wrong := _not_identifier(request):
        return {"unsupported": f"Python has no name for {wrong!r}"}
    names = Names({file.name: file for file in descriptors})
    side = request["side"]
    if "message" in request:
        text = message_program(request["message"], side, names)
    else:
        text = _PROGRAMS[api, side](request["call"], names)
    protoc = f"python3 -m grpc_tools.protoc -I {request['protos']} --python_out=. --grpc_python_out=. {shlex.join(request['files'])}"
    requirements = "".join(f"{name}=={importlib.metadata.version(name)}\n" for name in ("grpcio", "grpcio-tools", "protobuf"))
    return {"files": {f"{side}.py": text, "requirements.txt": requirements}, "setup": [protoc], "run": f"python3 {side}.py"}


_IDENTIFIERS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def _not_identifier(request: Mapping[str, Any]) -> str:
    """Return the first name in the request that is not an identifier, since the program would contain it; empty if
    there is none."""
    told = request.get("call") or request["message"]
    types = [told[key]["name"] for key in ("request", "response", "type") if key in told]
    names = [*types, *(told[key] for key in ("service", "method") if key in told)]
    return next((name for name in names if not _IDENTIFIERS.fullmatch(name)), "")


def _not_importable(files: Iterable[str]) -> str:
    """Return why protoc's code for the files cannot be imported as it is; empty if it can. The driver has ways around
    such names, but a small program for other readers does not."""
    for file in files:
        module = module_name(file)
        if "." in file.removesuffix(".proto"):
            return f"protoc's plugins for Python disagree about the place of the code for {file}"
        parts = module.split(".")
        if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
            return f"the code that protoc generates imports {module} by a statement that Python does not understand"
        if len(parts) > 1 and parts[0] != "google" and (parts[0] in sys.stdlib_module_names or parts[0] == "grpc"):
            return f"{module} cannot be imported: Python has a {parts[0]} of its own"
    return ""
