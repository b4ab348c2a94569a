"""Cases for hand-written programs, several at a time.

One server program of each implementation serves all cases. When it dies during a case, the case is played again with a
server of its own, which shows whether this case kills it.
"""

import itertools
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from grpc_interop.core.case import AnyCase
from grpc_interop.core.model import model
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import ClientTranscript
from grpc_interop.core.verdict import LOG, Attachment, Difference, Outcome, Verdict, compare
from grpc_interop.drivers.build import Built
from grpc_interop.drivers.process import tail
from grpc_interop.engine.executors.execution import LOG_LINES
from grpc_interop.engine.executors.executor import Executor, Host
from grpc_interop.engine.jobs import Job, Prepared
from grpc_interop.programs.client import STEP_SECONDS, Client
from grpc_interop.programs.server import Server, ServerProgramError

CLIENT, SERVER = "greeter-client", "greeter-server"
"""The programs' names in a manifest."""

AT_ONCE = 8
"""Cases played at the same time: they mostly wait for ticks, and each costs a process."""


class ProgramExecutor(Executor):
    """Plays jobs in threads; their verdicts come in any order."""

    name = "program"

    def __init__(self, logs: Path, *, step_seconds: float = STEP_SECONDS) -> None:
        self._logs = logs
        self._step_seconds = step_seconds
        self._built: dict[str, Built] = {}
        self._servers: dict[str, Server] = {}
        self._clients: set[Client] = set()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._closed = False
        self._threads: ThreadPoolExecutor | None = None
        self._jobs: dict[Future[Verdict], Job] = {}
        self._done: SimpleQueue[Future[Verdict]] = SimpleQueue()

    def add(self, built: Built) -> None:
        """Make an implementation known, whose programs are ready to be started."""
        self._built[built.manifest.name] = built

    def prepare(self, case: AnyCase) -> Prepared:
        assert case.rpc is not None
        return Prepared(case, model(case.rpc), frozenset(), frozenset())

    def start(self, job: Job, host: Host | None = None) -> bool:
        """Play the job at some time; its implementations have been added."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(AT_ONCE, "programs")
        future = self._threads.submit(self._verdict, job)
        self._jobs[future] = job
        future.add_done_callback(self._done.put)
        return True

    def collect(self) -> list[tuple[Job, Verdict]]:
        """Return the verdicts since the last call. Raises the exceptions of the harness' own threads."""
        verdicts = []
        while not self._done.empty():
            future = self._done.get()
            verdicts.append((self._jobs.pop(future), future.result()))
        return verdicts

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    def close(self) -> None:
        """End every program; unfinished jobs get no verdict."""
        with self._lock:
            self._closed = True
            clients = list(self._clients)
        for client in clients:
            client.kill()
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
        for server in self._servers.values():
            server.stop()
        self._servers.clear()

    # -- in a thread of the pool ---------------------------------------------------------------------------------------

    def _verdict(self, job: Job) -> Verdict:
        for side, program in ((Side.CLIENT, CLIENT), (Side.SERVER, SERVER)):
            name = job.pair.at(side)
            if program not in self._built[name].programs:
                what = Difference(side, f"{name} has no program {program}")
                return Verdict(job.prepared.rpc_case, job.pair, Outcome.UNSUPPORTED, difference=what)
        try:
            server = self._server(job.pair.server)
            verdict = self._play(job, server)
            if verdict.outcome is Outcome.PASSED or not server.died:
                return verdict
            return self._play_alone(job)
        except ServerProgramError as failed:
            what = Difference(Side.SERVER, str(failed))
            logs = (self._log(job.pair.server, SERVER, failed.log),)
            return Verdict(job.prepared.rpc_case, job.pair, Outcome.FAILED, difference=what, attachments=logs)

    def _server(self, name: str) -> Server:
        """Return the running server program of an implementation, started anew after a death. Raises ServerProgramError."""
        with self._lock:
            server = self._servers.get(name)
            if server is None or server.died:
                if server is not None:
                    server.stop()
                server = self._servers[name] = self._start_server(name)
            return server

    def _start_server(self, name: str) -> Server:
        built = self._built[name]
        return Server(built.programs[SERVER], built.manifest.folder, self._logs / f"{name}-{SERVER}-{next(self._numbers)}.log")

    def _play_alone(self, job: Job) -> Verdict:
        server = self._start_server(job.pair.server)
        try:
            return self._play(job, server, ("played again with a server of its own, since the first one died",))
        finally:
            server.stop()

    def _play(self, job: Job, server: Server, notes: tuple[str, ...] = ()) -> Verdict:
        case, pair = job.prepared.rpc_case, job.pair
        log = self._logs / f"{pair.client}-{CLIENT}-{next(self._numbers)}.log"
        seen = self._transcript(job, server.target, log)
        difference, expected = compare(case, job.prepared.allowed, seen, None)
        if difference is None:
            log.unlink(missing_ok=True)
            return Verdict(case, pair, Outcome.PASSED, seen.elapsed_us / 1e6, notes=notes)
        if server.died:
            difference = Difference(Side.SERVER, f"the server program {server.died} during the RPC", difference.wanted, difference.got)
        logs = (self._log(pair.client, CLIENT, log), self._log(pair.server, SERVER, server.log))
        return Verdict(case, pair, Outcome.FAILED, seen.elapsed_us / 1e6, difference, expected, seen, None, notes, logs)

    def _transcript(self, job: Job, target: str, log: Path) -> ClientTranscript:
        built = self._built[job.pair.client]
        client = Client(job.prepared.rpc_case, built.programs[CLIENT], target, built.manifest.folder, log)
        with self._lock:
            self._clients.add(client)
            closed = self._closed
        try:
            if closed:
                client.kill()
            return client.play(self._step_seconds)
        finally:
            with self._lock:
                self._clients.discard(client)

    @staticmethod
    def _log(name: str, program: str, path: Path) -> Attachment:
        return Attachment(LOG, f"{name} {program}", str(path), tail(path, LOG_LINES))
