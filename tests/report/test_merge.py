"""Shards become one report."""

import io
from pathlib import Path

import pytest

from conversations import GO_GO, GO_PY, PY_GO, PY_PY, describe, hello, lost_end, passed
from grpc_interop.core.verdict import LOG, Attachment, Pair, Verdict
from grpc_interop.report import Implementation, NotRun, Recorder, ReportError, RunInfo, Summary, merge, standard_reports
from grpc_interop.report.forms.results import StoredReport

PLAN = (GO_GO, GO_PY, PY_GO, PY_PY)
LONG_REPLAY = "ic1:" + "x" * 3000


class Shards:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[Path] = []
        self.out = io.StringIO()

    def add(
        self,
        pairs: tuple[Pair, ...],
        *verdicts: Verdict,
        seed: int = 1,
        seconds: float = 1.0,
        lacks: str = "",
        shard: tuple[int, int] = (1, 1),
    ) -> None:
        directory = self.folder / f"shard-{len(self.made) + 1}"
        run = Recorder(directory, standard_reports(directory, self.out), describe=describe, replay_text=lambda _: LONG_REPLAY)
        both = (Implementation("py"), Implementation("go", "go 1.26"))
        run.run_started(RunInfo("interop run", seed, pairs, both, PLAN, shard))
        for verdict in verdicts:
            run.add(verdict)
        if lacks:
            run.not_run(lacks, "no toolchain")
        run.run_finished(seconds)
        self.made.append(directory)

    def merge(self, target: str = "merged") -> Summary:
        directory = self.folder / target
        return merge(self.made, Recorder(directory, standard_reports(directory, self.out)))


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    return Shards(tmp_path)


def test_cases_and_totals_add_up(shards: Shards) -> None:
    """Every shard's cases are in the merged files; the slowest shard is how long it took."""
    shards.add((GO_GO,), passed(hello(), GO_GO), seconds=3.0)
    shards.add((GO_PY,), passed(hello(), GO_PY), seconds=5.0)
    summary = shards.merge()
    assert summary.cases == 2
    merged = StoredReport(shards.folder / "merged")
    assert [record.pair for record in merged.records()] == [GO_GO, GO_PY]
    assert merged.seconds == 5.0
    assert merged.info.implementations == (Implementation("py"), Implementation("go", "go 1.26"))


def test_a_pair_that_no_shard_ran_is_shown_as_not_run(shards: Shards) -> None:
    """A shard that got lost on the way leaves a gap that is seen."""
    shards.add((GO_GO,), passed(hello(), GO_GO))
    shards.add((GO_PY,), passed(hello(), GO_PY))
    assert [entry.what for entry in shards.merge().not_run] == ["py:go", "py:py"]


def test_a_shard_that_got_lost_is_named(shards: Shards) -> None:
    """Where shards split the cases of each pair, no pair goes missing with one of them."""
    shards.add(PLAN, *(passed(hello(), pair) for pair in PLAN), shard=(1, 3))
    shards.add(PLAN, *(passed(hello("two"), pair) for pair in PLAN), shard=(3, 3))
    assert [entry.what for entry in shards.merge().not_run] == ["shard 2/3"]


def test_a_reason_for_not_running_is_kept_once_and_only_if_nobody_ran_it(shards: Shards) -> None:
    """One shard's missing toolchain is no matter where another shard had it."""
    shards.add((GO_GO, PY_PY), passed(hello(), GO_GO), lacks="py:py")
    shards.add((GO_PY, PY_PY, PY_GO), passed(hello(), PY_PY), passed(hello(), GO_PY), lacks="py:go")
    assert shards.merge().not_run == [NotRun("py:go", "no toolchain")]


def test_a_case_in_two_shards_is_an_error_and_leaves_nothing(shards: Shards) -> None:
    """Counting it twice would be wrong, dropping one of them a guess."""
    shards.add((GO_GO,), passed(hello(), GO_GO))
    shards.add((GO_GO,), passed(hello(), GO_GO))
    with pytest.raises(ReportError, match=r"SayHello/one\[go:go\] is in .*shard-1 and in .*shard-2"):
        shards.merge()
    assert not (shards.folder / "merged").exists()


def test_shards_of_different_seeds_are_refused(shards: Shards) -> None:
    """They hold different cases."""
    shards.add((GO_GO,), seed=1)
    shards.add((GO_PY,), seed=2)
    with pytest.raises(ReportError, match=r"different seeds \(1, 2\)"):
        shards.merge()


def test_a_merge_into_one_of_its_sources_is_refused(shards: Shards) -> None:
    """It would delete what it reads."""
    shards.add((GO_GO,), passed(hello(), GO_GO))
    with pytest.raises(ReportError, match="read and written"):
        shards.merge("shard-1")
    assert StoredReport(shards.made[0])


def test_failures_can_still_be_replayed(shards: Shards) -> None:
    """Replay files come along; logs are named where they lie."""
    log = Attachment(LOG, "go server", str(shards.folder / "shard-1" / "logs" / "go.log"), "last words")
    shards.add((GO_GO,), lost_end(GO_GO, attachments=(log,)))
    shards.merge()
    merged = shards.folder / "merged"
    (record,) = StoredReport(merged).records()
    assert record.replay is not None
    assert (merged / record.replay).read_text().strip() == LONG_REPLAY
    assert record.attachments == (log,)
    assert record.conversation


def test_one_folder_is_rendered_again(shards: Shards) -> None:
    """`interop report DIR` shows what the run showed."""
    shards.add(PLAN, *(passed(hello(), pair) for pair in PLAN), lost_end())
    first = shards.out.getvalue()
    shards.out.truncate(0)
    shards.out.seek(0)
    shards.merge()
    assert shards.out.getvalue().replace("/merged", "/shard-1") == first
