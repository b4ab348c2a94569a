#!/usr/bin/env python3
"""Measure how plainly the documentation of the code is written, and fail where it gets harder to read.

    python scripts/style.py

Many readers use English as a second language. Three habits make precise sentences hard for them: clauses such as "what
was sent" in place of a noun, pronouns such as "those" in place of a noun, and the genitive first ("Of each lane ..."). A
reader also finds a function faster when its docstring begins with a verb: "Return the lanes", not "The lanes".
The ceilings below only fall: text that lies under them stays, and new text must not raise a figure above them.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Figures(NamedTuple):
    """How much of each habit there is, or may be."""

    what: float  # "what" and "whatever" per 1,000 words of docstrings
    one: float  # "one", "ones" and "those" per 1,000 words of docstrings
    of: float  # sentences of docstrings and documents that open with "Of"
    opening: float  # functions per 1,000 whose docstring does not begin with an imperative verb


CEILINGS = Figures(what=5.0, one=8.0, of=0, opening=60)


class Place(NamedTuple):
    """A piece of text that counts towards a figure."""

    path: Path
    line: int
    text: str


class Measured(NamedTuple):
    """The figures, and the places behind each."""

    figures: Figures
    places: dict[str, list[Place]]


WORD = re.compile(r"[A-Za-z']+")
HABITS = {
    "what": re.compile(r"\b(what|whatever)\b", re.IGNORECASE),
    "one": re.compile(r"\b(ones?|those)\b", re.IGNORECASE),
    "of": re.compile(r"(?:^[\s>*|-]*|[.!?:|]\s+)(Of)\b", re.MULTILINE),
}

NO_VERB = frozenset(
    "a an the this that these those it its he she they their there i we you our your who whose which what whatever when where why".split()
    + "whether how in on at by to of for from with without within between around as if than not no none nothing nobody only also".split()
    + "all any both each either every everything few many most some someone something such same other another one two three".split()
    + "first last next up down out true false is are was were has had can may must called and or but like".split()
)
"""Words that no imperative sentence begins with: articles, pronouns, prepositions, question words, numbers."""

THIRD_PERSON = re.compile(r"[a-z]+[^s]s$")
"""`Returns`, `Gives`, `Raises`, and plurals such as `Messages`; but `Pass` and `Process` are imperatives."""


def main() -> int:
    figures, places = measure(sources(ROOT), documents(ROOT))
    over = [name for name in Figures._fields if getattr(figures, name) > getattr(CEILINGS, name)]
    for name in Figures._fields:
        print(f"{name:8} {getattr(figures, name):6.1f}  ceiling {getattr(CEILINGS, name):6.1f}")
    for name in over:
        print(f"\n{name!r} is over its ceiling; scripts/style.py says what it counts. The files with the most places:")
        print("\n".join(worst(places[name])))
    return 1 if over else 0


def sources(root: Path) -> list[Path]:
    """Return the Python files whose docstrings count: harness, implementations and scripts, without generated code."""
    folders = [root / "harness", root / "scripts", *sorted(root.glob("*_impl"))]
    return [path for folder in folders for path in sorted(folder.rglob("*.py")) if not path.name.endswith("_pb2.py")]


def documents(root: Path) -> list[Path]:
    """Return the Markdown files that readers are sent to."""
    return sorted([*root.glob("*.md"), *root.glob("*_impl/*.md"), *root.glob("docs/**/*.md")])


def measure(sources: Iterable[Path], documents: Iterable[Path]) -> Measured:
    """Measure the docstrings of `sources`, and the openings of sentences in `documents`."""
    words = functions = 0
    places: dict[str, list[Place]] = {name: [] for name in Figures._fields}
    for path in sources:
        tree = ast.parse(path.read_text())
        for docstring in docstrings(path, tree):
            words += len(WORD.findall(docstring.text))
            for habit in HABITS:
                places[habit] += matches(habit, docstring)
        openings = list(function_docstrings(path, tree))
        functions += len(openings)
        places["opening"] += [place for place in openings if not begins_with_a_verb(place.text)]
    for path in documents:
        places["of"] += matches("of", Place(path, 1, path.read_text()))
    count = {name: len(found) for name, found in places.items()}
    per_word, per_function = 1000 / max(1, words), 1000 / max(1, functions)
    figures = Figures(count["what"] * per_word, count["one"] * per_word, count["of"], count["opening"] * per_function)
    return Measured(figures, places)


def docstrings(path: Path, tree: ast.Module) -> Iterator[Place]:
    """Yield the docstring of each module, class and function, and the string below each constant and field."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from string(path, body[0] if body else None)
        for statement, following in pairwise(body):
            if isinstance(statement, ast.Assign | ast.AnnAssign):
                yield from string(path, following)


def string(path: Path, statement: ast.stmt | None) -> Iterator[Place]:
    """Yield the text of a statement that is nothing but a string."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str):
        yield Place(path, statement.lineno, statement.value.value)


def function_docstrings(path: Path, tree: ast.Module) -> Iterator[Place]:
    """Yield the docstring of each function. A property is read like a field, so that a noun describes it best."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            decorators = {decorator.id for decorator in node.decorator_list if isinstance(decorator, ast.Name)}
            if not decorators & {"property", "cached_property"}:
                yield from string(path, node.body[0])


def begins_with_a_verb(docstring: str) -> bool:
    """Return False if the first word is none, is one that no imperative begins with, or is in the third person."""
    first = WORD.match(docstring.strip())
    return first is not None and first[0].lower() not in NO_VERB and THIRD_PERSON.match(first[0].lower()) is None


def matches(habit: str, place: Place) -> Iterator[Place]:
    """Yield each place in a text that shows a habit, with the line that it stands in."""
    for match in HABITS[habit].finditer(place.text):
        before, start = place.text[: match.start(1)], place.text.rfind("\n", 0, match.start(1)) + 1
        yield Place(place.path, place.line + before.count("\n"), place.text[start:].split("\n", 1)[0].strip())


def worst(places: list[Place], files: int = 5, lines: int = 5) -> Iterator[str]:
    """Yield the files with the most places, each with its first lines."""
    for path, count in Counter(place.path for place in places).most_common(files):
        yield f"  {path.relative_to(ROOT)}: {count}"
        for place in [place for place in places if place.path == path][:lines]:
            yield f"    line {place.line}: {place.text.splitlines()[0]}"


if __name__ == "__main__":
    sys.exit(main())
