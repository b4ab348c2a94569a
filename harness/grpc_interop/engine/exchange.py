"""One message case under way: its examination's asks as commands, and the drivers' answers. To the engine it is a flight
like that of an RPC: it has two sides, some of which owe an answer, and may be late or lose a driver."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from grpc_interop.case import MessageCase
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.connection import ContractBroken
from grpc_interop.drivers.driver import Driver
from grpc_interop.drivers.translate import transcode, written
from grpc_interop.engine.answers import Answers, Question
from grpc_interop.engine.flight import LOG_LINES
from grpc_interop.engine.jobs import Job, Prepared
from grpc_interop.engine.patience import Patience
from grpc_interop.messages.dialogue import CLIENT, Answer, Ask, Refused
from grpc_interop.messages.examination import Findings, Questioning
from grpc_interop.verdict import Difference, Log, Outcome, Verdict

MOST_CAUSES = 5
"""Other causes that are told of with a failure: more are rarely read."""


@dataclass(slots=True, eq=False)
class Exchange:
    """`asked` gives, for each command that has no answer yet, its example and its driver; the command may be another
    exchange's that asks the same. Otherwise as Flight."""

    id: int
    job: Job
    prepared: Prepared
    case: MessageCase
    examination: Questioning
    client: Driver
    server: Driver
    patience: Patience
    answers: Answers
    seconds: float
    started: float = field(default_factory=time.monotonic)
    due: float = 0.0
    frozen: bool = False
    asked: dict[int, tuple[int, Driver]] = field(default_factory=dict)
    owed: Counter[Driver] = field(default_factory=Counter)

    def ask_more(self, ids: Iterator[int]) -> list[int]:
        """Asks what may be asked now; gives the ids of the commands whose answers it now waits for."""
        self.due = self.patience.now + self.seconds
        return [command for number, ask in self.examination.next_asks() for command in self._ask(ids, number, ask)]

    def hear(self, command: int, answer: Answer, ids: Iterator[int]) -> list[int]:
        """Takes the answer to one of its commands and asks on; gives the ids of the commands that it now waits for."""
        self.due = self.patience.now + self.seconds
        number, driver = self.asked.pop(command)
        self.owed[driver] -= 1
        if not self.owed[driver]:
            driver.in_flight -= 1
        ask = self.examination.answer(number, answer)
        return self.ask_more(ids) if ask is None else self._ask(ids, number, ask) or self.ask_more(ids)

    def _ask(self, ids: Iterator[int], number: int, following: Ask | None) -> list[int]:
        """Goes on with a dialogue as far as the answers are known; gives the command that it then waits for, if any."""
        while following is not None:
            question = self._question(following)
            answer = self.answers.known(question)
            if answer is None:
                return [self._wait(ids, number, question)]
            following = self.examination.answer(number, answer)
        return []

    def _question(self, ask: Ask) -> Question:
        # Of what is played alone, to find out what killed a driver, nothing may be known before.
        occasion = self if self.job.alone else self.prepared.occasion
        return Question(self.client if ask.side == CLIENT else self.server, occasion, ask)

    def _wait(self, ids: Iterator[int], number: int, question: Question) -> int:
        """Waits for the command that asks this already, or sends one."""
        driver = question.driver
        command = self.answers.under_way(question)
        if command is None or command in self.asked:
            command = next(ids)
            driver.send(transcode(self.case.type_name, question.ask), command)
            self.answers.asked(question, command)
        self.asked[command] = (number, driver)
        if not self.owed[driver]:
            driver.in_flight += 1
        self.owed[driver] += 1
        return command

    # -- as a flight ---------------------------------------------------------------------------------------------------

    @property
    def complete(self) -> bool:
        return self.examination.findings is not None

    def other(self, driver: Driver) -> Driver:
        return self.server if driver is self.client else self.client

    def unreported(self) -> list[Driver]:
        """The sides that owe an answer."""
        return [driver for driver in (self.client, self.server) if self.owed[driver]]

    def broken(self, driver: Driver | None, what: str) -> Verdict:
        """The verdict when a side will never answer; `what` says why. The examples that were being asked about are
        named; of a case played alone, one of them is the cause."""
        side = driver.role.value if driver else CLIENT
        asked = dict.fromkeys(example.what or example.data.hex() for example in self.examination.pending.values())
        notes = (*self.job.notes, f"it was asked about: {'; '.join(asked)}")
        return Verdict(self.case, self.job.pair, Outcome.FAILED, difference=Difference(side, what), notes=notes, logs=self.logs())

    def judge(self) -> Verdict:
        """The verdict once everything is answered."""
        findings = self.examination.findings
        assert findings is not None
        seconds = time.monotonic() - self.started
        if findings.difference is None:
            return Verdict(self.case, self.job.pair, Outcome.PASSED, seconds, notes=tuple(self.job.notes))
        shrunk = replace(self.case, examples=(findings.smallest,))
        notes = (*self.job.notes, *_notes(findings))
        return Verdict(shrunk, self.job.pair, Outcome.FAILED, seconds, findings.difference, notes=notes, logs=self.logs())

    def logs(self) -> tuple[Log, ...]:
        return tuple(Log(driver.who, str(driver.log), driver.tail(LOG_LINES)) for driver in (self.client, self.server))


def answer_of(event: pb.Event) -> Answer:
    """What a driver said to an ask. Raises ContractBroken."""
    kind = event.WhichOneof("kind")
    if kind == "error":
        return Refused(event.error.text, failed=event.error.kind != pb.Error.KIND_UNREADABLE_PAYLOAD)
    if kind != "transcoded":
        raise ContractBroken(f"answered a Transcode with {kind or 'nothing'}")
    return written(event.transcoded)


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
