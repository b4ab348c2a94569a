"""The suites by name. Each has a file or folder of its own; protocol.py defines a suite."""

import difflib
from collections.abc import Sequence

from grpc_interop.errors import UsageError
from grpc_interop.suites import greeter, limits, messages
from grpc_interop.suites.calls.suite import SUITE as CALLS
from grpc_interop.suites.conversations.suite import SUITE as CONVERSATIONS
from grpc_interop.suites.protocol import Suite

SUITES = {suite.name: suite for suite in (greeter.SUITE, CALLS, messages.SUITE, CONVERSATIONS, limits.SUITE)}
"""In the order in which they run."""


def find(name: str) -> Suite:
    """Return the suite of a name. Raise UsageError with the nearest name."""
    if name in SUITES:
        return SUITES[name]
    near = difflib.get_close_matches(name, SUITES, 1)
    guess = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"there is no suite {name!r}", f"{guess}the suites are {', '.join(SUITES)}")


def chosen(names: Sequence[str]) -> tuple[Suite, ...]:
    """Return the suites of these names, or all where none is named. Raise UsageError."""
    return tuple(map(find, names)) or tuple(SUITES.values())
