"""The `calls` suite: every RPC of the roots, in every shape that its kind allows."""

from __future__ import annotations

from collections.abc import Iterator

from grpc_interop.case import Case, Method
from grpc_interop.protos.catalog import Catalog
from grpc_interop.protos.values import Values
from grpc_interop.suites.draw import Draw
from grpc_interop.suites.protocol import Options, Suite
from grpc_interop.suites.shapes import SHAPES
from grpc_interop.suites.shapes.shape import Shape

NAME = "calls"


def cases(catalog: Catalog, options: Options) -> Iterator[Case]:  # noqa: ARG001  nothing here is random
    """Every RPC's cases, one RPC after the other."""
    values = Values(catalog)
    for method in catalog.methods():
        for shape in SHAPES[method.kind]:
            yield case(method, shape, values)


def case(method: Method, shape: Shape, values: Values) -> Case:
    """The shape with messages of the method's types."""
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
        why=shape.why,
        extra_requires=draw.requires,
    )


SUITE = Suite(NAME, "every RPC in every shape of its kind, scripted on both sides", cases)
