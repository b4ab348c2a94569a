"""Check and test this module, with the Go that a build would use.

python3 dev.py lint     gofmt, go vet, staticcheck, and whether generated code is up to date
python3 dev.py test     go test ./...
"""

import argparse
import subprocess
import sys
from pathlib import Path

import generate
from buildtool.toolchain import MODULE, Toolchain

CACHE = MODULE.parent / ".interop" / "cache" / "go"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["lint", "test"])
    parser.add_argument("--cache", type=Path, default=CACHE)
    arguments = parser.parse_args()
    toolchain = Toolchain.find(arguments.cache)
    if arguments.what == "test":
        return run(toolchain, "test", "./...")
    results = [
        check_format(toolchain),
        run(toolchain, "vet", "./..."),
        run(toolchain, "tool", "staticcheck", "./..."),
        generate.check(toolchain),
    ]
    return max(results)


def run(toolchain: Toolchain, *arguments: str) -> int:
    return subprocess.run([toolchain.go, *arguments], cwd=MODULE, env=toolchain.environment(), check=False).returncode


def check_format(toolchain: Toolchain) -> int:
    """Return the hand-written files: the formatting of generated code is the plugins' affair."""
    written = [str(path) for path in MODULE.glob("**/*.go") if not path.name.endswith(".pb.go")]
    listed = subprocess.run([toolchain.gofmt, "-l", *written], capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        print(f"{name}: not formatted; run gofmt -w")
    return 1 if listed else 0


if __name__ == "__main__":
    sys.exit(main())
