"""Which pairs are told of as done, and when."""

from grpc_interop.core.verdict import Outcome, Pair
from grpc_interop.session.pair_progress import Progress

PY, GO = Pair("py", "py"), Pair("go", "go")


def test_a_pair_is_done_when_no_case_will_come_and_none_is_under_way():
    told: list[str] = []
    progress = Progress(told.append)
    progress.more([PY, GO])
    for pair in (PY, PY, GO):
        progress.begun(pair)
    progress.judged(PY, Outcome.PASSED)
    progress.judged(PY, Outcome.PASSED)
    assert told == []
    progress.all_begun([PY, GO])
    assert told == ["py:py  2 passed"]
    progress.judged(GO, Outcome.FAILED)
    assert told == ["py:py  2 passed", "go:go  0 passed, 1 failed"]


def test_a_pair_whose_cases_are_never_judged_is_not_told_of():
    told: list[str] = []
    progress = Progress(told.append)
    progress.more([PY, GO])
    progress.begun(PY)
    progress.begun(PY)
    progress.judged(PY, Outcome.PASSED)
    progress.all_begun([PY, GO])
    assert told == []


def test_a_pair_is_not_done_while_cases_of_another_suite_will_come():
    told: list[str] = []
    progress = Progress(told.append)
    progress.more([PY])
    progress.more([PY])
    progress.begun(PY)
    progress.judged(PY, Outcome.PASSED)
    progress.all_begun([PY])
    assert told == []
    progress.all_begun([PY])
    assert told == ["py:py  1 passed"]


def test_later_cases_of_a_pair_that_is_done_do_not_tell_of_it_again():
    told: list[str] = []
    progress = Progress(told.append)
    for _ in range(2):
        progress.more([PY])
        progress.all_begun([PY])
    progress.begun(PY)
    progress.judged(PY, Outcome.PASSED)
    progress.judged(PY, Outcome.PASSED)
    assert told == ["py:py  1 passed"]


def test_a_pair_had_nothing_once_all_has_come_and_none_was_its_own():
    progress = Progress(lambda _: None)
    progress.more([PY, GO])
    progress.begun(GO)
    assert not progress.had_nothing(PY)
    progress.all_begun([PY, GO])
    assert progress.had_nothing(PY) and not progress.had_nothing(GO)
    progress.judged(GO, Outcome.PASSED)
    assert not progress.had_nothing(GO)
