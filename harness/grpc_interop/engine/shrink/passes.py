"""From a case to cases that say less: fewer steps, one lane instead of two, plainer endings, smaller messages.

Not all of them keep the grammar, and some would deadlock: the model tells which are cases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import NamedTuple

from grpc_interop.core.case import OK, Case, Entry, Finish, Lane, Receive, Script, Send, SendHeaders, Signal, Status, Step, WaitFor
from grpc_interop.core.side import Side

SmallerMessages = Callable[[str, bytes], Iterable[bytes]]
"""From a message's type and bytes to smaller messages of that type, the smallest first. Some may be no messages at all."""


class _Place(NamedTuple):
    """Where a step stands."""

    side: Side
    lane: int
    at: int


_Unit = frozenset[_Place]
"""Steps that go together: a message's sending and receiving, a signal and the waiting for it; or a single step."""


def size(case: Case) -> int:
    """Steps on both sides."""
    return sum(map(len, (*case.client, *case.server)))


def smaller(case: Case, messages: SmallerMessages) -> Iterator[Case]:
    """What says much less comes first."""
    yield from _with_fewer_steps(case)
    yield from _in_one_lane(case)
    yield from _plainer(case)
    yield from _with_smaller_messages(case, messages)


# ----------------------------------------------------------------------------------------------------------------------
# Fewer steps
# ----------------------------------------------------------------------------------------------------------------------


def _with_fewer_steps(case: Case) -> Iterator[Case]:
    """Without halves, quarters... of what belongs together; last without single steps."""
    units = _units(case)
    length = len(units)
    while length > 1:
        length = (length + 1) // 2
        for start in range(0, len(units), length):
            yield _without(case, frozenset().union(*units[start : start + length]))
    for unit in units:
        if len(unit) > 1:
            yield from (_without(case, frozenset([place])) for place in unit)


def _units(case: Case) -> list[_Unit]:
    """All steps, each in one unit."""
    found: list[_Unit] = []
    places = list(_places(case))
    for sender in Side:
        sends = [place for place, step in places if place.side is sender and isinstance(step, Send)]
        takes = [place for place, step in places if place.side is not sender and isinstance(step, Receive)]
        found += _paired(sends, takes)
        signals: dict[str, list[_Place]] = defaultdict(list)
        waits: dict[str, list[_Place]] = defaultdict(list)
        for place, step in places:
            if isinstance(step, Signal) and place.side is sender:
                signals[step.name].append(place)
            elif isinstance(step, WaitFor) and place.side is not sender:
                waits[step.name].append(place)
        for name in dict.fromkeys((*signals, *waits)):
            found += _paired(signals[name], waits[name])
    taken = frozenset[_Place]().union(*found)
    return [*found, *(frozenset([place]) for place, _ in places if place not in taken)]


def _paired(ones: list[_Place], others: list[_Place]) -> Iterator[_Unit]:
    """The first with the first, the second with the second... since order is kept."""
    for both in zip_longest(ones, others):
        yield frozenset(place for place in both if place is not None)


def _places(case: Case) -> Iterator[tuple[_Place, Step]]:
    for side, script in ((Side.CLIENT, case.client), (Side.SERVER, case.server)):
        for number, lane in enumerate(script):
            for at, step in enumerate(lane):
                yield _Place(side, number, at), step


def _without(case: Case, gone: _Unit) -> Case:
    def rest(side: Side, script: Script) -> Script:
        lanes = (tuple(step for at, step in enumerate(lane) if _Place(side, number, at) not in gone) for number, lane in enumerate(script))
        return tuple(filter(None, lanes))

    return replace(case, client=rest(Side.CLIENT, case.client), server=rest(Side.SERVER, case.server))


# ----------------------------------------------------------------------------------------------------------------------
# One lane instead of two
# ----------------------------------------------------------------------------------------------------------------------


def _in_one_lane(case: Case) -> Iterator[Case]:
    if len(case.client) == 2:
        yield from (replace(case, client=(lane,)) for lane in _joined(*case.client))
    if len(case.server) == 2:
        yield from (replace(case, server=(lane,)) for lane in _joined(*case.server))


def _joined(one: Lane, other: Lane) -> Iterator[Lane]:
    """One after the other; and in between, since the last step of one (an end) may have to be the last of all."""
    for first, second in ((one, other), (other, one)):
        yield first + second
        yield first[:-1] + second + first[-1:]


# ----------------------------------------------------------------------------------------------------------------------
# Less beside the messages
# ----------------------------------------------------------------------------------------------------------------------


def _plainer(case: Case) -> Iterator[Case]:
    """Without metadata, OK instead of an error, without options."""
    yield from (replace(case, metadata=fewer) for fewer in _fewer(case.metadata))
    yield from (replace(case, server=server) for server in _plainer_servers(case))
    if case.timeout_us is not None:
        yield replace(case, timeout_us=None)
    if case.compression:
        yield replace(case, compression="")


def _plainer_servers(case: Case) -> Iterator[Script]:
    for number, lane in enumerate(case.server):
        for at, step in enumerate(lane):
            plainer: Iterator[Step] = iter(())
            if isinstance(step, SendHeaders):
                plainer = (SendHeaders(entries) for entries in _fewer(step.entries))
            elif isinstance(step, Finish):
                plainer = map(Finish, _plainer_statuses(step.status))
            yield from (_with(case.server, number, at, one) for one in plainer)


def _plainer_statuses(status: Status) -> Iterator[Status]:
    if status.code:
        yield OK
        yield Status(status.code)
        yield OK._replace(trailers=status.trailers)
        if status.details:
            yield status._replace(details=b"")
        if status.message:
            yield status._replace(message="", details=b"")
    yield from (status._replace(trailers=fewer) for fewer in _fewer(status.trailers))


def _fewer(entries: tuple[Entry, ...]) -> Iterator[tuple[Entry, ...]]:
    """None of them; then all but one."""
    if entries:
        yield ()
    if len(entries) > 1:
        yield from (entries[:at] + entries[at + 1 :] for at in range(len(entries)))


def _with(script: Script, number: int, at: int, step: Step) -> Script:
    lane = script[number]
    return (*script[:number], (*lane[:at], step, *lane[at + 1 :]), *script[number + 1 :])


# ----------------------------------------------------------------------------------------------------------------------
# Smaller messages
# ----------------------------------------------------------------------------------------------------------------------


def _with_smaller_messages(case: Case, messages: SmallerMessages) -> Iterator[Case]:
    """All messages as small as can be; then one after the other."""
    least = case
    for place, step in _places(case):
        if isinstance(step, Send):
            for message in messages(_type(case, place), step.message):
                least = _saying(least, place, message)
                break
    yield least
    for place, step in _places(case):
        if isinstance(step, Send):
            yield from (_saying(case, place, message) for message in messages(_type(case, place), step.message))


def _type(case: Case, place: _Place) -> str:
    return case.type_seen_by(place.side.other)


def _saying(case: Case, place: _Place, message: bytes) -> Case:
    if place.side is Side.CLIENT:
        return replace(case, client=_with(case.client, place.lane, place.at, Send(message)))
    return replace(case, server=_with(case.server, place.lane, place.at, Send(message)))
