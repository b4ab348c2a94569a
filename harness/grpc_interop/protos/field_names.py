"""Types whose ProtoJSON depends on how fields are named: generated classes have names of their own, which a field may hide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property

from grpc_interop.protos.json_names import is_distinct_only_here
from grpc_interop.protos.shapes import Shape, Shapes

ANY = "google.protobuf.Any"


class FieldNames:
    """Tells the types apart that may hold a message with such names, be it in an Any."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes

    def may_clash_in_json(self, shape: Shape) -> bool:
        """Two fields have one name in JSON, which protoc lets pass in proto2: there is no ProtoJSON of both."""
        return shape.name in self._clashing

    def have_capitals(self, shape: Shape) -> bool:
        """A name is not in lower_snake_case, which protobuf.dev/programming-guides/style asks for."""
        return shape.name in self._capital

    @cached_property
    def _clashing(self) -> frozenset[str]:
        return self._holders(lambda shape: any(is_distinct_only_here(field.json_name, field.number) for field in shape.ordered))

    @cached_property
    def _capital(self) -> frozenset[str]:
        return self._holders(
            lambda shape: any(not field.descriptor.is_extension and field.name != field.name.lower() for field in shape.ordered)
        )

    def _holders(self, named: Callable[[Shape], bool]) -> frozenset[str]:
        """The types so named, and those that lead to them."""
        held_by: dict[str, list[str]] = defaultdict(list)
        shapes = [self._shapes.of(name) for name in self._shapes.driven()]
        known = {shape.name for shape in shapes}
        for shape in shapes:
            for inner in _held(shape):
                held_by[inner.name].append(shape.name)
                if inner.name not in known:
                    known.add(inner.name)
                    shapes.append(inner)
        found = {shape.name for shape in shapes if named(shape)}
        names = [*found, ANY] if found else []  # an Any may hold any of them
        for name in names:
            new = set(held_by[name]) - found
            found |= new
            names += new
        return frozenset(found)


def _held(shape: Shape) -> Iterable[Shape]:
    fields = (field.mapped or field for field in shape.ordered)
    return {field.inner.name: field.inner for field in fields if field.inner is not None}.values()
