#!/usr/bin/env python3
"""Generate the harness' code for the driver contract, or check that it is up to date.

    python scripts/generate.py            writes harness/grpc_interop/drivers/driver_pb2.py and .pyi
    python scripts/generate.py --check    exits with status 1 and says what to do if they would change

The code is generated from a copy of the contract with a private file name and a private proto package. Descriptor pools
are global to a process, and a name can be registered only once. A process may load both the harness and a user's tree
that holds the contract itself, as this repository's own `proto/` does: the two must not share a name. Neither the file
name nor the package travels on the wire.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "proto/interop/driver/v1/driver.proto"
GENERATED = ROOT / "harness/grpc_interop/drivers"

PUBLIC_PACKAGE = "package interop.driver.v1;"
PRIVATE_PACKAGE = "package grpc_interop_private.driver.v1;"
PRIVATE_FILE = "grpc_interop_private/driver.proto"


def main() -> int:
    parser = argparse.ArgumentParser(description="Generate the harness' code for the driver contract.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the committed code is out of date")
    check: bool = parser.parse_args().check

    stale = {path: text for path, text in generate().items() if not path.exists() or path.read_text() != text}
    for path, text in stale.items():
        name = path.relative_to(ROOT)
        if check:
            print(f"{name} does not match {CONTRACT.relative_to(ROOT)}: run `make generate` and commit the result.")
        else:
            path.write_text(text)
            print(f"wrote {name}")
    return 1 if check and stale else 0


def generate() -> dict[Path, str]:
    """Return the text of each generated file, by the path where it belongs.

    Raise SystemExit when protoc refuses the contract; protoc has then printed the reason to stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / PRIVATE_FILE
        source.parent.mkdir()
        source.write_text(privately_named(CONTRACT.read_text()))
        options = [f"--proto_path={folder}", f"--python_out={folder}", f"--pyi_out={folder}"]
        if protoc.main(["protoc", *options, PRIVATE_FILE]) != 0:
            raise SystemExit(f"protoc refused {CONTRACT.relative_to(ROOT)}")
        return {
            GENERATED / "driver_pb2.py": (source.parent / "driver_pb2.py").read_text(),
            GENERATED / "driver_pb2.pyi": (source.parent / "driver_pb2.pyi").read_text(),
        }


def privately_named(contract: str) -> str:
    """Return the contract's source under the private package name."""
    if contract.count(PUBLIC_PACKAGE) != 1:
        raise SystemExit(f"{CONTRACT.relative_to(ROOT)} does not hold the line `{PUBLIC_PACKAGE}`")
    return contract.replace(PUBLIC_PACKAGE, PRIVATE_PACKAGE)


if __name__ == "__main__":
    sys.exit(main())
