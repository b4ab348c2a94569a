"""TomlEntries of a TOML file, in whatever form they are written, with the lines that hold them."""

from pathlib import Path

import pytest

from grpc_interop.errors import UsageError
from grpc_interop.session.toml_entries import TomlEntries, read_entries

KEYS: dict[str, type] = {"name": str, "text": str, "on": object}


@pytest.fixture
def read(tmp_path: Path):
    def write(text: str) -> TomlEntries:
        path = tmp_path / "list.toml"
        path.write_bytes(text.encode())
        return read_entries(path, "known", KEYS)

    return write


FORMS = {
    "tables": ('[[known]]\nname = "a"\n\n[[known]]\nname = "b"\n', [(1, 3), (4, 6)]),
    "spaces in the header": ('[[ known ]]\nname = "a"\n[[\tknown\t]] # the second\nname = "b"', [(1, 3), (3, 5)]),
    "a quoted header": ("[[\"known\"]]\nname = 'a'\n[['known']]\nname = 'b'\n", [(1, 3), (3, 5)]),
    "an escape in the header": ('[["kn\\u006fwn"]]\nname = "a"\n  [[known]]\n  name = "b"\n', [(1, 3), (3, 5)]),
    "a list": ('known = [{name = "a"}, {name = "b"}]\n', [(1, 2), (1, 2)]),
    "a list over lines": (
        '# ours\n"known" = [ # all\n  {name = "a", text = "]}"},\n  # and\n  {name = "b",\ttext = """\n}]\n"""},\n]\n',
        [(3, 4), (5, 8)],
    ),
    "Windows' line ends": ('[[known]]\r\nname = "a"\r\n\r\n[[known]]\r\nname = "b"\r\n', [(1, 3), (4, 6)]),
    "a header in a text": (
        '[[known]]\nname = "a"\ntext = """\n[[known]]\nname = "not \\"""this"""""\n[[known]]\nname = "b"\n',
        [(1, 6), (6, 8)],
    ),
    "a header in a literal text": ("[[known]]\nname = 'a'\ntext = '''\n[[known]]\n'''\n[[known]]\nname = 'b'\n", [(1, 6), (6, 8)]),
    "a header in a comment": ('# [[known]]\n[[known]]\nname = "a" # "\n# [[known]]\n[[known]]\nname = "b"\n', [(2, 4), (5, 7)]),
    "other line ends in a text": ('[[known]]\nname = "a"\ntext = "\u2028\x85"\n[[known]]\nname = "b"\n', [(1, 4), (4, 6)]),
    "values of other kinds": (
        '[[known]]\nname = "a"\non = [\n 2026-01-01,\n {x = [1, {y = 2}]},\n]\n[[known]]\nname = "b"\non.deep = true\n',
        [(1, 7), (7, 10)],
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_list_is_read_with_its_lines(read, form: str) -> None:
    """
    Whatever TOML calls a list of tables has its entries, each with its first line and the first behind it.
    """
    text, lines = FORMS[form]
    found = read(text).entries
    assert [entry.table["name"] for entry in found] == ["a", "b"]
    assert [(entry.line, entry.end) for entry in found] == lines


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\n\n", "known = []"])
def test_a_file_may_have_no_entries(read, text: str) -> None:
    assert read(text).entries == ()


@pytest.mark.parametrize(("text", "line"), [("known = []", 1), ('\n# all\nknown = [\n{name = "a"}]', 3), ('[[known]]\nname = "a"\n', 0)])
def test_a_list_that_is_one_value_is_told_apart(read, text: str, line: int) -> None:
    """
    To such a list nothing can be added by another header.
    """
    assert read(text).in_a_list == line


@pytest.mark.parametrize(
    ("text", "words", "remedy"),
    [
        ('[[knwon]]\nname = "a"', "unknown key `knwon`", "did you mean `known`?"),
        ('[[Known]]\nname = "a"', "unknown key `Known`", "did you mean `known`?"),
        ('[known]\nname = "a"', "`known` must be a list of tables", "each begins with [[known]]"),
        ('known = ["a"]', "`known` must be a list of tables", "each begins with [[known]]"),
        ('known.name = "a"', "`known` must be a list of tables", "each begins with [[known]]"),
        ('[[known]]\nname = "a"\n[[known.more]]\nname = "b"', "list.toml:1: unknown key `known.more`", "known keys"),
        ('\n[[ known ]]\nnaem = "a"', "list.toml:2: unknown key `known.naem`", "did you mean `name`?"),
        ("known = [\n{name = 1},\n]", "list.toml:2: `known.name` must be a text", ""),
        ("[[known", "not TOML", ""),
        ('[[known]]\nname = "a"\n[[other]]\n', "unknown key `other`", "known keys: known"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(read, text: str, words: str, remedy: str) -> None:
    with pytest.raises(UsageError) as refusal:
        read(text)
    assert words in str(refusal.value)
    assert remedy in (refusal.value.remedy or "")
