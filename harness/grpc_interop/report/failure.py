"""A failure as people read it: a block of lines, equal in a terminal, a job summary and a JUnit file."""

import shlex
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from grpc_interop.output.plain_text import apart, escaped_bytes, in_lines, printable
from grpc_interop.report.conversation import Row
from grpc_interop.report.data import RunInfo
from grpc_interop.report.record import REPLAYS, Record
from grpc_interop.report.summary import Cause, Summary

LOG_LINES = 8
"""How many of the last lines of an attachment are shown; the path of the whole file stands above them."""

LEAST_WIDTH = 60
"""The least columns of the table: narrower columns say nothing, so its lines wrap in a narrower terminal."""

MOST_OF_A_VALUE = 400
"""Characters of the expected and of the observed value, from where they differ: a runtime's words about an error fit into
five lines of a terminal."""

CUT = "…"
"""Stands in the place of text that was left out."""

DEFAULT_FOLDER = Path(".interop") / "report"
"""Where `interop replay` looks for an id unless it is told otherwise."""

PLAIN_WIDTH = 120
"""Columns of a block where the width is not known: CI systems show as many without wrapping."""


class Tone(Enum):
    """The part that a line has in a block, so that a terminal can colour it."""

    TITLE = "title"
    WHAT = "what"
    HEAD = "head"
    AGREES = "agrees"
    DIFFERS = "differs"
    ASIDE = "aside"
    REPLAY = "replay"


STYLES = {
    Tone.TITLE: "bold red",
    Tone.WHAT: "bold",
    Tone.HEAD: "dim",
    Tone.AGREES: "",
    Tone.DIFFERS: "red",
    Tone.ASIDE: "dim",
    Tone.REPLAY: "cyan",
}
"""How terminals show each part, in the words of rich."""


class Line(NamedTuple):
    tone: Tone
    text: str


def block(cause: Cause, summary: Summary, directory: Path, width: int = PLAIN_WIDTH) -> Iterator[Line]:
    """Yield the block of a cause: its first case, how many cases there are, and where it shows."""
    record = cause.first
    case = f"✗ {record.pair}  {record.short_method}  {record.name}"
    yield Line(Tone.TITLE, printable(f"{case}    {summary.headline(cause)}"))
    yield from lines(record, directory, width, replay_options(record, summary.info, directory))


def plain_lines(record: Record, directory: Path, options: Sequence[str] = ()) -> Iterator[str]:
    """Yield a single case without its title, as text."""
    for line in lines(record, directory, PLAIN_WIDTH, options):
        yield in_lines(line.text)


def lines(record: Record, directory: Path, width: int, options: Sequence[str] = ()) -> Iterator[Line]:
    """Yield the block of a case: the difference, the conversation, the attachments, and how to play it again. `options` are
    the words that `interop replay` needs beside the case."""
    for text in record.reason.splitlines():
        yield Line(Tone.WHAT, f"  {printable(text)}")
    table = list(_table(record, width))
    yield from table
    yield from _values(record, table)
    if record.why:
        yield _aside("proves", record.why)
    for note in record.notes:
        if note != record.reason:
            yield _aside("note", note)
    for attachment in record.attachments:
        yield _aside(f"{attachment.name} {attachment.kind}", short_path(directory / attachment.path) if attachment.path else "")
        for text in attachment.text.splitlines()[-LOG_LINES:]:
            yield Line(Tone.ASIDE, "    | " + printable(text, keep="\t").expandtabs(4))
    if record.replay:
        yield Line(Tone.REPLAY, f"  {'replay':<10}  {replay_command(record, directory, options)}")


def replay_options(record: Record, info: RunInfo, directory: Path) -> tuple[str, ...]:
    """Return the words with which `interop replay` plays as the run did. A replay text contains its protos; an id is looked up
    in the report and in the protos."""
    if record.replay not in (None, record.id):
        return info.replay_options
    elsewhere = () if short_path(directory) == str(DEFAULT_FOLDER) else ("--report", short_path(directory))
    return (*info.replay_options, *info.tree_options, *elsewhere)


def replay_command(record: Record, directory: Path, options: Sequence[str] = ()) -> str:
    """Return the line that plays a case again, for a shell."""
    return replay_line(record.replay or record.id, directory, options)


def replay_line(replay: str, directory: Path, options: Sequence[str] = ()) -> str:
    """Return the line for anything that `interop replay` takes: a text, an id, or the path of a file in the report folder."""
    if replay.startswith(f"{REPLAYS}/"):
        replay = short_path(directory / replay)
    return shlex.join(["interop", "replay", *map(printable, options), printable(replay)])


def short_path(path: Path) -> str:
    """Return the path as a person in the current folder would write it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def set_width(text: str, width: int) -> str:
    """Return the text in exactly `width` columns, with an ellipsis where it was cut; wide characters take two columns. Where
    the text has an ellipsis of its own, the end behind it is kept: it is the size of a message."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    head, cut, size = text.rpartition(CUT)
    if not cut or cell_len(size) > width // 2:
        head, size = text, ""
    return set_cell_size(head, width - 1 - cell_len(size)) + CUT + size


def _aside(label: str, text: str | bytes) -> Line:
    return Line(Tone.ASIDE, printable(f"  {label:<10}  {_shown(text)}"))


def _shown(text: str | bytes) -> str:
    return text if isinstance(text, str) else escaped_bytes("", text)


def _values(record: Record, table: list[Line]) -> Iterator[Line]:
    """Yield the expected and the observed value, unless the table already shows them."""
    difference = record.difference
    if difference is None or not (difference.wanted or difference.got):
        return
    first = next((line.text for line in table if line.tone is Tone.DIFFERS), CUT)
    if CUT in first:
        wanted, got = apart(_shown(difference.wanted), _shown(difference.got), MOST_OF_A_VALUE)
        yield _aside("wanted", wanted)
        yield _aside("got", got)


def _table(record: Record, width: int) -> Iterator[Line]:
    """Yield client, server and model in three columns, each as wide as necessary and all within `width`."""
    if not record.conversation:
        return
    head = Row(f"client ({record.client})", "", f"server ({record.server})", "model", "t ms")
    rows = [head, *record.conversation]
    most = (max(width, LEAST_WIDTH) - len("    ") - len(" -> ") - len("  ")) // 3
    widths = [min(most, max(cell_len(row[column]) for row in rows)) for column in (0, 2, 3)]
    timed = any(row.at_ms for row in record.conversation)
    first = max(cell_len(row.at_ms) for row in rows) if timed else 0
    for row in rows:
        tone = Tone.HEAD if row is head else Tone.DIFFERS if row.model else Tone.AGREES
        cells = [set_width(row[column], size) for column, size in zip((0, 2, 3), widths, strict=True)]
        at = f"{row.at_ms:>{first}}  " if timed else ""
        yield Line(tone, f"    {at}{cells[0]} {row.arrow or '  '} {cells[1]}  {cells[2]}".rstrip())
