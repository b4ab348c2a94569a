"""What is asked of the two sides about messages of one type, and what their answers must say. Pure: a dialogue is a
generator that yields an Ask, is sent the answers, and returns what it found of each message.

The client's side is the producer: it reads the message and writes it. The server's side is the consumer: it reads what
the producer wrote, and writes it again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Answer, Ask, Refused, Written
from grpc_interop.core.transcript import View
from grpc_interop.core.verdict import CHANGING, Difference
from grpc_interop.wire.byte_lru import ByteLru, byte_lru_cache
from grpc_interop.wire.meaning import Meaning, first_difference, meaning
from grpc_interop.wire.protojson import NotProtoJson, ProtoJson
from grpc_interop.wire.records import NotWireError
from grpc_interop.wire.shapes import Shape, Shapes
from grpc_interop.wire.view import NotAViewError, canonical_nans, read_view

MOST_MEANT = 4 * 1024 * 1024
"""Of messages of so many bytes it is kept what they mean, for the next pair, which is asked about the same at about the
same time: some 40 cases are in flight, with 32 messages each, of some 2 KiB. What they mean takes up to 20 times as much."""

MOST_RIGHT = 16 * 1024 * 1024
"""Bytes of the messages in questions, and of as many for each answer, whose right answers are known for the next pair: so
far pairs drift apart. The answers are those that engine/answers.py keeps."""

Differences = list[Difference | None]
"""Of each message how the answers differ from what they must say, or None."""

Dialogue = Generator[Ask, tuple[Answer, ...], Differences]
Messages = tuple[bytes, ...]


class Rules:
    """The dialogues about messages of a catalog's types."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._json = ProtoJson(shapes)
        # Nobody changes a Meaning that is whole.
        self._meaning = byte_lru_cache(meaning, MOST_MEANT)
        self._kept = byte_lru_cache(self._kept_of, MOST_MEANT)
        self._shown = byte_lru_cache(self._shown_of, MOST_MEANT)
        self._said = byte_lru_cache(self._json.read, MOST_MEANT)
        self._right_views: ByteLru[tuple[Shape, bytes], View] = ByteLru(MOST_MEANT)
        self._right: ByteLru[tuple[object, ...], tuple[tuple[Answer, ...], ...]] = ByteLru(MOST_RIGHT)

    def dialogue(self, type_name: str, data: Messages, *, json: bool, alike: bool) -> Dialogue:
        """The dialogue about one or more messages."""
        shape = self._shapes.of(type_name)
        if alike:
            return self._alike(shape, data, json=json)
        return self._carried_as_json(shape, data) if json else self._carried(shape, data)

    def _judged(
        self, side: Side | None, shape: Shape, messages: Messages, answers: tuple[Answer, ...], judge: Callable[[], Differences]
    ) -> Differences:
        """What is found of the answers of a side to questions about these messages. The very answers that were all right
        for one pair are right for the next."""
        question = (side, shape, messages)
        right = self._right.get(question) or ()
        if any(one is answers for one in right):
            return [None] * len(answers)
        found = judge()
        if not any(found):
            right = (*right, answers)
            self._right.put(question, right, sum(map(len, messages)) * (1 + len(right)))
        return found

    # -- binary --------------------------------------------------------------------------------------------------------

    def _carried(self, shape: Shape, messages: Messages) -> Dialogue:
        """Both must read each message, show what it means, and write it again with nothing lost."""
        answers = yield Ask(Side.CLIENT, messages, to_view=True)
        found = self._judge_messages(Side.CLIENT, shape, messages, answers)
        right = [at for at, one in enumerate(found) if one is None]
        if not right:
            return found
        onward = tuple([_binary(answers[at]) for at in right])
        read = yield Ask(Side.SERVER, onward, to_view=True)
        carried = messages if len(right) == len(messages) else tuple([messages[at] for at in right])
        for at, one in zip(right, self._judge_messages(Side.SERVER, shape, carried, read), strict=True):
            found[at] = one
        return found

    def _judge_messages(self, side: Side, shape: Shape, messages: Messages, answers: tuple[Answer, ...]) -> Differences:
        return self._judged(
            None,
            shape,
            messages,
            answers,
            lambda: [self._message(side, shape, message, answer) for message, answer in zip(messages, answers, strict=True)],
        )

    def _message(self, side: Side, shape: Shape, message: bytes, answer: Answer) -> Difference | None:
        """What was written and seen must be the message."""
        if isinstance(answer, Refused):
            return _refusal(side, answer, "a valid message" if side is Side.CLIENT else "the message that the client wrote")
        # Equal bytes, which most writers give, mean the same.
        if answer.binary != message and (found := self._other_bytes(side, shape, self._meaning(shape, message), answer.binary)):
            return found
        # The very view that showed the message once shows it again.
        if answer.view is not None and self._right_views.get((shape, message)) is answer.view:
            return None
        if found := _other_view(side, shape, self._shown(shape, message), answer.view):
            return found
        if answer.view is not None:
            self._right_views.put((shape, message), answer.view, len(message))
        return None

    def _alike(self, shape: Shape, messages: Messages, *, json: bool) -> Dialogue:
        """Both refuse it, or both read the same."""
        mine = yield Ask(Side.CLIENT, messages, to_json=json)
        theirs = yield Ask(Side.SERVER, messages, to_json=json)
        return [self._as_one(shape, one, other, json=json) for one, other in zip(mine, theirs, strict=True)]

    def _as_one(self, shape: Shape, mine: Answer, theirs: Answer, *, json: bool) -> Difference | None:
        refused = [(side, one) for side, one in ((Side.CLIENT, mine), (Side.SERVER, theirs)) if isinstance(one, Refused)]
        if len(refused) == 1 or any(one.failed for _, one in refused):
            side, one = refused[0]
            return _refusal(side, one, f"what the {side.other} takes")
        if isinstance(mine, Refused) or isinstance(theirs, Refused):
            return None
        try:
            wanted = self._meaning(shape, mine.binary)
            if json:
                return self._other_json(Side.SERVER, shape, self._said(shape, mine.json), theirs.json)
        except (NotWireError, NotProtoJson) as error:
            return Difference(Side.CLIENT, f"the client wrote what is no message: {error}")
        return self._other_bytes(Side.SERVER, shape, wanted, theirs.binary)

    # -- ProtoJSON -----------------------------------------------------------------------------------------------------

    def _carried_as_json(self, shape: Shape, messages: Messages) -> Dialogue:
        """The client writes ProtoJSON of each, the server reads that; both texts, and what was read, mean the message."""
        answers = yield Ask(Side.CLIENT, messages, to_json=True)
        found = self._judged(
            Side.CLIENT,
            shape,
            messages,
            answers,
            lambda: [self._as_json(shape, message, answer) for message, answer in zip(messages, answers, strict=True)],
        )
        right = [at for at, one in enumerate(found) if one is None]
        if not right:
            return found
        carried = tuple([messages[at] for at in right])
        texts = tuple([_json(answers[at]) for at in right])
        read = yield Ask(Side.SERVER, tuple([text.encode() for text in texts]), from_json=True, to_json=True)
        judged = self._judged(
            Side.SERVER,
            shape,
            carried,
            read,
            lambda: [self._from_json(shape, *one) for one in zip(carried, texts, read, strict=True)],
        )
        for at, one in zip(right, judged, strict=True):
            found[at] = one
        return found

    def _as_json(self, shape: Shape, message: bytes, answer: Answer) -> Difference | None:
        if isinstance(answer, Refused):
            return _refusal(Side.CLIENT, answer, "to write a message as ProtoJSON")
        return self._other_json(Side.CLIENT, shape, self._kept(shape, message), answer.json)

    def _from_json(self, shape: Shape, message: bytes, text: str, answer: Answer) -> Difference | None:
        if isinstance(answer, Refused):
            return _refusal(Side.SERVER, answer, "the client's ProtoJSON", text)
        wanted = self._kept(shape, message)
        try:
            read = self._kept(shape, answer.binary)
        except NotWireError as error:
            return Difference(Side.SERVER, f"the server wrote what is no message: {error}")
        if found := _difference(Side.SERVER, "the server read another value from the client's ProtoJSON", shape, wanted, read):
            return found
        return self._other_json(Side.SERVER, shape, wanted, answer.json)

    def _other_json(self, side: Side, shape: Shape, wanted: Meaning, text: str) -> Difference | None:
        try:
            got = self._said(shape, text)
        except NotProtoJson as error:
            return Difference(side, f"the {side} wrote what is no ProtoJSON of the message: {error}", "", text)
        return _difference(side, f"the {side}'s ProtoJSON says another value than the message", shape, wanted, got)

    # -- what is meant -------------------------------------------------------------------------------------------------

    def _other_bytes(self, side: Side, shape: Shape, wanted: Meaning, binary: bytes) -> Difference | None:
        try:
            got = self._meaning(shape, binary)
        except NotWireError as error:
            return Difference(side, f"the {side} wrote what is no message: {error}", "", binary.hex())
        return _difference(side, f"the {side} did not write what it read", shape, wanted, got)

    def _shown_of(self, shape: Shape, data: bytes) -> Meaning:
        """What a view shows of it."""
        return canonical_nans(shape, self._meaning(shape, data))

    def _kept_of(self, shape: Shape, data: bytes) -> Meaning:
        """What ProtoJSON says of it."""
        return self._json.kept(shape, self._meaning(shape, data))


