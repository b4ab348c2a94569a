"""A verdict as a record: every report renders it, and it is a line of cases.jsonl.

A record in a file is text and numbers only. Messages are described, and long messages are cut: so it stays small for the
largest case, and a report can be rendered again from its files alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from grpc_interop.core.side import Side
from grpc_interop.core.transcript import ClientTranscript, ServerTranscript
from grpc_interop.core.verdict import KNOWN, LOG, Attachment, Difference, Outcome, Pair, Verdict
from grpc_interop.output.plain_text import Describe, abbreviated, apart, message_text, one_line, printable
from grpc_interop.report.conversation import Row, conversation

MOST_TRANSCRIPT_BYTES = 1024 * 1024
"""The most bytes of messages in the transcripts that a record keeps: the summary holds a record for each cause."""

MOST_OF_A_VALUE = 10_000
"""Characters of the expected and of the observed value. This is more than any runtime says about an error, whose last words may
be the most important, and little compared with a message of megabytes."""

REPLAYS = "replays"
"""The folder within the report folder that holds replay texts too long to be printed."""


@dataclass(frozen=True, slots=True)
class Record:
    """A case on a pair. The fields from `why` on are empty for passing cases."""

    id: str
    suite: str
    method: str  # the method's path; for a message case its type, written alike: `/greeter.v1.HelloRequest`
    kind: str  # the method's kind, or `message`
    client: str
    server: str
    outcome: Outcome
    seconds: float
    difference: Difference | None = None
    replay: str | None = None  # the argument of `interop replay`: a text, the path of a file within the report folder, or the case's id
    why: str = ""
    notes: tuple[str, ...] = ()
    conversation: tuple[Row, ...] = ()
    attachments: tuple[Attachment, ...] = ()  # paths within the report folder are relative to it
    client_transcript: ClientTranscript | None = field(default=None, compare=False)
    server_transcript: ServerTranscript | None = field(default=None, compare=False)
    """The raw transcripts, for reports that draw them. They are in no file, so a record that was read has none. A
    passing case has none either, nor a further case of a cause that was shown in full, nor a case whose transcripts exceed
    MOST_TRANSCRIPT_BYTES."""

    @property
    def pair(self) -> Pair:
        return Pair(self.client, self.server)

    @property
    def name(self) -> str:
        """Return the case's own name: `ping_pong_10`."""
        return self.id.removeprefix(f"{self.suite}{self.method}/").removesuffix(f"[{self.pair}]")

    @property
    def short_method(self) -> str:
        """Return `Greeter/AllStream` for `/greeter.v1.Greeter/AllStream`; a message type in full."""
        service, _, method = self.method.removeprefix("/").rpartition("/")
        return f"{service.rpartition('.')[2]}/{method}" if service else method

    @property
    def known(self) -> str:
        """Return the entry of a known failure: its reason, and where it is reported. Empty for other outcomes."""
        return next((note.removeprefix(KNOWN) for note in reversed(self.notes) if note.startswith(KNOWN)), "")

    @property
    def reason(self) -> str:
        """Return the first thing to say about a case: why it did not pass."""
        if self.outcome is Outcome.PASSED:
            return "both sides saw what the model says"
        if self.difference is not None:
            return self.difference.what
        return self.notes[0] if self.notes else "no reason was given"


def record_of(
    verdict: Verdict, describe: Describe, *, replay: str | None = None, in_full: bool = True, directory: Path | None = None
) -> Record:
    """Return the record of a verdict. `in_full` adds the conversation, the attachments and the transcripts where the case did not pass.
    `directory` is the report folder."""
    case, pair = verdict.case, verdict.pair
    passed = verdict.outcome is Outcome.PASSED
    in_full = in_full and not passed
    kept = in_full and _transcript_bytes(verdict) <= MOST_TRANSCRIPT_BYTES
    return Record(
        id=verdict.id,
        suite=case.suite,
        method=case.path,
        kind=case.kind,
        client=pair.client,
        server=pair.server,
        outcome=verdict.outcome,
        seconds=round(verdict.seconds, 6),
        difference=_described(verdict, describe),
        replay=replay,
        why="" if passed else case.why,
        notes=() if passed else (*verdict.notes, *_smallest(verdict, describe)),
        conversation=conversation(verdict, describe) if in_full else (),
        attachments=tuple(_movable(attachment, directory) for attachment in verdict.attachments) if in_full else (),
        client_transcript=verdict.client if kept else None,
        server_transcript=verdict.server if kept else None,
    )


