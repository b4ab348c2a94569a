"""`interop list` and `interop plan`: what would run, and how to split it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from grpc_interop.config import Options, as_arguments, choose
from grpc_interop.core.case import AnyCase
from grpc_interop.core.verdict import Pair
from grpc_interop.output.console import say
from grpc_interop.output.plain_text import counted
from grpc_interop.session.selection import Selection, nothing_selected
from grpc_interop.session.session import chosen_suites, load_catalog, unseen
from grpc_interop.suites.protocol import Options as SuiteOptions


def selected(options: Options) -> Iterator[tuple[AnyCase, Pair]]:
    """Every case with every pair that would play it. Builds nothing. Raises UsageError."""
    known = [manifest.name for manifest in options.implementations]
    clients, servers = choose("client", options.clients, known), choose("server", options.servers, known)
    pairs = [Pair(client, server) for client in clients for server in servers]
    selection = Selection(options.keyword, options.shard)
    catalog = load_catalog(options)
    suite_options = SuiteOptions(options.seed, options.count)
    for suite in chosen_suites(options):
        for case in suite.cases(catalog, suite_options):
            yield from ((case, pair) for pair in pairs if selection.takes(case, pair))


def check_selection(options: Options) -> None:
    """Raises UsageError when nothing is selected."""
    if next(selected(options), None) is None:
        raise nothing_selected(options.keyword, load_catalog(options).refused)


def print_cases(options: Options) -> None:
    """Raises UsageError when nothing is selected."""
    check_selection(options)
    number = 0
    for case, pair in selected(options):
        say(f"{case.id}[{pair}]")
        number += 1
    say(counted(number, "case"), err=True)
    for why in unseen(options).values():
        say(f"not listed: {why}", err=True)


def print_plan(options: Options, shards: int) -> None:
    """One JSON object for a CI matrix: `include` is a list of jobs, each with the `shard` and the `args` of its
    `interop run`. Raises UsageError when nothing is selected."""
    check_selection(options)
    number = sum(1 for _ in selected(options))
    of = min(shards, number)
    chosen = shlex.join(as_arguments(options, relative_to=Path.cwd()))
    include = [{"shard": f"{k}/{of}", "args": f"--shard {k}/{of} {chosen}".strip()} for k in range(1, of + 1)]
    say(json.dumps({"include": include}))
    say(f"{counted(number, 'case')} in {counted(of, 'shard')}", err=True)
