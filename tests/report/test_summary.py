"""Totals, causes and where they show."""

import io
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest

from conversations import GO_GO, GO_PY, PY_GO, PY_PY, describe, hello, passed, ping_pong
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Difference, Outcome, Pair, Verdict
from grpc_interop.report import Recorder, RunInfo, Summary, standard_reports
from grpc_interop.report.record import record_of

FOUR = (GO_GO, GO_PY, PY_GO, PY_PY)
AIO = Pair("py-aio", "go")


def failed(pair: Pair, what: str = "the server did not see the end", outcome: Outcome = Outcome.FAILED) -> Verdict:
    return Verdict(hello(), pair, outcome, difference=Difference(Side.SERVER, what))


def summary_of(verdicts: Iterable[Verdict]) -> Summary:
    summary = Summary(RunInfo("interop run", 1, FOUR))
    for verdict in verdicts:
        summary.add(record_of(verdict, describe))
    return summary


def extent(bad: Iterable[Pair], ran: Iterable[Pair] = FOUR) -> str:
    summary = summary_of([*(passed(hello(), pair) for pair in ran), *map(failed, bad)])
    (cause,) = summary.failing_causes
    return summary.extent(cause)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ([PY_GO, PY_PY], "a whole row: all with client py"),
        ([GO_GO, PY_GO], "a whole column: all with server go"),
        ([PY_GO], "only py:go"),
        (FOUR, "in every pair"),
        ([PY_GO, GO_PY], "in go:py, py:go"),
        ([PY_GO, GO_PY, PY_PY], "wherever py takes part"),
    ],
)
def test_the_extent_of_a_cause_is_seen_beside_the_pairs_that_ran(bad: list[Pair], words: str) -> None:
    """Row, column, cell, or none of these."""
    assert extent(bad) == words


def test_a_row_with_an_exception_names_it() -> None:
    """Not the whole row: which pair of it is well."""
    row = [Pair("py", server) for server in ("go", "py", "rust")]
    assert extent(row[:2], [*FOUR, *row]) == "all with client py, but not py:rust"


def test_a_single_pair_tells_nothing_of_rows() -> None:
    """With one pair played, row, column and cell are the same."""
    assert extent([PY_GO], [PY_GO]) == "py:go, the only pair that ran it"


def test_only_cells_of_the_same_kind_count_as_healthy() -> None:
    """A pair that played only other kinds says nothing about this one."""
    summary = summary_of([passed(ping_pong(1), GO_GO), passed(hello(), GO_PY), failed(PY_GO), failed(PY_PY)])
    (cause,) = summary.failing_causes
    assert summary.extent(cause) == "a whole row: all with client py"


def test_one_cause_is_one_sentence_whatever_its_numbers() -> None:
    """Message 3 of 10 and message 7 of 10 are one cause; another suite's or outcome's is another."""
    verdicts = [failed(PY_GO, f"the server did not receive message {number} of 10") for number in range(5)]
    verdicts.append(failed(PY_GO, "the server did not receive message 1 of 10", Outcome.ERROR))
    assert [cause.count for cause in summary_of(verdicts).failing_causes] == [5, 1]


def test_known_failures_and_unsupported_cases_are_no_findings() -> None:
    """They are counted apart, and leave the run green."""
    summary = summary_of([failed(PY_GO, outcome=Outcome.KNOWN_FAILURE), failed(PY_GO, outcome=Outcome.UNSUPPORTED)])
    assert summary.failing_causes == []
    assert [len(summary.known_failures), len(summary.unsupported)] == [1, 1]
    assert summary.closing_words() == "2 cases: 0 passed, 1 known failure, 1 unsupported · 0.0 s · seed 1"


def test_what_one_entry_says_is_known_is_told_once_with_its_link() -> None:
    """In whatever words it shows; two entries are two."""
    mended, open_ = "known: a race (https://example.org/1)", "known: it rounds (https://example.org/2)"
    whats = [("the server saw A", mended), ("the client saw B", mended), ("the client saw B", open_)]
    summary = summary_of(failed(PY_GO, what, Outcome.KNOWN_FAILURE)._replace(notes=("some", note)) for what, note in whats)
    assert [(cause.count, cause.first.known) for cause in summary.known_failures] == [
        (2, "a race (https://example.org/1)"),
        (1, "it rounds (https://example.org/2)"),
    ]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (3, "in py:s00, py:s01, py:s02"),
        (18, "all with client py, but not py:s18, py:s19, py:s20"),
        (19, "all with client py, but not py:s19, py:s20"),
        (12, "in 12 of 21 pairs with client py; the report names them"),
    ],
)
def test_where_a_cause_shows_is_said_in_few_words_among_many_pairs(bad: int, words: str) -> None:
    """By the shorter list, and by none if both are long."""
    row = [Pair("py", f"s{number:02}") for number in range(21)]
    told = extent(row[:bad], row)
    assert told == words


def test_the_matrix_leaves_unsupported_cases_out() -> None:
    """Passed of all that a driver can do."""
    summary = summary_of([passed(hello()), failed(PY_GO, outcome=Outcome.UNSUPPORTED)])
    assert summary.fraction(PY_GO) == (1, 1, 0)
    assert summary.fraction(AIO) is None


def test_memory_does_not_grow_with_cases(tmp_path: Path) -> None:
    """Neither passing ones nor the thousands of one cause."""
    run = Recorder(tmp_path, standard_reports(tmp_path, io.StringIO()), describe=describe)
    run.run_started(RunInfo("interop run", 1, FOUR))

    def play(count: int) -> None:
        for _ in range(count):
            run.add(passed(hello()))
        for _ in range(count // 10):
            run.add(failed(GO_GO))

    play(500)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    play(5000)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    run.run_finished(1.0)
    # The offsets of the lines of failures take 40 bytes each; a record would take a thousand.
    assert grown < 64 * 1024
