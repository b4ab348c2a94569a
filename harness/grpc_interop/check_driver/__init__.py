"""Does a driver keep the contract? It is asked check by check, in the order of docs/driver-contract.md, whose sections the
chapters name.

promises defines a check; talk and bench drive the processes; plain_client, silent_server and greeter are tools of the
checks. opening, serving, calls, aborting, capabilities, lanes, options, times, other_metadata and ending hold the checks,
sequence their order."""

from grpc_interop.check_driver.promises import CheckResult
from grpc_interop.check_driver.sequence import CHECKS, checks

__all__ = ["CHECKS", "CheckResult", "checks"]
