"""The loop: keeps many cases in flight, one process a role, and gives every case its verdict whatever the drivers do.

Single-threaded, never blocking: `poll` moves everything on a little and returns the verdicts that became final.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

from grpc_interop.core.case import Case, MessageCase
from grpc_interop.core.transcript import ServerTranscript
from grpc_interop.core.verdict import Canonical, Difference, Outcome, Pair, Verdict, as_they_are
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.build import Built
from grpc_interop.drivers.connection import ContractBroken
from grpc_interop.drivers.driver import Driver
from grpc_interop.drivers.translate import PAYLOAD_ID_BASE
from grpc_interop.engine.admission import WINDOW, full
from grpc_interop.engine.executors.message import MessageExecution
from grpc_interop.engine.executors.rpc import RpcExecution, unsupported
from grpc_interop.engine.executors.transcode_cache import TranscodeCache
from grpc_interop.engine.generations import Generations
from grpc_interop.engine.jobs import TIMES, Job, Preparer, ProgramPlayer
from grpc_interop.engine.pool import DriverPool
from grpc_interop.engine.queue import Queue
from grpc_interop.engine.shrink.passes import SmallerMessages
from grpc_interop.engine.timeouts import CASE_SECONDS, limit
from grpc_interop.engine.triage.completed import CompletedPlays
from grpc_interop.engine.triage.crash import CrashTriage
from grpc_interop.engine.triage.deferred import DEFER_SECONDS, DeferredFailures
from grpc_interop.engine.triage.reruns import Reruns
from grpc_interop.engine.watchdog import Watchdog
from grpc_interop.engine.watchdog_clock import WatchdogClock
from grpc_interop.messages.examination import Questioner
from grpc_interop.net.poller import Poller

CROWD, GATHER_SECONDS = 24, 0.001
"""With so many cases in flight the harness lets events gather: it looks once in so long, and not before. Drivers that tell
of each case by itself would wake it each time, which costs both sides more than it brings: a unary call of go:py-aio took
455 us of CPU, and takes 345."""


class Engine:
    """Plays jobs. Drivers are started when first needed and live until `close`.

    `dropped` counts, by pair, the jobs that could not be played because a driver does not start or dies all the time;
    `why_dropped` says why. `incidents` tells of what drivers did wrong that belongs to no case: died with nothing in
    flight, reported a case again that was over. A failure that is `expected` is neither played again nor shrunk.
    """

    def __init__(
        self,
        logs: Path,
        *,
        case_seconds: float = CASE_SECONDS,
        window: int = WINDOW,
        programs: ProgramPlayer | None = None,
        canonical: Canonical = as_they_are,
        smaller_messages: SmallerMessages = lambda _type, _message: (),
        examiner: Questioner | None = None,
        expected: Callable[[Verdict], bool] = lambda _: False,
    ) -> None:
        self.preparer = Preparer()
        self.dropped: Counter[Pair] = Counter()
        self.why_dropped: dict[Pair, str] = {}
        self.incidents: list[str] = []
        self._ids = count(1)
        self._poller = Poller()
        self.pool = DriverPool(logs, self._ids, lambda driver: driver.watch(self._poller, self._read))
        self._programs = programs
        self._case_seconds = case_seconds
        self._window = window
        self._canonical = canonical
        self._examiner = examiner
        self._expected = expected
        self._looked = 0.0
        self._flights: dict[int, RpcExecution | MessageExecution] = {}
        self._answers = TranscodeCache()
        self._generations = Generations(self.preparer, self.pool, self._flights)
        self._completed = CompletedPlays()
        self._queues: deque[Queue] = deque()
        self._reruns = Reruns(self.preparer.prepare, smaller_messages, expected, canonical)
        self._deferred = DeferredFailures()
        self._clock = WatchdogClock()
        self._watchdog = Watchdog(self.pool, self._flights, self._clock)

    # -- for the run ---------------------------------------------------------------------------------------------------

    def add(self, built: Built) -> None:
        """An implementation is ready to be started."""
        self.pool.built[built.manifest.name] = built

    def enqueue(self, jobs: Iterator[Job]) -> None:
        """Jobs to be played, taken one at a time as there is room, beside those of other calls. Their implementations have
        been added."""
        self._queues.append(Queue(jobs))

    def limit_window(self, most: int) -> None:
        """Keeps at most so many cases in flight on one driver."""
        self._window = most

    @property
    def stretched(self) -> int:
        """How many plays were given a longer deadline, since the machine was too busy for the first."""
        return self._reruns.stretched

    @property
    def busy(self) -> bool:
        waiting = self._queues or self._flights or self._deferred or self._reruns.busy
        return bool(waiting or (self._programs and self._programs.busy))

    def poll(self, seconds: float) -> list[Verdict]:
        """Moves on for at most about `seconds`; gives the verdicts that became final."""
        self._fill()
        self._poller.flush()
        most = min(seconds, DEFER_SECONDS) if self._deferred else seconds
        with self._clock.waiting():
            if len(self._flights) >= CROWD:
                time.sleep(max(0.0, self._looked + GATHER_SECONDS - time.monotonic()))
            due = self._poller.wait(0 if self._reruns.final else most)
            self._looked = time.monotonic()
        for callback in due:
            callback()
        self._release_deferred()
        if self._programs:
            for job, verdict in self._programs.collect():
                self._reruns.finish(job, verdict)
        for driver, why in self._watchdog.look():
            self._bury(driver, why)
        return self._reruns.take_final()

    def close(self) -> None:
        """Stops all processes."""
        if self._programs:
            self._programs.close()
        self.pool.close()
        self._poller.close()

    # -- starting cases ------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Starts as much as there is room for. Cases to be played alone come first, when nothing else is in flight."""
        if self._reruns.isolated:
            # Taken out first: what comes of it may put its successor there.
            if not self._flights and not self._deferred and not self._start(job := self._reruns.isolated.popleft()):
                self._reruns.isolated.appendleft(job)
            return
        if any(flight.job.isolated for flight in (*self._flights.values(), *self._deferred.flights)):
            return
        if not self._generations.room():
            return
        self._queues.extend(Queue(iter((job,))) for job in self._reruns.take_again())
        for queue in [*self._queues]:
            queue.start(self._start, self._may_go_on)
            if not queue:
                self._queues.remove(queue)
        # Each in turn is the first that finds room.
        self._queues.rotate()

    def _may_go_on(self) -> bool:
        return not self._reruns.isolated and not self.preparer.full

    def _start(self, job: Job) -> bool:
        """Sends a case to its drivers; False when they are not ready or full."""
        case = job.prepared.case
        if isinstance(case, Case) and case.player == "programs":
            assert self._programs is not None
            self._programs.submit(job)
            return True
        client, server = self.pool.pair(job.pair)
        if client is None or server is None:
            self._drop(job)
            return True
        if not (client.ready and server.ready):
            return False
        if any(full(driver, job.prepared, self._window) for driver in (client, server)):
            return False
        for driver, needs in ((client, job.prepared.client_needs), (server, job.prepared.server_needs)):
            if not needs <= driver.capabilities:
                self._reruns.finish(job, unsupported(job, driver.side, needs - driver.capabilities))
                return True
        if isinstance(case, MessageCase):
            self._exchange(job, case, client, server)
        else:
            self._send(job, client, server)
        return True

    def _exchange(self, job: Job, case: MessageCase, client: Driver, server: Driver) -> None:
        """Begins to ask about a case's messages."""
        assert self._examiner is not None
        examination = self._examiner.examination(case, partial(self._is_expected, job), self.pool.refused_files(job.pair))
        seconds = limit(job, client, server, self._case_seconds)
        exchange = MessageExecution(
            next(self._ids), job, job.prepared, case, examination, client, server, self._clock, self._answers, seconds
        )
        self._flights[exchange.id] = exchange
        exchange.ask_more(self._ids)
        self._end(exchange)

    def _is_expected(self, job: Job, difference: Difference) -> bool:
        return self._expected(Verdict(job.prepared.case, job.pair, Outcome.FAILED, difference=difference))

    def _end(self, exchange: MessageExecution) -> None:
        """Takes the verdict of an exchange that waits for nothing any more."""
        if exchange.complete:
            del self._flights[exchange.id]
            self._reruns.finish(exchange.job, exchange.judge())

    def _send(self, job: Job, client: Driver, server: Driver) -> None:
        prepared = job.prepared = self.preparer.refresh(job.prepared)
        if job.repeat:
            prepared = self.preparer.loop(prepared, job.repeat, job.concurrency)
        elif prepared.timed_expect and TIMES in client.capabilities & server.capabilities:
            prepared = replace(prepared, call=prepared.timed_call, expect=prepared.timed_expect)
        elif job.timed and TIMES in client.capabilities:
            prepared = self.preparer.timed(prepared)
        play = next(self._ids)
        own = prepared.play.own_connection
        channel = client.channel(server.address, own=own)
        client.provide(prepared.client_payloads)
        seconds = limit(job, client, server, self._case_seconds)
        due = self._clock.now + seconds * (1 + job.repeat / 100) + (prepared.play.timeout_us or 0) / 1e6
        flight = RpcExecution(play, job, prepared, client, server, seconds, due, channel if own else 0)
        if prepared.expect:
            server.provide(prepared.server_payloads)
            server.send(prepared.expect, play, server.server)
            server.take_on(prepared.weight)
        else:
            flight.server_seen = ServerTranscript(arrived=False, lanes=(), request=())
        client.send(prepared.call, play, channel)
        client.take_on(prepared.weight)
        self._flights[play] = flight

    def _drop(self, job: Job) -> None:
        """The job will never be played; if others wait for it, they must not wait for ever."""
        why = self.pool.why_not(job.pair)
        if not self._reruns.dropped(job, why):
            self.dropped[job.pair] += 1
            self.why_dropped[job.pair] = why

    # -- hearing from drivers ------------------------------------------------------------------------------------------

    def _read(self, driver: Driver) -> None:
        """A driver has something to say, or nothing any more."""
        connection = driver.connection
        assert connection is not None
        try:
            for event in connection.readable():
                self._hear(driver, event)
        except ContractBroken as broken:
            self._bury(driver, str(broken))
            return
        if connection.closed and not driver.gone:
            self._bury(driver)

    def _hear(self, driver: Driver, event: pb.Event) -> None:
        kind = event.WhichOneof("kind")
        if kind == "transcript":
            self._take(driver, event)
        elif kind == "signal":
            flight = self._flights.get(event.signal.play)
            if flight is not None:
                body = pb.Command(signal=event.signal).SerializeToString()
                flight.other(driver).send(body, next(self._ids))
        elif self._answers.awaits(event.id):
            self._answered(driver, event)
        elif driver.take_setup(event):
            self.pool.on_hello(driver)
        elif kind == "error":
            self._refused(driver, event)
        elif kind not in ("ready", "done"):
            raise ContractBroken(f"sent an event of no known kind in answer to {event.id}")

    def _answered(self, driver: Driver, event: pb.Event) -> None:
        """An answer for every exchange that waits for it; what was given up is answered in vain."""
        request = self._answers.heard(event)
        for exchange, number in request.waiting:
            if exchange.id not in self._flights:
                continue
            driver.has_reported = True
            exchange.wait_on()
            if request.answers is not None:
                exchange.hear(driver, number, request.answers, self._ids)
                self._end(exchange)

    def _take(self, driver: Driver, event: pb.Event) -> None:
        flight = self._flights.get(event.id)
        if not isinstance(flight, RpcExecution):
            self._notice(self._completed.late_report(driver, event.id))
            return
        if not flight.owes(driver):
            self._give_up(flight, driver)
            self._reruns.finish(flight.job, flight.broken(driver, f"the {driver.who} reported the play twice"))
            return
        flight.take(driver, event.transcript)
        flight.release(driver)
        driver.has_reported |= not event.transcript.aborted
        if flight.complete:
            self._land(flight)
        elif driver is flight.client and flight.prepared.may_not_arrive:
            flight.server.abort(flight.id, if_not_arrived=True)

    def _land(self, flight: RpcExecution) -> None:
        """Both sides have reported."""
        del self._flights[flight.id]
        self._completed.landed(flight)
        if flight.frozen:
            flight.client.abort(flight.id)
            flight.server.abort(flight.id)
        if flight.own_channel:
            flight.client.close_resource(flight.own_channel)
        verdict = flight.judge(self._canonical)
        if verdict.outcome is Outcome.FAILED and flight.job.shrinking is None:
            self._deferred.hold(flight, verdict)
        else:
            self._reruns.finish(flight.job, verdict, whole=True)

    def _release_deferred(self) -> None:
        """Failures that were held back long enough stand."""
        if self._deferred.ripe:
            for flight, verdict in self._deferred.release(self._watchdog.silent()):
                self._reruns.finish(flight.job, verdict, whole=True)

    def _refused(self, driver: Driver, event: pb.Event) -> None:
        """A driver answered a command with an error: of a play, or of a payload that plays refer to."""
        text = event.error.text
        hit: list[RpcExecution | MessageExecution]
        if event.id >= PAYLOAD_ID_BASE:
            hit = [flight for flight in self._flights.values() if isinstance(flight, RpcExecution) and flight.uses(driver, event.id)]
        else:
            hit = [self._flights[event.id]] if event.id in self._flights else []
        if not hit:
            self._notice(self._completed.late_error(driver, event))
        what = f"the {driver.who} refused the command: {text}"
        if event.error.kind == pb.Error.KIND_UNSUPPORTED:
            # Only what its Hello offers is ever asked of it.
            what = f"the {driver.who} refused what its Hello offers: {text}"
        for flight in hit:
            self._give_up(flight, driver)
            self._reruns.finish(flight.job, flight.broken(driver, what))

    def _notice(self, what: str) -> None:
        """Keeps what belongs to no case; nothing when there is nothing to tell."""
        if what:
            self.incidents.append(what)

    def _give_up(self, flight: RpcExecution | MessageExecution, culprit: Driver) -> None:
        """One side will never report: ends the play at the other."""
        del self._flights[flight.id]
        self._completed.gave_up(flight)
        for driver in flight.unreported():
            flight.release(driver)
        other = flight.other(culprit)
        other.abort(flight.id)
        other.abort(flight.id)

    # -- when things go wrong ------------------------------------------------------------------------------------------

    def _bury(self, driver: Driver, why: str = "") -> None:
        """A driver is dead, or as good as dead: its cases are played again, one by one."""
        self._watchdog.forget(driver)
        was_ready = driver.ready
        how = driver.end(why)
        self.pool.on_exit(driver)
        self._answers.forget(driver)
        if driver.address:
            for other in self.pool.drivers.values():
                other.drop_channel(driver.address)
        hit: list[RpcExecution | MessageExecution] = [
            flight for flight in self._flights.values() if driver in (flight.client, flight.server)
        ]
        hit += self._deferred.take_explained_by(driver)
        what = f"the {driver.who} {how}"
        if not hit:
            if was_ready:
                self.incidents.append(f"{what} with nothing in flight; log {driver.log}")
            return
        again = [flight for flight in hit if not flight.job.isolated]
        incident = CrashTriage(what, driver.side, len(hit), len(again))
        for flight in hit:
            if flight.id in self._flights:
                self._give_up(flight, driver)
            if flight.job.isolated:
                self._reruns.killed(flight.job, flight.broken(driver, what))
            else:
                self._reruns.again(flight.job, incident)
