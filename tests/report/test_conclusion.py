"""Each way in which a run can end, in each form of its report: what does not end with 0 is red there, with its reason."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from conversations import GO_PY, PY_PY, cannot, describe, hello, passed, wrong_greeting
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Difference, Outcome, Verdict
from grpc_interop.report import Recorder, RunInfo, merge, report_files
from grpc_interop.report.data import Finding, Lack
from grpc_interop.report.forms.github import GitHub
from grpc_interop.report.forms.terminal import Terminal
from grpc_interop.values.coverage import Uncovered


class Told(NamedTuple):
    """A run in every form: `status` is what results.json holds."""

    status: int
    terminal: str
    page: str
    summary: str
    annotations: str
    junit: ElementTree.Element

    @property
    def red(self) -> dict[str, bool]:
        """Which forms are red."""
        counted = sum(int(self.junit[0].get(key, "0")) for key in ("failures", "errors"))
        elements = [child.tag for case in self.junit[0] for child in case]
        assert counted == elements.count("failure") + elements.count("error")
        assert int(self.junit[0].get("tests", "0")) == len(self.junit[0])
        return {
            "terminal": self.terminal.splitlines()[-1].startswith("FAILED, exit "),
            "page": "<title>✗ " in self.page and 'class="banner bad"' in self.page,
            "summary": "### ❌ " in self.summary and "### ✅ " not in self.summary,
            "annotations": "::error " in self.annotations,
            "junit": counted > 0,
        }

    def says(self, words: str) -> dict[str, bool]:
        """Which forms say this."""
        text = ElementTree.tostring(self.junit, encoding="unicode")
        forms = {
            "terminal": self.terminal.splitlines()[-1],
            "page": self.page,
            "summary": self.summary,
            "annotations": self.annotations,
            "junit": text,
        }
        return {name: words in form for name, form in forms.items()}


class Forms:
    """A folder for a run, and all forms of its report."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.folder = directory / "report"
        self._job_summary = directory / "summary.md"
        self._out, self._annotations = io.StringIO(), io.StringIO()
        environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(self._job_summary)}
        reports = [*report_files(self.folder), GitHub(self.folder, environment, self._annotations), Terminal(self.folder, self._out)]
        self.recorder = Recorder(self.folder, reports, describe=describe)

    def told(self) -> Told:
        return Told(
            json.loads((self.folder / "results.json").read_text())["conclusion"]["exit_status"],
            self._out.getvalue(),
            (self.folder / "report.html").read_text(encoding="utf-8"),
            self._job_summary.read_text(encoding="utf-8"),
            self._annotations.getvalue(),
            ElementTree.parse(self.folder / "junit.xml").getroot(),
        )


Play = Callable[[Recorder], None]


def ended(directory: Path, play: Play, *, strict: bool = False, interrupted: bool = False, shard: tuple[int, int] = (1, 1)) -> Told:
    forms = Forms(directory)
    forms.recorder.run_started(RunInfo("interop run", 1, (PY_PY, GO_PY), shard=shard, suites=("calls",), strict=strict))
    play(forms.recorder)
    forms.recorder.run_finished(1.0, interrupted=interrupted)
    return forms.told()


def both_pass(recorder: Recorder) -> None:
    for pair in (PY_PY, GO_PY):
        recorder.add(passed(hello(), pair))


def with_case(outcome: Outcome, what: str) -> Play:
    def play(recorder: Recorder) -> None:
        both_pass(recorder)
        recorder.add(Verdict(hello("two"), PY_PY, outcome, difference=Difference(Side.CLIENT, what)))

    return play


def with_lack(lack: Lack, why: str) -> Play:
    def play(recorder: Recorder) -> None:
        recorder.add(passed(hello(), PY_PY))
        recorder.not_run("go:py", why, lack)

    return play


def with_finding(what: str, why: str) -> Play:
    def play(recorder: Recorder) -> None:
        both_pass(recorder)
        recorder.add_finding(Finding(what, why))

    return play


def nothing(_: Recorder) -> None:
    pass


def out_of_time(recorder: Recorder) -> None:
    both_pass(recorder)
    recorder.left_out("calls", 2970, "1 s of --budget")


def stopped(recorder: Recorder) -> None:
    both_pass(recorder)
    recorder.stopped(3, "the harness failed: ValueError: no")


def unavailable_everywhere(recorder: Recorder) -> None:
    for pair in ("py:py", "go:py"):
        recorder.not_run(pair, "no toolchain", Lack.UNAVAILABLE)


