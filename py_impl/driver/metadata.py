"""Metadata, as the contract has it and as grpcio has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from driver.contract import pb

CASE = "x-interop-case"
DETAILS = "grpc-status-details-bin"

# Runtimes and proxies add metadata of their own; only what the harness sent may be reported.
REPORTED = "x-interop-"

Pairs = tuple[tuple[str, str | bytes], ...]


def to_grpc(entries: Iterable[Any]) -> Pairs:
    """Entries of the contract for grpcio, which wants bytes for `-bin` keys and text for the others."""
    return tuple((entry.key, entry.value if entry.key.endswith("-bin") else entry.value.decode("ascii")) for entry in entries)


def reported(metadata: Iterable[tuple[str, str | bytes]] | None) -> list[tuple[str, bytes]]:
    """What the contract reports of grpcio's metadata."""
    return [
        (key, value if isinstance(value, bytes) else value.encode())
        for key, value in metadata or ()
        if key.startswith(REPORTED) and key != CASE
    ]


def entries(pairs: Iterable[tuple[str, bytes]]) -> list[Any]:
    """The contract's entries of what `reported` returned."""
    return [pb.Entry(key=key, value=value) for key, value in pairs]


def value_of(metadata: Iterable[tuple[str, str | bytes]] | None, key: str) -> str | bytes | None:
    """The first value of a key."""
    for name, value in metadata or ():
        if name == key:
            return value
    return None


def case_of(metadata: Iterable[tuple[str, str | bytes]]) -> int | None:
    """The case id of a call; None if it has none, or none that the harness could have given."""
    value = value_of(metadata, CASE)
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else None
