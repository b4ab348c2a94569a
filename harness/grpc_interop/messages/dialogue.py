"""What is asked of the two sides about one message, and what their answers must say. Pure: a dialogue is a generator
that yields an Ask, is sent the answer, and returns what it found.

The client's side is the producer: it reads the message and writes it. The server's side is the consumer: it reads what
the producer wrote, and writes it again.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import lru_cache
from typing import NamedTuple

from grpc_interop.protos.meaning import Meaning, meaning, unlike
from grpc_interop.protos.protojson import NotProtoJson, ProtoJson
from grpc_interop.protos.records import NotWireError
from grpc_interop.protos.shapes import Shape, Shapes
from grpc_interop.protos.view import NotAViewError, of_view, one_nan
from grpc_interop.transcript import View
from grpc_interop.verdict import CHANGING, Difference

CLIENT, SERVER = "client", "server"


class Ask(NamedTuple):
    """Read this and write it again. `side` is who is asked; `data` is binary, or ProtoJSON where `from_json`, in which
    `ignore_unknown` skips fields that are not known. `emit_zero`: the ProtoJSON that is written shows also what is zero.
    `type_name` is the full name of the type where it is not the case's own."""

    side: str
    data: bytes
    from_json: bool = False
    to_json: bool = False
    to_view: bool = False
    ignore_unknown: bool = False
    emit_zero: bool = False
    type_name: str = ""


class Written(NamedTuple):
    """The message was read, and this was written."""

    binary: bytes
    json: str = ""
    view: View | None = None


class Refused(NamedTuple):
    """It could not be read or written; `text` says why, in the words of the runtime. `failed`: it is no word about the
    message; the driver itself went wrong."""

    text: str
    failed: bool = False


MOST_MEANINGS = 2048
"""What so many bytes mean is kept for the next pair, which is asked about the same at about the same time: some 40 cases
are in flight, with 16 dialogues each. Of a tree of 2.5 KiB a message that is 5 MiB of texts."""

Answer = Written | Refused
Dialogue = Generator[Ask, Answer, Difference | None]


