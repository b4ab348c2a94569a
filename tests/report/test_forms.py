"""junit.xml, report.html and what GitHub shows."""

import io
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

from conversations import GO_PY, PY_GO, cannot, describe, hello, lost_end, passed, wrong_greeting
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Difference, Outcome, Verdict
from grpc_interop.report import Recorder, RunInfo
from grpc_interop.report.forms.github import GitHub
from grpc_interop.report.forms.junit import JUnit
from grpc_interop.report.forms.page import Page

EVIL = 'a|b `c` <b> & "d" \x1b[31m \x00 *e* @all 100%'


def junit(directory: Path, *verdicts: Verdict) -> ElementTree.Element:
    run = Recorder(directory, [JUnit(directory)], describe=describe)
    run.run_started(RunInfo("interop run", 1, (PY_GO,)))
    for verdict in verdicts:
        run.add(verdict)
    run.run_finished(1.5)
    return ElementTree.parse(directory / "junit.xml").getroot()


def broken(what: str, outcome: Outcome = Outcome.FAILED) -> Verdict:
    return Verdict(hello(), PY_GO, outcome, difference=Difference(Side.CLIENT, what))


class TestJUnit:
    def test_has_a_testcase_per_case_and_counts(self, tmp_path: Path) -> None:
        """Findings are failures or errors, what a driver cannot do is skipped."""
        root = junit(tmp_path, passed(hello()), lost_end(), broken("x", Outcome.ERROR), cannot())
        (suite,) = root
        assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["4", "1", "1", "1"]
        assert [[child.tag for child in case] for case in suite] == [[], ["failure"], ["error"], ["skipped"]]
        assert suite[0].attrib == {
            "classname": "calls.greeter.v1.Greeter",
            "name": "SayHello/one[py:go]",
            "time": "0.002100",
        }

    def test_a_failure_holds_the_conversation(self, tmp_path: Path) -> None:
        """The same block as on the terminal."""
        text = junit(tmp_path, lost_end())[0][0][0].text or ""
        assert "half-close" in text
        assert "the server did not see the end" in text

    def test_is_well_formed_whatever_was_said(self, tmp_path: Path) -> None:
        """XML cannot hold control characters, not even escaped."""
        (failure,) = junit(tmp_path, broken(EVIL))[0][0]
        assert failure.get("message") == EVIL.replace("\x1b", r"\x1b").replace("\x00", r"\x00")


class TestGitHub:
    def run(self, tmp_path: Path, environment: dict[str, str], *verdicts: Verdict) -> str:
        out = io.StringIO()
        run = Recorder(tmp_path, [GitHub(tmp_path, environment, out)], describe=describe)
        run.run_started(RunInfo("interop run", 1, (PY_GO, GO_PY)))
        for verdict in verdicts:
            run.add(verdict)
        run.run_finished(1.5)
        return out.getvalue()

    def summary(self, tmp_path: Path, *verdicts: Verdict) -> str:
        path = tmp_path / "summary.md"
        path.write_text("what earlier steps wrote\n")
        self.run(tmp_path, {"GITHUB_STEP_SUMMARY": str(path)}, *verdicts)
        return path.read_text()

    def test_elsewhere_nothing_happens(self, tmp_path: Path) -> None:
        """No file, no annotation."""
        assert self.run(tmp_path, {}, lost_end()) == ""

    def test_the_summary_is_appended_with_matrix_and_causes(self, tmp_path: Path) -> None:
        """Earlier steps' text stays."""
        text = self.summary(tmp_path, passed(hello(), GO_PY), wrong_greeting(PY_GO))
        assert text.startswith("what earlier steps wrote\n### ❌ interop run\n")
        assert "| client \\ server | go | py |\n|---|---|---|\n| **go** |  | ✅ 1/1 |\n| **py** | ❌ 0/1 |  |" in text
        assert "<summary>the client received another message 1 than the server sent · 1 case · only py:go</summary>" in text

    def test_markdown_and_html_from_outside_stay_text(self, tmp_path: Path) -> None:
        """A reason cannot break the table, run HTML or notify people."""
        text = self.summary(tmp_path, broken(EVIL))
        assert "<b>" not in text
        assert "\x1b" not in text
        (line,) = [line for line in text.splitlines() if line.startswith("<details>")]
        assert "&#124;b &#96;c&#96; &lt;b&gt; &amp;" in line
        assert "&#64;all" in line

    def test_causes_are_annotated(self, tmp_path: Path) -> None:
        """One workflow command a cause, on one line, with GitHub's own escapes."""
        text = self.run(tmp_path, {"GITHUB_ACTIONS": "true"}, broken("100%\nof, it: gone"), passed(hello(), GO_PY))
        assert text == ("::error title=py%3Ago Greeter/SayHello one::100%25%0Aof, it: gone (1 case · only py:go)\n")


class Tags(HTMLParser):
    """All tags and attributes of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value for key, value in attrs if key in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


class TestPage:
    def read(self, tmp_path: Path, *verdicts: Verdict) -> Tags:
        run = Recorder(tmp_path, [Page(tmp_path)], describe=describe, replay_text=lambda _: "ic1:eJyr")
        run.run_started(RunInfo("interop run", 1, (PY_GO, GO_PY)))
        for verdict in verdicts:
            run.add(verdict)
        run.run_finished(1.5)
        tags = Tags()
        tags.feed((tmp_path / "report.html").read_text(encoding="utf-8"))
        return tags

    def test_needs_nothing_from_elsewhere(self, tmp_path: Path) -> None:
        """No script, no style sheet, no image by address."""
        tags = self.read(tmp_path, passed(hello()), lost_end())
        assert tags.addresses == []
        assert not {"script", "link", "img", "iframe"} & set(tags.tags)

    def test_shows_matrix_causes_and_what_did_not_run(self, tmp_path: Path) -> None:
        """What the terminal says, and the cells by suite and kind."""
        text = self.read(tmp_path, passed(hello()), lost_end(), cannot()).text
        for words in ("1/2", "the server did not see the end", "half-close", "interop replay ic1:eJyr", "go:py", "bidi_streaming"):
            assert words in text
        assert "the py client does not offer compression:deflate" in text

    def test_text_from_outside_stays_text(self, tmp_path: Path) -> None:
        """Markup and control characters are shown, not obeyed."""
        tags = self.read(tmp_path, broken("<script>alert(1)</script>\x1b[31m"))
        assert "script" not in tags.tags
        assert r"<script>alert(1)</script>\x1b[31m" in tags.text
