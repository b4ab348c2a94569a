"""The peak memory of the harness and of the processes that it started, as Linux reports it."""

import os
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class Memory(NamedTuple):
    """Peak resident memory, in MiB."""

    harness: float
    drivers: float  # the sum of the peaks of all live processes below the harness


def peaks(proc: Path = PROC, harness: int | None = None) -> Memory:
    """Return the peaks, or zeros where there is no such folder (macOS)."""
    own = os.getpid() if harness is None else harness
    parents: dict[int, int] = {}
    peak: dict[int, float] = {}
    for status in proc.glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines() if ":" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        pid = int(status.parent.name)
        parents[pid] = int(lines["PPid"])
        peak[pid] = int(lines.get("VmHWM", "0 kB").split()[0]) / 1024
    below = {pid for pid in parents if pid != own and _descends(pid, own, parents)}
    return Memory(round(peak.get(own, 0.0), 1), round(sum(peak[pid] for pid in below), 1))


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == ancestor:
            return True
    return False
