"""Show where every task waits, for a person who looks for a hang: the stacks of threads show only that the loop waits."""

import asyncio
import sys
from types import FrameType
from typing import Any


def print_tasks() -> None:
    """Print to stderr where each task of the running loop waits, the innermost call last."""
    for task in asyncio.all_tasks():
        print(f"\n{task.get_name()}", file=sys.stderr)
        for frame in _frames(task.get_coro()):
            print(f"  File {frame.f_code.co_filename!r}, line {frame.f_lineno} in {frame.f_code.co_name}", file=sys.stderr)
    sys.stderr.flush()


def _frames(waiting: Any) -> list[FrameType]:
    """Return the frames from a coroutine to the coroutine that it awaits, and so on, as far as they are Python; asyncio
    itself shows only the first."""
    frames = []
    while waiting is not None:
        if (frame := getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)) is not None:
            frames.append(frame)
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
    return frames
