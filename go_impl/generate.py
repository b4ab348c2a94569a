"""Write the generated Go code that is kept in this module, or check that it is up to date.

    python3 generate.py [--check]

Kept are the driver's own copy of the contract and the quick-start service, so that `go run ./cmd/greeter-server`, an
editor and the linters work on a plain checkout. A build generates the tree under test anew and lays it over `gen/` and
`driven/` (see build.py).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from buildtool import generator, packages
from buildtool.toolchain import Toolchain

HERE = Path(__file__).parent
PROTOS = HERE.parent / "proto"
CONTRACT = "interop/driver/v1/driver.proto"

# The driver's copy of the contract has a file name and package of its own: a tree under test may hold the contract
# too (ours does), and Go refuses to register a name twice. The wire format does not depend on names.
PRIVATE_CONTRACT = "grpc_interop_private/driver/v1/driver.proto"
CONTRACT_FOLDER = "internal/contract/driverpb"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    parser.add_argument("--cache", type=Path, default=HERE.parent / ".interop" / "cache" / "go")
    arguments = parser.parse_args()

    stale = []
    for name, content in generated(Toolchain.find(arguments.cache)).items():
        path = HERE / name
        if path.exists() and path.read_bytes() == content:
            continue
        stale.append(name)
        if not arguments.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for name in stale:
        print(f"{name}: {'out of date; run `python3 go_impl/generate.py`' if arguments.check else 'written'}")
    return 1 if arguments.check and stale else 0


def generated(toolchain: Toolchain) -> dict[str, bytes]:
    """All files that are kept, by their path in this module."""
    plugins = generator.build_plugins(toolchain)
    with tempfile.TemporaryDirectory() as scratch:
        contract = Path(scratch, PRIVATE_CONTRACT)
        contract.parent.mkdir(parents=True)
        text = (PROTOS / CONTRACT).read_text()
        contract.write_text(text.replace("package interop.driver.v1;", "package grpc_interop_private.driver.v1;"))
        contract_files = compile_protos(Path(scratch), PRIVATE_CONTRACT)
    place = {PRIVATE_CONTRACT: packages.Package(CONTRACT_FOLDER, "driverpb")}
    sources = generator.MESSAGES.run(plugins, contract_files, [PRIVATE_CONTRACT], place)

    greeter_files = compile_protos(PROTOS, packages.QUICK_START)
    place = packages.assign(greeter_files)
    for generates in generator.ALL:
        sources += generates.run(plugins, greeter_files, [packages.QUICK_START], place)
    return {source.path: source.content for source in sources}


def compile_protos(root: Path, name: str) -> list[FileDescriptorProto]:
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "set.binpb")
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", "--include_source_info", "--include_imports"]
        subprocess.run([*command, f"--descriptor_set_out={out}", name], check=True)
        return list(FileDescriptorSet.FromString(Path(out).read_bytes()).file)


if __name__ == "__main__":
    sys.exit(main())
