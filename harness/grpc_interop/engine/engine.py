"""The loop: keep many cases in flight, and reach a verdict for every case whatever the drivers do. Single-threaded."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from pathlib import Path

from grpc_interop.core.case import AnyCase
from grpc_interop.core.verdict import Canonical, Outcome, Pair, Verdict, as_they_are
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.build import Built
from grpc_interop.drivers.connection import ContractBroken
from grpc_interop.drivers.driver import Driver
from grpc_interop.drivers.translate import PAYLOAD_ID_BASE
from grpc_interop.engine.admission import CASE_SECONDS, WINDOW
from grpc_interop.engine.executors.execution import Execution
from grpc_interop.engine.executors.executor import Executor
from grpc_interop.engine.executors.message import MessageExecutor
from grpc_interop.engine.executors.rpc import RpcExecutor
from grpc_interop.engine.jobs import Job, Prepared, Preparer
from grpc_interop.engine.pool import DriverPool
from grpc_interop.engine.queue import Queue
from grpc_interop.engine.shrink.passes import SmallerMessages
from grpc_interop.engine.triage.completed import CompletedPlays
from grpc_interop.engine.triage.crash import CrashTriage
from grpc_interop.engine.triage.deferred import DEFER_SECONDS, DeferredFailures
from grpc_interop.engine.triage.reruns import Reruns
from grpc_interop.engine.watchdog import Watchdog, WatchdogClock
from grpc_interop.messages.examination import Questioner
from grpc_interop.net.poller import Poller

CROWD, GATHER_SECONDS = 24, 0.001
"""From CROWD cases in flight on, the harness lets events gather for GATHER_SECONDS before it reads them. Otherwise a driver that
reports each case separately would wake it each time, at a cost to both sides: a unary call of go:py-aio took 455 us of CPU,
and now takes 345."""


class Engine:
    """Plays jobs with drivers that start when first needed and live until `close`."""

    def __init__(
        self,
        logs: Path,
        *,
        case_seconds: float = CASE_SECONDS,
        window: int = WINDOW,
        canonical: Canonical = as_they_are,
        smaller_messages: SmallerMessages = lambda _type, _message: (),
        examiner: Questioner | None = None,
        expected: Callable[[Verdict], bool] = lambda _: False,
        executors: Iterable[Executor] = (),
    ) -> None:
        """Failures that are `expected` are neither played again nor shrunk. `executors` play further kinds of case."""
        self.preparer = Preparer()
        # Jobs that were not played, since a driver does not start or dies again and again; and why.
        self.dropped: Counter[Pair] = Counter()
        self.why_dropped: dict[Pair, str] = {}
        self.incidents: list[str] = []
        """Faults of drivers outside of any case: a death with nothing in flight, or a second report of a case."""
        self.ids: Iterator[int] = count(1)
        self._poller = Poller()
        self.pool = DriverPool(logs, self.ids, lambda driver: driver.watch(self._poller, self._read))
        self.case_seconds = case_seconds
        self.window = window
        self._looked = 0.0
        self.in_flight: dict[int, Execution] = {}
        self._completed = CompletedPlays()
        self._queues: deque[Queue] = deque()
        self._reruns = Reruns(self.prepare, smaller_messages, expected, canonical)
        self._deferred = DeferredFailures()
        self.clock = WatchdogClock()
        self._watchdog = Watchdog(self.pool, self.in_flight, self.clock)
        examining = [MessageExecutor(examiner, expected)] if examiner else []
        self._executors = {executor.name: executor for executor in (RpcExecutor(self.preparer, canonical), *examining, *executors)}
        self._by_event = {kind: executor for executor in self._executors.values() for kind in executor.events}

    # -- for the run ---------------------------------------------------------------------------------------------------

    def add(self, built: Built) -> None:
        """Make an implementation known, which is ready to be started."""
        self.pool.built[built.manifest.name] = built

    def enqueue(self, jobs: Iterator[Job]) -> None:
        """Play these jobs, beside earlier ones, as soon as there is room. Their implementations have been added."""
        self._queues.append(Queue(jobs))

    def prepare(self, case: AnyCase) -> Prepared:
        """Return the case, ready to be played. Raises NotACase where the model promises nothing."""
        return self._executors[case.executor].prepare(case)

    @property
    def stretched(self) -> int:
        """The number of plays with a longer deadline, since the machine was too busy for the first."""
        return self._reruns.stretched

    @property
    def busy(self) -> bool:
        waiting = self._queues or self.in_flight or self._deferred or self._reruns.busy
        return bool(waiting) or any(executor.busy for executor in self._executors.values())

    def poll(self, seconds: float) -> list[Verdict]:
        """Continue for at most about `seconds`, and return the verdicts that became final."""
        self._fill()
        self._poller.flush()
        most = min(seconds, DEFER_SECONDS) if self._deferred else seconds
        with self.clock.waiting():
            if len(self.in_flight) >= CROWD:
                time.sleep(max(0.0, self._looked + GATHER_SECONDS - time.monotonic()))
            due = self._poller.wait(0 if self._reruns.final else most)
            self._looked = time.monotonic()
        for callback in due:
            callback()
        if self._deferred.ripe:
            for execution, verdict in self._deferred.release(self._watchdog.silent()):
                self._reruns.finish(execution.job, verdict, whole=True)
        for executor in self._executors.values():
            for job, verdict in executor.collect():
                self._reruns.finish(job, verdict)
        for driver, why in self._watchdog.look():
            self._end_driver(driver, why)
        return self._reruns.take_final()

    def close(self) -> None:
        """Stop all processes."""
        for executor in self._executors.values():
            executor.close()
        self.pool.close()
        self._poller.close()

    # -- starting cases ------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Start the jobs for which there is room. Isolated jobs come first, when nothing else is in flight."""
        if self._reruns.isolated:
            # Taken out first, since starting it may put its successor there.
            if not self.in_flight and not self._deferred and not self._start(job := self._reruns.isolated.popleft()):
                self._reruns.isolated.appendleft(job)
            return
        if any(execution.job.isolated for execution in (*islice(self.in_flight.values(), 1), *self._deferred.executions[:1])):
            return  # nothing else is in flight then
        if not self.preparer.has_room(self.pool.drivers.values(), (execution.prepared for execution in self.in_flight.values())):
            return
        self._queues.extend(Queue(iter((job,))) for job in self._reruns.take_again())
        for queue in [*self._queues]:
            queue.start(self._start, self._may_go_on)
            if not queue:
                self._queues.remove(queue)
        # The next queue is the first to find room next time.
        self._queues.rotate()

    def _may_go_on(self) -> bool:
        return not self._reruns.isolated and not self.preparer.full

    def _start(self, job: Job) -> bool:
        """Start a job; return False if its drivers are not ready, or full."""
        return self._executors[job.prepared.case.executor].start(job, self)

    # -- for the executors ---------------------------------------------------------------------------------------------

    def finish(self, job: Job, verdict: Verdict) -> None:
        self._reruns.finish(job, verdict)

    def land(self, execution: Execution) -> None:
        del self.in_flight[execution.id]
        self._completed.landed(execution)
        verdict = execution.judge()
        if execution.reruns and verdict.outcome is Outcome.FAILED and not execution.job.purpose.at_once:
            self._deferred.hold(execution, verdict)
        else:
            self._reruns.finish(execution.job, verdict, whole=execution.reruns)

    def fail(self, execution: Execution, driver: Driver, what: str) -> None:
        self._give_up(execution, driver)
        self._reruns.finish(execution.job, execution.broken(driver, what))

    def drop(self, job: Job) -> None:
        why = self.pool.why_not(job.pair)
        if not self._reruns.dropped(job, why):
            self.dropped[job.pair] += 1
            self.why_dropped[job.pair] = why

    def report_stray(self, driver: Driver, play: int) -> None:
        self._notice(self._completed.late_report(driver, play))

    # -- events of drivers ---------------------------------------------------------------------------------------------

    def _read(self, driver: Driver) -> None:
        """Take the events of a driver, or its end."""
        connection = driver.connection
        assert connection is not None
        try:
            for event in connection.readable():
                self._hear(driver, event)
        except ContractBroken as broken:
            self._end_driver(driver, str(broken))
            return
        if connection.closed and not driver.gone:
            self._end_driver(driver)

    def _hear(self, driver: Driver, event: pb.Event) -> None:
        kind = event.WhichOneof("kind")
        executor = self._by_event.get(kind) or self._awaiting(event.id)
        if executor is not None:
            executor.hear(driver, kind, event, self)
        elif driver.take_setup(event):
            self.pool.on_hello(driver)
        elif kind == "error":
            self._refused(driver, event)
        elif kind not in ("ready", "done"):
            raise ContractBroken(f"sent an event of no known kind in answer to {event.id}")

    def _awaiting(self, command: int) -> Executor | None:
        """Return the executor that awaits the answer to a command."""
        return next((executor for executor in self._executors.values() if executor.awaits(command)), None)

    def _refused(self, driver: Driver, event: pb.Event) -> None:
        """Take an error in answer to a command: to a play, or to a payload that plays refer to."""
        text = event.error.text
        if event.id >= PAYLOAD_ID_BASE:
            hit = [execution for execution in self.in_flight.values() if execution.uses(driver, event.id)]
        else:
            hit = [self.in_flight[event.id]] if event.id in self.in_flight else []
        if not hit:
            self._notice(self._completed.late_error(driver, event))
        what = f"the {driver.who} refused the command: {text}"
        if event.error.kind == pb.Error.KIND_UNSUPPORTED:
            # No command asks for more than the driver's Hello offers.
            what = f"the {driver.who} refused what its Hello offers: {text}"
        for execution in hit:
            self.fail(execution, driver, what)

    def _notice(self, what: str) -> None:
        """Keep a fault that belongs to no case; empty for none."""
        if what:
            self.incidents.append(what)

    def _give_up(self, execution: Execution, culprit: Driver) -> None:
        """End an execution at the other driver, since the culprit will never report."""
        del self.in_flight[execution.id]
        self._completed.gave_up(execution)
        for driver in execution.unreported():
            execution.release(driver)
        other = execution.other(culprit)
        other.abort(execution.id)
        other.abort(execution.id)

    # -- when things go wrong ------------------------------------------------------------------------------------------

    def _end_driver(self, driver: Driver, why: str = "") -> None:
        """End a driver that is dead or as good as dead, and play its cases again, one by one."""
        self._watchdog.forget(driver)
        was_ready = driver.ready
        how = driver.end(why)
        self.pool.on_exit(driver)
        for executor in self._executors.values():
            executor.forget(driver)
        for other in self.pool.drivers.values():
            other.resources.drop_channels(driver.resources.addresses)
        hit = [execution for execution in self.in_flight.values() if driver in (execution.client, execution.server)]
        hit += self._deferred.take_explained_by(driver)
        what = f"the {driver.who} {how}"
        if not hit:
            if was_ready:
                self.incidents.append(f"{what} with nothing in flight; log {driver.log}")
            return
        again = sum(not execution.job.isolated for execution in hit)
        crash = CrashTriage(what, driver.side, len(hit), again)
        for execution in hit:
            if execution.id in self.in_flight:
                self._give_up(execution, driver)
            if execution.job.isolated:
                self._reruns.killed(execution.job, execution.broken(driver, what))
            else:
                self._reruns.isolate(execution.job, crash)
