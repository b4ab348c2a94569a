"""An LRU cache bounded by bytes: entries vary too much in size to bound their number."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from grpc_interop.wire.shapes import Shape

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T", bytes, str)

OVERHEAD = 256
"""Bytes that an entry counts beside its content: about the size of its key, its place and an empty value."""


class ByteLru(Generic[K, V]):
    """Values by key. Above `most` bytes in total, the least recently used values are dropped."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return the value, or None if it is not there any more."""
        entry = self._values.get(key)
        if entry is None:
            return None
        self._values.move_to_end(key)
        return entry[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Store a value in place of the key's previous value. A value larger than the cache is not stored: it would empty it."""
        self._bytes -= self._values.pop(key, (None, 0))[1]
        size += OVERHEAD
        if size > self._most:
            return
        self._values[key] = value, size
        self._bytes += size
        while self._bytes > self._most:
            self._bytes -= self._values.popitem(last=False)[1][1]


def byte_lru_cache(make: Callable[[Shape, T], V], most: int) -> Callable[[Shape, T], V]:
    """Return a function of a type and a message that caches its results, for messages of `most` bytes in total."""
    cache: ByteLru[tuple[Shape, T], V] = ByteLru(most)

    def of(shape: Shape, message: T) -> V:
        value = cache.get((shape, message))
        if value is None:
            value = make(shape, message)
            cache.put((shape, message), value, len(message))
        return value

    return of
