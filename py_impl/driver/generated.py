"""Load the modules that protoc generated for a proto tree, by exact name.

`sys.path` cannot do that: a tree may have folders named like a standard or an installed package (`io`, `logging`,
`grpc`, `google`), and the real package would win. So the files are loaded one by one, imports first, and put into
`sys.modules` under the names by which generated code imports them. A real package is never replaced.
"""

import importlib
import importlib.util
import json
import keyword
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

# The build writes it beside the generated code: the files in the order in which they can be loaded.
INDEX = "tree.json"


@dataclass(frozen=True)
class GeneratedFile:
    """A proto file and the paths of its modules, relative to the folder of the generated code."""

    proto: str
    messages: str = ""  # empty if the protobuf runtime itself has the module
    services: str = ""  # empty if the file has no services, or they were refused


def module_name(proto: str) -> str:
    """Return the name of the module with a proto file's messages, as protoc derives it (`a-b/c.proto` is `a_b.c_pb2`)."""
    stem = proto.removesuffix(".protodevel").removesuffix(".proto")
    return stem.replace("-", "_").replace("/", ".") + "_pb2"


def can_be_imported(name: str) -> bool:
    """Return whether an import statement can name the module. It cannot if a part is a keyword or not an identifier."""
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split("."))


def write_index(folder: Path, files: Iterable[GeneratedFile]) -> None:
    """Write the index that `load_tree` reads."""
    rows = [[file.proto, file.messages, file.services] for file in files]
    (folder / INDEX).write_text(json.dumps(rows))


def read_index(folder: Path) -> list[GeneratedFile]:
    """Return the generated files of a folder, imports first."""
    return [GeneratedFile(*row) for row in json.loads((folder / INDEX).read_text())]


def load_messages(folder: Path, file: GeneratedFile) -> ModuleType:
    """Load the module with the messages of a file. Its imports must be loaded."""
    name = module_name(file.proto)
    return _load(name, folder / file.messages) if file.messages else importlib.import_module(name)


def load_services(folder: Path, file: GeneratedFile) -> ModuleType:
    """Load the module with the services of a file. Its messages must be loaded."""
    return _load(module_name(file.proto) + "_grpc", folder / file.services)


def _load(name: str, path: Path) -> ModuleType:
    if can_be_imported(name):
        for package in _parents(name):
            _ensure_package(package)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _parents(name: str) -> list[str]:
    parts = name.split(".")[:-1]
    return [".".join(parts[: depth + 1]) for depth in range(len(parts))]


def _ensure_package(name: str) -> None:
    """Make `from NAME import x_pb2` find the modules in `sys.modules`, without importing or hiding a real package."""
    if name in sys.modules or _is_real(name):
        return
    package = ModuleType(name, "A package of generated code.")
    package.__path__ = []
    sys.modules[name] = package


def _is_real(name: str) -> bool:
    """Return whether Python would find the module by itself, without running any code."""
    locations = None
    qualified = ""
    for part in name.split("."):
        qualified = f"{qualified}.{part}".removeprefix(".")
        if qualified in sys.modules:
            locations = getattr(sys.modules[qualified], "__path__", None)
        else:
            find = importlib.util.find_spec if locations is None else partial(PathFinder.find_spec, path=locations)
            spec = find(qualified)
            if spec is None:
                return False
            locations = spec.submodule_search_locations
            if spec.loader is None:
                importlib.import_module(qualified)  # a namespace package: it has no code, and finding its contents needs it loaded
        if locations is None and qualified != name:
            return False
    return True
