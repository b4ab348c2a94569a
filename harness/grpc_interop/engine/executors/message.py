"""One message case under way: its examination's asks as commands, and the drivers' answers. To the engine it is a flight
like that of an RPC: it has two sides, some of which owe an answer, and may be late or lose a driver."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from grpc_interop.core.case import MessageCase
from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Answer, Ask
from grpc_interop.core.verdict import LOG, Attachment, Difference, Outcome, Verdict
from grpc_interop.drivers.driver import Driver
from grpc_interop.engine.executors.rpc import LOG_LINES
from grpc_interop.engine.executors.transcode_cache import Question, TranscodeCache
from grpc_interop.engine.jobs import Job, Prepared
from grpc_interop.engine.watchdog_clock import WatchdogClock
from grpc_interop.messages.examination import Findings, Questioning

MOST_CAUSES = 5
"""Other causes that are told of with a failure: more are rarely read."""


@dataclass(slots=True, eq=False)
class MessageExecution:
    """`owed` counts the questions that each driver has not answered; some may be under way for another exchange that asks the
    same. Otherwise as RpcExecution."""

    id: int
    job: Job
    prepared: Prepared
    case: MessageCase
    examination: Questioning
    client: Driver
    server: Driver
    clock: WatchdogClock
    answers: TranscodeCache
    seconds: float
    started: float = field(default_factory=time.monotonic)
    due: float = 0.0
    frozen: bool = False
    owed: Counter[Driver] = field(default_factory=Counter)

    def ask_more(self, ids: Iterator[int]) -> None:
        """Asks what may be asked now."""
        self.wait_on()
        for number, ask in self.examination.next_asks():
            self._ask(ids, number, ask)

    def wait_on(self) -> None:
        """A driver has answered something: what is still due may take as long again."""
        self.due = self.clock.now + self.seconds

    def hear(self, driver: Driver, number: int, answers: tuple[Answer, ...], ids: Iterator[int]) -> None:
        """Takes the answers to one of its questions and asks on."""
        self.owed[driver] -= 1
        if not self.owed[driver]:
            self.release(driver)
        following = self.examination.answer(number, answers)
        if following is None or not self._ask(ids, number, following):
            self.ask_more(ids)

    def _ask(self, ids: Iterator[int], number: int, following: Ask | None) -> bool:
        """Goes on with a dialogue as far as the answers are known; False when that was to its end."""
        while following is not None:
            question = self._question(following)
            answers = self.answers.known(question)
            if answers is None:
                self._wait(ids, number, question)
                return True
            following = self.examination.answer(number, answers)
        return False

    def _question(self, ask: Ask) -> Question:
        # Of what is played alone, to find out what killed a driver, nothing may be known before.
        batch = self if self.job.isolated else self.prepared.batch
        return Question(self.client if ask.side is Side.CLIENT else self.server, batch, self.case.type_name, ask)

    def _wait(self, ids: Iterator[int], number: int, question: Question) -> None:
        driver = question.driver
        self.answers.ask(question, self, number, ids)
        if not self.owed[driver]:
            driver.examined += 1
        self.owed[driver] += 1

    # -- as a flight ---------------------------------------------------------------------------------------------------

    @property
    def complete(self) -> bool:
        return self.examination.findings is not None

    def other(self, driver: Driver) -> Driver:
        return self.server if driver is self.client else self.client

    def unreported(self) -> list[Driver]:
        """The sides that owe an answer."""
        return [driver for driver in (self.client, self.server) if self.owed[driver]]

    def release(self, driver: Driver) -> None:
        """The driver owes nothing any more, or will never answer."""
        driver.examined -= 1

    def broken(self, driver: Driver | None, what: str) -> Verdict:
        """The verdict when a side will never answer; `what` says why. The examples that were being asked about are
        named; of a case played alone, one of them is the cause."""
        side = driver.side if driver else Side.CLIENT
        asked = dict.fromkeys(example.what or example.data.hex() for example in self.examination.pending.values())
        notes = (*self.job.notes, f"it was asked about: {'; '.join(asked)}")
        return Verdict(self.case, self.job.pair, Outcome.FAILED, difference=Difference(side, what), notes=notes, attachments=self.logs())

    def judge(self) -> Verdict:
        """The verdict once everything is answered."""
        findings = self.examination.findings
        assert findings is not None
        seconds = time.monotonic() - self.started
        if findings.difference is None:
            return Verdict(self.case, self.job.pair, Outcome.PASSED, seconds, notes=tuple(self.job.notes))
        shrunk = replace(self.case, examples=(findings.smallest,))
        notes = (*self.job.notes, *_notes(findings))
        return Verdict(shrunk, self.job.pair, Outcome.FAILED, seconds, findings.difference, notes=notes, attachments=self.logs())

    def logs(self) -> tuple[Attachment, ...]:
        return tuple(Attachment(LOG, driver.who, str(driver.log), driver.tail(LOG_LINES)) for driver in (self.client, self.server))


def _notes(findings: Findings) -> Iterator[str]:
    """How many examples failed, how the first was shrunk, and what the others failed of."""
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
