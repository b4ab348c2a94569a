"""The hand-written services of this implementation, for calls that no script plays."""

import importlib.util
from pathlib import Path
from typing import Any

GREETER = "greeter.v1.Greeter"


def application(service_names: set[str], program: str) -> dict[str, Any]:
    """Return servicers by the full name of their service, for the services whose protos the driver was built with.

    `program` is the file of the hand-written Greeter server whose API fits.
    """
    return {GREETER: _greeter(program)} if GREETER in service_names else {}


def _greeter(program: str) -> Any:
    # Loaded by its path: a tree may have a folder `greeter` of its own, as ours does.
    path = Path(__file__).parents[1] / "greeter" / program
    spec = importlib.util.spec_from_file_location("grpc_interop_private.greeter_server", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Greeter()
