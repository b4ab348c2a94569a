"""Replay texts: a prefix that names the kind, then base64url of zlib of JSON.

A text may come from anywhere, and some bytes of zlib unpack to gigabytes, so reading a text takes bounded memory.
Bytes stand in the JSON as text with one character per byte (latin-1): that compresses better than base64, and
ASCII messages stay readable.
"""

import base64
import binascii
import json
import re
import string
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from grpc_interop.drivers.driver import CONTRACT
from grpc_interop.errors import UsageError
from grpc_interop.schema import gate

CASE, EXCHANGE = "ic1:", "iv1:"
"""The prefixes: `interop case` (case_text.py) and `interop versions` (exchange_text.py), each in form 1. Another form gets
another number."""

FORM = re.compile(r"i[cv]\d+:")
"""The prefix of any form."""

ANOTHER_HARNESS = "replay it with the version of the harness that printed it"

MOST_FOR_A_LINE = 200_000
"""Bytes of JSON that may yet become a text of one line. Larger JSON goes into a file, and packing it as tightly as possible
would take a quarter of a second a megabyte, for nothing."""

MOST_BYTES = 64 * 1024 * 1024
"""The most that the JSON may have. The largest case of the suites has 2 MiB; a team's own may hold messages of several."""

MOST_TEXT = MOST_BYTES // 3 * 4 + 1024
"""Bytes of a text, blanks included: content that cannot be compressed is as long in base64."""

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


def pack(prefix: str, value: dict[str, Any]) -> str:
    """Return a value of JSON, and the version of the driver contract, as text: ASCII without blanks, safe in a shell."""
    plain = json.dumps({"contract": CONTRACT} | value, ensure_ascii=False, separators=(",", ":")).encode()
    packed = zlib.compress(plain, 9 if len(plain) < MOST_FOR_A_LINE else 6)
    return prefix + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def unpack(prefix: str, text: str) -> dict[str, Any]:
    """Return the value in a text that `pack` made; blanks and line breaks, as mails and terminals add them, do no harm.

    Raise ReplayError for a text that is cut or garbled, larger than any case, of another form or of another version of the
    driver contract.
    """
    text = _without_blanks(text)
    form = FORM.match(text)
    if not form:
        raise ReplayError(
            f"{_shown(text)} is not a replay text: those begin with {CASE} or {EXCHANGE}", "copy the whole line from the report"
        )
    if form[0] != prefix:
        begins = f"it begins with {form[0][:30]}, and this harness reads {CASE} and {EXCHANGE}"
        raise ReplayError(f"the replay text is of another version: {begins}", ANOTHER_HARNESS)
    value = _unpacked(text.removeprefix(prefix))
    contract = value.get("contract")
    if contract != CONTRACT:
        raise ReplayError(
            f"the replay text is of version {_shown(contract)} of the driver contract; this harness speaks {CONTRACT}", ANOTHER_HARNESS
        )
    return value


@contextmanager
def reading() -> Iterator[None]:
    """Turn errors that the content of a text raises into ReplayError."""
    try:
        yield
    except gate.NotAdmitted as fault:
        raise ReplayError(f"the replay text {fault}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        content = gate.shown(str(error))
        raise ReplayError(f"the replay text holds something that this version does not know: {content}", ANOTHER_HARNESS) from error


def descriptors(protos: str) -> bytes:
    """Return the serialised FileDescriptorSet that a text holds. Raise gate.NotAdmitted, or ValueError where it is not one."""
    content = to_bytes(protos)
    gate.read(content)
    return content


def to_text(content: bytes) -> str:
    return content.decode("latin-1")


def to_bytes(text: str) -> bytes:
    return text.encode("latin-1")


def read_text(path: Path) -> str:
    """Return the content of a file. Raise OSError, and ReplayError for a file that is larger than any text."""
    with path.open("rb") as file:
        content = file.read(MOST_TEXT + 1)
    if len(content) > MOST_TEXT:
        raise ReplayError(
            f"{path} has more than {MOST_TEXT:,} bytes, and no replay text is so long", "name a file that `interop run` wrote"
        )
    return content.decode("utf-8", errors="replace")


def _shown(content: Any) -> str:
    """Return the beginning of a part of a text, as an error shows it."""
    return gate.shown(content) if isinstance(content, str) else gate.shown(repr(content))[1:-1]


def _without_blanks(text: str) -> str:
    if text.isascii():
        return text.encode().translate(None, _BLANKS).decode()
    return "".join(char for char in text if not char.isspace())


def _unpacked(text: str) -> dict[str, Any]:
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
    """Raise ValueError for JSON whose values would take much more memory than its text, ReplayError for half a character."""
    bare = plain.replace(b"\\\\", b"").replace(b'\\"', b"")
    if _SURROGATE.search(_PAIR.sub(b"", bare)):
        # JSON can hold it as an escape, but it can be sent to no driver and shown on no terminal.
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
