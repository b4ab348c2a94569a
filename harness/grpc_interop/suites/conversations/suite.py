"""The `conversations` suite: who says what and when is made up, by a seed; the model says what must come of it.

Conversation 42 of seed 1 is called `s1_00042` and is the same on every machine, for the same protos: whichever others
are made. Cancels and deadlines are not part of it yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from grpc_interop.core.case import Case, Kind, Method
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites.conversations.dice import Dice
from grpc_interop.suites.conversations.walk import Walk
from grpc_interop.suites.conversations.words import Vocabulary, Words
from grpc_interop.suites.protocol import Suite, SuiteOptions

NAME = "conversations"

COUNT = 200
"""Conversations unless told otherwise: about a second in all pairs together."""


def cases(catalog: Catalog, options: SuiteOptions) -> Iterator[Case]:
    """`options.count` conversations, or COUNT."""
    vocabulary = Vocabulary(catalog)
    methods: dict[Kind, list[Method]] = defaultdict(list)
    for method in catalog.methods():
        methods[method.kind].append(method)
    if methods:
        kinds = [methods[kind] for kind in Kind if kind in methods]
        for number in range(1, (options.count or COUNT) + 1):
            yield conversation(options.seed, number, kinds, vocabulary)


def conversation(seed: int, number: int, methods: list[list[Method]], vocabulary: Vocabulary) -> Case:
    """Conversation `number` of `seed`. `methods` come by kind: each kind is as likely as any other, since trees have
    far more unary methods than they have ways to go."""
    name = f"s{seed}_{number:05d}"
    dice = Dice(name)
    method = dice.pick(dice.pick(methods))
    words = Words(dice, vocabulary, method)
    walk = Walk(dice, method.kind, words)
    return Case(
        suite=NAME,
        name=name,
        method=method,
        client=walk.client,
        server=walk.server,
        metadata=words.metadata(),
        why=f"Conversation {number} of seed {seed}: made up, and yet both sides must see what gRPC promises.",
        extra_requires=words.requires,
        generated=True,
    )


SUITE = Suite(NAME, "conversations made up from a seed: who sends, waits, half-closes, fails or ends when", cases)
