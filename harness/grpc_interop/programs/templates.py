"""Messages of one text, as hand-written programs print them, and templates for texts that need not be exact.

Such a message has a string as field 1 and nothing else. In a template, PRICE and ANYTHING stand for what a program is
free to choose; all else must be as written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grpc_interop.wire import wire_format

INTERVAL_SECONDS = 0.25
"""The `--interval` that server programs are started with: long enough to tell ticks that come one by one from ticks
that come at once, on a loaded machine; short enough to wait for ten of them."""

PRICE = "{price}"
"""A number with two decimals."""
ANYTHING = "{anything}"
"""Any text, or none."""

_PATTERNS = {PRICE: r"\d+\.\d\d", ANYTHING: ".*"}
_TAG = wire_format.tag(1, wire_format.LENGTH)


def message(text: str) -> bytes:
    """The message that holds the text."""
    return _TAG + wire_format.delimited(text.encode()) if text else b""


def text(data: bytes) -> str:
    """The text that a message of `message` holds."""
    if not data:
        return ""
    _, start = wire_format.read_varint(data, len(_TAG))
    return data[start:].decode()


def matches(template: str, said: str) -> bool:
    """Whether the text is one that the template stands for."""
    parts = re.split("(" + "|".join(map(re.escape, _PATTERNS)) + ")", template)
    return re.fullmatch("".join(_PATTERNS.get(part, re.escape(part)) for part in parts), said, re.DOTALL) is not None


def normalised(said: str, templates: Sequence[str], at: int) -> str:
    """The template that the text number `at` (from 0) stands for: its own if it can be, else any other that it matches
    (it came at the wrong place), else the text itself."""
    own = templates[at : at + 1]
    return next((template for template in (*own, *templates) if matches(template, said)), said)
