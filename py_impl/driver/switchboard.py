"""Brings the calls that arrive at a server and the scripts for them together, whichever comes first."""

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from driver.metadata import remaining_us
from driver.plays import ServerPlay
from driver.stubs import Method


class Parked(ABC):
    """A call that came before its script. If it ends while it is parked, it stays known."""

    def __init__(self, context: Any) -> None:
        self.metadata = tuple(context.invocation_metadata() or ())
        self.remaining_us = remaining_us(context)

    @abstractmethod
    def assign(self, play: ServerPlay) -> bool:
        """Give the play to the call. Return False if the call has ended."""


P = TypeVar("P", bound=Parked)


class Switchboard(Generic[P]):
    """The plays of one server. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plays: dict[tuple[str, int], ServerPlay] = {}
        self._for_anyone: dict[str, deque[ServerPlay]] = {}
        self._parked: dict[tuple[str, int], deque[P]] = {}

    def expect(self, play: ServerPlay) -> None:
        """Serve the next calls with this play: the calls of its case, parked calls included, or the calls without a case."""
        ended: list[P] = []
        key = (play.method.path, play.id)
        with self._lock:
            if play.script.any_caller:
                self._for_anyone.setdefault(play.method.path, deque()).append(play)
                return
            self._plays[key] = play
            parked = self._parked.pop(key, deque())
            while parked and self._plays.get(key) is play:
                call = parked.popleft()
                self._admit(key, play)
                if call.assign(play):
                    continue
                ended.append(call)
        for call in ended:
            play.play_ended(call.metadata, call.remaining_us)

    def forget(self, play: ServerPlay) -> None:
        """Serve no further call with this play."""
        with self._lock:
            self._forget(play)

    def forget_if_not_arrived(self, play: ServerPlay) -> bool:
        """Forget a play if no call has come for it. Return whether it was forgotten."""
        with self._lock:
            if play.arrived:
                return False
            self._forget(play)
            return True

    def _forget(self, play: ServerPlay) -> None:
        if play.script.any_caller:
            waiting = self._for_anyone.get(play.method.path, deque())
            if play in waiting:
                waiting.remove(play)
        else:
            self._plays.pop((play.method.path, play.id), None)

    def play_of(self, method: Method, case: int | None, park: Callable[[], P]) -> ServerPlay | P | None:
        """Return the play for a call. If the play of its case has not come yet, return the result of `park`: there the
        call waits."""
        if case is None:
            return self._anyones(method)
        key = (method.path, case)
        with self._lock:
            play = self._plays.get(key)
            if play is not None:
                self._admit(key, play)
                return play
            parked = park()
            self._parked.setdefault(key, deque()).append(parked)
        return parked

    def _anyones(self, method: Method) -> ServerPlay | None:
        with self._lock:
            waiting = self._for_anyone.get(method.path)
            if not waiting:
                return None
            if not waiting[0].admit():
                return waiting.popleft()
            return waiting[0]

    def _admit(self, key: tuple[str, int], play: ServerPlay) -> None:
        if not play.admit():
            del self._plays[key]
