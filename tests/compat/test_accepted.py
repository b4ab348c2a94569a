"""Breaks that are accepted: this one change, until that day, and nothing more once it is merged."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from grpc_interop.commands.compat_accept import accept
from grpc_interop.compat import accepted
from grpc_interop.compat.diff.definitions import Definitions
from grpc_interop.compat.report import json
from grpc_interop.compat.vocabulary.result import BaseComparison, ChangeFinding, ChangeVerdict, ComparedSide, Result
from grpc_interop.config import Options, find_project
from grpc_interop.errors import UsageError
from grpc_interop.schema.catalog import Catalog

TODAY = date(2026, 7, 1)
ENTRY = """\
[[accepted]]
element = "p.M.a"
from = "int64 a = 1"
to = "int32 a = 1"
reason = "never that large"
"""


class Trees:
    """Catalogs of a message `p.M` with one field."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, field: str) -> Catalog:
        root = self._folder / "".join(filter(str.isalnum, field))
        root.mkdir(exist_ok=True)
        (root / "p.proto").write_text(f'syntax = "proto3"; package p; message M {{ {field} }}')
        return Catalog.load([root], [], self._folder / "cache")


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where entries are, in the current folder."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "interop.toml").touch()
    monkeypatch.chdir(project)
    return project / "interop.accepted.toml"


def changed(base: Catalog, head: Catalog, verdict: ChangeVerdict = ChangeVerdict.BREAK, element: str = "p.M.a") -> ChangeFinding:
    before, after = Definitions(base).text(element), Definitions(head).text(element)
    return ChangeFinding(element, (f"{before} -> {after}",), verdict, before=before, after=after)


def applied(
    file: Path, base: Catalog, head: Catalog, *findings: ChangeFinding, today: date = TODAY
) -> tuple[list[ChangeFinding], list[str]]:
    return accepted.read([file]).apply(findings, base, head, today)


