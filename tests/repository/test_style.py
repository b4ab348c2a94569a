"""The check of the style: it finds each habit, and the repository lies under its ceilings."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/style.py"


@pytest.fixture(scope="module")
def style() -> ModuleType:
    spec = importlib.util.spec_from_file_location("style", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A module with two words in each docstring that shows no habit."""
    path = tmp_path / "module.py"
    path.write_text(
        dedent('''\
            """Read bytes.

            Of each lane, what arrived.
            """

            LIMIT = 5
            """Whatever fits. Of those, one."""


            class Reader:
                """Reads ones."""

                limit: int
                """Seconds, of what
                is left."""

                @property
                def size(self) -> int:
                    """The size."""
                    return 0

                def read(self) -> str:
                    """Return what is next. Of course."""
                    return "what of those"


            async def close():
                """Closes it."""
            ''')
    )
    return path


def test_the_repository_lies_under_its_ceilings() -> None:
    checked = subprocess.run([sys.executable, SCRIPT], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_words_are_found_in_docstrings_and_nowhere_else(style: ModuleType, source: Path) -> None:
    measured = style.measure([source], [])
    assert [place.line for place in measured.places["what"]] == [3, 7, 14, 23]
    assert [place.line for place in measured.places["one"]] == [7, 7, 11]


def test_words_are_counted_per_thousand(style: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(f'"""{"word " * 398} what one"""')
    figures, _ = style.measure([tmp_path / "module.py"], [])
    assert (figures.what, figures.one) == (2.5, 2.5)


def test_sentences_that_open_with_of_are_found(style: ModuleType, source: Path, tmp_path: Path) -> None:
    document = tmp_path / "guide.md"
    document.write_text("# Of lanes\n\nRead all of it. Of each,\nread one.\n\n- Of two\n- a list Of\n\n| a | Of b |\n")
    measured = style.measure([source], [document])
    places = [(place.path, place.line) for place in measured.places["of"]]
    assert sorted(places) == [(document, 3), (document, 6), (document, 9), (source, 3), (source, 7), (source, 23)]
    assert measured.figures.of == 6


@pytest.mark.parametrize("docstring", ["Return it.", "Process it.", "Pass it on.", "Close: it is done."])
def test_an_imperative_opens_a_docstring(style: ModuleType, docstring: str) -> None:
    assert style.begins_with_a_verb(docstring)


@pytest.mark.parametrize(
    "docstring", ["Returns it.", "The lanes.", "What is left.", "Of each lane", "\n  Gives it", "`lane` is one.", "", "3 ms"]
)
def test_other_openings_are_found(style: ModuleType, docstring: str) -> None:
    assert not style.begins_with_a_verb(docstring)


def test_functions_count_and_properties_do_not(style: ModuleType, source: Path) -> None:
    measured = style.measure([source], [])
    assert [place.text for place in measured.places["opening"]] == ["Closes it."]
    assert measured.figures.opening == 500


def test_generated_code_is_not_measured(style: ModuleType) -> None:
    sources = style.sources(SCRIPT.parents[1])
    assert SCRIPT in sources
    assert [path for path in sources if path.name.endswith("_pb2.py")] == []


def test_the_worst_files_come_first(style: ModuleType) -> None:
    root = SCRIPT.parents[1]
    places = [style.Place(root / name, line, "text") for name, line in [("a.py", 1), ("b.py", 2), ("b.py", 3)]]
    assert list(style.worst(places, files=1)) == ["  b.py: 2", "    line 2: text", "    line 3: text"]
