"""Messages, metadata and statuses of generated conversations. Their order is the business of walk.py."""

from functools import lru_cache

from grpc_interop.core.case import OK, Entry, Method, Send, Status
from grpc_interop.core.side import Side
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites.calls.shape import STATUSES, status_details
from grpc_interop.suites.conversations.dice import Dice
from grpc_interop.values.generator import Generator
from grpc_interop.values.samples import CYCLE, Sample, Values
from grpc_interop.wire.shapes import Shapes

LARGEST = 2_048
"""Bytes of an ordinary message: a dozen may lie unread at any time (core/causality.py, CAPACITY)."""

SIZES = (40_000, 65_536, 100_000)
"""Bytes of large messages: more than may lie unread, as many as the first window of HTTP/2, and more."""

LARGE_KEPT = 32
"""Large messages that are kept for the next conversation: a large message costs as much as a conversation."""

ERRORS = range(1, 17)

TEXTS = tuple(dict.fromkeys(status.message or "" for status in STATUSES.values()))
"""Status messages with everything that percent-encoding makes special."""

KEYS = ("x-interop-a", "x-interop-b", "x-interop-a-bin", "x-interop-b-bin")
"""Keys of metadata: so few that the same key often comes twice."""

ASCII = (b"v", b"two, words", b'"quoted" = 100%', b"~" * 200)
"""Values of keys without -bin. There is no empty value: gRPC's grammar asks for at least one character."""

BINARY = (b"\x00", b"\xff\x00\xff", b"text", bytes(range(256)))


class Vocabulary:
    """The messages of a catalog, made in all possible ways. `large` makes a message of a type and a size."""

    def __init__(self, catalog: Catalog) -> None:
        self._values = Values(catalog)
        self._shapes = Shapes(catalog)
        self._generator = Generator(self._shapes)
        self.large = lru_cache(maxsize=LARGE_KEPT)(self._values.of_size)

    def message(self, dice: Dice, type_name: str, number: int) -> Sample:
        """Return a message that is empty, or random, or that shows its number; of ordinary size."""
        way = dice.below(10)
        if way == 0:
            sample = self._values.empty(type_name)
        elif way < 5:
            sample = self._any(dice, type_name, number)
        else:
            sample = self._values.full(type_name, number) if number <= CYCLE else self._values.small(type_name, number)
        return sample if len(sample.data) <= LARGEST else self._values.small(type_name, number)

    def _any(self, dice: Dice, type_name: str, number: int) -> Sample:
        shape = self._shapes.of(type_name)
        if self._generator.least(shape) is None:
            return self._values.small(type_name, number)
        return Sample(self._generator.by_chance(shape, dice.source))


class Words:
    """The words of both sides of a conversation."""

    def __init__(self, dice: Dice, vocabulary: Vocabulary, method: Method) -> None:
        self.requires: frozenset[str] = frozenset()  # capabilities of the drivers
        self._dice = dice
        self._vocabulary = vocabulary
        self._types = {Side.CLIENT: method.request, Side.SERVER: method.response}
        self._sent = dict.fromkeys(Side, 0)

    def message(self, side: Side) -> Send:
        """Return the side's next message."""
        self._sent[side] += 1
        return self._send(self._vocabulary.message(self._dice, self._types[side], self._sent[side]))

    def large(self, side: Side) -> Send:
        """Return a large message, which is sent only to a side that is receiving."""
        self._sent[side] += 1
        return self._send(self._vocabulary.large(self._types[side], self._dice.pick(SIZES)))

    def metadata(self) -> tuple[Entry, ...]:
        """Return up to four entries, often none."""
        keys = [self._dice.pick(KEYS) for _ in range(self._dice.pick((0, 0, 1, 2, 4)))]
        return tuple(Entry(key, self._dice.pick(BINARY if key.endswith("-bin") else ASCII)) for key in keys)

    def status(self) -> Status:
        """Return the status with which the server ends the RPC: OK in half of all cases, else any error."""
        trailers = self.metadata()
        if self._dice.chance(0.5):
            return OK._replace(trailers=trailers)
        code, text = self._dice.pick(ERRORS), self._dice.pick(TEXTS)
        details = status_details(code, text) if self._dice.chance(0.2) else b""
        return Status(code, text, details, trailers)

    def _send(self, sample: Sample) -> Send:
        self.requires |= sample.requires
        return Send(sample.data)
