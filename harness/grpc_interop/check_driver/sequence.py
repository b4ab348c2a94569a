"""All checks in their order, and the loop that asks them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from grpc_interop.check_driver import aborting, calls, capabilities, ending, opening, options, other_metadata, serving, times
from grpc_interop.check_driver.bench import Bench
from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.check_driver.promises import Check, CheckResult
from grpc_interop.drivers.build import Built
from grpc_interop.errors import BuildError

CHECKS: tuple[Check, ...] = tuple(
    check
    for chapter in (
        opening.first,
        opening.errors,
        serving.resources,
        calls.unary,
        calls.kinds,
        calls.statuses,
        calls.concurrency,
        aborting.abort,
        calls.parts,
        *capabilities.CHAPTERS,
        options.options,
        times.times,
        other_metadata.other_metadata,
        ending.endings,
    )
    for check in chapter.checks
)
"""A check's number is its position, from 1."""


def checks(built: Built, logs: Path, note: Callable[[str], None] = lambda _: None) -> Iterator[CheckResult]:
    """Yield the result of each check of a driver that was built with greeter.v1. Its output goes into the folder `logs`, and
    messages about long waits go to `note`.

    When a vital promise is not kept, no later check is asked. Raise BuildError when there is no driver to start.
    """
    if built.driver is None:
        raise BuildError(f"{built.manifest.name}: neither its manifest nor its build names a driver")
    bench = Bench(built, logs, note)
    broken = 0
    try:
        for number, check in enumerate(CHECKS, 1):
            if broken:
                yield CheckResult(number, check.name, check.section, None, f"not asked, since check {broken} is not kept", "")
                continue
            if missing := [name for name in check.needs.split() if name not in bench.capabilities]:
                why = f"not asked, since Hello does not offer {', '.join(missing)}"
                yield CheckResult(number, check.name, check.section, None, why, "")
                continue
            result = _ask(number, check, bench)
            if result.kept is False and check.vital:
                broken = number
            yield result
    finally:
        bench.clear_away()


def _ask(number: int, check: Check, bench: Bench) -> CheckResult:
    try:
        check.find_out(bench)
    except NotKept as finding:
        bench.clear_away()
        return CheckResult(number, check.name, check.section, False, str(finding), f"expected: {check.promise}")
    return CheckResult(number, check.name, check.section, True, check.promise, "")
