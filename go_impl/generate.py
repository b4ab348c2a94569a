"""Write the generated Go code that is kept in this module, or check that it is up to date.

    python3 generate.py [--check]

The driver's own copy of the contract and the quick-start service are kept, so that `go run ./cmd/greeter-server`, an
editor and the linters work on a plain checkout. A build generates the tree under test anew and lays it over `gen/` and
`driven/` (see build.py).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from buildtool import generator, packages
from buildtool.toolchain import MODULE, Toolchain
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

PROTOS = MODULE.parent / "proto"
CONTRACT = "interop/driver/v1/driver.proto"

# The driver's copy of the contract has a file name and package of its own: a tree under test may hold the contract
# too (ours does), and Go refuses to register a name twice. The wire format does not depend on names.
PRIVATE_CONTRACT = "grpc_interop_private/driver/v1/driver.proto"
CONTRACT_FOLDER = "internal/contract/driverpb"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    parser.add_argument("--cache", type=Path, default=MODULE.parent / ".interop" / "cache" / "go")
    arguments = parser.parse_args()

    toolchain = Toolchain.find(arguments.cache)
    return check(toolchain) if arguments.check else write(toolchain)


def write(toolchain: Toolchain) -> int:
    for name, content in stale(toolchain).items():
        path = MODULE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(f"{name}: written")
    return 0


def check(toolchain: Toolchain) -> int:
    names = list(stale(toolchain))
    for name in names:
        print(f"{name}: out of date; run `python3 go_impl/generate.py`")
    return 1 if names else 0


def stale(toolchain: Toolchain) -> dict[str, bytes]:
    """Return the differences from the files that are kept."""
    files = generated(toolchain)
    return {name: content for name, content in files.items() if not _holds(MODULE / name, content)}


def _holds(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content


def generated(toolchain: Toolchain) -> dict[str, bytes]:
    """Return all files that are kept, by their path in this module."""
    # The plugins alone: `linked` links the driver, which may be waiting for the code that is generated here.
    plugins = generator.build_plugins(toolchain, generator.PLUGINS)
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
        out = Path(scratch, "set.binpb")
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", "--include_source_info", "--include_imports"]
        subprocess.run([*command, f"--descriptor_set_out={out}", name], check=True)
        return list(FileDescriptorSet.FromString(out.read_bytes()).file)


if __name__ == "__main__":
    sys.exit(main())
