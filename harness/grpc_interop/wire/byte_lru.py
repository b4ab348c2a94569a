"""What is worth keeping for the next who asks, within bytes: what a count of entries bounds is as large as its entries."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from grpc_interop.wire.shapes import Shape

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T", bytes, str)

OVERHEAD = 256
"""Bytes that an entry counts beside its content: about those of its key, its place and an empty value."""


class ByteLru(Generic[K, V]):
    """Values by their keys; when they have more than `most` bytes together, those that were asked for longest ago go."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, if it is still there."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Keeps a value in the place of any other of the key. One that is too large for all the room is not kept: nothing
        else would be."""
        self._bytes -= self._values.pop(key, (None, 0))[1]
        size += OVERHEAD
        if size > self._most:
            return
        self._values[key] = value, size
        self._bytes += size
        while self._bytes > self._most:
            self._bytes -= self._values.popitem(last=False)[1][1]


def byte_lru_cache(make: Callable[[Shape, T], V], most: int) -> Callable[[Shape, T], V]:
    """A function of a type and a message whose results are kept, for messages of `most` bytes together."""
    known: ByteLru[tuple[Shape, T], V] = ByteLru(most)

    def of(shape: Shape, message: T) -> V:
        value = known.get((shape, message))
        if value is None:
            value = make(shape, message)
            known.put((shape, message), value, len(message))
        return value

    return of
