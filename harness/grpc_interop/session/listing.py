"""The cases that a run would play, listed without building anything."""

from collections.abc import Iterator

from grpc_interop.config import Options, choose
from grpc_interop.core.case import AnyCase
from grpc_interop.core.verdict import Pair
from grpc_interop.session.protos import load_catalog
from grpc_interop.session.selection import Selection, nothing_selected
from grpc_interop.suites import chosen
from grpc_interop.suites.protocol import SuiteOptions


def selected(options: Options) -> Iterator[tuple[AnyCase, Pair]]:
    """Yield every case with every pair that would play it. Build nothing. Raise UsageError."""
    known = [manifest.name for manifest in options.implementations]
    clients, servers = choose("client", options.clients, known), choose("server", options.servers, known)
    pairs = [Pair(client, server) for client in clients for server in servers]
    selection = Selection(options.keyword, options.shard)
    catalog = load_catalog(options)
    suite_options = SuiteOptions(options.seed, options.count)
    for suite in chosen(options.suites):
        for case in suite.cases(catalog, suite_options):
            yield from ((case, pair) for pair in pairs if selection.takes(case, pair))


def check_selection(options: Options) -> None:
    """Raise UsageError when nothing is selected."""
    if next(selected(options), None) is None:
        raise nothing_selected(options.keyword, load_catalog(options).refused)
