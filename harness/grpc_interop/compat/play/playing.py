"""Plays exchanges between two versions: calls over the network, and messages carried without one.

A party is an implementation built from a version, such as `py@base`; what is played on a pair of them comes back as what
both saw. Nothing is judged here.
"""

from __future__ import annotations

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
"""How long the engine may wait for drivers before it looks whether somebody wants it to stop."""


class Call(NamedTuple):
    """One RPC, as each side's version has it; `server` is None where its version does not have it. `timeout_us` is the
    client's deadline in microseconds, None for none."""

    client: Method
    server: Method | None
    requests: tuple[bytes, ...]
    responses: tuple[bytes, ...]
    timeout_us: int | None = None


class Order(NamedTuple):
    """What is to be played on a pair; of a carriage the pair's client writes and its server reads. `tag` is whatever the
    caller knows it by."""

    pair: Pair
    what: Call | TranscodeBatch
    tag: object = None


class PlayedCall(NamedTuple):
    """What both sides of a call saw. `broken`: one side died or hung, in words, or could not read what it was to send;
    `culprit` is that side."""

    client: ClientTranscript | None
    server: ServerTranscript | None
    broken: str = ""
    culprit: Side | None = None


class PlayedBatch(NamedTuple):
    """What became of a carriage: `readings` of every message, but for those that were being carried when a side died or
    hung: `broken` says so in words, `culprit` which side (`client` writes, `server` reads)."""

    transcoding: BatchExamination
    broken: str = ""
    culprit: Side | None = None


class NotPlayed(NamedTuple):
    """Why an order was not: a driver cannot do it, or does not start."""

    why: str


PlayResult = PlayedCall | PlayedBatch | NotPlayed


class Player:
    """Use as a context manager: leaving it stops every process. `exchanges` counts what was played."""

    def __init__(self, builds: Builds, logs: Path) -> None:
        self.exchanges = 0
        self._transcodings = BatchExaminer()
        self._engine = Engine(logs, examiner=self._transcodings)
        self._names = count(1)
        self._orders: dict[str, Order] = {}
        for built in builds.built.values():
            self._engine.add(built)

    def play(self, orders: Iterable[Order]) -> Iterator[tuple[Order, PlayResult]]:
        """Plays them all, many at a time; they come back in any order, each exactly once."""
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
        # What the engine has given up, since a driver does not start or dies all the time.
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

    def __enter__(self) -> Player:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._engine.close()


def _client(kind: Kind, requests: tuple[bytes, ...]) -> Script:
    sends = tuple(Send(request) for request in requests)
    return ((*sends, *([HalfClose()] if kind.client_streams else []), ReceiveToEnd()),)


def _server(kind: Kind, responses: tuple[bytes, ...]) -> Script:
    sends = tuple(Send(response) for response in responses)
    return ((ReceiveToEnd() if kind.client_streams else Receive(), *sends, Finish()),)
