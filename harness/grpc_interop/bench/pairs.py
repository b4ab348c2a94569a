"""`interop bench`: how much of the bare runtime's speed is left when every call is a case with a verdict.

For each pair and kind, in turns and between the same two processes: the engine plays cases, verdicts included; then
the drivers play the same script in a loop of their own (`repeat`), with as many calls in flight. Efficiency is the
ratio of the two. Machines are noisy: the rounds alternate, and the median ratio counts.
"""

import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from grpc_interop.config import Options
from grpc_interop.core.case import Case, Finish, HalfClose, Kind, Lane, Method, Receive, ReceiveToEnd, Send
from grpc_interop.core.verdict import Outcome, Pair, Verdict
from grpc_interop.engine import Engine, Job, Prepared
from grpc_interop.errors import BuildError, UsageError
from grpc_interop.output.console import say
from grpc_interop.schema.catalog import Catalog
from grpc_interop.session.session import Session
from grpc_interop.values.samples import Values

MESSAGES = 10
"""Messages of a conversation each way, where the kind streams."""

DISTINCT = 64
"""Different cases that take turns, so that no verdict repeats the one before."""

ROUNDS = 5
"""How often engine and loop alternate."""

IN_FLIGHT = 128
"""Cases in flight at most, as in any run. The bare loop has as many calls in flight as the engine may have cases: the more
there are, the less each costs."""

FIRST_LOOP = 100
"""Calls of the first bare loop, which measures how many calls fit into the time."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Median rates of one pair and kind, per second, and the median of the rounds' ratios."""

    client: str
    server: str
    kind: str
    cases_per_second: float
    bare_per_second: float
    efficiency: float


def run(options: Options, json_file: Path | None, seconds: float) -> int:
    """Print a table, and write the list of figures. Return the exit status."""
    if json_file and not json_file.absolute().parent.is_dir():
        raise UsageError(f"--json {json_file}: there is no folder {json_file.parent}", "make it, or name another file")
    figures = []
    with Session(replace(options, suites=())) as session:
        methods = _one_of_each_kind(session.catalog)
        session.start_building()
        while session.building:
            session.collect_builds(1)
        if session.missing:
            raise BuildError("; ".join(f"{missing.name}: {missing.why}" for missing in session.missing.values()))
        session.engine.window = IN_FLIGHT
        say(f"{'pair':<16}{'kind':<20}{'cases/s':>10}{'bare/s':>10}{'efficiency':>12}")
        for pair in session.pairs:
            for method in methods:
                figure = measure(session.engine, session.catalog, pair, method, seconds)
                figures.append(figure)
                say(
                    f"{pair!s:<16}{figure.kind:<20}{figure.cases_per_second:>10,.0f}{figure.bare_per_second:>10,.0f}{figure.efficiency:>12.2f}"
                )
    if json_file:
        json_file.write_text(json.dumps([_as_json(figure) for figure in figures], indent=1) + "\n", encoding="utf-8")
    return 0


def measure(engine: Engine, catalog: Catalog, pair: Pair, method: Method, seconds: float) -> Figure:
    """Measure a pair and kind. Raise BuildError when a case does not pass: the figure would mean nothing."""
    prepared = [engine.prepare(case) for case in bench_cases(catalog, method)]
    _play(engine, pair, prepared, 0.3)  # warms both processes up
    calls = max(FIRST_LOOP, int(_loop(engine, pair, prepared[0], FIRST_LOOP) * seconds / ROUNDS))
    rates = []
    for _ in range(ROUNDS):
        rates.append((_play(engine, pair, prepared, seconds / ROUNDS), _loop(engine, pair, prepared[0], calls)))
    engine_rate, bare_rate = (statistics.median(column) for column in zip(*rates, strict=True))
    ratio = statistics.median(cases / bare for cases, bare in rates)
    return Figure(pair.client, pair.server, method.kind.value, round(engine_rate, 1), round(bare_rate, 1), round(ratio, 3))


def bench_cases(catalog: Catalog, method: Method) -> Iterator[Case]:
    """Yield conversations of ten messages in each direction that streams, one in the other; in turns where both stream."""
    values = Values(catalog)
    for number in range(1, DISTINCT + 1):
        up, down = method.kind.client_streams, method.kind.server_streams
        requests = [Send(values.small(method.request, number + i).data) for i in range(MESSAGES if up else 1)]
        responses = [Send(values.small(method.response, number + i).data) for i in range(MESSAGES if down else 1)]
        client: list[Lane]
        server: list[Lane]
        if up and down:
            talk: list[Lane] = [(request, Receive()) for request in requests]
            client = [*talk, (HalfClose(), ReceiveToEnd())]
            server = [*((Receive(), response) for response in responses), (ReceiveToEnd(), Finish())]
        else:
            client = [tuple(requests), (HalfClose(),) if up else (), (ReceiveToEnd(),)]
            server = [(ReceiveToEnd() if up else Receive(),), tuple(responses), (Finish(),)]
        yield Case("bench", f"talk_{number}", method, (sum(client, ()),), (sum(server, ()),))


def _one_of_each_kind(catalog: Catalog) -> list[Method]:
    methods: dict[Kind, Method] = {}
    for method in catalog.methods():
        methods.setdefault(method.kind, method)
    if not methods:
        raise UsageError("there is no RPC below the proto roots, so there is nothing to measure")
    return [methods[kind] for kind in Kind if kind in methods]


def _play(engine: Engine, pair: Pair, prepared: list[Prepared], seconds: float) -> float:
    """Play cases for so many seconds. Return cases per second, verdicts included."""
    started = time.perf_counter()
    until = started + seconds

    def jobs() -> Iterator[Job]:
        while time.perf_counter() < until:
            for case in prepared:
                yield Job(case, pair)

    engine.enqueue(jobs())
    number = 0
    while engine.busy:
        for verdict in engine.poll(1):
            _must_pass(verdict)
            number += 1
    return number / (time.perf_counter() - started)


def _loop(engine: Engine, pair: Pair, prepared: Prepared, calls: int) -> float:
    """Play a bare loop of so many calls. Return calls per second, as the client's driver measured them."""
    in_flight = min(driver.most_in_flight or IN_FLIGHT for driver in engine.pool.pair(pair) if driver)
    engine.enqueue(iter([Job(prepared, pair, repeat=calls, concurrency=min(in_flight, IN_FLIGHT))]))
    rate = 0.0
    while engine.busy:
        for verdict in engine.poll(1):
            _must_pass(verdict)
            rate = calls / verdict.seconds
    return rate


def _must_pass(verdict: Verdict) -> None:
    if verdict.outcome is not Outcome.PASSED:
        why = verdict.difference.what if verdict.difference else verdict.outcome.value
        raise BuildError(f"{verdict.id}: {why}", "only cases that pass are measured")


def _as_json(figure: Figure) -> dict[str, object]:
    return {name: getattr(figure, name) for name in Figure.__slots__}
