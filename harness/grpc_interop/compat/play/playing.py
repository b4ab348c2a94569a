"""Exchanges between two versions: calls over the network, and batches of messages without a network.

A party is an implementation built from a version, such as `py@base`. An order on a pair of parties returns the transcripts
of both. Nothing is judged here.
"""

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from grpc_interop.compat.play.building import Builds
from grpc_interop.compat.play.transcoding import BatchExamination, BatchExaminer, TranscodeBatch
from grpc_interop.core.case import Case, Finish, HalfClose, Kind, Method, Receive, ReceiveToEnd, Script, Send
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import ClientTranscript, ServerTranscript
from grpc_interop.core.verdict import Outcome, Pair
from grpc_interop.engine import Engine, Job

POLL_SECONDS = 0.1
"""How long the engine waits for drivers at a time."""


class Call(NamedTuple):
    """An RPC, as each side's version has it."""

    client: Method
    server: Method | None  # None where the server's version does not have the RPC
    requests: tuple[bytes, ...]
    responses: tuple[bytes, ...]
    timeout_us: int | None = None  # the client's deadline, in microseconds


class Order(NamedTuple):
    """An exchange to be played on a pair, whose client writes a batch and whose server reads it."""

    pair: Pair
    what: Call | TranscodeBatch
    tag: object = None  # any value by which the caller recognises the order


class PlayedCall(NamedTuple):
    """The transcripts of a call."""

    client: ClientTranscript | None
    server: ServerTranscript | None
    broken: str = ""  # how a side died or hung, or that it could not read the message to send
    culprit: Side | None = None  # the broken side


class PlayedBatch(NamedTuple):
    """The readings of a batch."""

    transcoding: BatchExamination  # lacks the readings of messages that were under way when a side died or hung
    broken: str = ""  # how the side died or hung
    culprit: Side | None = None  # the broken side: the client writes, the server reads


class NotPlayed(NamedTuple):
    """An order that could not be played: a driver cannot do it, or does not start."""

    why: str


PlayResult = PlayedCall | PlayedBatch | NotPlayed


class Player:
    """Plays orders. Use it as a context manager: leaving it stops every process. `exchanges` counts the orders played."""

    def __init__(self, builds: Builds, logs: Path) -> None:
        self.exchanges = 0
        self._transcodings = BatchExaminer()
        self._engine = Engine(logs, examiner=self._transcodings)
        self._names = count(1)
        self._orders: dict[str, Order] = {}
        for built in builds.built.values():
            self._engine.add(built)

    def play(self, orders: Iterable[Order]) -> Iterator[tuple[Order, PlayResult]]:
        """Play all orders, many at a time, and yield each exactly once, in any order."""
        self._engine.enqueue(self._job(order) for order in orders)
        while self._engine.busy:
            for verdict in self._engine.poll(POLL_SECONDS):
                case = verdict.case
                order = self._orders.pop(case.name)
                broken, culprit = (verdict.difference.what, verdict.difference.side) if verdict.difference else ("", None)
                if verdict.outcome is Outcome.UNSUPPORTED:
                    yield order, NotPlayed(broken)
                    continue
                self.exchanges += 1
                if isinstance(order.what, TranscodeBatch):
                    yield order, PlayedBatch(self._transcodings.take(case.name), broken, culprit)
                else:
                    yield order, PlayedCall(verdict.client, verdict.server, broken, culprit)
        # The engine drops orders whose driver does not start or dies again and again.
        for order in self._orders.values():
            yield order, NotPlayed(self._engine.why_dropped.get(order.pair, "it was dropped, and nobody knows why"))
        self._orders.clear()

    def _job(self, order: Order) -> Job:
        what, name = order.what, str(next(self._names))
        self._orders[name] = order
        if isinstance(what, TranscodeBatch):
            return Job(self._engine.prepare(self._transcodings.case(name, what)), order.pair)
        script = _client(what.client.kind, what.requests)
        client = Case("compat", name, what.client, script, (), timeout_us=what.timeout_us)
        server = Case("compat", name, what.server, (), _server(what.server.kind, what.responses)) if what.server else None
        return Job(self._engine.preparer.prepare_observed(client, server), order.pair)

    def __enter__(self) -> "Player":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._engine.close()


def _client(kind: Kind, requests: tuple[bytes, ...]) -> Script:
    sends = tuple(Send(request) for request in requests)
    return ((*sends, *([HalfClose()] if kind.client_streams else []), ReceiveToEnd()),)


def _server(kind: Kind, responses: tuple[bytes, ...]) -> Script:
    sends = tuple(Send(response) for response in responses)
    return ((ReceiveToEnd() if kind.client_streams else Receive(), *sends, Finish()),)
