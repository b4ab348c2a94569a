"""Every case comes to every pair once, whenever the pair becomes playable."""

from collections import Counter
from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from grpc_interop.core.case import AnyCase
from grpc_interop.core.verdict import Pair
from grpc_interop.session.case_streams import CaseStream, CaseStreams

PAIRS = [Pair(name, name) for name in ("a", "b", "c")]


def numbers(sizes: Sequence[int]) -> list[Iterator[AnyCase]]:
    """Suites of so many cases each; numbers stand for the cases, which nothing looks into."""
    return [iter([(suite, case) for case in range(size)]) for suite, size in enumerate(sizes)]  # type: ignore[misc]


class Playing:
    """CaseStreams that are gone through a step at a time, each in turn."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.joined: Counter[Pair] = Counter()
        self.came: list[tuple[AnyCase, Pair]] = []
        self.left: Counter[Pair] = Counter()
        self._streams = CaseStreams(lambda: numbers(sizes), self.joined.update)
        self._under_way: list[tuple[CaseStream, Iterator[AnyCase]]] = []

    def join(self, *pairs: Pair) -> None:
        self._under_way += [(stream, iter(stream)) for stream in self._streams.join(pairs)]

    def step(self) -> bool:
        if not self._under_way:
            return False
        stream, cases = self._under_way.pop(0)
        case = next(cases, None)
        if case is None:
            self.left.update(stream.pairs)
        else:
            self.came += [(case, pair) for pair in stream.pairs]
            self._under_way.append((stream, cases))
        return True


@given(sizes=st.lists(st.integers(0, 6), min_size=1, max_size=3), steps=st.lists(st.integers(0, 12), min_size=2, max_size=2))
def test_every_case_comes_to_every_pair_once(sizes, steps):
    playing = Playing(sizes)
    for pair, before in zip(PAIRS, [*steps, 0], strict=True):
        playing.join(pair)
        for _ in range(before):
            playing.step()
    while playing.step():
        pass
    every = {((suite, case), pair) for suite, size in enumerate(sizes) for case in range(size) for pair in PAIRS}
    assert Counter(playing.came) == Counter(every)
    assert playing.joined == playing.left


def test_pairs_go_along_from_where_the_others_are():
    playing = Playing([4])
    playing.join(PAIRS[0])
    playing.step()
    playing.join(PAIRS[1], PAIRS[2])
    while playing.step():
        pass
    together = [[pair for case, pair in playing.came if case == (0, number)] for number in range(4)]
    assert together == [PAIRS] * 4
    assert [case for case, pair in playing.came if pair == PAIRS[1]] == [(0, 1), (0, 0), (0, 2), (0, 3)]
