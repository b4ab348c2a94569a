"""The suites' cases on their way to pairs that become playable one after the other, as their builds are done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from grpc_interop.core.case import AnyCase
from grpc_interop.core.verdict import Pair


class CaseStream:
    """Cases, one after the other, and the pairs that each is for when it comes. `taken` cases have come; it is `over` when
    no more will."""

    def __init__(self, cases: Iterator[AnyCase]) -> None:
        self.pairs: list[Pair] = []
        self.taken = 0
        self.over = False
        self._cases = cases

    def __iter__(self) -> Iterator[AnyCase]:
        for case in self._cases:
            self.taken += 1
            yield case
        self.over = True


class CaseStreams:
    """Brings every case to every pair once, and as many pairs together as can be: they share what is made for a case, and
    what drivers answer about it."""

    def __init__(self, suites: Callable[[], Iterable[Iterator[AnyCase]]], joined: Callable[[Sequence[Pair]], None]) -> None:
        """`suites` gives the cases of each suite, always the same; `joined` hears of pairs each time they join a stream."""
        self._suites = suites
        self._joined = joined
        self._first: list[CaseStream] = []

    def join(self, pairs: Sequence[Pair]) -> Iterator[CaseStream]:
        """The streams that begin for these pairs. They go along with those that are under way, from where these are, and
        beside that get what they missed."""
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
