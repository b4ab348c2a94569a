"""Shrinking: always smaller, and as small as the failure allows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from grpc_interop.messages.shrink import smaller, weight
from grpc_interop.schema.catalog import Catalog
from grpc_interop.values.generator import Generator
from grpc_interop.wire.meaning import Meaning, meaning
from grpc_interop.wire.records import NotWireError
from grpc_interop.wire.shapes import Shape, Shapes

VALUES = Path(__file__).parents[1] / "suites" / "values"


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    return Generator(Shapes(Catalog.load([VALUES], [], tmp_path_factory.mktemp("cache"))))


def shrunk(shape: Shape, data: bytes, fails: Callable[[Meaning], bool]) -> bytes:
    """The smallest message reached that still fails."""

    def still(candidate: bytes) -> bool:
        try:
            return fails(meaning(shape, candidate))
        except NotWireError:
            return False

    while (found := next((one for one in smaller(shape, data) if still(one)), None)) is not None:
        data = found
    return data


def test_a_field_is_all_that_is_left(generator: Generator) -> None:
    """
    Of a large message only the field that fails is left, with the least value that does.
    """
    shape = generator.shapes.of("values.Lists")
    data = generator.boundaries(shape)[1]
    assert len(data) > 500
    small = shrunk(shape, data, lambda said: any(value > 1000 for value in said.fields.get(5, [])))  # type: ignore[union-attr,operator]
    assert meaning(shape, small).fields == {5: [1001]}


def test_what_is_nested_is_shrunk_too(generator: Generator) -> None:
    """
    A failing text within a submessage within a list is found.
    """
    shape = generator.shapes.of("values.Lists")
    data = generator.boundaries(shape)[1]
    small = shrunk(shape, data, lambda said: any(14 in one.fields for one in said.fields.get(17, [])))  # type: ignore[union-attr]
    assert len(small) <= 6


def test_candidates_are_smaller_and_each_is_tried_once(generator: Generator) -> None:
    """
    Shrinking cannot go round in circles.
    """
    shape = generator.shapes.of("values.Maps")
    data = generator.boundaries(shape)[1]
    seen = list(smaller(shape, data))
    assert len(seen) == len(set(seen))
    assert all(weight(one) < weight(data) for one in seen)


def test_bytes_that_are_no_message_are_shrunk_as_bytes(generator: Generator) -> None:
    """
    A malformed message loses bytes, not fields.
    """
    shape = generator.shapes.of("values.Scalars")
    assert set(smaller(shape, b"\x18\x01\x07")) == {b"", b"\x01\x07", b"\x18\x07", b"\x18\x01"}
