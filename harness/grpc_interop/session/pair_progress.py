"""Lines about pairs that are done while others still wait for their builds."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from grpc_interop.core.verdict import Outcome, Pair

_WORDS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.ERROR: "in error",
    Outcome.UNEXPECTED_PASS: "unexpected",
    Outcome.KNOWN_FAILURE: "known",
    Outcome.UNSUPPORTED: "unsupported",
}


class Progress:
    """Counts cases by pair, and gives a line for each pair when all its cases have their verdict: `py:py  472 passed, 22 known`.
    There is no line for a pair whose cases could not all be played."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._under_way: Counter[Pair] = Counter()
        self._outcomes: defaultdict[Pair, Counter[Outcome]] = defaultdict(Counter)
        self._to_come: Counter[Pair] = Counter()

    def begun(self, pair: Pair) -> None:
        """Count a case of the pair that is to be played."""
        self._under_way[pair] += 1

    def more(self, pairs: Iterable[Pair]) -> None:
        """Expect cases of these pairs, until `all_begun`."""
        self._to_come.update(pairs)

    def all_begun(self, pairs: Iterable[Pair]) -> None:
        """Expect no more cases of these pairs, apart from other calls of `more`."""
        self._to_come.subtract(pairs)
        for pair in pairs:
            self._look(pair)

    def judged(self, pair: Pair, outcome: Outcome) -> None:
        """Count a case of the pair that has its verdict."""
        self._under_way[pair] -= 1
        self._outcomes[pair][outcome] += 1
        self._look(pair)

    def had_nothing(self, pair: Pair) -> bool:
        """Return whether all cases of the pair have come, and there was none."""
        return not self._to_come[pair] and pair not in self._under_way

    def _look(self, pair: Pair) -> None:
        if not self._to_come[pair] and not self._under_way[pair] and pair in self._outcomes:
            outcomes = self._outcomes.pop(pair)
            counts = [f"{outcomes[outcome]:,} {word}" for outcome, word in _WORDS.items() if outcomes[outcome] or outcome is Outcome.PASSED]
            self._tell(f"{pair}  {', '.join(counts)}")