RED = [
    ("a failed case", with_case(Outcome.FAILED, "the answer is wrong"), {}, 1, "1 case failed"),
    ("an error", with_case(Outcome.ERROR, "the driver died"), {}, 1, "1 case could not be judged"),
    ("an unexpected pass", with_case(Outcome.UNEXPECTED_PASS, "delete line 7"), {}, 1, "1 case passed against expectation"),
    ("a refused proto", with_finding("py refuses bad.proto", "a keyword"), {}, 1, "py refuses bad.proto"),
    ("an incident", with_finding("incident 1", "the driver died alone"), {}, 1, "the driver died alone"),
    ("a stale entry", with_finding("stale entry 1", "known.toml:7 matches nothing"), {}, 1, "known.toml:7 matches nothing"),
    ("unavailable, strict", with_lack(Lack.UNAVAILABLE, "no toolchain"), {"strict": True}, 2, "no toolchain"),
    ("unavailable everywhere", unavailable_everywhere, {}, 2, "no toolchain"),
    ("another contract", with_lack(Lack.FOREIGN, "contract 2"), {}, 2, "contract 2"),
    ("a broken build", with_lack(Lack.BROKEN, "main.c:7"), {}, 3, "main.c:7"),
    ("a pair that nobody explains", lambda recorder: recorder.add(passed(hello(), PY_PY)), {}, 3, "nobody said why"),
    ("nothing played", nothing, {}, 3, "nobody said why"),
    ("a harness that failed", stopped, {}, 3, "ValueError: no"),
    ("Ctrl-C", with_lack(Lack.INTERRUPTED, "before its turn"), {"interrupted": True}, 130, "interrupted"),
]


RED_SHARDS = [row for row in RED if row[1] is not nothing]
"""A shard that no case fell to is no failure."""


@pytest.mark.parametrize(("play", "how", "status", "words"), [row[1:] for row in RED], ids=[row[0] for row in RED])
def test_what_does_not_end_with_0_is_red_with_its_reason_in_every_form(
    tmp_path: Path, play: Play, how: dict[str, bool], status: int, words: str
) -> None:
    """
    The terminal's last line, the page, JUnit, the job's summary and the annotations all say so.
    """
    told = ended(tmp_path / "run", play, **how)
    assert told.status == status
    assert [form for form, red in told.red.items() if not red] == []
    assert f"FAILED, exit {status}: " in told.terminal.splitlines()[-1]
    # Cases speak for themselves where there is an entry for each.
    counts_cases = {"junit", "annotations"} if words.startswith("1 case") else set()
    assert {form for form, said in told.says(words).items() if not said} == counts_cases


GREEN = [
    ("all passed", both_pass, ""),
    ("a known failure", with_case(Outcome.KNOWN_FAILURE, "known"), ""),
    ("an unsupported case", lambda recorder: (both_pass(recorder), recorder.add(cannot(PY_PY))), ""),
    ("unavailable, not strict", with_lack(Lack.UNAVAILABLE, "no toolchain"), "no toolchain"),
    ("out of time", with_lack(Lack.OUT_OF_TIME, "1 s of --budget"), "1 s of --budget"),
    ("left out", out_of_time, "left out, as asked: 2,970 cases"),
    (
        "fields not carried",
        lambda recorder: (both_pass(recorder), recorder.uncovered([Uncovered("py", "py", "/a.B/C", "request", ("a.M.one", "a.M.two"))])),
        "2 fields not carried by any case that passed",
    ),
]


@pytest.mark.parametrize(("play", "words"), [row[1:] for row in GREEN], ids=[row[0] for row in GREEN])
def test_what_fails_nothing_is_green_and_said_all_the_same(tmp_path: Path, play: Play, words: str) -> None:
    """
    No form is red; what was left out or not run stands on the terminal, on the page and in the job's summary.
    """
    told = ended(tmp_path / "run", play)
    assert told.status == 0
    assert [form for form, red in told.red.items() if red] == []
    for form in (told.page, told.summary):
        assert words in form
    assert words.rsplit(": ", maxsplit=1)[-1].replace("left out, as asked: ", "") in told.terminal


def test_a_shard_that_no_case_fell_to_is_no_failure(tmp_path: Path) -> None:
    forms = Forms(tmp_path / "run")
    forms.recorder.run_started(RunInfo("interop run", 1, (), shard=(4, 4)))
    forms.recorder.run_finished(0.1)
    assert forms.told().status == 0


def test_the_largest_status_counts_and_every_reason_is_told(tmp_path: Path) -> None:
    def play(recorder: Recorder) -> None:
        recorder.add(wrong_greeting(PY_PY))
        recorder.not_run("go:py", "main.c:7", Lack.BROKEN)
        recorder.add_finding(Finding("py refuses bad.proto", "a keyword"))

    last = ended(tmp_path / "run", play).terminal.splitlines()[-1]
    assert last == "FAILED, exit 3: not run: go:py (main.c:7); 1 case failed; py refuses bad.proto (a keyword)"


