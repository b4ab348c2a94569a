"""Message cases: the questions of an examination are sent as commands, and the drivers' answers decide on the next."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from grpc_interop.core.case import AnyCase, MessageCase
from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Answer, Ask
from grpc_interop.core.verdict import Difference, Outcome, Verdict
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.driver import Driver
from grpc_interop.drivers.resources import Resource
from grpc_interop.engine.admission import MOST_EXAMINED, limit
from grpc_interop.engine.executors.execution import Execution
from grpc_interop.engine.executors.executor import DriverExecutor, Host
from grpc_interop.engine.executors.transcode_cache import Question, TranscodeCache
from grpc_interop.engine.jobs import Job, Prepared
from grpc_interop.engine.watchdog import WatchdogClock
from grpc_interop.messages.examination import Findings, Questioner, Questioning

MOST_CAUSES = 5
"""Other causes that a failure mentions: more are rarely read."""


@dataclass(slots=True, eq=False)
class MessageExecution(Execution):
    """One message case: the questions of its examination, and the drivers' answers."""

    case: MessageCase
    examination: Questioning
    clock: WatchdogClock
    cache: TranscodeCache
    started: float = field(default_factory=time.monotonic)
    owed: Counter[Driver] = field(default_factory=Counter)
    """Questions that each driver has not answered. Another execution may have sent the same question."""

    def ask_more(self, ids: Iterator[int]) -> None:
        """Ask all questions that may be asked now."""
        self.wait_on()
        for number, ask in self.examination.next_asks():
            self._ask(ids, number, ask)

    def wait_on(self) -> None:
        """Allow the whole time for the next answer, since a driver has answered."""
        self.due = self.clock.now + self.seconds

    def hear(self, driver: Driver, number: int, answers: tuple[Answer, ...], ids: Iterator[int]) -> None:
        """Take the answers to a question, and ask the next."""
        self.owed[driver] -= 1
        if not self.owed[driver]:
            self.release(driver)
        following = self.examination.answer(number, answers)
        if following is None or not self._ask(ids, number, following):
            self.ask_more(ids)

    def _ask(self, ids: Iterator[int], number: int, following: Ask | None) -> bool:
        """Continue a dialogue as far as the answers are known; return False at its end."""
        while following is not None:
            question = self._question(following)
            answers = self.cache.known(question)
            if answers is None:
                self._wait(ids, number, question)
                return True
            following = self.examination.answer(number, answers)
        return False

    def _question(self, ask: Ask) -> Question:
        # An isolated case is played to find the culprit of a death: it must ask everything itself.
        batch = self if self.job.isolated else self.prepared.batch
        return Question(self.client if ask.side is Side.CLIENT else self.server, batch, self.case.type_name, ask)

    def _wait(self, ids: Iterator[int], number: int, question: Question) -> None:
        driver = question.driver
        self.cache.ask(question, self, number, ids)
        if not self.owed[driver]:
            driver.examined += 1
        self.owed[driver] += 1

    @property
    def complete(self) -> bool:
        return self.examination.findings is not None

    def unreported(self) -> list[Driver]:
        return [driver for driver in (self.client, self.server) if self.owed[driver]]

    def release(self, driver: Driver) -> None:
        driver.examined -= 1

    def broken(self, driver: Driver | None, what: str) -> Verdict:
        """Return a verdict that names the examples in question. In an isolated case, an example among them is the cause."""
        side = driver.side if driver else Side.CLIENT
        asked = dict.fromkeys(example.what or example.data.hex() for example in self.examination.pending.values())
        notes = (*self.job.notes, f"it was asked about: {'; '.join(asked)}")
        return Verdict(self.case, self.job.pair, Outcome.FAILED, difference=Difference(side, what), notes=notes, attachments=self.logs())

    def judge(self) -> Verdict:
        findings = self.examination.findings
        assert findings is not None
        seconds = time.monotonic() - self.started
        if findings.difference is None:
            return Verdict(self.case, self.job.pair, Outcome.PASSED, seconds, notes=tuple(self.job.notes))
        shrunk = replace(self.case, examples=(findings.smallest,))
        notes = (*self.job.notes, *_notes(findings))
        return Verdict(shrunk, self.job.pair, Outcome.FAILED, seconds, findings.difference, notes=notes, attachments=self.logs())


class MessageExecutor(DriverExecutor):
    """Asks the drivers about messages, and keeps their answers for the other pairs."""

    name = "message"

    def __init__(self, questioner: Questioner, expected: Callable[[Verdict], bool]) -> None:
        self._questioner = questioner
        self._expected = expected
        self._cache = TranscodeCache()

    def prepare(self, case: AnyCase) -> Prepared:
        return Prepared(case, (), case.needs(Side.CLIENT), case.needs(Side.SERVER))

    def can_start(self, driver: Driver, prepared: Prepared, window: int) -> bool:
        return driver.examined < MOST_EXAMINED

    def begin(self, job: Job, client: Driver, server: Driver, ready: Sequence[Resource], host: Host) -> None:
        case = job.prepared.case
        assert isinstance(case, MessageCase)
        examination = self._questioner.examination(case, partial(self._is_expected, job), host.pool.refused_files(job.pair))
        seconds = limit(job, client, server, host.case_seconds)
        execution = MessageExecution(
            next(host.ids), job, job.prepared, client, server, seconds, 0.0, case, examination, host.clock, self._cache
        )
        host.in_flight[execution.id] = execution
        execution.ask_more(host.ids)
        self._land(execution, host)

    def awaits(self, command: int) -> bool:
        return self._cache.awaits(command)

    def hear(self, driver: Driver, kind: str, event: pb.Event, host: Host) -> None:
        """Pass an answer to every execution that waits for it and was not given up."""
        request = self._cache.heard(event)
        for asker, number in request.waiting:
            execution = host.in_flight.get(asker.id)
            if not isinstance(execution, MessageExecution):
                continue
            driver.has_reported = True
            execution.wait_on()
            if request.answers is not None:
                execution.hear(driver, number, request.answers, host.ids)
                self._land(execution, host)

    def forget(self, driver: Driver) -> None:
        self._cache.forget(driver)

    def _is_expected(self, job: Job, difference: Difference) -> bool:
        return self._expected(Verdict(job.prepared.case, job.pair, Outcome.FAILED, difference=difference))

    @staticmethod
    def _land(execution: MessageExecution, host: Host) -> None:
        if execution.complete:
            host.land(execution)


def _notes(findings: Findings) -> Iterator[str]:
    """Yield how many examples failed, how the first was shrunk, and the causes of other failures."""
    first = findings.failed[0]
    what = f" ({first.example.what})" if first.example.what else ""
    yield f"{len(findings.failed)} of {findings.examples} messages fail; the first is number {first.number + 1}{what}"
    if findings.smallest != first.example.data:
        yield f"shrunk from {len(first.example.data):,} bytes to {len(findings.smallest):,}"
    causes = Counter(failed.difference.fingerprint for failed in findings.failed)
    own = first.difference.fingerprint
    others = {failed.difference.fingerprint: failed for failed in reversed(findings.failed) if failed.difference.fingerprint != own}
    for cause, failed in list(others.items())[:MOST_CAUSES]:
        yield f"{causes[cause]} of them fail otherwise: {failed.difference.what} (the first: {failed.example.what})"