class TestApplying:
    def test_without_a_file_every_break_stands(self, file: Path, trees: Trees) -> None:
        """
        The project's own file need not be there.
        """
        base, head = trees.of("int64 a = 1;"), trees.of("int32 a = 1;")
        assert applied(file, base, head, changed(base, head)) == ([changed(base, head)], [])

    def test_the_change_that_was_accepted_fails_nothing(self, file: Path, trees: Trees) -> None:
        """
        The finding stays, with who accepted it where and why.
        """
        file.write_text(ENTRY)
        base, head = trees.of("int64 a = 1;"), trees.of("int32 a = 1;")
        (finding,), warnings = applied(file, base, head, changed(base, head))
        assert finding.verdict is ChangeVerdict.ACCEPTED
        assert finding.accepted == ("interop.accepted.toml:1", "never that large", "")
        assert warnings == []

    def test_another_change_of_the_same_element_is_a_break(self, file: Path, trees: Trees) -> None:
        """
        What was accepted is int64 to int32; int64 to string is not.
        """
        file.write_text(ENTRY)
        base, head = trees.of("int64 a = 1;"), trees.of("string a = 1;")
        (finding,), warnings = applied(file, base, head, changed(base, head))
        assert finding.verdict is ChangeVerdict.BREAK
        assert warnings == ["interop.accepted.toml:1: p.M.a breaks in another way than was accepted: from 'int64 a = 1' to 'string a = 1'"]

    def test_once_merged_it_is_inert(self, file: Path, trees: Trees) -> None:
        """
        The next pull request, of which the base contains the change, hears nothing of it.
        """
        file.write_text(ENTRY)
        merged = trees.of("int32 a = 1;")
        assert applied(file, merged, merged) == ([], [])

    def test_once_merged_it_accepts_no_further_change(self, file: Path, trees: Trees) -> None:
        """
        From int32 on to string is a break again.
        """
        file.write_text(ENTRY)
        base, head = trees.of("int32 a = 1;"), trees.of("string a = 1;")
        (finding,), _ = applied(file, base, head, changed(base, head))
        assert finding.verdict is ChangeVerdict.BREAK

    def test_a_merged_removal_is_inert(self, file: Path, trees: Trees) -> None:
        """
        Its element is declared nowhere any more, and that is what was accepted.
        """
        file.write_text(ENTRY.replace("int32 a = 1", ""))
        merged = trees.of("int32 b = 2;")
        assert applied(file, merged, merged) == ([], [])

    @pytest.mark.parametrize(("today", "verdict"), [(date(2026, 6, 30), ChangeVerdict.ACCEPTED), (date(2026, 7, 1), ChangeVerdict.BREAK)])
    def test_after_its_last_day_it_is_a_break_again(self, file: Path, trees: Trees, today: date, verdict: ChangeVerdict) -> None:
        """
        On the last day it still holds; on the next it does not, and says so.
        """
        file.write_text(ENTRY + "until = 2026-06-30\n")
        base, head = trees.of("int64 a = 1;"), trees.of("int32 a = 1;")
        (finding,), warnings = applied(file, base, head, changed(base, head), today=today)
        assert finding.verdict is verdict
        said = "interop.accepted.toml:1: p.M.a was accepted until 2026-06-30, and counts as a break again"
        assert warnings == ([said] if verdict is ChangeVerdict.BREAK else [])

    def test_what_does_not_break_any_more_is_told(self, file: Path, trees: Trees) -> None:
        """
        The change is there, and every value survives it.
        """
        file.write_text(ENTRY)
        base, head = trees.of("int64 a = 1;"), trees.of("int32 a = 1;")
        (finding,), warnings = applied(file, base, head, changed(base, head, ChangeVerdict.NOTE))
        assert finding.verdict is ChangeVerdict.NOTE
        assert warnings == ["interop.accepted.toml:1: p.M.a does not break any more: delete the entry"]

    def test_what_is_not_changed_at_all_is_told(self, file: Path, trees: Trees) -> None:
        """
        The change was taken back, the entry was not.
        """
        file.write_text(ENTRY)
        base = trees.of("int64 a = 1;")
        assert applied(file, base, base) == ([], ["interop.accepted.toml:1: p.M.a is not changed: delete the entry"])

    def test_what_names_nothing_is_told(self, file: Path, trees: Trees) -> None:
        """
        Neither version has such an element.
        """
        file.write_text(ENTRY.replace("p.M.a", "p.M.aa"))
        base = trees.of("int64 a = 1;")
        assert applied(file, base, base)[1] == ["interop.accepted.toml:1: p.M.aa does not exist: delete the entry or correct it"]

    def test_a_break_that_no_definition_shows_is_known_by_its_words(self, file: Path, trees: Trees) -> None:
        """
        A generator refuses a file: the file has no definition on one line.
        """
        file.write_text('[[accepted]]\nelement = "p.proto"\nchange = "go refuses it"\nreason = "we have no Go"\n')
        base = trees.of("int64 a = 1;")
        other = ChangeFinding("p.proto", ("py refuses it",), ChangeVerdict.BREAK)
        findings, _ = applied(file, base, base, ChangeFinding("p.proto", ("go refuses it",), ChangeVerdict.BREAK), other)
        assert [one.verdict for one in findings] == [ChangeVerdict.ACCEPTED, ChangeVerdict.BREAK]


