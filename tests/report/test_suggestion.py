"""What a run suggests for the file of known failures makes its failures known, and nothing else."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from conversations import GO_GO, GO_PY, PY_GO, PY_PY, describe, hello, passed
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Difference, Outcome, Pair, Verdict
from grpc_interop.report import RunInfo, Summary
from grpc_interop.report.record import record_of
from grpc_interop.report.suggestion import known_entries
from grpc_interop.session.known_failures import KnownFailures

FOUR = (GO_GO, GO_PY, PY_GO, PY_PY)


def failed(pair: Pair, what: str = 'the client got "a+b" (3 messages) \\ instead of "ü"') -> Verdict:
    return Verdict(hello(), pair, Outcome.FAILED, difference=Difference(Side.CLIENT, what))


def suggested(verdicts: Iterable[Verdict], pairs: tuple[Pair, ...] = FOUR, absent: tuple[str, ...] = ()) -> list[str]:
    summary = Summary(RunInfo("interop run", 1, pairs, absent=absent))
    for verdict in verdicts:
        summary.add(record_of(verdict, describe))
    (cause,) = summary.failing_causes
    return known_entries(cause, summary)


@pytest.mark.parametrize(
    ("bad", "globs"),
    [
        (FOUR, ["[*]"]),
        ((PY_GO, PY_PY), ["[py:*]"]),
        ((GO_GO, PY_GO), ["[*:go]"]),
        ((PY_GO,), ["[py:go]"]),
        ((PY_GO, GO_PY), ["[go:py]", "[py:go]"]),
    ],
)
def test_an_entry_covers_the_pairs_that_failed_and_no_other(bad: tuple[Pair, ...], globs: list[str], tmp_path: Path) -> None:
    """
    With the suggested entries each of the failures is known, and what passed beside them is no unexpected pass.
    """
    failures, passes = [failed(pair) for pair in bad], [passed(hello(), pair) for pair in FOUR if pair not in bad]
    entries = suggested([*failures, *passes])
    assert [
        json.loads(entry.splitlines()[1].removeprefix("cases = "))[-len(glob) :] for entry, glob in zip(entries, globs, strict=True)
    ] == globs
    file = tmp_path / "known.toml"
    file.write_text("\n".join(entries), encoding="utf-8")
    known = KnownFailures.read([file])
    assert {known.apply(verdict).outcome for verdict in failures} == {Outcome.KNOWN_FAILURE}
    assert {known.apply(verdict).outcome for verdict in passes} <= {Outcome.PASSED}


@pytest.mark.parametrize(
    ("pairs", "absent"),
    [((PY_GO,), ()), ((PY_GO, PY_PY), ("py-aio",)), (FOUR, ("py-aio",)), ((PY_PY,), ())],
)
def test_pairs_that_the_run_left_out_are_not_covered(pairs: tuple[Pair, ...], absent: tuple[str, ...]) -> None:
    """
    All pairs of a narrowed run failed, which says nothing of the others.
    """
    entries = suggested(map(failed, pairs), pairs, absent)
    assert [json.loads(entry.splitlines()[1].removeprefix("cases = ")).rpartition("[")[2] for entry in entries] == sorted(
        f"{pair}]" for pair in pairs
    )


def test_numbers_and_quoted_values_may_differ(tmp_path: Path) -> None:
    """
    The entry is about the cause, of which the next case has other values.
    """
    file = tmp_path / "known.toml"
    file.write_text("\n".join(suggested([failed(PY_GO)])), encoding="utf-8")
    other = failed(PY_GO, 'the client got "x" (7 messages) \\ instead of "y"')
    assert KnownFailures.read([file]).apply(other).outcome is Outcome.KNOWN_FAILURE


def test_an_error_is_no_known_failure() -> None:
    """
    What could not be judged is not to be expected.
    """
    assert suggested([Verdict(hello(), PY_GO, Outcome.ERROR, difference=Difference(Side.CLIENT, "it died"))]) == []
