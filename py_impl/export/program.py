"""The parts that the programs of both sides share."""

import base64
from collections.abc import Iterable, Mapping
from textwrap import indent
from typing import Any

from export.names import literal

SHOW = '''
def show(message):
    """Print a message: its bytes and its text."""
    text = text_format.MessageToString(message, as_one_line=True)
    print("received", message.SerializePartialToString(deterministic=True).hex(), " #", text, flush=True)
'''


def block(lines: Iterable[str], depth: int = 1) -> str:
    """Return lines of code, indented."""
    return indent("\n".join(lines), "    " * depth)


def entries(told: Iterable[tuple[str, str]], *others: str) -> str:
    """Return metadata for grpcio: text, or bytes for keys that end in -bin. `others` are further expressions."""
    pairs = []
    for key, value in told:
        data = base64.b64decode(value)
        pairs.append(f"({key!r}, {data if key.endswith('-bin') else data.decode()!r})")
    pairs += others
    return f"({', '.join(pairs)},)" if pairs else "()"


def show_metadata(what: str, source: str, call: Mapping[str, Any]) -> list[str]:
    """Return lines that print the entries of the case: of the harness' own keys, and of the keys that the call names."""
    own = f" or key in {call['report_metadata']!r}" if call.get("report_metadata") else ""
    return [
        f"for key, value in {source} or ():",
        f'    if key.startswith("x-interop-"){own}:',
        f'        print("{what}", key, value if isinstance(value, bytes) else value.encode(), flush=True)',
    ]


def received(step: Mapping[str, Any], receive: str) -> list[str]:
    """Return the lines of the two steps that receive; `receive` says whether there was a message."""
    return [receive] if step["step"] == "receive" else [f"while {receive}:", "    pass"]


def sent(step: Mapping[str, Any], message: str) -> str:
    """Return the expression for a message that is sent."""
    return f"{message}.FromString({literal(step)})"
