"""Go's names for the things of a proto tree."""

import base64
import re
from collections.abc import Mapping
from typing import Any

from buildtool.packages import Package


class Names:
    """The packages that a program imports, and expressions for their contents."""

    def __init__(self, place: Mapping[str, Package], proto_packages: Mapping[str, str]) -> None:
        """Begin without imports. `place` has the Go package of each proto file, `proto_packages` its own, both by the
        file's name."""
        self._place = place
        self._proto_packages = proto_packages
        self._imports: dict[str, str] = {}

    @property
    def imports(self) -> list[str]:
        """Return the lines of an import declaration."""
        return [f'{name} "{path}"' for path, name in sorted(self._imports.items())]

    def message(self, told: Mapping[str, str]) -> str:
        """Return a message type: `greeterv1.HelloRequest`."""
        package = self._proto_packages[told["file"]]
        return self.generated(told["file"], camel_case(told["name"].removeprefix(f"{package}." if package else "")))

    def generated(self, file: str, name: str) -> str:
        """Return something generated for a file: `greeterv1.NewGreeterClient` for `NewGreeterClient`."""
        package = self._place[file]
        return f"{self._imports.setdefault(package.import_path, f'{package.name}pb')}.{name}"


def camel_case(name: str) -> str:
    """Return the Go name of something in a proto file, by the rule of protobuf-go's internal/strs.GoCamelCase: each
    word begins with a capital, and an underscore goes where a lower-case letter follows."""
    name = re.sub(r"(^|\.)_([a-z]?)", lambda found: f"{found[1]}X{found[2].upper()}", name)
    name = re.sub(r"\.(?=[a-z])", "_", name)  # for a moment: such a dot is dropped like an underscore
    made = re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
    return re.sub(r"(^|[0-9.])([a-z])", lambda found: found[1] + found[2].upper(), made).replace(".", "_")


def literal(data: str) -> str:
    """Return bytes, given in base64, as an expression."""
    escaped = "".join(chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\x{byte:02x}" for byte in base64.b64decode(data))
    return f'[]byte("{escaped}")'


def quoted(text: str) -> str:
    """Return text as a constant of type string."""
    return literal(base64.b64encode(text.encode()).decode()).removeprefix("[]byte(").removesuffix(")")


def text_literal(text: str) -> str:
    """Text as an expression."""
    return "string(" + literal(base64.b64encode(text.encode()).decode()) + ")"


def comment(told: Mapping[str, Any]) -> str:
    """Return the message for people, if it is short enough to stand beside its bytes."""
    text = told.get("text", "")
    return f" // {text}" if text and len(text) <= 80 and text.isprintable() else ""
