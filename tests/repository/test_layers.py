"""Which way dependencies point."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HARNESS = ROOT / "harness/grpc_interop"
IMPLEMENTATIONS = sorted(path.parent for path in ROOT.glob("*_impl/interop.toml"))
CORE = sorted((HARNESS / "core").glob("*.py"))
"""What judges: pure, and so small that it can be tested exhaustively."""

IMPURE = {"asyncio", "io", "os", "pathlib", "random", "selectors", "socket", "subprocess", "tempfile", "threading", "time"}


def imports(path: Path) -> set[str]:
    """The full names of the modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string constant."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def names_of_implementations() -> set[str]:
    names = {tomllib.loads((folder / "interop.toml").read_text())["name"] for folder in IMPLEMENTATIONS}
    return names | {folder.name for folder in IMPLEMENTATIONS}


@pytest.mark.parametrize("module", CORE, ids=lambda path: path.stem)
def test_the_core_is_pure_and_imports_nothing_of_the_rest(module: Path) -> None:
    imported = imports(module)
    assert [name for name in imported if name.startswith("grpc_interop") and not name.startswith("grpc_interop.core.")] == []
    assert imported & IMPURE == set()


def test_the_harness_names_no_implementation() -> None:
    """What is particular to one stands behind its manifest and the contract; not even its variables are known."""
    names = names_of_implementations()
    assert {"py", "go"} <= names
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in sorted(HARNESS.rglob("*.py"))
        for line, text in texts(path)
        if text.lower() in names
    ]
    assert found == []


def test_the_harness_and_the_implementations_import_nothing_of_each_other() -> None:
    bundled = {folder.name for folder in IMPLEMENTATIONS}
    for path in sorted(HARNESS.rglob("*.py")):
        assert {name for name in imports(path) if name.split(".")[0] in bundled} == set(), path
    for folder in IMPLEMENTATIONS:
        for path in sorted(folder.rglob("*.py")):
            assert {name for name in imports(path) if name.split(".")[0] == "grpc_interop"} == set(), path


def test_whatever_is_printed_goes_through_what_makes_it_harmless() -> None:
    """Names, messages and logs of strangers are in what is printed; a terminal or a CI system would obey some of them."""
    found = [path.relative_to(HARNESS).as_posix() for path in sorted(HARNESS.rglob("*.py")) if "click.echo" in path.read_text()]
    assert found == ["output/console.py"]
