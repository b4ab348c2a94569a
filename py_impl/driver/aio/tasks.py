"""Tasks that run by themselves: the loop alone would forget them before they are done."""

import asyncio
from collections.abc import Coroutine
from typing import Any

_running: set[asyncio.Task[None]] = set()


def begin(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run the coroutine from the next turn of the loop on."""
    task = asyncio.get_running_loop().create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task
