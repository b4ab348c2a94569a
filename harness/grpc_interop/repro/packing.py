"""JSON as text for a command line, and back: base64url of zlib of JSON. Such a text may come from anywhere, and some bytes
of zlib unpack to gigabytes, so reading one takes bounded memory whatever it holds."""

from __future__ import annotations

import base64
import binascii
import json
import re
import string
import zlib
from pathlib import Path
from typing import Any, NoReturn

from grpc_interop.errors import UsageError

MOST_FOR_A_LINE = 200_000
"""Bytes of JSON that may yet become a text of one line. What is larger goes into a file, and packing it as tightly as can
be takes a quarter of a second a megabyte, for nothing."""

MOST_BYTES = 64 * 1024 * 1024
"""The most that the JSON may have. The largest case of the suites has 2 MiB; a team's own may hold messages of several."""

MOST_TEXT = MOST_BYTES // 3 * 4 + 1024
"""Bytes of a text, blanks included: what cannot be compressed is as long in base64."""

MOST_VALUES = 200_000
"""Lists, objects and their elements together: in memory, some 100 bytes each. A conversation of 2,000 messages has 8,000."""

DEEPEST = 32
"""Lists and objects within one another. A case has 12."""

_CUT = "copy the whole text from the report; nothing may be missing at its end"

_PAIR = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_BLANKS = string.whitespace.encode()


class ReplayError(UsageError):
    """A text that cannot be replayed."""


def pack(value: dict[str, Any]) -> str:
    """A value of JSON as text for a command line."""
    plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    packed = zlib.compress(plain, 9 if len(plain) < MOST_FOR_A_LINE else 6)
    return base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def unpack(text: str) -> dict[str, Any]:
    """What `pack` was given. Raises ReplayError for a text that is cut or garbled, or larger than any case."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(packed, MOST_BYTES)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise ReplayError(f"the replay text is cut or garbled: {error}", _CUT) from None
    if not unpacker.eof:
        why = "its end is missing" if len(unpacked) < MOST_BYTES else f"it unpacks to more than {MOST_BYTES:,} bytes"
        raise ReplayError(f"the replay text is cut or garbled: {why}", _CUT)
    try:
        _check_size(unpacked)
        value = json.loads(unpacked, parse_constant=_refuse_constant)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ReplayError("the replay text is well packed but holds no case", _CUT)
    return value


def _check_size(plain: bytes) -> None:
    """Raises ValueError for JSON whose values would take much more memory than its text, ReplayError for what is no text."""
    bare = plain.replace(b"\\\\", b"").replace(b'\\"', b"")
    if _SURROGATE.search(_PAIR.sub(b"", bare)):
        # As an escape JSON can hold what no driver could be sent and no terminal shown.
        raise ReplayError("the replay text holds half a character (a lone surrogate), which no harness writes", _CUT)
    if bare.count(b'"') > 2 * MOST_VALUES:
        raise ValueError("too many texts")
    outside = b"".join(bare.split(b'"')[::2])
    if outside.count(b"[") + outside.count(b"{") + outside.count(b",") > MOST_VALUES:
        raise ValueError("too many values")
    depth = 0
    for bracket in outside.translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            raise ValueError("too deep")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def without_blanks(text: str) -> str:
    """Return the text without blanks and line breaks, as mails and terminals add them."""
    if text.isascii():
        return text.encode().translate(None, _BLANKS).decode()
    return "".join(char for char in text if not char.isspace())


def read_text(path: Path) -> str:
    """Return what a file holds. Raises OSError, and ReplayError for a file that is larger than any text."""
    with path.open("rb") as file:
        content = file.read(MOST_TEXT + 1)
    if len(content) > MOST_TEXT:
        raise ReplayError(
            f"{path} has more than {MOST_TEXT:,} bytes, and no replay text is so long", "name a file that `interop run` wrote"
        )
    return content.decode("utf-8", errors="replace")
