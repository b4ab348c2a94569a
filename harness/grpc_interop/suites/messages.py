"""The `messages` suite: every message type of the roots, carried from one implementation to another without an RPC."""

from collections.abc import Iterator

from grpc_interop.core.case import MessageCase
from grpc_interop.messages.examples import GROUPS, Examples
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites.protocol import Suite, SuiteOptions
from grpc_interop.wire.shapes import Shapes

NAME = "messages"


def cases(catalog: Catalog, options: SuiteOptions) -> Iterator[MessageCase]:
    """Yield the cases of each type: the groups that have an example of it."""
    shapes = Shapes(catalog)
    examples = Examples(shapes)
    for type_name in shapes.driven():
        for name in examples.names(type_name):
            group = GROUPS[name]
            yield MessageCase(
                suite=NAME,
                name=name,
                type_name=type_name,
                json=group.json,
                alike=group.alike,
                seed=options.seed,
                count=options.count,
                why=group.why,
                requires=group.requires,
            )


SUITE = Suite(NAME, "every message, written by one implementation and read by the other", cases)
