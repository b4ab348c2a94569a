"""Which cases a run plays: -k means what it means to pytest, and shards are a partition."""

import json
import shlex
from collections import Counter
from pathlib import Path

import pytest

from grpc_interop.commands.options import read_options
from grpc_interop.session.listing import selected
from grpc_interop.session.selection import Selection, read_shard
from project import REPOSITORY, Project, results

EXPRESSIONS = [
    "AllStream and ping_pong",
    "allstream and not (deadline or cancel)",
    "calls/greeter.v1.Greeter/GetStream/ten[py:py]",
    "SayHello/one-py:py",
    "no_such_case",
]


@pytest.fixture(scope="module")
def every_case(tmp_path_factory: pytest.TempPathFactory):
    """Each case of the quick-start service with each of four pairs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("empty"))
        given = {"roots": (str(REPOSITORY / "proto"),), "suites": ("greeter", "calls"), "clients": ("py", "go"), "servers": ("py", "go")}
        return list(selected(read_options(given)))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_means_what_it_means_to_pytest(project: Project, pytester: pytest.Pytester, every_case, expression: str) -> None:
    """
    A run with -k plays what `pytest -k` selects, whichever of a case's names is typed.
    """
    pytester.makefile(".toml", interop=(project.folder / "interop.toml").read_text().replace('"py"', '"py", "go"'))
    # Its name must not hold a word of an expression: pytest looks there, too.
    pytester.makepyfile(test_all="def test_it(interop_case): ...")
    suites = ["--interop-suite", "greeter", "--interop-suite", "calls"]
    collected = pytester.runpytest_subprocess("--collect-only", "-q", *suites, "-k", expression).outlines
    selection = Selection(expression)
    played = {f"test_all.py::test_it[{case.id}-{pair}]" for case, pair in every_case if selection.takes(case, pair)}
    assert played == {line for line in collected if "::" in line}
    assert bool(played) == (expression != "no_such_case")


@pytest.mark.parametrize("of", [1, 2, 3, 7, 64])
def test_shards_are_disjoint_and_complete(every_case, of: int) -> None:
    """
    Every case falls to exactly one shard, whatever their number.
    """
    shards = [Selection(shard=(number, of)) for number in range(1, of + 1)]
    assert {sum(shard.takes(case, pair) for shard in shards) for case, pair in every_case} == {1}


def test_shards_are_of_like_size(every_case) -> None:
    """
    No shard gets more than its share and half of it again.
    """
    sizes = Counter(number for case, pair in every_case for number in range(1, 5) if Selection(shard=(number, 4)).takes(case, pair))
    assert max(sizes.values()) <= 1.5 * len(every_case) / 4


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "a/b", "-1/2", "1/2/3"])
def test_a_shard_that_is_none(text: str) -> None:
    """
    What is not K/N is refused.
    """
    with pytest.raises(Exception, match="is not K/N"):
        read_shard(text)


def test_a_plan_comes_to_the_same_as_one_run(project: Project, tmp_path: Path) -> None:
    """
    The jobs of `interop plan`, merged by `interop report`, have the totals and cells of one run.
    """
    chosen = ["--suite", "calls", "-k", "SayHello or ping_pong"]
    assert project.interop("run", *chosen, "--report", tmp_path / "one").status == 0
    plan = json.loads(project.interop("plan", *chosen, "--shards", 3).out)
    assert [job["shard"] for job in plan["include"]] == ["1/3", "2/3", "3/3"]
    folders = [tmp_path / str(number) for number in range(3)]
    for job, folder in zip(plan["include"], folders, strict=True):
        assert project.interop("run", *shlex.split(job["args"]), "--report", folder).status == 0
    merged = project.interop("report", *folders, "--report", tmp_path / "merged")
    assert merged.status == 0
    one, several = results(tmp_path / "one"), results(tmp_path / "merged")
    assert one["totals"] == several["totals"] and one["totals"]["passed"] > 30
    assert by_cell(one) == by_cell(several)
    assert several["not_run"] == []


def test_a_lost_shard_is_missed(project: Project, tmp_path: Path) -> None:
    """
    A merge without one of the shards names it and fails, whatever the others say.
    """
    project.interop("run", "-k", "SayHello", "--suite", "calls", "--shard", "1/2", "--report", tmp_path / "1")
    merged = project.interop("report", tmp_path / "1", "--report", tmp_path / "merged")
    assert merged.status == 3
    assert "shard 2/2  its report is not among those merged" in merged.out


def test_a_shard_may_be_empty(project: Project, report: Path) -> None:
    """
    A shard that none of few cases falls to is no failure: its job has nothing to do.
    """
    ends = [project.interop("run", "-k", "SayHello/one", "--shard", f"{number}/4", "--report", report) for number in range(1, 5)]
    assert [ended.status for ended in ends] == [0, 0, 0, 0]
    assert sum("0 cases" in ended.out for ended in ends) == 3


def test_only_pairs_with_cases_are_planned(project: Project, report: Path) -> None:
    """
    A pair that -k leaves out is neither built nor called missing.
    """
    two = ["--implementation", "go", "-k", "SayHello/one and py:py"]
    ended = project.interop("run", *two, "--report", report, env={"GO": "/nonexistent", "CI": "true"})
    assert ended.status == 0
    assert results(report)["pairs"] == ["py:py"] and results(report)["not_run"] == []


def by_cell(value) -> list[list[object]]:
    return sorted(list(cell.values()) for cell in value["cells"])
