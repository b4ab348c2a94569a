"""Types that may hold messages of other types, also within an Any."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from grpc_interop.wire.shapes import Shape, Shapes

ANY = "google.protobuf.Any"


def leading_to(shapes: Shapes, sought: Callable[[Shape], bool]) -> frozenset[str]:
    """Return the full names of the types that are sought, and of the types that may hold a message of them."""
    held_by: dict[str, list[str]] = defaultdict(list)
    every = [shapes.of(name) for name in shapes.driven()]
    known = {shape.name for shape in every}
    for shape in every:
        for inner in _held(shape):
            held_by[inner.name].append(shape.name)
            if inner.name not in known:
                known.add(inner.name)
                every.append(inner)
    leading = {shape.name for shape in every if sought(shape)}
    names = [*leading, ANY] if leading else []  # an Any may hold any of them
    for name in names:
        new = set(held_by[name]) - leading
        leading |= new
        names += new
    return frozenset(leading)


def with_capitals(shapes: Shapes) -> frozenset[str]:
    """Return the types that may hold a message with a field whose name is not in lower_snake_case, which
    protobuf.dev/programming-guides/style asks for. Their ProtoJSON may depend on the names: a generated class has names of its
    own, which a field may hide."""
    return leading_to(
        shapes, lambda shape: any(not field.descriptor.is_extension and field.name != field.name.lower() for field in shape.ordered)
    )


def _held(shape: Shape) -> Iterable[Shape]:
    fields = (field.mapped or field for field in shape.ordered)
    return {field.inner.name: field.inner for field in fields if field.inner is not None}.values()
