"""Known failures: what is expected to fail, run all the same."""

from pathlib import Path

import pytest

from grpc_interop.core.case import Case, Finish, Kind, MessageCase, Method, Receive, ReceiveToEnd, Send, SendHeaders
from grpc_interop.core.side import Side
from grpc_interop.core.tags import TAGS
from grpc_interop.core.verdict import Difference, Outcome, Pair, Verdict
from grpc_interop.errors import UsageError
from grpc_interop.messages.examination import Examiner
from grpc_interop.messages.examples import TAGS as EXAMPLE_TAGS
from grpc_interop.schema.catalog import Catalog
from grpc_interop.session.known_failures import FILE, KnownFailures
from grpc_interop.wire.shapes import Shapes

METHOD = Method("p.S", "Say", Kind.UNARY, "p.A", "p.B")
CASE = Case("calls", "one", METHOD, ((Send(b""), ReceiveToEnd()),), ((Receive(), Send(b""), Finish()),))
ENTRY = """
[[known]]
cases = "calls/p.S/*[py:*]"
message = "lost \\\\d messages"
reason = "a race"
link = "https://example.org/1"
"""


def verdict(outcome: Outcome, what: str = "", pair: Pair = Pair("py", "go")) -> Verdict:  # noqa: B008  immutable
    return Verdict(CASE, pair, outcome, difference=Difference(Side.CLIENT, what) if what else None)


@pytest.fixture
def read(tmp_path: Path):
    def write(text: str) -> KnownFailures:
        path = tmp_path / "expected.toml"
        path.write_text(text)
        return KnownFailures.read([path])

    return write


def test_a_failure_that_matches_case_pair_and_message_is_known_and_carries_the_reason_and_link(read):
    known = read(ENTRY)
    judged = known.apply(verdict(Outcome.FAILED, "the client lost 3 messages"))
    assert judged.outcome is Outcome.KNOWN_FAILURE
    assert "a race" in judged.notes[-1]
    assert "https://example.org/1" in judged.notes[-1]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (ENTRY.replace("[[known]]", "[[ known ]]"), 2),
        (ENTRY.replace("[[known]]", "[['known']]"), 2),
        ("known = [\n{" + ", ".join(ENTRY.splitlines()[2:]) + "},\n]\n", 2),
        (ENTRY.replace('"a race"', '"""\n[[known]]\n"""') + ENTRY.replace("py:", "other:"), 2),
        (ENTRY.replace("py:", "other:").replace('"a race"', '"""\n[[known]]\n"""') + ENTRY, 10),
    ],
    ids=["spaces", "quotes", "a list", "before a text", "behind a text"],
)
def test_an_entry_counts_in_every_form_that_toml_has_for_it(read, text: str, line: int):
    """
    None is left out without a word, and each is told by the line at which it begins.
    """
    judged = read(text).apply(verdict(Outcome.FAILED, "the client lost 3 messages"))
    assert judged.outcome is Outcome.KNOWN_FAILURE
    assert judged.notes[-2].endswith(f"expected.toml:{line}")


@pytest.mark.parametrize(
    "other",
    [verdict(Outcome.FAILED, "the server saw the end"), verdict(Outcome.FAILED, "the client lost 3 messages", Pair("go", "py"))],
    ids=["another message", "another pair"],
)
def test_a_failure_that_does_not_match_stays_a_failure(read, other):
    assert read(ENTRY).apply(other) == other


def conversation(client: str, server: str, kind: Kind = Kind.BIDI_STREAMING) -> Verdict:
    """A failure of a call, its scripts in letters: s(end), r(eceive), h(eaders), e(nd)."""
    step = {"s": Send(b""), "r": Receive(), "h": SendHeaders(()), "e": ReceiveToEnd()}
    method = Method("p.S", "Say", kind, "p.A", "p.B")
    scripts = ((*(step[one] for one in client), ReceiveToEnd()),), ((*(step[one] for one in server), Finish()),)
    return Verdict(
        Case("calls", "one", method, *scripts), Pair("py", "go"), Outcome.FAILED, difference=Difference(Side.CLIENT, "lost 3 messages")
    )


UNREAD, NO_MESSAGE = (
    ("unread_at_end", "the server ends with messages unread"),
    ("headers_without_message", "no message follows the headers"),
)
"""Tags, and the words of the key `when` in files of earlier versions."""


@pytest.mark.parametrize("old", [False, True], ids=["tags", "when"])
@pytest.mark.parametrize(
    ("condition", "client", "server", "applies"),
    [
        (UNREAD, "ss", "r", True),
        (UNREAD, "ss", "rr", False),
        (UNREAD, "ss", "e", False),
        (NO_MESSAGE, "s", "rh", True),
        (NO_MESSAGE, "s", "rhs", False),
        (NO_MESSAGE, "s", "r", False),
    ],
)
def test_an_entry_may_hold_for_tagged_cases_only(
    read, condition: tuple[str, str], old: bool, client: str, server: str, applies: bool
) -> None:
    """
    Other cases fail as if there were no entry, and pass as well. Files of earlier versions say it in other words.
    """
    tag, when = condition
    failed, known = conversation(client, server), read(ENTRY + (f'when = "{when}"\n' if old else f'tags = ["{tag}"]\n'))
    assert (known.apply(failed).outcome is Outcome.KNOWN_FAILURE) is applies
    passed = failed._replace(outcome=Outcome.PASSED, difference=None)
    assert (known.apply(passed).outcome is Outcome.UNEXPECTED_PASS) is applies


