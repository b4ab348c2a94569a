"""One channel, with the generated stubs on it and the plays that use it."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import ModuleType
from typing import Any

from driver.contract import pb
from driver.options import COMPRESSIONS, channel_arguments, channel_credentials
from driver.plays import ClientPlay, Order
from driver.stubs import Method, Service


class Channel(ABC):
    """May be used from any thread."""

    def __init__(self, order: pb.Dial, library: ModuleType) -> None:
        """Open the channel. `library` is `grpc` or `grpc.aio`, which open channels alike."""
        credentials = channel_credentials(order.options)
        options = channel_arguments(order.options)
        compression = COMPRESSIONS[order.options.compression]
        if credentials is None:
            self.grpc = library.insecure_channel(order.target, options, compression)
        else:
            self.grpc = library.secure_channel(order.target, credentials, options, compression)
        self._stubs: dict[str, Any] = {}
        self._plays = 0
        self._lock = threading.Lock()
        self._closed: Callable[[], None] | None = None

    @abstractmethod
    def play(self, order: Order) -> ClientPlay:
        """Return a play on this channel that has not begun."""

    @abstractmethod
    def close_now(self, closed: Callable[[], None]) -> None:
        """Close the channel and cancel calls in flight. Call `closed` when that is done."""

    def multicallable(self, service: Service, method: Method) -> Any:
        """Return the generated stub's attribute for a method."""
        stub = self._stubs.get(service.full_name)
        if stub is None:
            stub = self._stubs[service.full_name] = service.stub(self.grpc)
        return getattr(stub, method.name)

    def began(self) -> None:
        """Count a play that begins to use the channel."""
        with self._lock:
            self._plays += 1

    def ended(self) -> None:
        """Count a play that no longer uses the channel."""
        with self._lock:
            self._plays -= 1
            closed = self._closed if not self._plays else None
        if closed is not None:
            self.close_now(closed)

    def close(self, graceful: bool, closed: Callable[[], None]) -> None:
        """Close the channel, if `graceful` after the last play on it has ended. Call `closed` when that is done."""
        with self._lock:
            if graceful and self._plays:
                self._closed = closed
                return
        self.close_now(closed)
