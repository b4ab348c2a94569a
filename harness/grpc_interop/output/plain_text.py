"""Makes text from outside fit to be shown: a single line of limited length, with nothing that moves a cursor.

Messages, names, status messages and log lines come from programs under test; none of them may write escape codes to
a terminal or break a report's format.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence

Describe = Callable[[str, bytes], str]
"""From a message type's full name and a message to text for people."""

MOST_CHARACTERS = 80
"""The length of a message in a report, where both sides and the model are side by side. The replay has the whole text."""

_UNSHOWABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that are escaped: controls, directional overrides, lone surrogates, unassigned, line breaks."""


def printable(text: str, *, keep: str = "") -> str:
    """Return the text with control, formatting and unassigned characters escaped (`\\x1b`), but for the characters of `keep`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char in keep or unicodedata.category(char) not in _UNSHOWABLE else _escape(char) for char in text)


def in_lines(text: str) -> str:
    """Return a text of several lines for a terminal or a log: each line printable, and no line a command. CI systems execute
    lines of a job's output: GitHub lines that begin with `::` or contain `##[`, others lines with `##word[`
    (github.com/actions/runner, src/Runner.Common/ActionCommand.cs)."""
    return "\n".join(_no_command(printable(line, keep="\t")) for line in text.split("\n"))


def _no_command(line: str) -> str:
    if "::" not in line and "##" not in line:
        return line
    return _MARK.sub(r"##\1\\x5b", _BEGIN.sub(r"\1\\x3a:", line))


_BEGIN, _MARK = re.compile(r"^(\s*)::"), re.compile(r"##(\w*)\[")


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def abbreviated(text: str, size: int, most: int = MOST_CHARACTERS) -> str:
    """Return a message's text; a long text is cut, with the message's `size` in bytes: `data: "xxxx… 1,048,576 bytes`."""
    return text if len(text) <= most else f"{text[: most // 2]}… {size:,} bytes"


def apart(wanted: str, got: str, most: int = MOST_CHARACTERS) -> tuple[str, str]:
    """Return two texts, each cut to the part in which they begin to differ: `…`, a short equal part, and the rest."""
    same = next((index for index, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b), min(len(wanted), len(got)))
    start = max(0, same - most // 4) if max(len(wanted), len(got)) > most else 0

    def part(text: str) -> str:
        return ("…" if start else "") + text[start : start + most] + ("…" if len(text) > start + most else "")

    return part(wanted), part(got)


def escaped_bytes(_type_name: str, message: bytes) -> str:
    """Return the bytes of a message, escaped and in quotes, for a reader who does not know its type."""
    return f'"{repr(message)[2:-1]}"'


def message_text(describe: Describe, type_name: str, message: bytes) -> str:
    """Return a message on a single line, printable and not too long; an empty message is `(empty)`."""
    return printable(abbreviated(one_line(describe, type_name, message), len(message)))


def one_line(describe: Describe, type_name: str, message: bytes) -> str:
    """Return a whole message on a single line."""
    return " ".join(describe(type_name, message).split()) if message else "(empty)"


def counted(count: int, noun: str) -> str:
    """Return `1 case`, `1,200 cases`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def few(texts: Sequence[str], most: int) -> str:
    """Return the first texts and the number of the others: `a, b, c and 12 more`."""
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more:,} more" if more > 0 else "")