def test_a_single_request_is_not_unread(read):
    """
    Though a handler may look at it or not.
    """
    failed = conversation("s", "", Kind.SERVER_STREAMING)
    assert read(f'{ENTRY}when = "the server ends with messages unread"\n').apply(failed) == failed


def test_all_tags_of_an_entry_must_hold(read):
    known = read(f'{ENTRY}tags = ["unread_at_end", "headers_without_message"]\n')
    assert known.explains(conversation("ss", "h"))
    assert not known.explains(conversation("ss", "r"))
    assert not known.explains(conversation("s", "rh"))


def test_a_tag_that_nobody_knows_is_refused_with_the_nearest(read):
    with pytest.raises(UsageError, match=r"expected\.toml:2: 'unread' is not a known tag") as error:
        read(f'{ENTRY}tags = ["unread"]\n')
    assert error.value.remedy == "did you mean 'unread_at_end'?"
    with pytest.raises(UsageError, match="must be a list of texts"):
        read(f"{ENTRY}tags = [1]\n")


def test_each_tag_is_in_the_documentation():
    text = (Path(__file__).parents[2] / "docs" / "known-failures.md").read_text()
    assert [tag for tag in sorted(TAGS | EXAMPLE_TAGS) if f"`{tag}`" not in text] == []


class TestMessages:
    """A case of many messages is matched by the tags of the message that fails; if it passes, by those of any message."""

    @pytest.fixture
    def examiner(self, tmp_path: Path) -> Examiner:
        (tmp_path / "a.proto").write_text('syntax = "proto3"; package a; message M { float f = 1; } message N { int32 n = 1; }')
        return Examiner(Shapes(Catalog.load([tmp_path], [], tmp_path / "cache")))

    @pytest.fixture
    def known(self, examiner: Examiner, tmp_path: Path) -> KnownFailures:
        path = tmp_path / "expected.toml"
        path.write_text(ENTRY.replace("calls/p.S/", "messages/") + 'tags = ["binary", "float_max"]\n')
        return KnownFailures.read([path], tag_sets=examiner.tag_sets)

    @pytest.mark.parametrize(
        ("name", "type_name", "applies"),
        [("values", "a.M", True), ("values", "a.N", False), ("unknown_fields", "a.M", False), ("json_float_max", "a.M", False)],
    )
    def test_a_pass_is_unexpected_where_an_example_has_the_tags(
        self, known: KnownFailures, name: str, type_name: str, applies: bool
    ) -> None:
        case = MessageCase("messages", name, type_name, json=name.startswith("json"))
        judged = known.apply(Verdict(case, Pair("py", "go"), Outcome.PASSED))
        assert judged.outcome is (Outcome.UNEXPECTED_PASS if applies else Outcome.PASSED)

    def test_the_tags_of_a_case_are_made_once_for_all_entries(self, tmp_path: Path) -> None:
        path, asked = tmp_path / "expected.toml", []
        path.write_text((ENTRY.replace("calls/p.S/", "messages/") + 'tags = ["float_max"]\n') * 3)
        known = KnownFailures.read([path], tag_sets=lambda case: asked.append(case) or ())
        case = MessageCase("messages", "values", "a.M")
        known.apply(Verdict(case, Pair("py", "go"), Outcome.PASSED))
        known.apply(Verdict(case, Pair("py", "go"), Outcome.FAILED, difference=Difference(Side.CLIENT, "lost 3 messages")))
        assert asked == [case, case]

    @pytest.mark.parametrize("name", ["json_float_max", "json_minus_zero"])
    def test_a_message_from_a_replay_text_has_the_tags_of_its_case(self, examiner: Examiner, name: str) -> None:
        """
        The text holds the message and the name, and no words about the message.
        """
        case = MessageCase("messages", name, "a.M", json=True, examples=(b"\x0d\x00\x00\x00\x80",))
        assert list(examiner.tag_sets(case)) == [{"json", name.removeprefix("json_")}]

    @pytest.mark.parametrize(("tag", "applies"), [("float_max", True), ("minus_zero", False)])
    def test_a_failure_is_known_where_the_very_message_has_the_tags(self, known: KnownFailures, tag: str, applies: bool) -> None:
        """
        The case has messages of both tags: what is known of the messages with one tag hides nothing of the others.
        """
        difference = Difference(Side.CLIENT, "lost 3 messages", tags=frozenset({tag}))
        failed = Verdict(MessageCase("messages", "values", "a.M"), Pair("py", "go"), Outcome.FAILED, difference=difference)
        assert known.explains(failed) is applies


