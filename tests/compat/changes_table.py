"""The table of changes: its entries as the TOML files below table/ hold them, and the two proto trees made of all of them.

table/README.md says what an entry looks like.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

TABLE = Path(__file__).parent / "table"
LANGUAGES = ("py", "go")
"""The implementations that the table speaks of."""

PAIRS = ("py:py", "py:go", "go:py", "go:go")
"""Who writes, and who reads."""

COLUMNS = (("old to new", "binary"), ("old to new", "json"), ("new to old", "binary"), ("new to old", "json"))
"""The flows and formats, in the order of a row's cells."""

SERVICES = {
    "request": "message Done {} service S { rpc Call(M) returns (Done); }",
    "response": "message Ask {} service S { rpc Call(Ask) returns (M); }",
    "none": "",
}
"""What is added to an edit that declares no service, by its key `rpc`."""


class Cell(NamedTuple):
    """What becomes of an element: by pair, written `writer:reader`, every outcome but `preserved` that some value has, and
    that one if all have it. A pair that exchanged nothing is not in it."""

    outcomes: dict[str, frozenset[str]]

    def __str__(self) -> str:
        """As in the table; whoever differs from the others by reader or by writer is named."""
        told = {pair: ", ".join(sorted(self.outcomes.get(pair, ()))) or "-" for pair in PAIRS}
        for words, place in (("", 1), ("from ", 0)):
            sides = {f"{words}{one}": {told[pair] for pair in PAIRS if pair.split(":")[place] == one} for one in LANGUAGES}
            if all(len(texts) == 1 for texts in sides.values()):
                named = {side: texts.pop() for side, texts in sides.items()}
                return next(iter(named.values())) if len(set(named.values())) == 1 else _joined(named)
        return _joined(told)


def _joined(named: dict[str, str]) -> str:
    return "; ".join(f"{name}: {text}" for name, text in named.items())


class Line(NamedTuple):
    """A row of `seen`: an element, its cells in the order of COLUMNS, and the verdict."""

    element: str
    cells: tuple[Cell, ...]
    verdict: str

    def __str__(self) -> str:
        return " | ".join((self.element, *map(str, self.cells), self.verdict))


class Edit(NamedTuple):
    """An entry. `base` and `head` are files and their texts. Elements have their full names; `notes` are words that notes on
    them contain, `no_notes` words that none contains; `rollout` holds the orders of deployment that break. `partial`: it tells
    not of all elements."""

    id: str
    words: str
    base: dict[str, str]
    head: dict[str, str]
    seen: dict[str, Line]
    notes: tuple[str, ...]
    no_notes: tuple[str, ...]
    rollout: frozenset[str]
    partial: bool

    @property
    def package(self) -> str:
        return f"edit.{self.id}"

    def owns(self, element: str) -> bool:
        """Whether an element, or a file, is one of this edit's."""
        names = (f"edit.{self.id}", f"[edit.{self.id}", f"edit/{self.id}")
        return any(element == name or element.startswith((f"{name}.", f"{name}/")) for name in names)


def edits() -> Iterator[Edit]:
    """All of them, file by file in the order of their names."""
    for path in sorted(TABLE.glob("*.toml")):
        for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            yield _edit(name, entry)


def write_trees(folder: Path) -> tuple[Path, Path]:
    """Writes the tree of all bases and that of all heads; gives the two folders."""
    base, head = folder / "base", folder / "head"
    for edit in edits():
        for tree, files in ((base, edit.base), (head, edit.head)):
            for name, text in files.items():
                path = tree / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    return base, head


def _edit(name: str, entry: dict[str, Any]) -> Edit:
    known = {"words", "base", "head", "syntax", "base_syntax", "head_syntax", "rpc", "partial", "seen", "notes", "no_notes", "rollout"}
    assert set(entry) <= known, f"{name}: unknown keys {sorted(set(entry) - known)}"
    lines = [_line(f"edit.{name}.", text) for text in entry["seen"].splitlines() if text.strip()]
    rollout = [order.partition(":") for order in entry.get("rollout", "").split(" · ") if order]
    assert all(word.strip() == "breaks" for _, _, word in rollout), f"{name}: rollout names what breaks"
    return Edit(
        id=name,
        words=entry["words"],
        base=_files(name, entry, "base"),
        head=_files(name, entry, "head"),
        seen={line.element: line for line in lines},
        notes=tuple(entry.get("notes", ())),
        no_notes=tuple(entry.get("no_notes", ())),
        rollout=frozenset(order for order, _, _ in rollout),
        partial=entry.get("partial", False),
    )


def _files(name: str, entry: dict[str, Any], side: str) -> dict[str, str]:
    body = entry[side]
    if isinstance(body, dict):
        return {f"edit/{name}/{file}": text for file, text in body.items()}
    syntax = entry.get(f"{side}_syntax", entry.get("syntax", "proto3"))
    head = f'syntax = "{syntax}";' if syntax.startswith("proto") else f'edition = "{syntax}";'
    service = "" if "service " in body else SERVICES[entry.get("rpc", "request")]
    return {f"edit/{name}.proto": "\n".join((head, f"package edit.{name};", body, service)) + "\n"}


def _line(scope: str, text: str) -> Line:
    element, *cells, verdict = (word.strip() for word in text.split("|"))
    assert len(cells) == len(COLUMNS), f"not a row: {text}"
    return Line(_full_name(scope, element), tuple(map(_cell, cells)), verdict)


def _full_name(scope: str, element: str) -> str:
    if element.endswith(".proto"):
        return f"edit/{element}"
    return f"[{scope}{element[1:]}" if element.startswith("[") else scope + element


def _cell(text: str) -> Cell:
    told = dict(part.split(": ") for part in text.split("; ")) if ":" in text else {}

    def of_pair(pair: str) -> str:
        writer, _, reader = pair.partition(":")
        return next((told[name] for name in (pair, f"from {writer}", reader) if name in told), text)

    return Cell({pair: frozenset(of_pair(pair).split(", ")) for pair in PAIRS if of_pair(pair) != "-"})
