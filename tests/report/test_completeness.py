"""What a report says of what it does not cover: cases left out as asked, and fields that nobody carried."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from conversations import PY_PY, describe, hello, passed
from grpc_interop.report import Recorder, RunInfo, Summary, merge, standard_reports
from grpc_interop.values.coverage import Uncovered

MISSING = Uncovered("py", "py", "/a.S/M", "request", ("a.M.one", "a.M.two"))


class Report:
    """A report with these entries, and what the terminal shows of it."""

    def __init__(
        self, folder: Path, uncovered: Sequence[Uncovered] | None = (), left_out: int = 0, shard: tuple[int, int] = (1, 1)
    ) -> None:
        self.folder = folder
        out = io.StringIO()
        recorder = Recorder(folder, standard_reports(folder, out), describe=describe)
        recorder.run_started(RunInfo("interop run", 1, (PY_PY,), plan=(PY_PY,), shard=shard))
        recorder.add(passed(hello(str(shard[0])), PY_PY))
        if uncovered is not None:
            recorder.uncovered(uncovered)
        if left_out:
            recorder.left_out("calls", left_out, "the time was over")
        recorder.run_finished(1.0)
        self.text = out.getvalue()

    @property
    def results(self):
        return json.loads((self.folder / "results.json").read_text())


def merged(folder: Path, *shards: Report) -> Summary:
    return merge([shard.folder for shard in shards], Recorder(folder, standard_reports(folder, io.StringIO())))


def test_fields_that_nobody_carried_are_named(tmp_path: Path) -> None:
    """
    In the terminal each field once, in results.json wherever it is missing.
    """
    report = Report(tmp_path, [MISSING, MISSING._replace(server="go", fields=("a.M.two",))])
    assert "2 fields not carried by any case that passed" in report.text
    assert "a.M.two: /a.S/M (request) py:go and 1 more" in report.text
    assert report.results["uncovered"][0] == {
        "client": "py",
        "server": "py",
        "method": "/a.S/M",
        "direction": "request",
        "fields": ["a.M.one", "a.M.two"],
    }


@pytest.mark.parametrize(("uncovered", "shown"), [([], []), (None, None)])
def test_nothing_to_say_is_not_the_same_as_not_known(tmp_path: Path, uncovered, shown) -> None:
    """
    Every field was carried: an empty list. Nobody counted, since only some cases were chosen: null.
    """
    report = Report(tmp_path, uncovered)
    assert report.results["uncovered"] == shown
    assert "not carried" not in report.text


def test_what_was_left_out_is_told_and_fails_nothing(tmp_path: Path) -> None:
    """
    Each suite with its number of cases, and why.
    """
    report = Report(tmp_path, left_out=1200)
    assert "left out, as asked\n  calls  1,200 cases: the time was over" in report.text
    assert report.results["left_out"] == [{"what": "calls", "cases": 1200, "why": "the time was over"}]
    assert report.results["not_run"] == []


def test_shards_know_together_what_was_carried(tmp_path: Path) -> None:
    """
    A field is missing only if every shard misses it; a shard alone says nothing of it.
    """
    one = Report(tmp_path / "1", [MISSING], left_out=3, shard=(1, 2))
    two = Report(tmp_path / "2", [MISSING._replace(fields=("a.M.two", "a.M.three"))], left_out=4, shard=(2, 2))
    assert "not carried" not in one.text
    summary = merged(tmp_path / "merged", one, two)
    assert summary.uncovered == [MISSING._replace(fields=("a.M.two",))]
    assert [entry.cases for entry in summary.left_out] == [7]


def test_what_one_shard_does_not_know_nobody_knows(tmp_path: Path) -> None:
    """
    Where one did not count, the merged report does not pretend.
    """
    one, two = Report(tmp_path / "1", [MISSING], shard=(1, 2)), Report(tmp_path / "2", None, shard=(2, 2))
    assert merged(tmp_path / "merged", one, two).uncovered is None


def test_fields_of_cases_that_were_left_out_are_told_as_such(tmp_path: Path) -> None:
    """
    Where time ran out, that nobody carried a field says nothing about the field.
    """
    text = Report(tmp_path, [MISSING], left_out=1200).text
    assert "2 fields not carried by any case that passed: 1,200 cases that may carry them were left out" in text
