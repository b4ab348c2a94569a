"""Shrinking passes: from a case to smaller cases, with fewer steps, one lane instead of two, plainer endings, smaller messages.

Some of them break the grammar or would deadlock: the model tells which are cases.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import NamedTuple

from grpc_interop.core.case import OK, Case, Entry, Finish, Lane, Receive, Script, Send, SendHeaders, Signal, Status, Step, WaitFor
from grpc_interop.core.side import Side

SmallerMessages = Callable[[str, bytes], Iterable[bytes]]
"""From a message's type and bytes to smaller messages of that type, the smallest first. Some may not be valid."""


class _Index(NamedTuple):
    """The position of a step in a case."""

    side: Side
    lane: int
    at: int


_Unit = frozenset[_Index]
"""Steps that belong together: the sending and receiving of a message, a signal and the wait for it; or a single step."""


def size(case: Case) -> int:
    """Return the number of steps on both sides."""
    return sum(map(len, (*case.client, *case.server)))


def smaller(case: Case, messages: SmallerMessages) -> Iterator[Case]:
    """Yield smaller cases, much smaller cases first."""
    yield from _with_fewer_steps(case)
    yield from _in_one_lane(case)
    yield from _plainer(case)
    yield from _with_smaller_messages(case, messages)


# -- fewer steps -------------------------------------------------------------------------------------------------------


def _with_fewer_steps(case: Case) -> Iterator[Case]:
    """Yield the case without halves, quarters... of its units, and last without single steps, as delta debugging does (Zeller
    and Hildebrandt 2002)."""
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
    """Return all steps, each in a single unit."""
    units: list[_Unit] = []
    places = list(_places(case))
    for sender in Side:
        sends = [place for place, step in places if place.side is sender and isinstance(step, Send)]
        takes = [place for place, step in places if place.side is not sender and isinstance(step, Receive)]
        units += _paired(sends, takes)
        signals: dict[str, list[_Index]] = defaultdict(list)
        waits: dict[str, list[_Index]] = defaultdict(list)
        for place, step in places:
            if isinstance(step, Signal) and place.side is sender:
                signals[step.name].append(place)
            elif isinstance(step, WaitFor) and place.side is not sender:
                waits[step.name].append(place)
        for name in dict.fromkeys((*signals, *waits)):
            units += _paired(signals[name], waits[name])
    taken = frozenset[_Index]().union(*units)
    return [*units, *(frozenset([place]) for place, _ in places if place not in taken)]


def _paired(sent: list[_Index], received: list[_Index]) -> Iterator[_Unit]:
    """Yield the first of both, the second of both... since order is kept."""
    for both in zip_longest(sent, received):
        yield frozenset(place for place in both if place is not None)


def _places(case: Case) -> Iterator[tuple[_Index, Step]]:
    for side, script in ((Side.CLIENT, case.client), (Side.SERVER, case.server)):
        for number, lane in enumerate(script):
            for at, step in enumerate(lane):
                yield _Index(side, number, at), step


def _without(case: Case, gone: _Unit) -> Case:
    def rest(side: Side, script: Script) -> Script:
        lanes = (tuple(step for at, step in enumerate(lane) if _Index(side, number, at) not in gone) for number, lane in enumerate(script))
        return tuple(filter(None, lanes))

    return replace(case, client=rest(Side.CLIENT, case.client), server=rest(Side.SERVER, case.server))


# -- one lane instead of two -------------------------------------------------------------------------------------------


def _in_one_lane(case: Case) -> Iterator[Case]:
    if len(case.client) == 2:
        yield from (replace(case, client=(lane,)) for lane in _joined(*case.client))
    if len(case.server) == 2:
        yield from (replace(case, server=(lane,)) for lane in _joined(*case.server))


def _joined(left: Lane, right: Lane) -> Iterator[Lane]:
    """Yield both lanes in sequence, in either order; and with the last step of the first lane at the end, since it may have to be
    the last of all."""
    for first, second in ((left, right), (right, left)):
        yield first + second
        yield first[:-1] + second + first[-1:]


# -- less beside the messages ------------------------------------------------------------------------------------------


def _plainer(case: Case) -> Iterator[Case]:
    """Yield the case without metadata, with OK instead of an error, and without options."""
    yield from (replace(case, metadata=fewer) for fewer in _fewer(case.metadata))
    yield from (replace(case, server=server) for server in _plainer_servers(case))
    if case.timeout_us is not None:
        yield replace(case, timeout_us=None)
    if case.compression:
        yield replace(case, compression="")


def _plainer_servers(case: Case) -> Iterator[Script]:
    for number, lane in enumerate(case.server):
        for at, step in enumerate(lane):
            if isinstance(step, SendHeaders):
                yield from (_with(case.server, number, at, SendHeaders(entries)) for entries in _fewer(step.entries))
            elif isinstance(step, Finish):
                yield from (_with(case.server, number, at, Finish(status)) for status in _plainer_statuses(step.status))


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
    """Yield no entries; then the entries without each single entry."""
    if entries:
        yield ()
    if len(entries) > 1:
        yield from (entries[:at] + entries[at + 1 :] for at in range(len(entries)))


def _with(script: Script, number: int, at: int, step: Step) -> Script:
    lane = script[number]
    return (*script[:number], (*lane[:at], step, *lane[at + 1 :]), *script[number + 1 :])


# -- smaller messages --------------------------------------------------------------------------------------------------


def _with_smaller_messages(case: Case, messages: SmallerMessages) -> Iterator[Case]:
    """Yield the case with the smallest messages throughout; then with a single smaller message."""
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


def _type(case: Case, place: _Index) -> str:
    return case.type_seen_by(place.side.other)


def _saying(case: Case, place: _Index, message: bytes) -> Case:
    if place.side is Side.CLIENT:
        return replace(case, client=_with(case.client, place.lane, place.at, Send(message)))
    return replace(case, server=_with(case.server, place.lane, place.at, Send(message)))
