"""The answer to the export request."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    """The program as text, and the commands that prepare and run it."""
    descriptors = descriptor_pb2.FileDescriptorSet.FromString(Path(request["descriptor_set"]).read_bytes()).file
    names = Names({file.name: file for file in descriptors})
    side = request["side"]
    if "message" in request:
        text = message_program(request["message"], side, names)
    else:
        text = _PROGRAMS[api, side](request["call"], names)
    protoc = f"python3 -m grpc_tools.protoc -I {request['protos']} --python_out=. --grpc_python_out=. {' '.join(request['files'])}"
    requirements = "".join(f"{name}=={importlib.metadata.version(name)}\n" for name in ("grpcio", "grpcio-tools", "protobuf"))
    return {"files": {f"{side}.py": text, "requirements.txt": requirements}, "setup": [protoc], "run": f"python3 {side}.py"}
