"""The suites' cases on their way to pairs, which become playable one after another as their builds are done."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from grpc_interop.core.case import AnyCase
from grpc_interop.core.verdict import Pair


class CaseStream:
    """Cases in order, each for the pairs that the stream has when the case comes."""

    def __init__(self, cases: Iterator[AnyCase]) -> None:
        self.pairs: list[Pair] = []
        self.taken = 0  # cases that have come
        self.over = False  # no more will come
        self._cases = cases

    def __iter__(self) -> Iterator[AnyCase]:
        for case in self._cases:
            self.taken += 1
            yield case
        self.over = True


class CaseStreams:
    """Brings every case to every pair once, and to as many pairs as possible at the same time: these pairs share the case's
    commands, and the drivers' answers about it."""

    def __init__(self, suites: Callable[[], Iterable[Iterator[AnyCase]]], joined: Callable[[Sequence[Pair]], None]) -> None:
        """`suites` gives the cases of each suite, the same each time; `joined` is called with pairs that join a stream."""
        self._suites = suites
        self._joined = joined
        self._first: list[CaseStream] = []

    def join(self, pairs: Sequence[Pair]) -> Iterator[CaseStream]:
        """Yield the streams that begin for these pairs. The pairs join streams that are under way, and get the cases that they
        missed in streams of their own."""
        under_way = tuple(self._first)
        for index, cases in enumerate(self._suites()):
            stream = CaseStream(cases)
            if not under_way:
                self._first.append(stream)
            elif not under_way[index].over:
                self._add(under_way[index], pairs)
                stream = CaseStream(islice(cases, under_way[index].taken))
            self._add(stream, pairs)
            yield stream

    def _add(self, stream: CaseStream, pairs: Sequence[Pair]) -> None:
        self._joined(pairs)
        stream.pairs += pairs
