"""Builds of the Python implementation, made by its own build.py as the harness makes them."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc_tools

REPOSITORY = Path(__file__).parents[2]
GREETER = (REPOSITORY / "proto" / "greeter" / "v1" / "greeter.proto").read_text()


@dataclass(frozen=True)
class Built:
    """What a build answered."""

    answer: dict[str, Any]

    @property
    def argv(self) -> list[str]:
        return list(self.answer["driver"]["argv"])

    @property
    def errors(self) -> dict[str, str]:
        return {error["file"]: error["text"] for error in self.answer["errors"]}


def build_in(folder: Path, protos: dict[str, str], api: str = "sync") -> Built:
    """Builds a tree of proto texts by their file names, for one of grpcio's APIs."""
    roots, out, answer = folder / "protos", folder / "out", folder / "answer.json"
    for name, text in protos.items():
        path = roots / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    out.mkdir()
    common = Path(grpc_tools.__file__).parent / "_proto"
    described = [f"-I{roots}", f"-I{common}", "--include_imports", f"--descriptor_set_out={folder / 'tree.binpb'}"]
    files = [str(roots / name) for name in protos]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *described, *files], check=True)
    request = {
        "schema": 1,
        "action": "build",
        "contract": {"include": str(REPOSITORY / "proto"), "file": "interop/driver/v1/driver.proto"},
        "descriptor_set": str(folder / "tree.binpb"),
        "files": list(protos),
        "out": str(out),
        "cache": str(folder),
        "answer": str(answer),
    }
    return Built(run_build(folder, request, api))


def run_build(folder: Path, request: dict[str, Any], api: str = "sync") -> dict[str, Any]:
    """Hands a request to build.py."""
    path = folder / "request.json"
    path.write_text(json.dumps(request))
    subprocess.run([sys.executable, "build.py", "--api", api, str(path)], cwd=REPOSITORY / "py_impl", check=True)
    answer: dict[str, Any] = json.loads(Path(request["answer"]).read_text())
    return answer