def _binary(answer: Answer) -> bytes:
    assert isinstance(answer, Written), "what was refused is not right"
    return answer.binary


def _json(answer: Answer) -> str:
    assert isinstance(answer, Written), "what was refused is not right"
    return answer.json


def _refusal(side: Side, refused: Refused, what: str, wanted: str = "") -> Difference:
    if refused.failed:
        return Difference(side, f"the {side}'s driver failed", wanted, refused.text)
    return Difference(side, f"the {side} refuses {what}", wanted, refused.text)


def of_one_cause(one: Difference, other: Difference) -> bool:
    """Whether two messages fail for the same reason. A runtime that refuses both must do so in the same words, but for
    what they quote: a message that is shrunk too far is refused for being none."""
    refused = one.what.startswith(f"the {one.side} refuses ")
    return one.fingerprint == other.fingerprint and (not refused or _words(one) == _words(other))


def _words(refusal: Difference) -> str:
    return CHANGING.sub("#", str(refusal.got))


def _other_view(side: Side, shape: Shape, wanted: Meaning, view: View | None) -> Difference | None:
    try:
        got = read_view(shape, view or View({}))
    except NotAViewError as error:
        return Difference(side, f"the {side}'s view of the message is none: {error}")
    return _difference(side, f"the {side}'s program sees another value than the message holds", shape, wanted, got)


def _difference(side: Side, what: str, shape: Shape, wanted: Meaning, got: Meaning) -> Difference | None:
    found = first_difference(shape, wanted, got)
    return found and Difference(side, what, f"{found.path}: {found.wanted}", f"{found.path}: {found.got}")
