"""Python's names for the things of a proto tree, as expressions in a program."""

import base64
import keyword
from collections.abc import Mapping
from typing import Any

from driver.generated import module_name


class Names:
    """The modules that a program imports, and expressions for their contents."""

    def __init__(self, descriptors: Mapping[str, Any]) -> None:
        """Begin without imports. `descriptors` has the FileDescriptorProto of each file, by its name."""
        self._descriptors = descriptors
        self._imports: dict[str, str] = {}

    @property
    def imports(self) -> list[str]:
        return sorted(self._imports.values())

    def message(self, told: Mapping[str, str]) -> str:
        """Return the class of a message type: `greeter_pb2.HelloRequest`."""
        package = self._descriptors[told["file"]].package
        path = told["name"].removeprefix(f"{package}." if package else "").split(".")
        return _attribute(self._module(module_name(told["file"])), *path)

    def service(self, file: str, name: str) -> str:
        """Return something generated for a service: `greeter_pb2_grpc.GreeterStub` for `GreeterStub`."""
        return _attribute(self._module(f"{module_name(file)}_grpc"), name)

    def _module(self, name: str) -> str:
        """Return the program's name for a module, and import the module."""
        package, _, last = name.rpartition(".")
        if not all(_readable(part) for part in name.split(".")):
            self._imports[name] = f"{_identifier(last)} = importlib.import_module({name!r})"
            return _identifier(last)
        # Two modules with the same name in different packages would hide each other.
        alias = last if all(not other.endswith(f".{last}") or other == name for other in self._imports) else name.replace(".", "_")
        statement = f"from {package} import {last}" if package else f"import {last}"
        self._imports.setdefault(name, statement + (f" as {alias}" if alias != last else ""))
        return self._imports[name].split()[-1]


def literal(told: Mapping[str, str]) -> str:
    """Return a message's bytes as a literal."""
    return repr(base64.b64decode(told["base64"]))


def comment(told: Mapping[str, str]) -> str:
    """Return the message for people, if it is short enough to stand beside its bytes."""
    text = told.get("text", "")
    return f"  # {text}" if text and len(text) <= 80 and text.isprintable() else ""


def attribute(thing: str, name: str) -> str:
    """Return `stub.SayHello`, or a call of getattr where Python cannot parse that."""
    return _attribute(thing, name)


def _attribute(thing: str, *path: str) -> str:
    for name in path:
        thing = f"{thing}.{name}" if _readable(name) else f"getattr({thing}, {name!r})"
    return thing


def _readable(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _identifier(name: str) -> str:
    clean = "".join(char if char.isalnum() else "_" for char in name)
    return clean if _readable(clean) else f"m_{clean}"
