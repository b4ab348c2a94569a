"""Text from outside made fit to be shown: one line, nothing that moves a cursor, a length that a person can read.

Messages, names, status messages and log lines come from programs under test; none of them may write escape codes to
somebody's terminal or break a report's format.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

Describe = Callable[[str, bytes], str]
"""From a message type's full name and a message of it to text that a person reads."""

MOST_CHARACTERS = 80
"""How much of a message is shown. Both sides and the model stand beside one another; longer text is in the replay."""

_UNSHOWABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that are escaped: controls, directional overrides, lone surrogates, unassigned, line breaks."""


def printable(text: str, *, keep: str = "") -> str:
    """The text with every control, formatting or unassigned character as an escape (`\\x1b`), except those in `keep`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char in keep or unicodedata.category(char) not in _UNSHOWABLE else _escape(char) for char in text)


def in_lines(text: str) -> str:
    """Return the text, of as many lines as it has, for whatever shows or records what a program prints: each line printable,
    and none a command. Systems that run CI jobs take lines of their output for commands: GitHub those that begin with `::`
    or hold `##[`, others those with `##word[` (github.com/actions/runner, src/Runner.Common/ActionCommand.cs)."""
    return "\n".join(_no_command(printable(line, keep="\t")) for line in text.split("\n"))


def _no_command(line: str) -> str:
    if "::" not in line and "##" not in line:
        return line
    return _MARK.sub(r"##\1\\x5b", _BEGIN.sub(r"\1\\x3a:", line))


_BEGIN, _MARK = re.compile(r"^(\s*)::"), re.compile(r"##(\w*)\[")


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def abbreviated(text: str, size: int, most: int = MOST_CHARACTERS) -> str:
    """A message's text, cut where it is long, with the message's `size` in bytes: `data: "xxxx… 1,048,576 bytes`."""
    return text if len(text) <= most else f"{text[: most // 2]}… {size:,} bytes"


def apart(wanted: str, got: str, most: int = MOST_CHARACTERS) -> tuple[str, str]:
    """Two texts, each cut to the part in which they begin to differ: `…`, a little that is equal, and what follows."""
    same = next((index for index, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b), min(len(wanted), len(got)))
    start = max(0, same - most // 4) if max(len(wanted), len(got)) > most else 0

    def part(text: str) -> str:
        return ("…" if start else "") + text[start : start + most] + ("…" if len(text) > start + most else "")

    return part(wanted), part(got)


def escaped_bytes(_type_name: str, message: bytes) -> str:
    """What a message looks like to whoever does not know its type: its bytes, escaped, in quotes."""
    return f'"{repr(message)[2:-1]}"'


def message_text(describe: Describe, type_name: str, message: bytes) -> str:
    """A message on one line, printable and not too long; the empty one is `(empty)`."""
    return printable(abbreviated(one_line(describe, type_name, message), len(message)))


def one_line(describe: Describe, type_name: str, message: bytes) -> str:
    """A whole message on one line."""
    return " ".join(describe(type_name, message).split()) if message else "(empty)"


def counted(count: int, noun: str) -> str:
    """`1 case`, `1,200 cases`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def few(texts: Sequence[str], most: int) -> str:
    """Return the first texts and how many more there are: `a, b, c and 12 more`."""
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more:,} more" if more > 0 else "")
