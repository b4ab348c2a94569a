"""Channels of grpcio's synchronous API."""

from collections.abc import Callable

import grpc

from driver.channel import Channel
from driver.contract import pb
from driver.plays import Order
from driver.sync.client import SyncClientPlay
from driver.sync.workers import Workers


class SyncChannel(Channel):
    """Plays in threads."""

    def __init__(self, order: pb.Dial, workers: Workers) -> None:
        super().__init__(order, grpc)
        self._workers = workers

    def play(self, order: Order) -> SyncClientPlay:
        return SyncClientPlay(order, self.multicallable(order.service, order.method), self._workers)

    def close_now(self, closed: Callable[[], None]) -> None:
        self._workers.run(self._close, closed)

    def _close(self, closed: Callable[[], None]) -> None:
        self.grpc.close()
        closed()
