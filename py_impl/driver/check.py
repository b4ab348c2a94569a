"""Find the generated modules that cannot be used. The build runs this in a process of its own, as

    python -I check.py FOLDER API

where FOLDER is the result of build.py, and API is grpcio's API that the driver will use. It prints a JSON list of
`[proto, part, text]`: the file, `messages` or `services`, and the error. A file that imports a refused file is refused
too. The code that Python compiles on the way stays in FOLDER, for the drivers.
"""

import sys
from pathlib import Path

# An isolated interpreter does not look beside the script.
sys.path.insert(0, str(Path(__file__).parents[1]))

import grpc

# As in main.py, but after the import of grpc, whose compiled code lies where it is installed.
sys.pycache_prefix = str(Path(sys.argv[1], "bytecode"))

import contextlib
import importlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

from driver.generated import GeneratedFile, load_messages, load_services, read_index
from driver.stubs import load_services_of


def refusals(folder: Path) -> list[tuple[str, str, str]]:
    """Return the refused files, in the order of the index."""
    channel = grpc.insecure_channel("127.0.0.1:1")  # never connects: stubs only need a channel
    refused = []
    for file in read_index(folder):
        part = "messages"
        try:
            messages = load_messages(folder, file)
            part = "services"
            if file.services:
                _use_services(folder, file, messages, channel)
        except Exception as error:  # noqa: BLE001 - generated code may fail with any, and that is the answer
            refused.append((file.proto, part, f"{type(error).__name__}: {error}"))
    return refused


def _use_services(folder: Path, file: GeneratedFile, messages: ModuleType, channel: grpc.Channel) -> None:
    for service in load_services_of(messages, load_services(folder, file)):
        stub = service.stub(channel)
        for method in service.methods:
            if not callable(getattr(stub, method.name, None)):
                raise TypeError(f"the generated {service.stub.__name__} has no usable method {method.name}")
        try:
            # The function has the parameters of the driver's handlers, so that a handler with the name of a special
            # method fails here.
            servicer = service.registered({method.name: lambda _self, _request, _context: None for method in service.methods})
            service.add_to_server(servicer, NoServer())
        except Exception as error:
            raise TypeError(f"no server can be given the generated {service.servicer.__name__}: {error}") from error


class NoServer:
    """Accept the handlers that generated code registers, under the names that this version of grpcio has for that."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


def compile_the_rest() -> None:
    """Load the modules that a driver loads only when it serves, and those that the Greeter needs: loading compiles them."""
    importlib.import_module("driver.connection")
    importlib.import_module("argparse")
    importlib.import_module("random")
    grpc.server(ThreadPoolExecutor(1))


if __name__ == "__main__":
    # First load everything that the driver itself loads, so that a clash between tree and driver shows here as it would
    # there.
    sys.path.append(str(Path(sys.argv[1], "contract")))
    importlib.import_module(f"driver.{sys.argv[2]}.api")
    compile_the_rest()
    # A folder of the tree may have the name of a module that prints when it is imported.
    with contextlib.redirect_stdout(sys.stderr):
        refused = refusals(Path(sys.argv[1], "tree"))
    print(json.dumps(refused))
