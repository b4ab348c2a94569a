"""A session: protos, builds of the implementations, and the engine, for `interop run` and the pytest plugin.

A pair whose two sides are built can be played while others are still building.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType

from grpc_interop.config import Options, choose, home
from grpc_interop.core.case import AnyCase
from grpc_interop.core.verdict import Pair
from grpc_interop.drivers.build import Builder, Built, Protos, RefusedFile
from grpc_interop.drivers.manifest import Manifest
from grpc_interop.engine import Engine, Job
from grpc_interop.engine.executors.program import ProgramExecutor
from grpc_interop.errors import BuildError
from grpc_interop.messages.examination import Examiner
from grpc_interop.messages.shrink import smaller
from grpc_interop.output.plain_text import counted
from grpc_interop.report.folder import LOGS, make_folder
from grpc_interop.schema.locator import ElementLocator
from grpc_interop.session.known_failures import KnownFailures, brought_by
from grpc_interop.session.protos import load_catalog
from grpc_interop.suites import chosen
from grpc_interop.suites.protocol import Suite, SuiteOptions, in_turn
from grpc_interop.values.samples import Values
from grpc_interop.wire.shapes import Shapes


@dataclass(frozen=True, slots=True)
class Missing:
    """An implementation that cannot be played here."""

    name: str
    why: str
    broken: bool  # the build failed, as opposed to a toolchain that is not there


class Session:
    """Builds in the background, plays in the foreground. Use as a context manager: leaving it stops every process."""

    def __init__(self, options: Options, note: Callable[[str], None] = lambda _: None) -> None:
        """Read the protos. Raise UsageError (also for protos that do not compile)."""
        self.options = options
        self.note = note
        self.catalog = load_catalog(options)
        known = [manifest.name for manifest in options.implementations]
        clients = choose("client", options.clients, known)
        servers = choose("server", options.servers, known)
        self.pairs = tuple(Pair(client, server) for client in clients for server in servers)
        self.suites: tuple[Suite, ...] = chosen(options.suites)
        variants = {manifest.name: manifest.variant_of for manifest in options.implementations if manifest.variant_of}
        self.locator = ElementLocator([*options.roots, *options.includes], options.image, Path.cwd())
        self.missing: dict[str, Missing] = {}
        self.built: dict[str, Built] = {}
        self.programs = ProgramExecutor(options.report / LOGS)
        shapes, least = Shapes(self.catalog), Values(self.catalog)
        self._examiner = Examiner(shapes)
        files = [*options.project.known_failures, *brought_by(options.implementations)]
        self.known = KnownFailures.read(files, variants, self._examiner.tag_sets)
        self.engine = Engine(
            options.report / LOGS,
            canonical=self.catalog.canonical,
            smaller_messages=lambda type_name, message: chain([least.empty(type_name).data], smaller(shapes.of(type_name), message)),
            examiner=self._examiner,
            expected=self.known.explains,
            executors=(self.programs,),
        )
        self.builder = Builder(options.project.make_state_folder(), home() / "proto")
        self._pool: ThreadPoolExecutor | None = None
        self._building: dict[Future[Built], Manifest] = {}

    # -- cases ---------------------------------------------------------------------------------------------------------

    def cases(self) -> Iterator[AnyCase]:
        """Return every case of the chosen suites, in order."""
        return chain.from_iterable(self.cases_by_suite())

    def cases_by_suite(self) -> list[Iterator[AnyCase]]:
        """Return the cases of each suite."""
        options = SuiteOptions(self.options.seed, self.options.count)
        return [suite.cases(self.catalog, options) for suite in self.suites]

    def most_telling_cases(self) -> Iterator[AnyCase]:
        """Return the same cases, the most telling first; the suites take turns."""
        options = SuiteOptions(self.options.seed, self.options.count)
        return in_turn([(suite.most_telling or suite.cases)(self.catalog, options) for suite in self.suites])

    def untouched(self) -> str:
        """Return how many RPCs and messages are left out since they have not changed."""
        whole, part = self.catalog.whole, self.catalog
        (methods, of), (messages, of_messages) = (
            (len(every) - len(chosen), len(every))
            for every, chosen in ((list(whole.methods()), list(part.methods())), (list(whole.messages()), list(part.messages())))
        )
        return f"{methods:,} of {counted(of, 'RPC')}, {messages:,} of {counted(of_messages, 'message')}"

    def job(self, case: AnyCase, pair: Pair) -> Job:
        """Return the case, ready to be enqueued. Raise NotACase."""
        return Job(self.engine.prepare(case), pair)

    def refused(self, case: AnyCase, pair: Pair) -> RefusedFile | None:
        """Return the file that one of the pair's languages refused, and that the case's subject, or all its messages, need."""
        refused, file = self.refused_files(pair), self.catalog.file_of(case)
        if refused and file not in refused:
            file = self._examiner.needs_one_of(case, refused)
        return refused.get(file)

    def refused_files(self, pair: Pair) -> dict[str, RefusedFile]:
        """Return the files that one of the pair's languages refused, by name."""
        return self.engine.pool.refused_files(pair)

    # -- building ------------------------------------------------------------------------------------------------------

    def start_building(self) -> None:
        """Start to build every implementation that a pair needs. Earlier builds are there at once: their pairs begin together, and
        share the work for each case. Raise ReportError where no log can be written."""
        make_folder(self.options.report)
        protos = Protos(self.catalog.descriptor_set(), self.catalog.files)
        needed = {name for pair in self.pairs for name in (pair.client, pair.server)}
        manifests = [manifest for manifest in self.options.implementations if manifest.name in needed]
        self._pool = ThreadPoolExecutor(max(1, len(manifests)), "build")
        builds = {self._pool.submit(self.builder.build, manifest, protos): manifest for manifest in manifests}
        kept = [build for build, manifest in builds.items() if self.builder.keeps(manifest, protos)]
        self._building.update(builds)
        wait(kept)
        for build in kept:
            self._collect(build)

    @property
    def building(self) -> tuple[str, ...]:
        """The implementations that are not built yet."""
        return tuple(manifest.name for manifest in self._building.values())

    def collect_builds(self, seconds: float = 0) -> list[str]:
        """Wait at most `seconds` for a build; return the implementations that have become ready. Implementations that cannot be
        built go to `missing`."""
        if not self._building:
            return []
        done, _ = wait(self._building, seconds, return_when="FIRST_COMPLETED")
        return [name for future in done if (name := self._collect(future))]

    def _collect(self, future: Future[Built]) -> str | None:
        name = self._building.pop(future).name
        try:
            built = future.result()
        except BuildError as error:
            self._miss(name, str(error), broken=True)
            return None
        if built.unavailable:
            self._miss(name, built.why_unavailable, broken=False)
            return None
        if built.fresh:
            self.note(f"built {name}")
        self.built[name] = built
        self.engine.add(built)
        self.programs.add(built)
        return name

    def _miss(self, name: str, why: str, *, broken: bool) -> None:
        self.missing[name] = Missing(name, why, broken)
        self.note(f"{name} cannot be built" if broken else f"{name} is not available here")

    def why_not(self, pair: Pair) -> str:
        """Return why a pair cannot be played; an empty text if it can, or may yet."""
        for name in (pair.client, pair.server):
            if name in self.missing:
                return self.missing[name].why
        return self.engine.why_dropped.get(pair, "")

    def playable(self, pair: Pair) -> bool:
        return pair.client in self.built and pair.server in self.built

    # -- ending --------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop builds, drivers and programs."""
        if self._building:
            self.builder.cancel()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self.engine.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
