"""The cost of a tree of protos: its size, building it, playing all its cases, and the memory for that.

Each tree is measured in a process of its own, so that its peaks are its own.
"""

import json
import tempfile
import time
import uuid
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from grpc_interop.bench import memory, synthetic
from grpc_interop.config import Options
from grpc_interop.core.case import MessageCase
from grpc_interop.files import temporary
from grpc_interop.messages.examples import Examples
from grpc_interop.output.console import say
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.roots.root import Root
from grpc_interop.session.run import Run
from grpc_interop.session.session import Session
from grpc_interop.suites.messages import cases as message_cases
from grpc_interop.suites.protocol import SuiteOptions
from grpc_interop.wire.shapes import Shapes


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a tree. Seconds are wall-clock."""

    tree: str
    files: int
    messages: int
    rpcs: int
    fields: int
    built: tuple[str, ...]  # the implementations that no cache had
    build_seconds: float
    warm_build_seconds: float  # building again at once
    cases: int
    failed: int
    run_seconds: float
    cases_per_second: float
    examples: int  # messages of the `messages` suite over all pairs
    generated_per_second: float  # the generator alone, with encodings and invalid input
    harness_mib: float
    drivers_mib: float


def run(options: Options, trees: tuple[Path, ...], json_file: Path | None, *, growth: bool) -> int:
    """Print a line for each tree, and write the list of figures. Return the exit status."""
    figures = [in_own_process(replace(options, roots=(Root(tree.resolve()),), image=None, buf=False), str(tree)) for tree in trees]
    mark = f"m{uuid.uuid4().hex[:8]}"
    for times in synthetic.TIMES if growth else ():
        with tempfile.TemporaryDirectory(dir=temporary.place()) as folder:
            synthetic.write(Path(folder), times, f"{mark}x{times}")
            figures.append(in_own_process(replace(options, roots=(Root(Path(folder)),), image=None, buf=False), f"synthetic x{times}"))
    if json_file:
        json_file.write_text(json.dumps([asdict(tree) for tree in figures], indent=1) + "\n", encoding="utf-8")
    return 0


def in_own_process(options: Options, name: str) -> Figures:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        figures = pool.submit(measure, options, name).result()
    say("  ".join(f"{key} {value}" for key, value in asdict(figures).items()))
    return figures


def measure(options: Options, name: str) -> Figures:
    """Build, build again, and play every case of every suite."""
    built, build_seconds = _build(options)
    _, warm_seconds = _build(options)
    verdicts: list[bool] = []
    with Session(options) as session:
        examples, generated = _generate(session, message_cases(session.catalog, SuiteOptions(options.seed, options.count)))
        play = Run(session, lambda verdict: verdicts.append(verdict.outcome.is_finding))
        play.narrow()
        play.play()
        peaks = memory.peaks()
        files, messages, rpcs, fields = _size(session.catalog)
    return Figures(
        tree=name,
        files=files,
        messages=messages,
        rpcs=rpcs,
        fields=fields,
        built=built,
        build_seconds=round(build_seconds, 2),
        warm_build_seconds=round(warm_seconds, 2),
        cases=len(verdicts),
        failed=sum(verdicts),
        run_seconds=round(play.seconds, 2),
        cases_per_second=round(len(verdicts) / play.seconds, 1),
        examples=examples * len(session.pairs),
        generated_per_second=round(generated),
        harness_mib=peaks.harness,
        drivers_mib=peaks.drivers,
    )


def _build(options: Options) -> tuple[tuple[str, ...], float]:
    """Return the implementations that no cache had, and the seconds until all were built."""
    started = time.perf_counter()
    with Session(options) as session:
        session.start_building()
        while session.building:
            session.collect_builds(1)
        fresh = tuple(name for name, built in sorted(session.built.items()) if built.fresh)
        return fresh, time.perf_counter() - started


def _generate(session: Session, cases: Iterable[MessageCase]) -> tuple[int, float]:
    """Return how many messages the `messages` suite sends on each pair, and how many per second the generator makes."""
    examples = Examples(Shapes(session.catalog))
    cases = list(cases)
    started = time.process_time()
    number = sum(1 for case in cases for _ in examples.of(case))
    return number, number / max(time.process_time() - started, 1e-9)


def _size(catalog: Catalog) -> tuple[int, int, int, int]:
    """Return the numbers of files, messages, RPCs and fields of the roots."""
    names = list(catalog.messages())
    fields = sum(len(catalog.message(name).fields) for name in names)
    return len(catalog.files), len(names), len(list(catalog.methods())), fields
