"""Questions to the two sides about messages of a type, and the right answers. Pure: a dialogue is a generator that yields
an Ask, is sent the answers, and returns the difference that it found for each message.

The client's side is the producer: it reads the message and writes it. The server's side is the consumer: it reads the
producer's output, and writes it again.
"""

from collections.abc import Callable, Generator, Sequence
from functools import partial

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
"""Bytes of the messages whose meaning is kept for the next pair, which is asked about the same messages at about the same
time. Some 40 cases are in flight, with 32 messages of some 2 KiB each. A meaning takes up to 20 times the memory of its message."""

MOST_RIGHT = 16 * 1024 * 1024
"""Bytes of questions whose right answers are kept for the next pair, as pairs drift apart. The messages of a question count
once, and once more for each of its right answers. The answers are objects in the cache of engine/executors/transcode_cache.py."""

Differences = list[Difference | None]
"""For each message, how the answers differ from the right answers, or None."""

Dialogue = Generator[Ask, tuple[Answer, ...], Differences]
Messages = tuple[bytes, ...]


class Rules:
    """Makes the dialogues about messages of a catalog's types."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._json = ProtoJson(shapes)
        # A Meaning can be shared: it is not changed once it is whole.
        self._meaning = byte_lru_cache(meaning, MOST_MEANT)
        self._kept = byte_lru_cache(self._kept_of, MOST_MEANT)
        self._shown = byte_lru_cache(self._shown_of, MOST_MEANT)
        self._said = byte_lru_cache(self._json.read, MOST_MEANT)
        self._right_views: ByteLru[tuple[Shape, bytes], View] = ByteLru(MOST_MEANT)
        self._right: ByteLru[tuple[object, ...], tuple[tuple[Answer, ...], ...]] = ByteLru(MOST_RIGHT)

    def dialogue(self, type_name: str, data: Messages, *, json: bool, alike: bool) -> Dialogue:
        """Return the dialogue about these messages."""
        shape = self._shapes.of(type_name)
        if alike:
            return self._alike(shape, data, json=json)
        return self._carried_as_json(shape, data) if json else self._carried(shape, data)

    def _judged(
        self,
        side: Side | None,
        shape: Shape,
        judge: Callable[..., Difference | None],
        messages: Messages,
        answers: tuple[Answer, ...],
        *more: Sequence[object],
    ) -> Differences:
        """Judge the answers of a side to questions about these messages. If the answers are the same object that was right for an
        earlier pair, they are right again, without a comparison."""
        question = (side, shape, messages)
        right = self._right.get(question) or ()
        if any(known is answers for known in right):
            return [None] * len(answers)
        differences = [judge(*row) for row in zip(messages, answers, *more, strict=True)]
        if not any(differences):
            right = (*right, answers)
            self._right.put(question, right, sum(map(len, messages)) * (1 + len(right)))
        return differences

    # -- binary --------------------------------------------------------------------------------------------------------

    def _carried(self, shape: Shape, messages: Messages) -> Dialogue:
        """Check that both sides read each message, show its meaning, and write it again with nothing lost."""
        answers = yield Ask(Side.CLIENT, messages, to_view=True)
        differences = self._judged(None, shape, partial(self._message, Side.CLIENT, shape), messages, answers)
        right = _right(differences)
        if right:
            read = yield Ask(Side.SERVER, tuple([_binary(answers[at]) for at in right]), to_view=True)
            carried = messages if len(right) == len(messages) else tuple([messages[at] for at in right])
            judged = self._judged(None, shape, partial(self._message, Side.SERVER, shape), carried, read)
            for at, difference in zip(right, judged, strict=True):
                differences[at] = difference
        return differences

    def _message(self, side: Side, shape: Shape, message: bytes, answer: Answer) -> Difference | None:
        """Compare the written bytes and the view with the message."""
        if isinstance(answer, Refused):
            return _refusal(side, answer, "a valid message" if side is Side.CLIENT else "the message that the client wrote")
        # Equal bytes mean the same; most writers write equal bytes.
        if answer.binary != message and (difference := self._other_bytes(side, shape, self._meaning(shape, message), answer.binary)):
            return difference
        # A view that is the same object as before shows the same again.
        if answer.view is not None and self._right_views.get((shape, message)) is answer.view:
            return None
        if difference := _other_view(side, shape, self._shown(shape, message), answer.view):
            return difference
        if answer.view is not None:
            self._right_views.put((shape, message), answer.view, len(message))
        return None

    def _alike(self, shape: Shape, messages: Messages, *, json: bool) -> Dialogue:
        """Check that both sides refuse a message, or that both read the same."""
        from_client = yield Ask(Side.CLIENT, messages, to_json=json)
        from_server = yield Ask(Side.SERVER, messages, to_json=json)
        return [self._agreement(shape, client, server, json=json) for client, server in zip(from_client, from_server, strict=True)]

    def _agreement(self, shape: Shape, client: Answer, server: Answer, *, json: bool) -> Difference | None:
        refusals = [(side, answer) for side, answer in ((Side.CLIENT, client), (Side.SERVER, server)) if isinstance(answer, Refused)]
        if len(refusals) == 1 or any(refusal.failed for _, refusal in refusals):
            side, refusal = refusals[0]
            return _refusal(side, refusal, f"what the {side.other} takes")
        if isinstance(client, Refused) or isinstance(server, Refused):
            return None
        try:
            wanted = self._meaning(shape, client.binary)
            if json:
                return self._other_json(Side.SERVER, shape, self._said(shape, client.json), server.json)
        except (NotWireError, NotProtoJson) as error:
            return Difference(Side.CLIENT, f"the client wrote bytes that do not parse as the message: {error}")
        return self._other_bytes(Side.SERVER, shape, wanted, server.binary)

    # -- ProtoJSON -----------------------------------------------------------------------------------------------------

    def _carried_as_json(self, shape: Shape, messages: Messages) -> Dialogue:
        """Check that the server reads the client's ProtoJSON, and that both texts, and the value that it read, mean the message."""
        answers = yield Ask(Side.CLIENT, messages, to_json=True)
        differences = self._judged(Side.CLIENT, shape, partial(self._as_json, shape), messages, answers)
        right = _right(differences)
        if right:
            carried, texts = tuple([messages[at] for at in right]), [_json(answers[at]) for at in right]
            read = yield Ask(Side.SERVER, tuple([text.encode() for text in texts]), from_json=True, to_json=True)
            judged = self._judged(Side.SERVER, shape, partial(self._from_json, shape), carried, read, texts)
            for at, difference in zip(right, judged, strict=True):
                differences[at] = difference
        return differences

    def _as_json(self, shape: Shape, message: bytes, answer: Answer) -> Difference | None:
        if isinstance(answer, Refused):
            return _refusal(Side.CLIENT, answer, "to write a message as ProtoJSON")
        return self._other_json(Side.CLIENT, shape, self._kept(shape, message), answer.json)

    def _from_json(self, shape: Shape, message: bytes, answer: Answer, text: str) -> Difference | None:
        if isinstance(answer, Refused):
            return _refusal(Side.SERVER, answer, "the client's ProtoJSON", text)
        wanted = self._kept(shape, message)
        try:
            read = self._kept(shape, answer.binary)
        except NotWireError as error:
            return Difference(Side.SERVER, f"the server wrote bytes that do not parse as the message: {error}")
        other = _difference(Side.SERVER, "the server read another value from the client's ProtoJSON", shape, wanted, read)
        return other or self._other_json(Side.SERVER, shape, wanted, answer.json)

    def _other_json(self, side: Side, shape: Shape, wanted: Meaning, text: str) -> Difference | None:
        try:
            got = self._said(shape, text)
        except NotProtoJson as error:
            return Difference(side, f"the {side} wrote text that is not ProtoJSON of the message: {error}", "", text)
        return _difference(side, f"the {side}'s ProtoJSON says another value than the message", shape, wanted, got)

    # -- meanings ------------------------------------------------------------------------------------------------------

    def _other_bytes(self, side: Side, shape: Shape, wanted: Meaning, binary: bytes) -> Difference | None:
        try:
            got = self._meaning(shape, binary)
        except NotWireError as error:
            return Difference(side, f"the {side} wrote bytes that do not parse as the message: {error}", "", binary.hex())
        return _difference(side, f"the {side} did not write what it read", shape, wanted, got)

    def _shown_of(self, shape: Shape, data: bytes) -> Meaning:
        """Return the meaning that a view shows."""
        return canonical_nans(shape, self._meaning(shape, data))

    def _kept_of(self, shape: Shape, data: bytes) -> Meaning:
        """Return the meaning that ProtoJSON keeps."""
        return self._json.kept(shape, self._meaning(shape, data))


