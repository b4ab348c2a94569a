"""Which way dependencies point."""

import ast
import re
import tomllib
from collections.abc import Container, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HARNESS = ROOT / "harness/grpc_interop"
IMPLEMENTATIONS = sorted(path.parent for path in ROOT.glob("*_impl/interop.toml"))
LAYERS = (
    "core errors interruption files output schema wire values messages net drivers config programs suites engine report session"
    " compat repro check_driver bench testing commands cli pytest_plugin case"
).split()
"""The packages and modules of the harness, as ARCHITECTURE.md shows them: each imports only those before it."""

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


def modules() -> dict[str, Path]:
    """Every module of the harness by its full name, packages included."""
    names = {path: ".".join(path.relative_to(HARNESS.parent).with_suffix("").parts) for path in HARNESS.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


def imported_modules(path: Path, known: Container[str]) -> set[str]:
    """The modules of the harness that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(name if name in known else node.module for name in submodules)
    return {name for name in found if name in known}


def graph() -> dict[str, set[str]]:
    """Every module of the harness with the modules that it imports."""
    known = modules()
    return {name: imported_modules(path, known) - {name} for name, path in known.items()}


def layer(module: str) -> str:
    """The package or module of the harness to which a module belongs; empty for the harness' own `__init__`."""
    return module.partition(".")[2].partition(".")[0]


def test_each_package_imports_only_those_before_it() -> None:
    """A layer that is not listed fails as well: it must have its place."""
    edges = {(layer(module), layer(target)) for module, targets in graph().items() for target in targets if layer(module)}
    assert {name for edge in edges for name in edge} <= set(LAYERS)
    assert {layer(module) for module in graph()} - {""} == set(LAYERS)
    assert sorted((above, below) for above, below in edges if LAYERS.index(above) < LAYERS.index(below)) == []


def test_architecture_shows_the_same_order() -> None:
    shown = re.findall(r"^    ([a-z_]+)(?:\.py|/) ", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    assert [name for name in shown if name in LAYERS] == LAYERS


def test_no_files_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_packages_are_at_most_twelve_levels_high() -> None:
    below: dict[str, set[str]] = {name: set() for name in LAYERS}
    for module, targets in graph().items():
        below.setdefault(layer(module), set()).update(map(layer, targets))
    level: dict[str, int] = {}
    for name in LAYERS:
        level[name] = 1 + max((level[target] for target in below[name] - {name}), default=0)
    assert max(level.values()) <= 12, level


@pytest.mark.parametrize("module", CORE, ids=lambda path: path.stem)
def test_the_core_is_pure_and_imports_nothing_of_the_rest(module: Path) -> None:
    imported = imports(module)
    assert [name for name in imported if name.startswith("grpc_interop") and not name.startswith("grpc_interop.core.")] == []
    assert imported & IMPURE == set()


def test_only_the_kinds_own_modules_ask_a_case_for_its_kind() -> None:
    """Everything else asks the case itself, so that a new kind is a class and an executor (core/case.py, engine/executors/)."""
    found = {
        path.relative_to(HARNESS).as_posix()
        for path in sorted(HARNESS.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass")
        if {"Case", "MessageCase"} & {part.id for part in ast.walk(node.args[1]) if isinstance(part, ast.Name)}
    }
    assert [path for path in found if not path.startswith(("core/case.py", "core/tags.py", "engine/executors/", "messages/"))] == []


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
