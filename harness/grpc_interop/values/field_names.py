"""Types whose ProtoJSON depends on how fields are named: generated classes have names of their own, which a field may hide."""

from __future__ import annotations

from functools import cached_property

from grpc_interop.values.holders import leading_to
from grpc_interop.wire.shapes import Shape, Shapes


class FieldNames:
    """Tells the types apart that may hold a message with such names, be it in an Any."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes

    def have_capitals(self, shape: Shape) -> bool:
        """A name is not in lower_snake_case, which protobuf.dev/programming-guides/style asks for."""
        return shape.name in self._capital

    @cached_property
    def _capital(self) -> frozenset[str]:
        return leading_to(
            self._shapes,
            lambda shape: any(not field.descriptor.is_extension and field.name != field.name.lower() for field in shape.ordered),
        )
