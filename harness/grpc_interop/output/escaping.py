"""Escapes text from outside for GitHub: Markdown, and the workflow commands that a step prints."""

import html

from grpc_interop.output.plain_text import printable


def inline(text: str) -> str:
    """Return a text on a single line, without markup of Markdown or HTML."""
    escaped = html.escape(printable(" ".join(text.split())))
    return "".join(f"&#{ord(char)};" if char in "|`*_[]@\\~" else char for char in escaped)


def annotation(level: str, text: str, **properties: str) -> str:
    """Return a workflow command that GitHub shows beside a line of a file or below the job, escaped as in GitHub's own toolkit.
    `level` is `error`, `warning` or `notice`; empty properties are left out."""
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{level} {given}::{_data(text)}"


def _data(text: str) -> str:
    return printable(text, keep="\r\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
