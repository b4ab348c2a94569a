"""Text from outside made fit for what GitHub reads: Markdown, and the workflow commands that a step prints."""

from __future__ import annotations

import html

from grpc_interop.output.plain_text import printable


def inline(text: str) -> str:
    """Text that neither Markdown nor HTML takes for its own, on one line."""
    escaped = html.escape(printable(" ".join(text.split())))
    return "".join(f"&#{ord(char)};" if char in "|`*_[]@\\~" else char for char in escaped)


def annotation(level: str, text: str, **properties: str) -> str:
    """A workflow command that GitHub shows beside a line of a file or below the job, escaped as GitHub's own toolkit does
    it. `level` is `error`, `warning` or `notice`; empty properties are left out."""
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{level} {told}::{_data(text)}"


def _data(text: str) -> str:
    return printable(text, keep="\r\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
