"""The test bench of the checks: processes of the driver, alone or as client and server, and the engine that plays cases."""

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

from grpc_interop.check_driver.greeter import text
from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.check_driver.talk import Talk
from grpc_interop.core.case import Case, Method
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Attachment, Outcome, Pair, Verdict
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.build import Built
from grpc_interop.engine import Engine, Job
from grpc_interop.session.known_failures import KnownFailures, brought_by

CASE_SECONDS = 5.0
"""How long a case may take: the driver plays alone, on a quiet machine."""

NOTHING = pb.Nothing()
RECEIVE, TO_END, HALF_CLOSE = pb.Step(receive=NOTHING), pb.Step(receive_to_end=NOTHING), pb.Step(half_close=NOTHING)
FINISH = pb.Step(finish=pb.Status())


class Bench:
    """Starts processes when a check asks for them, and keeps them for the next check. `clear_away` gives a fresh start."""

    def __init__(self, built: Built, logs: Path, note: Callable[[str], None] = lambda _: None) -> None:
        """`note` receives messages about long waits."""
        self.built = built
        self.logs = logs
        self._note = note
        name, variant_of = built.manifest.name, built.manifest.variant_of
        self._known = KnownFailures.read(brought_by([built.manifest]), {name: variant_of} if variant_of else {})
        self.capabilities: frozenset[str] = frozenset()
        self._talk: Talk | None = None
        self._duo: Duo | None = None
        self._engine: Engine | None = None
        self._numbers = count(1)

    def greeted(self, hello: pb.Hello) -> None:
        self.capabilities = frozenset(hello.capabilities)

    def process(self) -> Talk:
        """Start another process, which has not connected yet."""
        return Talk(self.built, self.logs / f"check-{next(self._numbers)}.log", note=self._note)

    @property
    def talk(self) -> Talk:
        """The process that has said Hello."""
        if self._talk is None:
            self._talk = self.process()
            self._talk.begin()
        return self._talk

    @property
    def duo(self) -> "Duo":
        """The two processes, connected."""
        if self._duo is None:
            self._duo = Duo(self.built, self.logs / f"check-{next(self._numbers)}")
            self._duo.begin()
        return self._duo

    def play(self, *cases: Case) -> list[Verdict]:
        """Play cases with the driver on both sides, all in flight at once. Raise NotKept for the first failure that is not known
        of the runtime: a driver may report truly how its runtime fails."""
        if self._engine is None:
            self._engine = Engine(self.logs, case_seconds=CASE_SECONDS, expected=self._known.explains)
            self._engine.add(self.built)
        engine = self._engine
        pair = Pair(self.built.manifest.name, self.built.manifest.name)
        engine.enqueue(Job(engine.prepare(case), pair) for case in cases)
        verdicts: list[Verdict] = []
        while engine.busy:
            verdicts += engine.poll(0.1)
        if engine.dropped:
            raise NotKept("; ".join(engine.why_dropped.values()))
        for verdict in verdicts:
            if verdict.outcome is not Outcome.PASSED and not self._known.explains(verdict):
                raise NotKept(_described(verdict))
        return verdicts

    def clear_away(self) -> None:
        """End all processes."""
        for part in (self._talk, self._duo, self._engine):
            if part is not None:
                part.close()
        self._talk = self._duo = self._engine = None


class Duo:
    """A client's process with a channel to a server's process."""

    def __init__(self, built: Built, log: Path) -> None:
        ids = count(1)
        self.server = Talk(built, log.with_name(f"{log.name}-server.log"), ids, Side.SERVER)
        try:
            self.client = Talk(built, log.with_name(f"{log.name}-client.log"), ids, Side.CLIENT)
        except BaseException:
            self.server.close()
            raise
        self.address = ""
        self.serving = 0
        self.channel = 0

    def begin(self, server: pb.Options | None = None, client: pb.Options | None = None) -> None:
        """Start the server and dial it, with these options."""
        for talk in (self.server, self.client):
            talk.begin()
        self.serve(server)
        self.dial(client)

    def serve(self, options: pb.Options | None = None, requires: Iterable[str] = (), *, application: bool = False) -> None:
        command = pb.Command(serve=pb.Serve(options=options, application=application), requires=requires)
        self.serving = self.server.order(command)
        self.address = self.server.answer(self.serving, "ready").ready.address

    def dial(self, options: pb.Options | None = None, requires: Iterable[str] = (), target: str = "") -> None:
        command = pb.Command(dial=pb.Dial(target=target or self.address, options=options), requires=requires)
        self.channel = self.client.order(command)
        self.client.answer(self.channel, "ready")

    def request(self, method: Method, words: str) -> pb.Step:
        """Give the client a request with these words, and return the step that sends it."""
        return _sending(self.client, method.request, words)

    def answer(self, method: Method, words: str) -> pb.Step:
        """Give the server an answer with these words, and return the step that sends it."""
        return _sending(self.server, method.response, words)

    def expect(self, play: int, method: Method, *steps: pb.Step, requires: Iterable[str] = (), **options: Any) -> None:
        """Give the server its script, of a single lane."""
        spec = pb.Play(method=method.path, lanes=[pb.Lane(steps=steps)], **options)
        self.server.order(pb.Command(id=play, resource=self.serving, requires=requires, expect=spec))

    def call(self, play: int, method: Method, *steps: pb.Step, requires: Iterable[str] = (), **options: Any) -> None:
        """Give the client its script, of a single lane: the call begins."""
        spec = pb.Play(method=method.path, lanes=[pb.Lane(steps=steps)], **options)
        self.client.order(pb.Command(id=play, resource=self.channel, requires=requires, call=spec))

    def new_play(self) -> int:
        return self.server.new_id()

    def close(self) -> None:
        for talk in (self.client, self.server):
            talk.close()


def _sending(talk: Talk, type_name: str, words: str) -> pb.Step:
    return pb.Step(send=talk.order(pb.Command(payload=pb.Payload(type=type_name, binary=text(words)))))


def kinds_of(transcript: pb.Transcript) -> list[str | None]:
    """Return the kinds of all observations, lane by lane."""
    return [observed.WhichOneof("kind") for lane in transcript.lanes for observed in lane.observed]


def _described(verdict: Verdict) -> str:
    """Describe a verdict: the case, the difference, and each side's last words."""
    difference = verdict.difference
    if difference is None:
        return f"the case {verdict.case.name} ended as {verdict.outcome}"
    values = f" (wanted {difference.wanted!r}, got {difference.got!r})" if difference.wanted or difference.got else ""
    logs = "".join(_last_words(log) for log in verdict.attachments)
    return f"in {verdict.case.path}, case {verdict.case.name}: {difference.what}{values}{logs}"


def _last_words(log: Attachment) -> str:
    return f"\n{log.name} said last ({log.path}):\n{log.text}" if log.text else ""
