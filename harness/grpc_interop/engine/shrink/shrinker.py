"""The search for the smallest case that still fails in the same way: delta debugging (Zeller and Hildebrandt 2002).

It only names the next case to be played in isolation, and takes its verdict. If a failure comes and goes, each case is played
several times before it counts as passing.
"""

import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from grpc_interop.core.case import Case
from grpc_interop.core.model import model
from grpc_interop.core.script import NotACase
from grpc_interop.core.verdict import Outcome, Verdict
from grpc_interop.engine.jobs import Job, Purpose
from grpc_interop.engine.shrink.passes import SmallerMessages, size, smaller

PLAYS, SECONDS = 400, 10.0
"""Limits of a search. An isolated play takes a few milliseconds; the time is for conversations that hang."""

PLAY_SECONDS = 1
"""Time for a case of the search. No step waits for a clock, and nothing else is played: the case takes milliseconds, or hangs."""

SURE = 3
"""Plays of the first case, all failing, after which it counts as a case that always fails."""

SAMPLE = 10
"""Plays of a case in which the failure comes and goes, in order to estimate its rate."""

RARE = 50
"""Plays, all passing, after which other cases are taken for the cause: a race may be rare, and plays cost little."""

OVERLOOKED = 0.05
"""Probability of overlooking a failure whose rate is that of the first case."""

Plays = Generator[Case, Verdict, bool]


class Shrinker:
    """A search that begins with the verdict `failure` of a case beside other cases. `result` is the verdict to be reported: of the
    smallest case that failed in isolation, or `failure` with a note."""

    def __init__(self, failure: Verdict, messages: SmallerMessages, clock: Callable[[], float] = time.monotonic) -> None:
        self.result = failure
        self._failure = failure
        self._messages = messages
        self._clock = clock
        self._end = math.inf  # until the first play: it has to wait for what is in flight
        self._plays = 0
        self._tried: set[Case] = set()
        self._search = self._run()

    def next(self, verdict: Verdict | None = None) -> Case | None:
        """Take the verdict of the last case; return the next to be played in isolation, or None at the end."""
        try:
            return self._search.send(verdict)  # type: ignore[arg-type]  # None starts a generator
        except StopIteration:
            return None

    # -- the search ----------------------------------------------------------------------------------------------------

    def _run(self) -> Generator[Case, Verdict, None]:
        first = replace(self._failure.rpc_case, generated=False)
        failed, played = yield from self._sample(first)
        if not failed:
            self._note(f"interference: it fails beside other cases, and passed {played} times alone")
            self.result = self.result._replace(plays=RARE)
            return
        self._tried.add(first)
        tries = _tries(failed / played)
        while (yield from self._shrink_once(tries)):
            pass
        yield from self._conclude(size(first))

    def _sample(self, case: Case) -> Generator[Case, Verdict, tuple[int, int]]:
        """Return how often the case failed, and the number of its plays."""
        failed = played = 0
        while self._may_go_on and played < (SURE if failed == played else SAMPLE if failed else RARE):
            failed += yield from self._fails(case, 1)
            played += 1
        return failed, played

    def _shrink_once(self, tries: int) -> Plays:
        """Return whether a smaller case was found that fails as well."""
        for candidate in smaller(self.result.rpc_case, self._messages):
            if not self._may_go_on:
                return False
            if candidate in self._tried or not _is_case(candidate):
                continue
            self._tried.add(candidate)
            if (yield from self._fails(candidate, tries)):
                return True
        return False

    def _fails(self, case: Case, tries: int) -> Plays:
        """Return whether the case fails in the same way in any of so many plays; then it is the result so far."""
        for _ in range(tries):
            verdict = yield case
            self._end = min(self._end, self._clock() + SECONDS)
            self._plays += 1
            if _alike(verdict, self._failure):
                self.result = verdict
                return True
            if not self._may_go_on:
                break
        return False

    @property
    def _may_go_on(self) -> bool:
        return self._plays < PLAYS and self._clock() < self._end

    def _conclude(self, was: int) -> Generator[Case, Verdict, None]:
        smallest, plays = self.result, self._plays
        self._plays, self._end = 0, math.inf
        failed, played = yield from self._sample(smallest.rpc_case)
        self.result = smallest._replace(shrunk=True, plays=_tries(failed / played))
        steps = size(smallest.rpc_case)
        self._note(f"shrunk from {was} steps to {steps} in {plays} plays" if steps < was else f"none of {plays} smaller plays fails")
        self._note("it fails alone as well" if failed == played else f"alone it failed {failed} times of {played}")

    def _note(self, text: str) -> None:
        self.result = self.result._replace(notes=(*self.result.notes, text))


class ShrinkStep(Purpose):
    """The purpose of a job that plays a case of a search, which decides on the next."""

    at_once = True
    most_seconds = PLAY_SECONDS

    def __init__(self, shrinker: Shrinker, play: Callable[[Case, Purpose], None]) -> None:
        """`play` puts a case before all waiting jobs, to be played in isolation."""
        self._shrinker = shrinker
        self._play = play

    def finished(self, verdict: Verdict | None = None) -> Sequence[Verdict]:
        """Begin the search, or continue it with the verdict of its last case."""
        case = self._shrinker.next(verdict)
        if case is None:
            return (self._shrinker.result,)
        self._play(case, self)
        return ()

    def dropped(self, job: Job, why: str) -> Sequence[Verdict]:
        return (self._shrinker.result,)


def _tries(rate: float) -> int:
    """Return how often a case is played before it counts as passing, where the first case fails at this rate."""
    if rate in (0, 1):
        return 1 if rate else RARE
    return math.ceil(math.log(OVERLOOKED) / math.log(1 - rate))


def _is_case(case: Case) -> bool:
    try:
        model(case)
    except NotACase:
        return False
    return True


def _alike(verdict: Verdict, failure: Verdict) -> bool:
    """Return whether both seem to have failed for the same reason."""
    if verdict.difference is None or failure.difference is None:
        return False
    return verdict.outcome is Outcome.FAILED and verdict.difference.fingerprint == failure.difference.fingerprint