def _right(differences: Differences) -> list[int]:
    """Return the indices of the messages that have no difference."""
    return [at for at, difference in enumerate(differences) if difference is None]


def _binary(answer: Answer) -> bytes:
    assert isinstance(answer, Written), "a refused message is not right"
    return answer.binary


def _json(answer: Answer) -> str:
    assert isinstance(answer, Written), "a refused message is not right"
    return answer.json


def _refusal(side: Side, refused: Refused, what: str, wanted: str = "") -> Difference:
    if refused.failed:
        return Difference(side, f"the {side}'s driver failed", wanted, refused.text)
    return Difference(side, f"the {side} refuses {what}", wanted, refused.text)


def of_one_cause(first: Difference, second: Difference) -> bool:
    """Return whether two messages fail for the same reason. A runtime that refuses both must do so in the same words, apart
    from the values in them: a message that is shrunk too far is refused since it is not valid."""
    refused = first.what.startswith(f"the {first.side} refuses ")
    return first.fingerprint == second.fingerprint and (not refused or _words(first) == _words(second))


def _words(refusal: Difference) -> str:
    return CHANGING.sub("#", str(refusal.got))


def _other_view(side: Side, shape: Shape, wanted: Meaning, view: View | None) -> Difference | None:
    try:
        got = read_view(shape, view or View({}))
    except NotAViewError as error:
        return Difference(side, f"the {side}'s view of the message is not valid: {error}")
    return _difference(side, f"the {side}'s program sees another value than the message holds", shape, wanted, got)


def _difference(side: Side, what: str, shape: Shape, wanted: Meaning, got: Meaning) -> Difference | None:
    other = first_difference(shape, wanted, got)
    return other and Difference(side, what, f"{other.path}: {other.wanted}", f"{other.path}: {other.got}")
