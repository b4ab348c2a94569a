"""The meaning of observations for users of the base: breaks, notes, and the orders in which the change can be rolled out.

Only declarations of the base are promises. A reader that does not know an addition of head breaks nothing; that is a note for
the rollout.
"""

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
    """The formats in which the promises must hold."""

    BOTH = "both"
    BINARY = "binary"
    JSON = "json"
    JSON_STRICT = "json-strict"  # JSON, also for readers that refuse unknown fields
    JSON_PROTO_NAMES = "json-proto-names"  # JSON, also from writers that use the proto names of fields

    @property
    def by_proto_names(self) -> bool:
        """Whether to play JSON by proto names: few writers are configured so, and others need not hear of it."""
        return self is Guarantee.JSON_PROTO_NAMES


_FORMATS = {
    Guarantee.BOTH: {Format.BINARY, Format.JSON},
    Guarantee.BINARY: {Format.BINARY},
    Guarantee.JSON: {Format.JSON},
    Guarantee.JSON_STRICT: {Format.JSON, Format.STRICT_JSON},
    Guarantee.JSON_PROTO_NAMES: {Format.JSON, Format.PROTO_NAMES},
}

_OF_RPCS = frozenset({ElementOutcome.ADDED, ElementOutcome.REMOVED, ElementOutcome.KIND_CHANGED})
"""Outcomes that do not depend on the format of the messages."""

_OPPOSITE = {
    Deployment.SERVERS_FIRST: Deployment.CLIENTS_FIRST,
    Deployment.CLIENTS_FIRST: Deployment.SERVERS_FIRST,
    Deployment.READERS_FIRST: Deployment.WRITERS_FIRST,
    Deployment.WRITERS_FIRST: Deployment.READERS_FIRST,
}


class Judgement(NamedTuple):
    """The verdict on a change."""

    change: Change
    verdict: ChangeVerdict
    observed: tuple[EffectSummary, ...]
    notes: tuple[str, ...]
    example: ObservedEffect | None  # the first observation with the worst effect


def judge(changes: Sequence[Change], observations: Iterable[ObservedEffect], guarantee: Guarantee) -> list[Judgement]:
    """Return a judgement for every change, then for unchanged elements that were harmed. The observations of an element
    stand in the order of their size, so that its first example is the smallest."""
    by_element: dict[str, list[ObservedEffect]] = {}
    for observation in observations:
        by_element.setdefault(observation.effect.element, []).append(observation)
    judgements = []
    for change in sorted(changes, key=lambda change: not change.matters):
        # Two elements of the same name, such as a service and a package: the observations belong to the element that can show.
        judgements.append(_judged(change, by_element.pop(change.element, []), guarantee))
    order = {id(change): place for place, change in enumerate(changes)}
    judgements.sort(key=lambda judgement: order[id(judgement.change)])
    affected = (_affected(element, observed, guarantee) for element, observed in by_element.items())
    return judgements + [judgement for judgement in affected if judgement is not None]


def rollout(judgements: Iterable[Judgement]) -> dict[str, bool]:
    """Tell for each order of deployment that the changes affect whether nothing breaks in it."""
    rows = [row for judgement in judgements for row in judgement.observed]
    borne = {order for row in rows for order in row.deployments}
    broken = {order for row in rows if row.breaks for order in row.deployments}
    return {order.value: order not in broken for order in Deployment if order in borne or _OPPOSITE[order] in borne}


def _affected(element: str, observations: list[ObservedEffect], guarantee: Guarantee) -> Judgement | None:
    bad = [observation for observation in observations if observation.effect.outcome not in GOOD]
    if not bad:
        return None
    change = Change(element, Subject.FIELD, Edit.CHANGED, ("not changed itself, but affected by what has",))
    judged = _judged(change, bad, guarantee)
    return judged if judged.verdict is ChangeVerdict.BREAK or any(row.format is not Format.STRICT_JSON for row in judged.observed) else None


def _judged(change: Change, observations: list[ObservedEffect], guarantee: Guarantee) -> Judgement:
    telling = _telling(observations)
    observed = tuple(_rows(change, telling, guarantee))
    notes = tuple(dict.fromkeys(_notes(change, telling, guarantee)))
    breaking = any(row.breaks for row in observed) or (not observed and _breaks_unseen(change, guarantee))
    verdict = ChangeVerdict.BREAK if breaking else ChangeVerdict.NOTE if notes else ChangeVerdict.OK
    return Judgement(change, verdict, observed, notes, _example(change, telling, guarantee))


def _telling(observations: list[ObservedEffect]) -> list[ObservedEffect]:
    """Return the observations without harmless effects in exchanges where another value shows a worse effect."""
    worse = {observation.exchange for observation in observations if observation.effect.outcome is not ElementOutcome.PRESERVED}
    worst = {observation.exchange for observation in observations if observation.effect.outcome not in GOOD}
    return [
        observation
        for observation in observations
        if not (observation.effect.outcome in GOOD and observation.exchange in worst)
        and not (observation.effect.outcome is ElementOutcome.PRESERVED and observation.exchange in worse)
    ]


# ----------------------------------------------------------------------------------------------------------------------
# Breaks
# ----------------------------------------------------------------------------------------------------------------------


