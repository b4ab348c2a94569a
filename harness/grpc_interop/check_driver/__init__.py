"""Does a driver keep the contract? Asked check by check, in the order in which one implements a driver; the sections
are those of docs/driver-contract.md.

promises (what a check is), talk and bench (what checks work with), stranger (an ordinary client), greeter (cases);
opening, serving, calls, aborting, capabilities, options, times, other_metadata and ending hold the checks, sequence their order."""

from grpc_interop.check_driver.promises import CheckResult
from grpc_interop.check_driver.sequence import CHECKS, checks

__all__ = ["CHECKS", "CheckResult", "checks"]