def test_annotations_are_bounded_and_leave_room_for_cases(tmp_path: Path) -> None:
    """
    GitHub shows ten of a step: what is no case, what is one, and how much more there is.
    """

    def play(recorder: Recorder) -> None:
        both_pass(recorder)
        for number in range(30):
            recorder.add_finding(Finding(f"py refuses {number}.proto", f"reason {'x' * number}"))
            what = f"wrong {'y' * number}"
            recorder.add(Verdict(hello(f"case_{number}"), PY_PY, Outcome.FAILED, difference=Difference(Side.CLIENT, what)))

    lines = ended(tmp_path / "run", play).annotations.splitlines()
    assert len(lines) == 10
    assert sum("SayHello" in line for line in lines) == 5
    assert any("and 26 more" in line for line in lines)


class TestMerged:
    def shard(self, directory: Path, number: int, play: Play, *, of: int = 2, **how: bool) -> Path:
        """The folder of one shard."""
        ended(directory / str(number), play, shard=(number, of), **how)
        return directory / str(number) / "report"

    def merged(self, directory: Path, *folders: Path, strict: bool = False) -> Told:
        forms = Forms(directory / "merged")
        merge(folders, forms.recorder, strict=strict)
        return forms.told()

    def other(self, recorder: Recorder) -> None:
        for pair in (PY_PY, GO_PY):
            recorder.add(passed(hello("other"), pair))

    @pytest.mark.parametrize(("play", "how", "status", "words"), [row[1:] for row in RED_SHARDS], ids=[row[0] for row in RED_SHARDS])
    def test_shards_end_as_the_worst_of_them(self, tmp_path: Path, play: Play, how: dict[str, bool], status: int, words: str) -> None:
        """
        Whatever made one of them red makes all forms of the merged report so, for the same reason.
        """
        told = self.merged(tmp_path, self.shard(tmp_path, 1, self.other), self.shard(tmp_path, 2, play, **how))
        assert told.status == status
        assert [form for form, red in told.red.items() if not red] == []
        assert told.says(words)["terminal"]

    def test_a_lost_shard_is_red_everywhere(self, tmp_path: Path) -> None:
        told = self.merged(tmp_path, self.shard(tmp_path, 1, both_pass, of=3), self.shard(tmp_path, 3, self.other, of=3))
        assert told.status == 3
        assert all(told.red.values())
        assert all(told.says("shard 2/3").values())

    def test_what_fails_no_shard_fails_the_merge_where_all_must_run(self, tmp_path: Path) -> None:
        """
        CI=true at the merge counts, too.
        """
        one, two = self.shard(tmp_path, 1, self.other), self.shard(tmp_path, 2, with_lack(Lack.UNAVAILABLE, "no toolchain"))
        assert self.merged(tmp_path / "loose", one, two).status == 0
        told = self.merged(tmp_path / "strict", one, two, strict=True)
        assert told.status == 2
        assert all(told.says("no toolchain").values())

    def test_a_pair_that_ran_in_one_suite_alone_is_not_run_in_the_others(self, tmp_path: Path) -> None:
        """
        Its programs played, its driver is not there: the merge keeps that, and names the suites.
        """
        forms = Forms(tmp_path / "one")
        info = RunInfo("interop run", 1, (PY_PY, GO_PY), suites=("greeter", "calls"), strict=True)
        forms.recorder.run_started(info)
        for pair in (PY_PY, GO_PY):
            forms.recorder.add(passed(hello(), pair))
        forms.recorder.add(passed(hello(), PY_PY)._replace(case=replace(hello(), suite="greeter")))
        forms.recorder.not_run("go:py", "there is no driver", Lack.BROKEN)
        forms.recorder.run_finished(1.0)
        told = self.merged(tmp_path, forms.folder)
        assert forms.told().status == told.status == 3
        assert all(told.says("there is no driver").values())
        assert told.says("go:py in greeter")["terminal"]
        assert all(told.red.values())

    def test_what_another_folder_made_good_is_not_missing(self, tmp_path: Path) -> None:
        """
        A plan split by hand: one machine lacks what the other has. Of shards each has cases of its own.
        """

        def the_other(recorder: Recorder) -> None:
            recorder.add(passed(hello("two"), GO_PY))

        lacking = with_lack(Lack.UNAVAILABLE, "no toolchain")
        one, two = (
            self.shard(tmp_path, 1, lacking, of=1),
            self.shard(tmp_path, 2, the_other),
        )
        by_hand = self.shard(tmp_path / "by hand", 1, the_other, of=1)
        assert "no toolchain" not in self.merged(tmp_path / "a", one, by_hand, strict=True).page
        half = self.shard(tmp_path / "half", 1, lacking)
        assert "no toolchain" in self.merged(tmp_path / "b", half, two).page
