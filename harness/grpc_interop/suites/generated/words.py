"""What generated conversations say: messages, metadata and statuses. When they say it is the walk's affair."""

from __future__ import annotations

from grpc_interop.case import OK, Entry, Method, Send, Status
from grpc_interop.protos.values import CYCLE, Sample, Values
from grpc_interop.suites.generated.dice import Dice
from grpc_interop.suites.shapes.shape import STATUSES, status_details

LARGEST = 2_048
"""Bytes of an ordinary message: a dozen may lie unread at any time (simulation.CAPACITY)."""

SIZES = (40_000, 65_536, 100_000)
"""Bytes of large messages: more than may lie unread, as much as HTTP/2's first window, and more than that."""

ERRORS = range(1, 17)

TEXTS = tuple(dict.fromkeys(status.message or "" for status in STATUSES.values()))
"""Status messages with all that is special in percent-encoding."""

KEYS = ("x-interop-a", "x-interop-b", "x-interop-a-bin", "x-interop-b-bin")
"""So few that the same key often comes twice."""

ASCII = (b"v", b"two, words", b'"quoted" = 100%', b"~" * 200)
"""Values of keys without -bin. An empty one is not among them: gRPC's grammar asks for at least one character."""

BINARY = (b"\x00", b"\xff\x00\xff", b"text", bytes(range(256)))


class Words:
    """What both sides of one conversation say. `requires`: the capabilities that it needs of the drivers."""

    def __init__(self, dice: Dice, values: Values, method: Method) -> None:
        self.requires: frozenset[str] = frozenset()
        self._dice = dice
        self._values = values
        self._types = (method.response, method.request)
        self._sent = [0, 0]

    def message(self, *, of_client: bool) -> Send:
        """The side's next message: mostly one that shows its number."""
        self._sent[of_client] += 1
        type_name, number = self._types[of_client], self._sent[of_client]
        sample = self._some(type_name, number)
        return self._send(sample if len(sample.data) <= LARGEST else self._values.small(type_name, number))

    def large(self, *, of_client: bool) -> Send:
        """One that is sent only to a side that is receiving."""
        self._sent[of_client] += 1
        return self._send(self._values.of_size(self._types[of_client], self._dice.pick(SIZES)))

    def metadata(self) -> tuple[Entry, ...]:
        """Up to four entries; often none."""
        keys = [self._dice.pick(KEYS) for _ in range(self._dice.pick((0, 0, 1, 2, 4)))]
        return tuple(Entry(key, self._dice.pick(BINARY if key.endswith("-bin") else ASCII)) for key in keys)

    def status(self) -> Status:
        """How the server ends the RPC: well in one half of all cases, else with any error."""
        trailers = self.metadata()
        if self._dice.chance(0.5):
            return OK._replace(trailers=trailers)
        code, text = self._dice.pick(ERRORS), self._dice.pick(TEXTS)
        details = status_details(code, text) if self._dice.chance(0.2) else b""
        return Status(code, text, details, trailers)

    def _some(self, type_name: str, number: int) -> Sample:
        """The place where values are chosen."""
        if self._dice.chance(0.1):
            return self._values.empty(type_name)
        return self._values.full(type_name, number) if number <= CYCLE else self._values.small(type_name, number)

    def _send(self, sample: Sample) -> Send:
        self.requires |= sample.requires
        return Send(sample.data)