def _smallest(verdict: Verdict, describe: Describe) -> Iterator[str]:
    """Yield the messages that the case is about, as text and as bytes."""
    for data in verdict.case.examples:
        text, shown = message_text(describe, verdict.case.type_seen_by(Side.CLIENT), data), abbreviated(data.hex(), len(data))
        yield f"the message: {text}; its bytes: {shown or 'none'}"


def _transcript_bytes(verdict: Verdict) -> int:
    return sum(
        len(seen) for side in (verdict.client, verdict.server) if side for lane in side.lanes for seen in lane if isinstance(seen, bytes)
    )


def _movable(attachment: Attachment, directory: Path | None) -> Attachment:
    """Return the attachment with a path that stays true when the report folder is moved."""
    path = Path(attachment.path)
    if directory is not None and path.is_relative_to(directory):
        return attachment._replace(path=path.relative_to(directory).as_posix())
    return attachment


def _described(verdict: Verdict, describe: Describe) -> Difference | None:
    """Return the difference with its messages as text."""
    difference = verdict.difference
    if difference is None:
        return None
    received = verdict.case.type_seen_by(difference.side)

    def text(value: str | bytes) -> str:
        return one_line(describe, received, value) if isinstance(value, bytes) else value

    wanted, got = apart(text(difference.wanted), text(difference.got), MOST_OF_A_VALUE)
    return Difference(difference.side, difference.what, printable(wanted), printable(got))


_TEXTS = ("id", "suite", "method", "kind", "client", "server")
"""The fields that every record has, and that are texts."""


def to_json(record: Record) -> dict[str, Any]:
    """Return the record as JSON values: the fields that other tools rely on, and further fields where they are not empty."""
    difference = record.difference
    value: dict[str, Any] = {name: getattr(record, name) for name in (*_TEXTS, "outcome", "seconds")}
    value["difference"] = difference and {name: getattr(difference, name) for name in ("side", "what", "wanted", "got")}
    value["replay"] = record.replay
    if record.why:
        value["why"] = record.why
    if record.notes:
        value["notes"] = list(record.notes)
    if record.conversation:
        value["conversation"] = [row._asdict() for row in record.conversation]
    if logs := [{"who": each.name, "path": each.path, "tail": each.text} for each in record.attachments if each.kind == LOG]:
        value["logs"] = logs
    if others := [each._asdict() for each in record.attachments if each.kind != LOG]:
        value["attachments"] = others
    return value


def from_json(value: Mapping[str, Any]) -> Record:
    """Return the record that `to_json` wrote. Raise KeyError, TypeError or ValueError for anything else."""
    difference = value["difference"]
    _check_words(value, difference or {})
    return Record(
        **{name: value[name] for name in _TEXTS},
        outcome=Outcome(value["outcome"]),
        seconds=float(value["seconds"]),
        difference=None
        if difference is None
        else Difference(Side(difference["side"]), difference["what"], difference["wanted"], difference["got"]),
        replay=value["replay"],
        why=value.get("why", ""),
        notes=tuple(value.get("notes", ())),
        conversation=tuple(Row(**row) for row in value.get("conversation", ())),
        attachments=(
            *(Attachment(LOG, log["who"], log["path"], log["tail"]) for log in value.get("logs", ())),
            *(Attachment(**attachment) for attachment in value.get("attachments", ())),
        ),
    )


def _check_words(value: Mapping[str, Any], difference: Mapping[str, Any]) -> None:
    """Raise TypeError, KeyError or AttributeError unless every text is a text: a report may come from anywhere."""
    named = [value[name] for name in _TEXTS]
    texts = [value["replay"] or "", value.get("why", ""), *value.get("notes", ())]
    rows = chain.from_iterable(row.values() for name in ("conversation", "logs", "attachments") for row in value.get(name, ()))
    for text in chain(named, texts, difference.values(), rows):
        if not isinstance(text, str):
            raise TypeError(f"{text!r} is not a text")
