"""Messages carried between two versions without an RPC: the sender's driver writes one, the receiver's reads it.

Pure, as messages/dialogue.py is: dialogues ask the sender (Side.CLIENT) and the receiver (Side.SERVER) and note what they answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from grpc_interop.core.case import MessageCase
from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Answer, Ask, Refused, Written
from grpc_interop.messages.examination import AT_A_TIME, Findings, IsKnown
from grpc_interop.messages.example_maker import Example

Variants = Callable[[str], Sequence[tuple[str, str]]]
"""From ProtoJSON as a sender wrote it, whatever else senders of its version may write of the same message: texts, each
with a word about it."""


class Reading(NamedTuple):
    """The receiver was given `sent` (binary, or ProtoJSON in UTF-8) and answered; `what` says how that was made. `strict`
    is the answer to the same ProtoJSON where unknown fields are not skipped. Without an answer the sender itself could not
    write the message: `refused` are its words. `only_zeros`: the same ProtoJSON without zeros was taken, so that a refusal
    is theirs."""

    sent: bytes
    what: str = ""
    answer: Answer | None = None
    strict: Answer | None = None
    refused: str = ""
    only_zeros: bool = False


class TranscodeBatch(NamedTuple):
    """Messages of a type to be carried: the two full names, the contents in order."""

    written_as: str
    read_as: str
    contents: tuple[bytes, ...]
    json: bool = False
    variants: Variants = lambda text: ((text, ""),)


ReadingDialogue = Generator[Ask, tuple[Answer, ...], list[Reading]]


def batch_dialogue(batch: TranscodeBatch, content: bytes) -> ReadingDialogue:
    """The dialogue about one message."""
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
            told = ", ".join(filter(None, ("zero values written" if emit_zero else "", what)))
            if texts.setdefault(text, told) == told and emit_zero:
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
    """All messages of a carriage, many at a time, between two drivers. `readings` has those of each message that is done.
    Otherwise as an Examination, of which it takes the place."""

    batch: TranscodeBatch
    readings: dict[int, list[Reading]] = field(default_factory=dict)
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
        """Takes the answers to an ask; gives what to ask next about the same message, or None."""
        try:
            return self._dialogues[number].send(answers)
        except StopIteration as ended:
            self.readings[number] = ended.value
            del self._dialogues[number], self.pending[number]
            return None


class BatchExaminer:
    """Those of a comparison, by the case that stands for each in the engine. A case that is played again, since a driver
    died, begins anew."""

    def __init__(self) -> None:
        self._batches: dict[str, TranscodeBatch] = {}
        self._begun: dict[str, BatchExamination] = {}

    def case(self, name: str, batch: TranscodeBatch) -> MessageCase:
        """A case of that name that makes the engine play it."""
        self._batches[name] = batch
        needs = {"transcode", "view", *(["json"] if batch.json else [])}
        return MessageCase("compat", name, batch.written_as, json=batch.json, requires=frozenset(needs))

    def examination(self, case: MessageCase, expected: IsKnown, without: Collection[str]) -> BatchExamination:
        self._begun[case.name] = begun = BatchExamination(self._batches[case.name])
        return begun

    def take(self, name: str) -> BatchExamination:
        """What was read of a case that has been played; it is forgotten then."""
        del self._batches[name]
        return self._begun.pop(name)
