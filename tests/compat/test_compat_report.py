"""How a comparison is shown. UPDATE_EXPECTED=1 writes the stored text again, to be read in a diff."""

import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

import results
from grpc_interop.compat import report
from grpc_interop.compat.report.github import MOST
from grpc_interop.compat.report.markdown import MOST_IN_FULL, MOST_ROWS
from grpc_interop.compat.vocabulary.observation import Deployment, ElementOutcome, Format, MessageRole
from grpc_interop.compat.vocabulary.result import BaseComparison, ComparedSide, NotCompared, Result, SourceLocation, TranscriptRow

EXPECTED = Path(__file__).parent / "expected"
EVIL = "\x1b]0;owned\x07 </pre><b>`|` [bold]x[/bold] @all %0A, \u202e"


def assert_expected(name: str, text: str) -> None:
    path = EXPECTED / name
    if os.environ.get("UPDATE_EXPECTED"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def without_breaks(exit_status: int, *not_run: tuple[str, str]) -> Result:
    """A comparison that found nothing."""
    comparison = BaseComparison(
        ComparedSide("base", "main"), not_run=tuple(NotCompared(*entry) for entry in not_run), incomplete=bool(not_run)
    )
    return Result(ComparedSide("head", "the working tree"), "both", (comparison,), exit_status=exit_status)


class Forms:
    """Writes every form of a result's report into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report = folder / "report"

    def write(self, result: Result, **environment: str) -> str:
        """What was printed."""
        out = io.StringIO()
        report.write(result, self.report, self.folder, environment, out)
        return out.getvalue()

    @property
    def markdown(self) -> str:
        return (self.report / "compat.md").read_text(encoding="utf-8")

    @property
    def json(self) -> dict[str, object]:
        value: dict[str, object] = json.loads((self.report / "compat.json").read_bytes())
        return value


@pytest.fixture
def forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forms:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return Forms(tmp_path)


class TestFailure:
    """A comparison that does not end with 0 is red, with its reason, in every form."""

    @pytest.mark.parametrize(
        ("result", "words"),
        [
            (replace(results.RESULT, exit_status=1), "break"),
            (without_breaks(2, ("go:py", "no Go found")), "no Go found"),
            (without_breaks(3, ("py@head", "syntax error")), "syntax error"),
            (without_breaks(3), "not all could be compared"),
        ],
    )
    def test_in_every_form(self, forms: Forms, tmp_path: Path, result: Result, words: str) -> None:
        summary = tmp_path / "summary.md"
        text = forms.write(result, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
        shown, annotations = text.splitlines(), [line for line in text.splitlines() if line.startswith("::error ")]
        last = next(line for line in reversed(shown) if not line.startswith("::"))
        assert last.startswith(f"FAILED, exit {result.exit_status}: ") and words in last
        assert annotations
        assert words == "break" or words in annotations[0]
        for form in (forms.markdown, summary.read_text(encoding="utf-8")):
            assert form.startswith("### ❌")
            assert f"FAILED, exit {result.exit_status}: " in form and words in form
        assert forms.json["exit"] == result.exit_status

    def test_a_reason_is_told_once_for_all_that_it_kept_from_running(self, forms: Forms) -> None:
        refused = [(f"a.M{number} with py@base", "it refuses a.proto") for number in range(9)]
        text = forms.write(without_breaks(3, *refused, ("go:py", "no Go found")))
        (line,) = (line for line in text.splitlines() if line.startswith("FAILED"))
        assert line.count("it refuses a.proto") == 1
        assert line.startswith("FAILED, exit 3: not run: a.M0 with py@base, ") and line.endswith(
            " more (it refuses a.proto), go:py (no Go found)"
        )

    def test_what_ends_with_0_is_green(self, forms: Forms) -> None:
        text = forms.write(without_breaks(0, ("go:py", "no Go found")), GITHUB_ACTIONS="true")
        assert "FAILED" not in text + forms.markdown
        assert "::error" not in text


class TestTerminal:
    def test_breaks_come_first_and_the_rollout_last(self, forms: Forms) -> None:
        """
        A break with its place, its pairs, both transcripts, what buf says and how to play it again; the rest a line each.
        """
        assert_expected("breaks.txt", forms.write(results.RESULT))

    def test_nothing_changed_is_said_in_a_line(self, forms: Forms) -> None:
        """
        With what there is that has not changed.
        """
        assert_expected("nothing.txt", forms.write(results.NOTHING))

    def test_of_several_bases_each_finding_names_its_own(self, forms: Forms) -> None:
        """
        An order of deployment is sound only if it is so for each of them.
        """
        assert_expected("two_bases.txt", forms.write(results.TWO_BASES))

    def test_what_is_so_of_requests_and_responses_in_every_format_is_said_once(self, forms: Forms) -> None:
        """
        With every order of deployment in which it happens; binary comes before JSON.
        """
        first = results.NARROWED.observed[0]
        response = replace(first, role=MessageRole.RESPONSE, deployments=(Deployment.CLIENTS_FIRST,), pairs=tuple(reversed(results.FOUR)))
        json_too = [replace(one, format=Format.JSON) for one in (first, response)]
        refused = replace(first, format=Format.JSON, outcome=ElementOutcome.REJECTED, pairs=("go:go",), breaks=True)
        finding = replace(results.NARROWED, observed=(refused, first, response, *json_too))
        printed = forms.write(replace(results.RESULT, comparisons=(replace(results.COMPARISON, findings=(finding,)),)))
        lines = [line.strip() for line in printed.splitlines() if "old to new" in line]
        assert lines == [
            "altered       old to new, request and response, binary and json · servers first, clients first · in every pair",
            "rejected      old to new, request, json · servers first · in go:go",
        ]

    def test_what_is_too_much_is_counted(self, forms: Forms) -> None:
        """
        Twenty breaks in full, thirty more in a line each, and the number of the rest.
        """
        printed = forms.write(results.many(60))
        assert printed.count("  example  ") == 20
        assert printed.count("✗ shop.v1.Order.f") == 50
        assert "  and 10 more: see compat.json" in printed
        assert "  and 30 more: see compat.json" in printed

    def test_what_is_the_same_of_many_elements_is_said_once(self, forms: Forms) -> None:
        """
        Of breaks nothing is: each has a block of its own.
        """
        added = tuple(replace(results.ADDED, element=f"shop.v1.Order.n{number}") for number in range(8))
        broken = tuple(replace(results.NARROWED, element=f"shop.v1.Order.f{number}") for number in range(2))
        findings = (*broken, *added, results.HARMLESS)
        printed = forms.write(replace(results.RESULT, comparisons=(replace(results.COMPARISON, findings=findings),)))
        assert "  ! 8 elements  added · deploy servers first\n      shop.v1.Order.n0  proto/shop/v1/order.proto:14\n" in printed
        assert "      shop.v1.Order.n4  proto/shop/v1/order.proto:14\n      and 3 more: see compat.json\n" in printed
        rows = [line for line in forms.markdown.splitlines() if "<code>" in line]
        assert len(rows) == 4
        assert "<code>shop.v1.Order.n0</code><br><code>proto/shop/v1/order.proto:14</code><br>and 7 more |" in rows[2]

    def test_nothing_from_a_proto_reaches_the_terminal_raw(self, forms: Forms) -> None:
        """
        Names may be in any script, and defaults and messages hold anything.
        """
        printed = forms.write(evil())
        assert not {char for char in printed if ord(char) < 32} - {"\n"}
        assert "\u202e" not in printed
        assert r"\x1b]0;owned\x07" in printed


def evil() -> Result:
    """A result in which every text is hostile."""
    observed = tuple(replace(one, sent=EVIL, received=EVIL, why=EVIL) for one in results.NARROWED.observed)
    assert results.NARROWED.example is not None
    example = replace(results.NARROWED.example, what=EVIL, left=EVIL, rows=(TranscriptRow(EVIL, "->", EVIL),))
    place = SourceLocation(EVIL, 1, EVIL)
    broken = replace(results.NARROWED, element=EVIL, what=(EVIL,), observed=observed, example=example, head=place, notes=(EVIL,))
    note = replace(results.ADDED, element=EVIL, what=(EVIL,), notes=(EVIL,))
    return replace(results.RESULT, comparisons=(replace(results.COMPARISON, findings=(broken, note), warnings=(EVIL,)),))


class TestMarkdown:
    def test_a_table_then_the_breaks_folded_up(self, forms: Forms) -> None:
        """
        What a reviewer reads: which elements, what happens to them, and where buf disagrees.
        """
        forms.write(results.RESULT)
        assert_expected("breaks.md", forms.markdown)

    def test_at_most_thirty_rows_and_the_rest_counted(self, forms: Forms) -> None:
        """
        Breaks take the rows first.
        """
        forms.write(results.many(25))
        rows = [line for line in forms.markdown.splitlines() if line.startswith("| ") and "<code>" in line]
        assert len(rows) == MOST_ROWS
        assert [row.split(" |")[0] for row in rows] == ["| ❌ break"] * 25 + ["| ℹ️ note"] * 5  # noqa: RUF001  the sign is meant
        assert "and 20 × note more: see compat.json" in forms.markdown  # noqa: RUF001  the sign is meant
        assert forms.markdown.count("<details>") == MOST_IN_FULL

    def test_nothing_from_a_proto_becomes_markup(self, forms: Forms) -> None:
        """
        Neither HTML, nor a column of the table, nor a mention of everybody.
        """
        forms.write(evil())
        outside = "".join(part.split("</pre>")[-1] for part in forms.markdown.split("<pre>"))
        assert "<b>" not in forms.markdown
        assert forms.markdown.count("</pre>") == forms.markdown.count("<pre>") == 1
        assert "@" not in outside and "`" not in outside and "[bold]" not in outside
        assert {line.count("|") for line in outside.splitlines() if line.startswith("|")} == {7}


class TestGitHub:
    def test_annotations_stand_at_their_lines_breaks_first(self, forms: Forms) -> None:
        """
        Breaks are errors; what is accepted or to be known is a notice.
        """
        printed = forms.write(results.RESULT, GITHUB_ACTIONS="true")
        assert_expected("annotations.txt", "".join(line + "\n" for line in printed.splitlines() if line.startswith("::")))

    def test_there_are_at_most_ten(self, forms: Forms) -> None:
        """
        GitHub shows no more.
        """
        printed = forms.write(results.many(60), GITHUB_ACTIONS="true")
        assert printed.count("::error ") == MOST
        assert "::notice" not in printed

    def test_paths_begin_at_the_top_of_the_checkout(self, forms: Forms, tmp_path: Path) -> None:
        """
        The project may be a folder of it.
        """
        printed = forms.write(results.RESULT, GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(tmp_path.parent))
        assert f"::error file={tmp_path.name}/proto/shop/v1/order.proto,line=12,title=" in printed

    def test_what_lies_outside_of_the_checkout_has_no_line(self, forms: Forms) -> None:
        """
        GitHub could not show it.
        """
        finding = replace(results.NARROWED, head=SourceLocation("a.proto", 3, "../old/a.proto"))
        result = replace(results.RESULT, comparisons=(replace(results.COMPARISON, findings=(finding,)),))
        assert forms.write(result, GITHUB_ACTIONS="true").startswith("::error title=shop.v1.Order.total::")

    def test_nothing_from_a_proto_becomes_a_command(self, forms: Forms) -> None:
        """
        Neither another property nor another line.
        """
        printed = forms.write(evil(), GITHUB_ACTIONS="true")
        commands = [line for line in printed.splitlines() if line.startswith("::")]
        assert len(commands) == 2
        for command in commands:
            properties = command.split("::")[1].split(" ", 1)[1]
            assert [part.split("=")[0] for part in properties.split(",")] == ["file", "line", "title"]
            assert "%250A" in command

    def test_the_summary_is_added_to_the_job_s(self, forms: Forms, tmp_path: Path) -> None:
        """
        What other steps wrote stays.
        """
        summary = tmp_path / "summary.md"
        summary.write_text("before\n")
        forms.write(results.RESULT, GITHUB_STEP_SUMMARY=str(summary))
        assert summary.read_text(encoding="utf-8") == "before\n" + forms.markdown

    def test_elsewhere_nothing_is_annotated(self, forms: Forms) -> None:
        """
        A terminal shows no commands.
        """
        assert "::" not in forms.write(results.RESULT)


class TestJson:
    def test_it_holds_everything(self, forms: Forms) -> None:
        """
        The schema of docs/compat.md.
        """
        forms.write(results.RESULT)
        assert_expected("breaks.json", json.dumps(forms.json, indent=1, ensure_ascii=False) + "\n")

    def test_every_field_is_documented(self, forms: Forms) -> None:
        """
        docs/compat.md has a word for each.
        """
        document = (Path(__file__).parents[2] / "docs/compat.md").read_text(encoding="utf-8")
        forms.write(results.TWO_BASES)
        names: set[str] = set()

        def walk(value: object) -> None:
            for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
                walk(one)
            if isinstance(value, dict):
                names.update(key for key in value if key not in ("RPC", "message"))

        walk(forms.json)
        assert {name for name in names if f"`{name}`" not in document} == set()

    def test_where_buf_was_not_asked_it_is_not_silent(self, forms: Forms) -> None:
        """
        Null is not an empty list.
        """
        forms.write(results.TWO_BASES)
        changes = forms.json["changes"]
        assert isinstance(changes, list)
        assert {(change["against"], change["buf"] is None) for change in changes} == {("base", False), ("base 2", True)}
