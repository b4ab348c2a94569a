"""What observations mean for those who have the base: breaks, notes, and the orders in which the change can be rolled out.

Only what the base declares is promised. What head adds is never broken by a reader that does not know it; that is a note
for the rollout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from grpc_interop.compat.diff.changes import Change, Edit, Subject
from grpc_interop.compat.judge.observe import GOOD
from grpc_interop.compat.vocabulary.observation import (
    Deployment,
    Effect,
    ElementOutcome,
    Exchange,
    Flow,
    Format,
    MessageRole,
    ObservedEffect,
    OutcomeCause,
    deployment,
)
from grpc_interop.compat.vocabulary.result import ChangeVerdict, EffectSummary


class Guarantee(StrEnum):
    """What must hold. JSON_STRICT is JSON whose readers refuse unknown fields; JSON_PROTO_NAMES also JSON whose writers call
    fields by their own names."""

    BOTH = "both"
    BINARY = "binary"
    JSON = "json"
    JSON_STRICT = "json-strict"
    JSON_PROTO_NAMES = "json-proto-names"

    @property
    def by_proto_names(self) -> bool:
        """Whether JSON by proto names is to be played: few writers are told to write it, and nobody else wants to hear of it."""
        return self is Guarantee.JSON_PROTO_NAMES


_FORMATS = {
    Guarantee.BOTH: {Format.BINARY, Format.JSON},
    Guarantee.BINARY: {Format.BINARY},
    Guarantee.JSON: {Format.JSON},
    Guarantee.JSON_STRICT: {Format.JSON, Format.STRICT_JSON},
    Guarantee.JSON_PROTO_NAMES: {Format.JSON, Format.PROTO_NAMES},
}

_OF_RPCS = frozenset({ElementOutcome.ADDED, ElementOutcome.REMOVED, ElementOutcome.KIND_CHANGED})
"""They are the same whatever the format of the messages."""

_OPPOSITE = {
    Deployment.SERVERS_FIRST: Deployment.CLIENTS_FIRST,
    Deployment.CLIENTS_FIRST: Deployment.SERVERS_FIRST,
    Deployment.READERS_FIRST: Deployment.WRITERS_FIRST,
    Deployment.WRITERS_FIRST: Deployment.READERS_FIRST,
}


class Judgement(NamedTuple):
    """What a change comes to. `example` is the first observation that shows the worst of it."""

    change: Change
    verdict: ChangeVerdict
    observed: tuple[EffectSummary, ...]
    notes: tuple[str, ...]
    example: ObservedEffect | None


def judge(changes: Sequence[Change], observations: Iterable[ObservedEffect], guarantee: Guarantee) -> list[Judgement]:
    """Of every change in turn; then of elements that did not change themselves and yet came out badly. Observations of an
    element stand in the order of their size, so that its first example is the smallest."""
    by_element: dict[str, list[ObservedEffect]] = {}
    for one in observations:
        by_element.setdefault(one.effect.element, []).append(one)
    judgements = []
    for change in sorted(changes, key=lambda one: not one.matters):
        # Two things of one name, a service and a package for instance: what can show takes what was seen.
        judgements.append(_judged(change, by_element.pop(change.element, []), guarantee))
    order = {id(change): place for place, change in enumerate(changes)}
    judgements.sort(key=lambda one: order[id(one.change)])
    affected = (_affected(element, found, guarantee) for element, found in by_element.items())
    return judgements + [one for one in affected if one is not None]


def rollout(judgements: Iterable[Judgement]) -> dict[str, bool]:
    """Of each order of deployment that the changes bear on, whether nothing breaks in it."""
    rows = [row for one in judgements for row in one.observed]
    borne = {order for row in rows for order in row.deployments}
    broken = {order for row in rows if row.breaks for order in row.deployments}
    return {order.value: order not in broken for order in Deployment if order in borne or _OPPOSITE[order] in borne}


def _affected(element: str, found: list[ObservedEffect], guarantee: Guarantee) -> Judgement | None:
    bad = [one for one in found if one.effect.outcome not in GOOD]
    if not bad:
        return None
    change = Change(element, Subject.FIELD, Edit.CHANGED, ("not changed itself, but affected by what has",))
    judged = _judged(change, bad, guarantee)
    return judged if judged.verdict is ChangeVerdict.BREAK or any(row.format is not Format.STRICT_JSON for row in judged.observed) else None


def _judged(change: Change, found: list[ObservedEffect], guarantee: Guarantee) -> Judgement:
    telling = _telling(found)
    observed = tuple(_rows(change, telling, guarantee))
    notes = tuple(dict.fromkeys(_notes(change, telling, guarantee)))
    breaking = any(row.breaks for row in observed) or (not observed and _breaks_unseen(change, guarantee))
    verdict = ChangeVerdict.BREAK if breaking else ChangeVerdict.NOTE if notes else ChangeVerdict.OK
    return Judgement(change, verdict, observed, notes, _example(change, telling, guarantee))


def _telling(found: list[ObservedEffect]) -> list[ObservedEffect]:
    """Without those in which all is well, where another value shows that not all is."""
    worse = {one.exchange for one in found if one.effect.outcome is not ElementOutcome.PRESERVED}
    worst = {one.exchange for one in found if one.effect.outcome not in GOOD}
    return [
        one
        for one in found
        if not (one.effect.outcome in GOOD and one.exchange in worst)
        and not (one.effect.outcome is ElementOutcome.PRESERVED and one.exchange in worse)
    ]


# ----------------------------------------------------------------------------------------------------------------------
# Breaks
# ----------------------------------------------------------------------------------------------------------------------


def breaks(change: Change, exchange: Exchange, effect: Effect, guarantee: Guarantee) -> bool:
    """Whether what was seen of a change breaks what the base promised, in a format that is to hold."""
    if effect.outcome in _OF_RPCS:
        return effect.outcome is not ElementOutcome.ADDED
    if exchange.format not in _FORMATS[guarantee] or effect.outcome in GOOD or effect.cause is OutcomeCause.UNDECLARED:
        return False
    if change.subject is Subject.MESSAGE and change.edit is not Edit.CHANGED:
        # A type that one version lacks travels in an Any alone, of which no proto promises what it holds.
        return False
    if exchange.format is Format.STRICT_JSON:
        return effect.outcome is ElementOutcome.REJECTED
    promised = change.edit is not Edit.ADDED
    if effect.outcome is ElementOutcome.IGNORED:
        return promised and _is_missed(change, exchange, effect)
    if effect.cause is OutcomeCause.PRESENCE:
        # In the other direction it is head that tells zero from not set; base never promised to.
        return promised and exchange.flow is Flow.OLD_TO_NEW
    return promised or (exchange.flow is Flow.OLD_TO_NEW and effect.outcome in (ElementOutcome.REJECTED, ElementOutcome.ALTERED))


def _breaks_unseen(change: Change, guarantee: Guarantee) -> bool:
    """Whether it breaks by the rule: of a value whose enum no field has, so that no message can show it."""
    return change.matters and change.ruled in _FORMATS[guarantee]


def _is_missed(change: Change, exchange: Exchange, effect: Effect) -> bool:
    """A value that head no longer has, where not even its number arrives."""
    return (
        change.subject is Subject.VALUE
        and exchange.flow is Flow.OLD_TO_NEW
        and (exchange.format is not Format.BINARY or effect.cause is not OutcomeCause.KEPT)
    )


# ----------------------------------------------------------------------------------------------------------------------
# Rows
# ----------------------------------------------------------------------------------------------------------------------


def _rows(change: Change, found: list[ObservedEffect], guarantee: Guarantee) -> Iterator[EffectSummary]:
    """One for each flow, role, format and outcome, the worst first; what breaks apart from what does not."""
    together: dict[tuple[Flow, MessageRole, Format, ElementOutcome, bool], list[ObservedEffect]] = {}
    for one in found:
        exchange, effect = one.exchange, one.effect
        key = exchange.flow, exchange.role, exchange.format, effect.outcome, breaks(change, exchange, effect, guarantee)
        together.setdefault(key, []).append(one)
    order = [*ElementOutcome]
    for key in sorted(together, key=lambda key: (not key[4], -order.index(key[3]))):
        flow, _, carried, outcome, breaking = key
        group = together[key]
        first = group[0]
        yield EffectSummary(
            flow,
            first.exchange.role,
            carried,
            outcome,
            tuple(sorted({one.exchange.pair for one in group})),
            first.effect.why,
            first.effect.sent,
            first.effect.received,
            (deployment(flow, first.exchange.role),),
            breaking,
        )


def _example(change: Change, found: list[ObservedEffect], guarantee: Guarantee) -> ObservedEffect | None:
    breaking = (one for one in found if breaks(change, one.exchange, one.effect, guarantee))
    bad = (one for one in found if one.effect.outcome not in GOOD)
    return next(breaking, None) or next(bad, None) or next(iter(found), None)


# ----------------------------------------------------------------------------------------------------------------------
# Notes
# ----------------------------------------------------------------------------------------------------------------------


def _notes(change: Change, found: list[ObservedEffect], guarantee: Guarantee) -> Iterator[str]:
    yield from change.notes
    if not change.matters:
        yield from _unseen(change)
    elif not found:
        ruled = ", and by the rule it breaks" if _breaks_unseen(change, guarantee) else ""
        yield f"not observed: no message that was played holds it{ruled}"
    elif change.edit is Edit.ADDED:
        yield from _of_addition(change, found)
    yield from _of_observations(change, found, guarantee)


def _unseen(change: Change) -> Iterator[str]:
    """What no message shows, as far as people should know of it."""
    if change.edit is Edit.REMOVED and change.subject in (Subject.MESSAGE, Subject.SERVICE, Subject.ENUM, Subject.ONEOF):
        yield f"the {change.subject} is gone"
    elif change.edit is Edit.CHANGED and change.subject is not Subject.FILE:
        yield from change.what


def _of_addition(change: Change, found: list[ObservedEffect]) -> Iterator[str]:
    """In which order nobody misses it: what an old side does not know must not be sent to it yet."""
    what = {Subject.RPC: "RPC", Subject.VALUE: "value"}.get(change.subject, "field")
    advice = _advice({one.exchange for one in found if one.exchange.flow is Flow.NEW_TO_OLD})
    if advice:
        yield f"a new {what}: {advice}"


def _advice(exchanges: set[Exchange]) -> str:
    """Which side is to be deployed first, so that nothing of the sort happens; of requests and responses each its own."""
    orders = {one.role: _OPPOSITE[deployment(one.flow, one.role)] for one in exchanges}
    if len(set(orders.values())) < 2:
        return next((f"deploy {order}" for order in orders.values()), "")
    return ", ".join(f"for {role}s deploy {orders[role]}" for role in MessageRole if role in orders)


def _of_observations(change: Change, found: list[ObservedEffect], guarantee: Guarantee) -> Iterator[str]:
    """One sentence for each thing to know of what is no break."""
    together: dict[str, set[Exchange]] = {}
    for one in found:
        if not breaks(change, one.exchange, one.effect, guarantee) and (words := _words(change, one)):
            together.setdefault(words, set()).add(one.exchange)
    for words, exchanges in together.items():
        advised = words.endswith(":")
        yield f"{words} {_advice(exchanges)}" if advised else words


def _words(change: Change, one: ObservedEffect) -> str:
    """What to know of one observation; advice is to follow a colon. Empty for nothing."""
    exchange, effect = one.exchange, one.effect
    side = "old" if exchange.flow is Flow.NEW_TO_OLD else "new"
    if effect.cause is OutcomeCause.UNDECLARED:
        return effect.why
    if effect.cause is OutcomeCause.PRESENCE:
        return "old readers cannot tell it set to zero from not set:"
    if exchange.format is Format.STRICT_JSON and effect.outcome is ElementOutcome.REJECTED:
        return f"{side} readers of JSON that do not skip unknown fields refuse it"
    if effect.outcome is ElementOutcome.IGNORED and change.edit is not Edit.ADDED:
        return f"{side} readers ignore it"
    if effect.outcome in GOOD | {ElementOutcome.IGNORED, ElementOutcome.ADDED}:
        return ""
    return f"{effect.outcome} in {exchange.format} from {exchange.flow}: {effect.why}"
