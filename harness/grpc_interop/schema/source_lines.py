"""On which line of a proto file each element stands.

A catalog does not say, so that an edited comment builds nothing: of sources the text does, of a descriptor set that somebody
brings along the source info in it, if it was made with any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from google.protobuf import descriptor_pb2
from google.protobuf.message import Message

_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?P<word>[\w.+-]+)|(?P<sign>.)""", re.DOTALL
)
_OPENING, _CLOSING = "{[(<", "}])>"


class _LineToken(NamedTuple):
    text: str
    line: int


class _Block(NamedTuple):
    """What a brace opened: `message`, `enum`, `service`, `extend`, or nothing that declares elements. `within` is what the
    full names of its elements begin with."""

    kind: str
    within: str


def source_lines(source: str) -> dict[str, int]:
    """The line, from 1, on which each element's definition begins: messages, enums, services and extensions (`[pkg.ext]`)
    by their full names, fields and oneofs as `pkg.Message.field`, values as `pkg.Enum.VALUE`, RPCs as `pkg.Service/Method`.
    Of what is no proto source nothing is promised."""
    found: dict[str, int] = {}
    scopes = [_Block("file", "")]
    for words, end in _statements(_tokens(source)):
        here = scopes[-1]
        if words:
            if words[0].text == "package" and len(words) > 1:
                scopes[0] = _Block("file", f"{words[1].text}.")
            elif (name := _declared(here, [word.text for word in words])) is not None:
                found.setdefault(name, words[0].line)
        if end == "{":
            scopes.append(_opened(here, [word.text for word in words], found, words[0].line if words else 0))
        elif end == "}" and len(scopes) > 1:
            scopes.pop()
    return found


def _tokens(source: str) -> Iterator[_LineToken]:
    line = 1
    for match in _TOKEN.finditer(source):
        if match.lastgroup != "skip":
            yield _LineToken(match[0], line)
        line += match[0].count("\n")


def _statements(tokens: Iterator[_LineToken]) -> Iterator[tuple[list[_LineToken], str]]:
    """The words of each statement and what ends it: a semicolon, or a brace. What stands in brackets, and the value of an
    option, is left out."""
    words: list[_LineToken] = []
    depth = 0
    for token in tokens:
        nests = token.text in "[(<" or (token.text == "{" and (depth or (words and words[0].text == "option")))
        if nests:
            depth += 1
        elif depth and token.text in _CLOSING:
            depth -= 1
        elif not depth and token.text in ";{}":
            yield words, token.text
            words = []
        elif not depth:
            words.append(token)


_DECLARING = {"message": "message", "enum": "enum", "service": "service"}
_NOTHING = {"option", "reserved", "extensions", "import", "syntax", "edition", "extend", "returns"}


def _declared(here: _Block, words: list[str]) -> str | None:
    """The element that a statement declares."""
    words = words[1:] if words[0] in ("export", "local") and len(words) > 1 else words
    if words[0] in _DECLARING and len(words) == 2:
        return here.within + words[1]
    if words[0] == "rpc" and here.kind == "service":
        return f"{here.within}/{words[1]}" if len(words) > 1 else None
    if words[0] == "oneof" and len(words) == 2:
        return here.within + words[1]
    if words[0] in _NOTHING or "=" not in words[1:] or here.kind not in ("message", "enum", "extend"):
        return None
    name = words[words.index("=", 1) - 1]
    name = name.lower() if "group" in words else name
    return f"[{here.within}{name}]" if here.kind == "extend" else here.within + name


def _opened(here: _Block, words: list[str], found: dict[str, int], line: int) -> _Block:
    """The scope that a statement begins. A group is a message too, and is found as one."""
    words = words[1:] if words and words[0] in ("export", "local") else words
    if len(words) == 2 and words[0] in ("message", "enum"):
        return _Block(words[0], f"{here.within}{words[1]}.")
    if len(words) == 2 and words[0] == "service":
        return _Block("service", here.within + words[1])
    if words[:1] == ["extend"]:
        return _Block("extend", here.within)
    if words[:1] == ["oneof"]:
        return _Block("message", here.within)
    if "group" in words and "=" in words:
        name = here.within + words[words.index("=") - 1]
        found.setdefault(name, line)
        return _Block("message", f"{name}.")
    return _Block("", "")


# ----------------------------------------------------------------------------------------------------------------------
# Of compiled files
# ----------------------------------------------------------------------------------------------------------------------

_NAMED = {"message_type", "nested_type", "field", "oneof_decl", "enum_type", "value", "extension", "service", "method"}
"""Fields of descriptors that hold the elements declared in them."""


def compiled_lines(file: descriptor_pb2.FileDescriptorProto) -> dict[str, int]:
    """The same of a file's descriptor. Empty without source info; what protoc itself made (map entries, oneofs of proto3
    `optional`) has no line."""
    at = {tuple(one.path): one.span[0] + 1 for one in file.source_code_info.location}
    return {name: at[path] for name, path in _elements(file, (), file.package) if path in at} if at else {}


def _elements(descriptor: Message, path: tuple[int, ...], within: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """All that a descriptor declares, by name, and the path by which source info knows it. `within` is the full name of what
    is around it."""
    for field, declared in descriptor.ListFields():
        for index, one in enumerate(declared if field.name in _NAMED else ()):
            place = (*path, field.number, index)
            name = f"{within}.{one.name}" if within else one.name
            if field.name == "extension":
                yield f"[{name}]", place
            elif field.name == "method":
                yield f"{within}/{one.name}", place
            else:
                yield name, place
                yield from _elements(one, place, name)
