"""Reads the package, the imports and the RPCs of a proto file without compiling it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from grpc_interop.schema.source_lines import tokens


class Statements(NamedTuple):
    package: str
    imports: tuple[str, ...]
    rpcs: tuple[str, ...]  # as in reports: package.Service/Method


def read_statements(file: Path) -> Statements:
    """Return the statements of a file, also of a file that protoc would refuse, as far as they can be understood."""
    text = file.read_text(encoding="utf-8-sig", errors="replace")
    package, imports, rpcs = "", [], []
    service, depth = "", 0
    for words in _statements(text):
        if depth == 0 and words[0] == "package":
            package = "".join(words[1:])
        elif depth == 0 and words[0] == "import":
            imports.append("".join(word[1:-1] for word in words if word[0] in "\"'"))
        elif depth == 0 and words[0] == "service":
            service = f"{package}.{words[1]}".lstrip(".") if words[1:] else ""
        elif depth == 1 and service and words[0] == "rpc" and words[1:]:
            rpcs.append(f"{service}/{words[1]}")
        depth += words[-1] == "{"
        if words[-1] == "}":
            depth -= 1
            service = service if depth else ""
    return Statements(package, tuple(filter(None, imports)), tuple(rpcs))


def _statements(text: str) -> Iterator[list[str]]:
    """Yield the words of each statement up to a semicolon, or to a brace, which is the last word."""
    words: list[str] = []
    for token, _ in tokens(text):
        if token in "{}":
            yield [*words, token]
            words = []
        elif token == ";":
            if words:
                yield words
            words = []
        else:
            words.append(token)
