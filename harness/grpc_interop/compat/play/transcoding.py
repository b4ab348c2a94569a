"""Batches of messages between two versions without an RPC: the sender's driver writes a message, the receiver's reads it.

Pure, as messages/dialogue.py is: dialogues ask the sender (Side.CLIENT) and the receiver (Side.SERVER) and note their
answers.
"""

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from grpc_interop.core.case import MessageCase
from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Answer, Ask, Refused, Written
from grpc_interop.messages.examination import AT_A_TIME, Findings, IsKnown
from grpc_interop.messages.example_maker import Example

Variants = Callable[[str], Sequence[tuple[str, str]]]
"""From ProtoJSON as a sender wrote it to all texts that senders of its version may write for the same message, each with a
word about it."""


class Reading(NamedTuple):
    """A message that was given to the receiver, and its answer."""

    sent: bytes  # binary, or ProtoJSON in UTF-8
    what: str = ""  # how the text was made
    answer: Answer | None = None  # None where the sender could not write the message
    strict: Answer | None = None  # the answer to the same ProtoJSON where unknown fields are refused
    refused: str = ""  # why the sender could not write the message, in its words
    only_zeros: bool = False  # the same ProtoJSON without zeros was taken, so the zeros cause a refusal


class TranscodeBatch(NamedTuple):
    """Messages of a type, to be written by the sender and read by the receiver."""

    written_as: str  # the full name of the type in the sender's version
    read_as: str
    contents: tuple[bytes, ...]
    json: bool = False
    variants: Variants = lambda text: ((text, ""),)


ReadingDialogue = Generator[Ask, tuple[Answer, ...], list[Reading]]


def batch_dialogue(batch: TranscodeBatch, content: bytes) -> ReadingDialogue:
    """Return the dialogue about a message."""
    return _as_json(batch, content) if batch.json else _as_binary(batch, content)


def _as_binary(batch: TranscodeBatch, content: bytes) -> ReadingDialogue:
    (written,) = yield Ask(Side.CLIENT, (content,), type_name=batch.written_as)
    if isinstance(written, Refused):
        return [Reading(content, refused=written.text)]
    (answer,) = yield Ask(Side.SERVER, (written.binary,), to_view=True, type_name=batch.read_as)
    return [Reading(written.binary, answer=answer)]


def _as_json(batch: TranscodeBatch, content: bytes) -> ReadingDialogue:
    texts: dict[str, str] = {}
    without_zeros: dict[str, str] = {}
    for emit_zero in (False, True):
        (written,) = yield Ask(Side.CLIENT, (content,), to_json=True, emit_zero=emit_zero, type_name=batch.written_as)
        if isinstance(written, Refused):
            return [Reading(content, refused=written.text)]
        for text, what in batch.variants(written.json):
            words = ", ".join(filter(None, ("zero values written" if emit_zero else "", what)))
            if texts.setdefault(text, words) == words and emit_zero:
                without_zeros[text] = next((plain for plain, other in texts.items() if other == what), "")
    readings: dict[str, Reading] = {}
    for text, what in texts.items():
        sent = text.encode()
        (answer,) = yield Ask(Side.SERVER, (sent,), from_json=True, to_view=True, ignore_unknown=True, type_name=batch.read_as)
        strict: Answer | None = None
        if isinstance(answer, Written):
            (strict,) = yield Ask(Side.SERVER, (sent,), from_json=True, type_name=batch.read_as)
        plain = readings.get(without_zeros.get(text, ""))
        only_zeros = plain is not None and isinstance(plain.answer, Written)
        readings[text] = Reading(sent, what, answer, strict, only_zeros=only_zeros)
    return [*readings.values()]


@dataclass(slots=True)
class BatchExamination:
    """The messages of a batch, many at a time, between two drivers. It has the interface of an Examination, and takes its
    place."""

    batch: TranscodeBatch
    readings: dict[int, list[Reading]] = field(default_factory=dict)  # the readings of each message that is done
    pending: dict[int, Example] = field(default_factory=dict)
    findings: Findings | None = None
    _begun: int = 0
    _dialogues: dict[int, ReadingDialogue] = field(default_factory=dict)

    def next_asks(self) -> Iterator[tuple[int, Ask]]:
        contents = self.batch.contents
        while len(self._dialogues) < AT_A_TIME and self._begun < len(contents):
            number = self._begun
            self._begun += 1
            self.pending[number] = Example(contents[number], f"message {number + 1}")
            self._dialogues[number] = dialogue = batch_dialogue(self.batch, contents[number])
            yield number, next(dialogue)
        if not self._dialogues:
            self.findings = Findings(len(contents), (), b"", None)

    def answer(self, number: int, answers: tuple[Answer, ...]) -> Ask | None:
        """Take the answers to an ask, and return the next ask about the same message, or None."""
        try:
            return self._dialogues[number].send(answers)
        except StopIteration as ended:
            self.readings[number] = ended.value
            del self._dialogues[number], self.pending[number]
            return None


class BatchExaminer:
    """The batches of a comparison, by the name of the case that stands for each in the engine. A case that is played again,
    since a driver died, begins anew."""

    def __init__(self) -> None:
        self._batches: dict[str, TranscodeBatch] = {}
        self._begun: dict[str, BatchExamination] = {}

    def case(self, name: str, batch: TranscodeBatch) -> MessageCase:
        """Return a case of this name that makes the engine play the batch."""
        self._batches[name] = batch
        needs = {"transcode", "view", *(["json"] if batch.json else [])}
        return MessageCase("compat", name, batch.written_as, json=batch.json, requires=frozenset(needs))

    def examination(self, case: MessageCase, expected: IsKnown, without: Collection[str]) -> BatchExamination:
        self._begun[case.name] = begun = BatchExamination(self._batches[case.name])
        return begun

    def take(self, name: str) -> BatchExamination:
        """Return the readings of a case that has been played, and forget it."""
        del self._batches[name]
        return self._begun.pop(name)
