"""Files of entries: TOML with one list of tables, each with the line at which it begins, for messages about it.

TOML has several forms for the same list, and a line that looks like the beginning of an entry may lie in a text:

    [[known]]                       [[ "known" ]]                   known = [
    cases = "a"                     cases = "a"                         {cases = "a"},
                                                                    ]

The content is read by tomllib. Only the lines of its entries are found here, in a text that tomllib has read.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from grpc_interop.drivers.manifest import check_keys
from grpc_interop.errors import UsageError

_TOKEN = re.compile(
    r"""
      (?P<text> \"""(?:\\.|[^\\])*?\"""\"{0,2} | '''.*?''''{0,2} | "(?:\\.|[^"\\\n])*" | '[^'\n]*' )
    | (?P<comment> \#[^\n]* )
    | (?P<line> \n )
    | (?P<space> [ \t\r]+ )
    | (?P<mark> [\[\]{}=] )
    | (?P<bare> [^\s\[\]{}="'\#]+ )
    """,
    re.VERBOSE | re.DOTALL,
)


class TomlEntry(NamedTuple):
    """An entry of a file."""

    line: int  # its first line, from 1
    end: int  # the first line behind it
    table: dict[str, Any]


class TomlEntries(NamedTuple):
    """All entries of a file."""

    entries: tuple[TomlEntry, ...]
    in_a_list: int = 0  # the line at which they begin where they are written as one value, `key = [...]`; else 0


def read_entries(path: Path, key: str, keys: Mapping[str, type]) -> TomlEntries:
    """Return the entries in the list `key` of a file, which has nothing else. Raise UsageError naming file, line and key."""
    try:
        text = path.read_bytes().decode()
        table = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    check_keys(path, "", table, {key: object})
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise UsageError(f"{path}: `{key}` must be a list of tables", f"each begins with [[{key}]]")
    scanner = _Scanner(text, key)
    places = list(scanner.places())
    for (line, _), value in zip(places, values, strict=True):
        check_keys(f"{path}:{line}", key, value, keys)
    return TomlEntries(tuple(TomlEntry(*place, value) for place, value in zip(places, values, strict=True)), scanner.in_a_list)


@dataclass(frozen=True, slots=True)
class _TomlToken:
    kind: str
    text: str
    line: int


class _Scanner:
    """Finds the entries of a list in a text that is known to be TOML."""

    def __init__(self, text: str, key: str) -> None:
        self._tokens = list(_tokens(text))
        self._key = key
        self._at = 0
        self.in_a_list = 0

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield the first line of each entry, and the first behind it."""
        begun = last = 0  # the entry that goes on, and the last line that belongs to it
        at_top = True
        while token := self._next("bare", "text", "mark"):
            if token.text == "[":
                if begun:
                    yield begun, last + 1
                at_top, (name, twice) = False, self._header()
                begun = token.line if twice and name == [self._key] else 0
            else:
                name = _name(token.text + self._words_up_to("="))
                elements = list(self._value())
                if at_top and name == [self._key]:
                    self.in_a_list = token.line
                    yield from elements
            last = self._line_before()
        if begun:
            yield begun, last + 1

    def _next(self, *kinds: str) -> _TomlToken | None:
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.kind in kinds:
                return token
        return None

    def _line_before(self) -> int:
        """Return the line at which the last token ends."""
        token = self._tokens[self._at - 1]
        return token.line if token.kind == "line" else token.line + token.text.count("\n")

    def _header(self) -> tuple[list[str], bool]:
        """Return the name in a header whose first bracket was taken, and whether it has two."""
        twice = self._tokens[self._at].text == "["
        if twice:
            self._next("mark")
        words = self._words_up_to("]")
        if twice:
            self._next("mark")
        return _name(words), twice

    def _words_up_to(self, mark: str) -> str:
        words = ""
        while (token := self._next("bare", "text", "mark")) and token.text != mark:
            words += token.text
        return words

    def _value(self) -> Iterator[tuple[int, int]]:
        """Take a value; yield the lines of each table that is an element of it."""
        depth = begun = 0
        while token := self._next("bare", "text", "mark", "line"):
            if token.kind == "line" and not depth:
                return
            if token.kind == "mark" and token.text in "[{":
                if depth == 1 and token.text == "{":
                    begun = token.line
                depth += 1
            elif token.kind == "mark" and token.text in "]}":
                depth -= 1
                if depth == 1 and token.text == "}":
                    yield begun, token.line + 1


def _tokens(text: str) -> Iterator[_TomlToken]:
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup not in ("space", "comment"):
            yield _TomlToken(str(match.lastgroup), match[0], line)
        line += match[0].count("\n")


def _name(words: str) -> list[str]:
    """Return the parts of a key as TOML reads it: quoted or not, with dots between."""
    name: list[str] = []
    table: Any = tomllib.loads(f"{words} = 0")
    while isinstance(table, dict):
        [(part, table)] = table.items()
        name.append(part)
    return name
