"""Metadata, as the contract has it and as grpcio has it."""

from collections.abc import Collection, Iterable
from typing import Any

from driver.contract import pb

CASE = "x-interop-case"
DETAILS = "grpc-status-details-bin"

# Runtimes and proxies add metadata of their own; only the harness' metadata may be reported. Its keys begin like this.
REPORTED = "x-interop-"

# Without a deadline, grpcio reports that some 9.2 * 10^15 seconds remain. The longest timeout that `grpc-timeout` can
# hold, eight digits of hours, is 3.6 * 10^11 seconds.
NO_DEADLINE_S = 10**12

Pairs = tuple[tuple[str, str | bytes], ...]
Metadata = Iterable[tuple[str, str | bytes]] | None


def to_grpc(entries: Iterable[Any]) -> Pairs:
    """Return entries of the contract for grpcio, which expects bytes for `-bin` keys and text for other keys."""
    return tuple((entry.key, entry.value if entry.key.endswith("-bin") else entry.value.decode("ascii")) for entry in entries)


def reported(metadata: Metadata, also: Collection[str]) -> list[tuple[str, bytes]]:
    """Return the part of grpcio's metadata that the contract reports: the harness' own keys, and the keys in `also`."""
    return [
        (key, value if isinstance(value, bytes) else value.encode())
        for key, value in metadata or ()
        if (key.startswith(REPORTED) and key != CASE) or key in also
    ]


def entries(pairs: Iterable[tuple[str, bytes]]) -> list[Any]:
    """Return the contract's entries for a result of `reported`."""
    return [pb.Entry(key=key, value=value) for key, value in pairs]


def value_of(metadata: Metadata, key: str) -> str | bytes | None:
    """Return the first value of a key."""
    for name, value in metadata or ():
        if name == key:
            return value
    return None


def case_of(metadata: Metadata) -> int | None:
    """Return the case id of a call; None if it has none, or none that the harness could have assigned."""
    value = value_of(metadata, CASE)
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else None


def remaining_us(context: Any) -> int | None:
    """Return the rest of a served call's deadline in microseconds; None without a deadline."""
    remaining = context.time_remaining()
    return None if remaining is None or remaining > NO_DEADLINE_S else int(remaining * 1e6)