class Rules:
    """The dialogues about messages of a catalog's types."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._json = ProtoJson(shapes)
        # Nobody changes a Meaning that is whole.
        self._meaning = lru_cache(MOST_MEANINGS)(meaning)
        self._kept = lru_cache(MOST_MEANINGS)(self._kept_of)
        self._shown = lru_cache(MOST_MEANINGS)(self._shown_of)
        self._right: dict[tuple[Shape, bytes], Written] = {}
        self._said = lru_cache(MOST_MEANINGS)(self._json.read)

    def dialogue(self, type_name: str, data: bytes, *, json: bool, alike: bool) -> Dialogue:
        """The dialogue about one message."""
        shape = self._shapes.of(type_name)
        if alike:
            return self._alike(shape, data, json=json)
        return self._carried_as_json(shape, data) if json else self._carried(shape, data)

    # -- binary --------------------------------------------------------------------------------------------------------

    def _carried(self, shape: Shape, data: bytes) -> Dialogue:
        """Both must read the message, show what it means, and write it again with nothing lost."""
        message = data
        for side in (CLIENT, SERVER):
            answer = yield Ask(side, data, to_view=True)
            if isinstance(answer, Refused):
                return _refusal(side, answer, "a valid message" if side == CLIENT else "the message that the client wrote")
            if found := self._other_message(side, shape, message, answer):
                return found
            data = answer.binary
        return None

    def _other_message(self, side: str, shape: Shape, message: bytes, answer: Written) -> Difference | None:
        """What was written and seen must be the message."""
        # The answer that was right for one pair is right for the next.
        if self._right.get((shape, message)) == answer:
            return None
        # Equal bytes, which most writers give, mean the same.
        if answer.binary != message and (found := self._other_bytes(side, shape, self._meaning(shape, message), answer.binary)):
            return found
        if found := _other_view(side, shape, self._shown(shape, message), answer.view):
            return found
        if len(self._right) >= MOST_MEANINGS:
            del self._right[next(iter(self._right))]
        self._right[shape, message] = answer
        return None

    def _alike(self, shape: Shape, data: bytes, *, json: bool) -> Dialogue:
        """Both refuse it, or both read the same."""
        mine = yield Ask(CLIENT, data, to_json=json)
        theirs = yield Ask(SERVER, data, to_json=json)
        refused = [(side, one) for side, one in ((CLIENT, mine), (SERVER, theirs)) if isinstance(one, Refused)]
        if len(refused) == 1 or any(one.failed for _, one in refused):
            side, one = refused[0]
            return _refusal(side, one, f"what the {SERVER if side == CLIENT else CLIENT} takes")
        if isinstance(mine, Refused) or isinstance(theirs, Refused):
            return None
        try:
            wanted = self._meaning(shape, mine.binary)
            if json:
                return self._other_json(SERVER, shape, self._said(shape, mine.json), theirs.json)
        except (NotWireError, NotProtoJson) as error:
            return Difference(CLIENT, f"the client wrote what is no message: {error}")
        return self._other_bytes(SERVER, shape, wanted, theirs.binary)

    # -- ProtoJSON -----------------------------------------------------------------------------------------------------

    def _carried_as_json(self, shape: Shape, data: bytes) -> Dialogue:
        """The client writes ProtoJSON of it, the server reads that; both texts, and what was read, mean the message."""
        wanted = self._kept(shape, data)
        first = yield Ask(CLIENT, data, to_json=True)
        if isinstance(first, Refused):
            return _refusal(CLIENT, first, "to write a message as ProtoJSON")
        if found := self._other_json(CLIENT, shape, wanted, first.json):
            return found
        second = yield Ask(SERVER, first.json.encode(), from_json=True, to_json=True)
        if isinstance(second, Refused):
            return _refusal(SERVER, second, "the client's ProtoJSON", first.json)
        try:
            read = self._kept(shape, second.binary)
        except NotWireError as error:
            return Difference(SERVER, f"the server wrote what is no message: {error}")
        if found := _difference(SERVER, "the server read another value from the client's ProtoJSON", shape, wanted, read):
            return found
        return self._other_json(SERVER, shape, wanted, second.json)

    def _other_json(self, side: str, shape: Shape, wanted: Meaning, text: str) -> Difference | None:
        try:
            got = self._said(shape, text)
        except NotProtoJson as error:
            return Difference(side, f"the {side} wrote what is no ProtoJSON of the message: {error}", "", text)
        return _difference(side, f"the {side}'s ProtoJSON says another value than the message", shape, wanted, got)

    # -- what is meant -------------------------------------------------------------------------------------------------

    def _other_bytes(self, side: str, shape: Shape, wanted: Meaning, binary: bytes) -> Difference | None:
        try:
            got = self._meaning(shape, binary)
        except NotWireError as error:
            return Difference(side, f"the {side} wrote what is no message: {error}", "", binary.hex())
        return _difference(side, f"the {side} did not write what it read", shape, wanted, got)

    def _shown_of(self, shape: Shape, data: bytes) -> Meaning:
        """What a view shows of it."""
        return one_nan(shape, self._meaning(shape, data))

    def _kept_of(self, shape: Shape, data: bytes) -> Meaning:
        """What ProtoJSON says of it."""
        return self._json.kept(shape, self._meaning(shape, data))


def _refusal(side: str, refused: Refused, what: str, wanted: str = "") -> Difference:
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


def _other_view(side: str, shape: Shape, wanted: Meaning, view: View | None) -> Difference | None:
    try:
        got = of_view(shape, view or View({}))
    except NotAViewError as error:
        return Difference(side, f"the {side}'s view of the message is none: {error}")
    return _difference(side, f"the {side}'s program sees another value than the message holds", shape, wanted, got)


def _difference(side: str, what: str, shape: Shape, wanted: Meaning, got: Meaning) -> Difference | None:
    found = unlike(shape, wanted, got)
    return found and Difference(side, what, f"{found.path}: {found.wanted}", f"{found.path}: {found.got}")
