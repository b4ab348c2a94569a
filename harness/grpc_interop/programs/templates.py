"""Messages of a single text, as hand-written programs print them, and templates for texts that need not be exact.

Such a message has a string as field 1 and no other field. In a template, PRICE and ANYTHING stand for text that a program may
choose; all other text must be equal.
"""

import re
from collections.abc import Sequence

from grpc_interop.wire import wire_format

INTERVAL_SECONDS = 0.25
"""The `--interval` of server programs: long enough to tell ticks in a stream from ticks that come at once, on a loaded machine;
short enough to wait for ten of them."""

PRICE = "{price}"
"""A number with two decimals."""
ANYTHING = "{anything}"
"""Any text, also an empty text."""

_PATTERNS = {PRICE: r"\d+\.\d\d", ANYTHING: ".*"}
_TAG = wire_format.tag(1, wire_format.LENGTH)


def message(text: str) -> bytes:
    """Return the message that holds the text."""
    return _TAG + wire_format.delimited(text.encode()) if text else b""


def text(data: bytes) -> str:
    """Return the text in a message that `message` has made."""
    if not data:
        return ""
    _, start = wire_format.read_varint(data, len(_TAG))
    return data[start:].decode()


def matches(template: str, printed: str) -> bool:
    """Return whether the template stands for the text."""
    parts = re.split("(" + "|".join(map(re.escape, _PATTERNS)) + ")", template)
    return re.fullmatch("".join(_PATTERNS.get(part, re.escape(part)) for part in parts), printed, re.DOTALL) is not None


def normalised(printed: str, templates: Sequence[str], at: int) -> str:
    """Return the template of the text number `at` (from 0) if it matches, else any other that does (the text came at the wrong
    place), else the text itself."""
    own = templates[at : at + 1]
    return next((template for template in (*own, *templates) if matches(template, printed)), printed)