class TestReading:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[[accepted]", "not TOML"),
            (ENTRY.replace("accepted", "acepted"), "unknown key `acepted`"),
            (ENTRY.replace("reason", "raeson"), "unknown key `accepted.raeson`"),
            (ENTRY.replace('reason = "never that large"', ""), "the key `reason` is missing"),
            (ENTRY.replace('to = "int32 a = 1"', ""), "the key `from` or `to` is missing"),
            (ENTRY + "until = 12:00:00\n", "is not a valid date"),
            (ENTRY + 'until = "soon"\n', "'soon' is not a valid date"),
        ],
    )
    def test_what_cannot_be_read_is_named(self, file: Path, text: str, words: str) -> None:
        """
        A person gets file, line and key.
        """
        file.write_text(text)
        with pytest.raises(UsageError, match=words) as raised:
            accepted.read([file])
        assert "interop.accepted.toml" in raised.value.what

    def test_a_file_that_interop_toml_names_must_be_there(self, file: Path) -> None:
        """
        A misspelled name would accept nothing, silently.
        """
        with pytest.raises(UsageError, match=r"breaks\.toml is not there"):
            accepted.read([file.with_name("breaks.toml")])


def last_comparison(folder: Path, *findings: ChangeFinding) -> Options:
    """The options of a command after a comparison that found these."""
    comparisons = (BaseComparison(ComparedSide("base", "main"), findings),)
    json.write(Result(ComparedSide("head", "working tree"), "both", comparisons), folder / "report")
    return Options(find_project(), (), report=folder / "report")