def test_a_condition_that_nobody_knows_is_refused(read):
    """
    With the conditions that there are.
    """
    with pytest.raises(UsageError, match="when = 'it rains' is not a known condition") as error:
        read(f'{ENTRY}when = "it rains"\n')
    assert "the server ends with messages unread" in str(error.value.remedy)


def test_a_pass_where_a_failure_is_known_fails_and_names_the_line_to_delete(read):
    judged = read(ENTRY).apply(verdict(Outcome.PASSED))
    assert judged.outcome is Outcome.UNEXPECTED_PASS
    assert "expected.toml:2" in judged.difference.what
    assert judged.outcome.is_finding


def test_where_a_race_is_known_both_outcomes_are_good_and_counted(read):
    known = read(ENTRY + "sometimes = true\n")
    assert known.apply(verdict(Outcome.PASSED)).outcome is Outcome.PASSED
    assert known.apply(verdict(Outcome.FAILED, "the client lost 3 messages")).outcome is Outcome.KNOWN_FAILURE
    assert known.summary() == [f"{known.entries[0].where} covers 2 cases: 1 known failure, 1 passed"]
    assert known.stale() == []


def test_a_race_that_is_known_of_an_implementation_excuses_no_entry_of_the_project(tmp_path: Path):
    race, own = tmp_path / FILE, tmp_path / "ours.toml"
    race.write_text(ENTRY.replace("calls/p.S/*", "*") + "sometimes = true\n")
    own.write_text(ENTRY)
    assert KnownFailures.read([race]).apply(verdict(Outcome.PASSED)).outcome is Outcome.PASSED
    known = KnownFailures.read([own, race])
    assert "ours.toml:2" in known.apply(verdict(Outcome.PASSED)).difference.what
    own.write_text(ENTRY + "sometimes = true\n")
    assert KnownFailures.read([own, race]).apply(verdict(Outcome.PASSED)).outcome is Outcome.PASSED


def test_whether_a_failure_is_known_can_be_asked_without_counting_it(read):
    known = read(ENTRY)
    assert known.explains(verdict(Outcome.FAILED, "the client lost 3 messages"))
    assert not known.explains(verdict(Outcome.FAILED, "the server saw the end"))
    assert not known.explains(verdict(Outcome.PASSED))
    assert known.summary() == []


def test_an_entry_that_no_case_matches_is_stale(read):
    known = read(ENTRY)
    known.apply(verdict(Outcome.PASSED, pair=Pair("go", "py")))
    assert len(known.stale()) == 1


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.UNSUPPORTED])
def test_an_error_is_never_a_known_failure(read, outcome):
    assert read(ENTRY).apply(verdict(outcome, "the client lost 3 messages")).outcome is outcome


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[known]]\ncase = 'x'", "unknown key `known.case`"),
        ("[[known]]\ncases = 'x'\nmessage = 'y'\nreason = 'z'", "`link` is missing"),
        (ENTRY.replace("lost", "("), "not a regular expression"),
        ("[[known", "not TOML"),
        (ENTRY.replace("[[known]]", "[[knwon]]"), "unknown key `knwon`"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_place(read, text, words):
    with pytest.raises(UsageError, match=words.replace("(", "\\(")):
        read(text)


def test_what_an_implementation_brings_along_is_never_stale(tmp_path):
    path = tmp_path / FILE
    path.write_text(ENTRY)
    assert KnownFailures.read([path]).stale() == []


class TestVariants:
    """Of an implementation with settings of its own, what the one that it was made from brings along is known, too."""

    @pytest.fixture
    def known(self, tmp_path: Path) -> KnownFailures:
        (tmp_path / FILE).write_text(ENTRY)
        return KnownFailures.read([tmp_path / FILE], {"old": "py"})

    def test_the_same_failure_is_known(self, known: KnownFailures) -> None:
        assert known.apply(verdict(Outcome.FAILED, "lost 3 messages", Pair("old", "go"))).outcome is Outcome.KNOWN_FAILURE
        assert known.apply(verdict(Outcome.FAILED, "lost 3 messages", Pair("go", "old"))).outcome is Outcome.FAILED

    def test_a_pass_is_a_pass_since_other_versions_may_have_it_mended(self, known: KnownFailures) -> None:
        assert known.apply(verdict(Outcome.PASSED, pair=Pair("old", "go"))).outcome is Outcome.PASSED
        assert known.apply(verdict(Outcome.PASSED, pair=Pair("py", "old"))).outcome is Outcome.PASSED
        assert known.apply(verdict(Outcome.PASSED)).outcome is Outcome.UNEXPECTED_PASS

    def test_an_entry_of_the_projects_own_names_exactly_what_it_means(self, tmp_path: Path) -> None:
        own = tmp_path / "ours.toml"
        own.write_text(ENTRY)
        known = KnownFailures.read([own], {"old": "py"})
        assert known.apply(verdict(Outcome.FAILED, "lost 3 messages", Pair("old", "go"))).outcome is Outcome.FAILED