def breaks(change: Change, exchange: Exchange, effect: Effect, guarantee: Guarantee) -> bool:
    """Tell whether an effect of a change breaks a promise of the base, in a format that the guarantee covers."""
    if effect.outcome in _OF_RPCS:
        return effect.outcome is not ElementOutcome.ADDED
    if exchange.format not in _FORMATS[guarantee] or effect.outcome in GOOD or effect.cause is OutcomeCause.UNDECLARED:
        return False
    if change.subject is Subject.MESSAGE and change.edit is not Edit.CHANGED:
        # A type that only a single version has travels in an Any alone, and no proto promises the content of an Any.
        return False
    if exchange.format is Format.STRICT_JSON:
        return effect.outcome is ElementOutcome.REJECTED
    promised = change.edit is not Edit.ADDED
    if effect.outcome is ElementOutcome.IGNORED:
        return promised and _is_missed(change, exchange, effect)
    if effect.cause is OutcomeCause.PRESENCE:
        # In the other direction head distinguishes zero from not set, which base never promised.
        return promised and exchange.flow is Flow.OLD_TO_NEW
    return promised or (exchange.flow is Flow.OLD_TO_NEW and effect.outcome in (ElementOutcome.REJECTED, ElementOutcome.ALTERED))


def _breaks_unseen(change: Change, guarantee: Guarantee) -> bool:
    """Tell whether an enum value that no field uses breaks: it cannot be sent, so the static rule decides."""
    return change.matters and change.ruled in _FORMATS[guarantee]


def _is_missed(change: Change, exchange: Exchange, effect: Effect) -> bool:
    """Tell whether a value that head no longer has is lost: not even its number arrives."""
    return (
        change.subject is Subject.VALUE
        and exchange.flow is Flow.OLD_TO_NEW
        and (exchange.format is not Format.BINARY or effect.cause is not OutcomeCause.KEPT)
    )


# ----------------------------------------------------------------------------------------------------------------------
# Rows
# ----------------------------------------------------------------------------------------------------------------------


def _rows(change: Change, observations: list[ObservedEffect], guarantee: Guarantee) -> Iterator[EffectSummary]:
    """Yield a summary for each flow, role, format and outcome, the worst first. Breaks stand apart from other effects."""
    together: dict[tuple[Flow, MessageRole, Format, ElementOutcome, bool], list[ObservedEffect]] = {}
    for observation in observations:
        exchange, effect = observation.exchange, observation.effect
        key = exchange.flow, exchange.role, exchange.format, effect.outcome, breaks(change, exchange, effect, guarantee)
        together.setdefault(key, []).append(observation)
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
            tuple(sorted({observation.exchange.pair for observation in group})),
            first.effect.why,
            first.effect.sent,
            first.effect.received,
            (deployment(flow, first.exchange.role),),
            breaking,
        )


def _example(change: Change, observations: list[ObservedEffect], guarantee: Guarantee) -> ObservedEffect | None:
    breaking = (observation for observation in observations if breaks(change, observation.exchange, observation.effect, guarantee))
    bad = (observation for observation in observations if observation.effect.outcome not in GOOD)
    return next(breaking, None) or next(bad, None) or next(iter(observations), None)


# ----------------------------------------------------------------------------------------------------------------------
# Notes
# ----------------------------------------------------------------------------------------------------------------------


def _notes(change: Change, observations: list[ObservedEffect], guarantee: Guarantee) -> Iterator[str]:
    yield from change.notes
    if not change.matters:
        yield from _unseen(change)
    elif not observations:
        ruled = ", and by the rule it breaks" if _breaks_unseen(change, guarantee) else ""
        yield f"not observed: no message that was played holds it{ruled}"
    elif change.edit is Edit.ADDED:
        yield from _of_addition(change, observations)
    yield from _of_observations(change, observations, guarantee)


def _unseen(change: Change) -> Iterator[str]:
    """Yield notes on changes that no message can show."""
    if change.edit is Edit.REMOVED and change.subject in (Subject.MESSAGE, Subject.SERVICE, Subject.ENUM, Subject.ONEOF):
        yield f"the {change.subject} is gone"
    elif change.edit is Edit.CHANGED and change.subject is not Subject.FILE:
        yield from change.what


def _of_addition(change: Change, observations: list[ObservedEffect]) -> Iterator[str]:
    """Yield the order in which nobody misses an addition: an old side must not receive it before it knows it."""
    noun = {Subject.RPC: "RPC", Subject.VALUE: "value"}.get(change.subject, "field")
    advice = _advice({observation.exchange for observation in observations if observation.exchange.flow is Flow.NEW_TO_OLD})
    if advice:
        yield f"a new {noun}: {advice}"


def _advice(exchanges: set[Exchange]) -> str:
    """Return which side to deploy first, so that these exchanges never happen; requests and responses may differ."""
    orders = {exchange.role: _OPPOSITE[deployment(exchange.flow, exchange.role)] for exchange in exchanges}
    if len(set(orders.values())) < 2:
        return next((f"deploy {order}" for order in orders.values()), "")
    return ", ".join(f"for {role}s deploy {orders[role]}" for role in MessageRole if role in orders)


def _of_observations(change: Change, observations: list[ObservedEffect], guarantee: Guarantee) -> Iterator[str]:
    """Yield a sentence for each kind of observation that is not a break but worth knowing."""
    together: dict[str, set[Exchange]] = {}
    for observation in observations:
        if not breaks(change, observation.exchange, observation.effect, guarantee) and (words := _words(change, observation)):
            together.setdefault(words, set()).add(observation.exchange)
    for words, exchanges in together.items():
        advised = words.endswith(":")
        yield f"{words} {_advice(exchanges)}" if advised else words


def _words(change: Change, observation: ObservedEffect) -> str:
    """Return the note on an observation, empty for none. After a colon the caller adds advice."""
    exchange, effect = observation.exchange, observation.effect
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