class TestAccepting:
    def test_what_was_accepted_is_accepted(self, file: Path, trees: Trees, capsys: pytest.CaptureFixture[str]) -> None:
        """
        From the command to the next comparison, with the reason and the day.
        """
        base, head = trees.of("int64 a = 1;"), trees.of("int32 a = 1;")
        accept(last_comparison(file.parent, changed(base, head)), "p.M.a", 'so "small"', "2026-12-31")
        assert capsys.readouterr().out == "interop.accepted.toml:1: accepted: p.M.a: int64 a = 1 -> int32 a = 1\n"
        (finding,), _ = applied(file, base, head, changed(base, head))
        assert finding.accepted == ("interop.accepted.toml:1", 'so "small"', "2026-12-31")

    def test_a_second_break_has_an_entry_of_its_own(self, file: Path, trees: Trees) -> None:
        """
        What stood in the file stays as it was.
        """
        base, head = trees.of("int64 a = 1; int64 b = 2;"), trees.of("int32 a = 1; int32 b = 2;")
        options = last_comparison(file.parent, changed(base, head), changed(base, head, element="p.M.b"))
        file.write_text("# Ours.\n" + ENTRY)
        accept(options, "p.M.b", "small", None)
        assert file.read_text().startswith("# Ours.\n" + ENTRY + "\n[[accepted]]\n")
        findings, _ = applied(file, base, head, changed(base, head), changed(base, head, element="p.M.b"))
        assert [one.verdict for one in findings] == [ChangeVerdict.ACCEPTED, ChangeVerdict.ACCEPTED]

    def test_accepting_again_takes_the_entry_s_place(self, file: Path, trees: Trees) -> None:
        """
        So an expired one gets another day; comments around it stay.
        """
        base, head = trees.of("int64 a = 1;"), trees.of("int32 a = 1;")
        rest = ENTRY.replace("p.M.a", "p.M.z")
        file.write_text(f"# Ours.\n{ENTRY}until = 2020-01-01\n\n# Another one.\n{rest}")
        accept(last_comparison(file.parent, changed(base, head)), "p.M.a", "still never that large", None)
        written = ENTRY.replace("never", "still never")
        assert file.read_text() == f"# Ours.\n{written}\n# Another one.\n{rest}"

    @pytest.mark.parametrize("header", ["[[ accepted ]]", '[["accepted"]]', "  [[accepted]] # here"])
    def test_accepting_again_takes_the_place_of_an_entry_in_any_form(self, file: Path, trees: Trees, header: str) -> None:
        """
        A line that looks like a header may lie in a text before it; the file keeps the line ends that it has.
        """
        base, head = trees.of("int64 a = 1;"), trees.of("int32 a = 1;")
        other = ENTRY.replace("p.M.a", "p.M.z").replace('"never that large"', '"""\n[[accepted]]\n"""')
        file.write_bytes(f"{other}\n{ENTRY.replace('[[accepted]]', header)}".replace("\n", "\r\n").encode())
        accept(last_comparison(file.parent, changed(base, head)), "p.M.a", "still never that large", None)
        written = f"{other}\n{ENTRY.replace('never', 'still never')}"
        assert file.read_bytes() == written.replace("\n", "\r\n").encode()

    def test_nothing_is_written_where_the_entries_are_one_list(self, file: Path, trees: Trees) -> None:
        """
        A table behind it would make the file unreadable. The entry in the list is known all the same.
        """
        base, head = trees.of("int64 a = 1; int64 b = 2;"), trees.of("int32 a = 1; int32 b = 2;")
        values = ", ".join(ENTRY.splitlines()[1:])
        file.write_text(f"# Ours.\naccepted = [\n  {{{values}}},\n]\n")
        (finding,), _ = applied(file, base, head, changed(base, head))
        assert finding.accepted is not None
        assert finding.accepted.where == "interop.accepted.toml:3"
        before = file.read_text()
        options = last_comparison(file.parent, changed(base, head), changed(base, head, element="p.M.b"))
        with pytest.raises(UsageError, match=r"interop\.accepted\.toml:2: the entries are written as one list"):
            accept(options, "p.M.b", "small", None)
        assert file.read_text() == before

    def test_an_element_that_names_nothing_is_refused_with_what_is_like_it(self, file: Path, trees: Trees) -> None:
        """
        Nothing is written.
        """
        base, head = trees.of("int64 a = 1;"), trees.of("int32 a = 1;")
        with pytest.raises(UsageError, match=r"found no change of p\.M\.ab\n  did you mean p\.M\.a\?"):
            accept(last_comparison(file.parent, changed(base, head)), "p.M.ab", "small", None)
        assert not file.exists()

    def test_what_does_not_break_is_refused(self, file: Path, trees: Trees) -> None:
        """
        There is nothing to accept.
        """
        base, head = trees.of("int64 a = 1;"), trees.of("int32 a = 1;")
        with pytest.raises(UsageError, match="does not break"):
            accept(last_comparison(file.parent, changed(base, head, ChangeVerdict.NOTE)), "p.M.a", "small", None)

    def test_without_a_comparison_there_is_nothing_to_accept(self, file: Path) -> None:
        """
        The command says what to run first.
        """
        with pytest.raises(UsageError, match="run `interop compat"):
            accept(Options(find_project(), (), report=file.parent / "report"), "p.M.a", "small", None)

    def test_what_changed_since_a_base_can_be_accepted_before_anything_is_run(self, file: Path, trees: Trees) -> None:
        """
        The definitions are those that a comparison would find.
        """
        base, head = trees.of("int64 a = 1;"), trees.of("int32 b = 1;")
        sides = str(file.parents[1] / "int64a1"), str(file.parents[1] / "int32b1")
        accept(Options(find_project(), ()), "p.M.a", "never that large", None, *sides)
        finding = replace(changed(base, head), now="p.M.b", after="int32 b = 1")
        assert applied(file, base, head, finding)[0][0].verdict is ChangeVerdict.ACCEPTED
        with pytest.raises(UsageError, match=r"no change of p\.M\.z"):
            accept(Options(find_project(), ()), "p.M.z", "never that large", None, *sides)

    @pytest.mark.parametrize(
        ("reason", "until", "words"),
        [
            (" ", None, "--reason is empty"),
            ("not \udcff in UTF-8", None, "--reason is not valid UTF-8"),
            ("x", "tomorrow", "--until: 'tomorrow'"),
        ],
    )
    def test_a_reason_and_a_real_day_are_asked_for(self, file: Path, trees: Trees, reason: str, until: str | None, words: str) -> None:
        """
        Whoever reads the file next year has nothing else.
        """
        base, head = trees.of("int64 a = 1;"), trees.of("int32 a = 1;")
        with pytest.raises(UsageError, match=words):
            accept(last_comparison(file.parent, changed(base, head)), "p.M.a", reason, until)
