"""The committed code of the driver contract is what the generator makes of it."""

import subprocess
import sys
from pathlib import Path

from grpc_interop.drivers import driver_pb2

GENERATE = Path(__file__).parents[2] / "scripts/generate.py"


def test_is_up_to_date() -> None:
    checked = subprocess.run([sys.executable, GENERATE, "--check"], check=False, capture_output=True, text=True)
    assert checked.stdout + checked.stderr == ""
    assert checked.returncode == 0


def test_shares_no_name_with_the_public_contract() -> None:
    """A process can register a file or a message name only once, and a tree under test may hold the contract."""
    file = driver_pb2.DESCRIPTOR
    assert (file.name, file.package) == ("grpc_interop_private/driver.proto", "grpc_interop_private.driver.v1")
