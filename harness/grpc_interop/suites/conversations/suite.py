"""The `conversations` suite: a seed decides who sends which message when; the model gives the allowed outcomes.

Conversation 42 of seed 1 is called `s1_00042` and is the same on every machine, for the same protos, with or without the
others. Cancels and deadlines are not part of conversations yet.
"""

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
"""Conversations, unless a run asks for more: about a second in all pairs together."""


def cases(catalog: Catalog, options: SuiteOptions) -> Iterator[Case]:
    """Yield `options.count` conversations, or COUNT."""
    vocabulary = Vocabulary(catalog)
    methods: dict[Kind, list[Method]] = defaultdict(list)
    for method in catalog.methods():
        methods[method.kind].append(method)
    if methods:
        kinds = [methods[kind] for kind in Kind if kind in methods]
        for number in range(1, (options.count or COUNT) + 1):
            yield conversation(options.seed, number, kinds, vocabulary)


def conversation(seed: int, number: int, methods: list[list[Method]], vocabulary: Vocabulary) -> Case:
    """Return conversation `number` of `seed`. `methods` are given by kind: each kind is as likely as any other, since trees
    have many more unary methods, with fewer possible courses."""
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
