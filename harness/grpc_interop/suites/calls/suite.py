"""The `calls` suite: every RPC of the roots, in every shape that its kind allows."""

from collections.abc import Iterator

from grpc_interop.core.case import Case, Kind, Method
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites.calls import SHAPES
from grpc_interop.suites.calls.draw import Draw
from grpc_interop.suites.calls.every_field import every_field_shapes
from grpc_interop.suites.calls.large_metadata import LIMITS
from grpc_interop.suites.calls.shape import CallShape
from grpc_interop.suites.protocol import Suite, SuiteOptions, in_turn
from grpc_interop.values.samples import Values

NAME = "calls"

_SLOW = ("deadline", "large_message", "thousand", "1000")
"""Parts of the names of shapes that take a hundred times as long as others."""


def cases(catalog: Catalog, options: SuiteOptions) -> Iterator[Case]:  # noqa: ARG001  nothing here is random
    """Yield the cases RPC by RPC. The cases of an RPC that carry every field come first, so that coverage can stop counting
    early."""
    values = Values(catalog)
    for method, shapes in _shapes(catalog):
        for shape in (*every_field_shapes(method, values), *shapes):
            yield case(method, shape, values)


def most_telling(catalog: Catalog, options: SuiteOptions) -> Iterator[Case]:  # noqa: ARG001
    """Yield the same cases, round after round of all RPCs: every RPC is called once before any is called twice. The plain case
    and the cases with every field come first, the slow cases last."""
    values = Values(catalog)
    return in_turn([_most_telling_of(method, shapes, values) for method, shapes in _shapes(catalog)])


def _shapes(catalog: Catalog) -> Iterator[tuple[Method, tuple[CallShape, ...]]]:
    """Yield each RPC with its shapes. Shapes about the limits of a runtime belong to the first unary RPC."""
    limits: tuple[CallShape, ...] = LIMITS
    for method in catalog.methods():
        if method.kind is Kind.UNARY:
            yield method, (*SHAPES[method.kind], *limits)
            limits = ()
        else:
            yield method, SHAPES[method.kind]


def _most_telling_of(method: Method, shapes: tuple[CallShape, ...], values: Values) -> Iterator[Case]:
    quick = [shape for shape in shapes if not _is_slow(shape)]
    plain = next(shape for shape in quick if shape.name == "one")
    yield case(method, plain, values)
    yield from (case(method, shape, values) for shape in every_field_shapes(method, values))
    yield from (case(method, shape, values) for shape in quick if shape is not plain)
    yield from (case(method, shape, values) for shape in shapes if _is_slow(shape))


def _is_slow(shape: CallShape) -> bool:
    return any(word in shape.name for word in _SLOW)


def case(method: Method, shape: CallShape, values: Values) -> Case:
    """Return the shape as a case, with messages of the method's types."""
    draw = Draw(method, values)
    scripts = shape.scripts(draw)
    return Case(
        suite=NAME,
        name=shape.name,
        method=method,
        client=scripts.client,
        server=scripts.server,
        metadata=scripts.metadata,
        timeout_us=scripts.timeout_us,
        own_connection=scripts.own_connection,
        why=shape.why,
        extra_requires=draw.requires,
    )


SUITE = Suite(NAME, "every RPC in every shape of its kind, scripted on both sides", cases, most_telling)
