"""A name of the harness means one thing."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
HARNESS = ROOT / "harness/grpc_interop"


def named_types(tree: ast.Module) -> list[tuple[str, int]]:
    """Return each class, and each alias of a type, with its line. A leading underscore makes no other word."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            names.append((node.name, node.lineno))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.BinOp | ast.Subscript):
            names.append((node.targets[0].id, node.lineno))
    return [(name.lstrip("_"), line) for name, line in names if not name.isupper() and name.lstrip("_")[:1].isupper()]


def test_no_class_name_means_two_things() -> None:
    """
    Who reads `Entry` in one file knows which class it is. Generated code has the names of the contract.
    """
    places = defaultdict(list)
    for path in sorted(HARNESS.rglob("*.py")):
        if not path.name.endswith("_pb2.py"):
            for name, line in named_types(ast.parse(path.read_text())):
                places[name].append(f"{path.relative_to(HARNESS)}:{line}")
    assert len(places) > 100
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
